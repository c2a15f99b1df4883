"""Incidents (群体事件) and suspected duplicates: looked at, and what an officer says of them. Members are linked by merge and unmerge."""

from typing import Annotated, Any

import orjson
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from models.incidents import IncidentPage, IncidentQuery, IncidentWhole, Proposal, ProposalPage, ProposalQuery
from models.moved import Moved
from models.moves import Move
from models.requests import Because, Plain
from service import store
from service.api import etag, responses, told, veil
from service.api.access import caller
from service.api.bodies import read_json
from service.api.cases import CaseId, check_codes, own
from service.api.deps import Acting, Reach, Reading, WholeOffice
from service.api.moves import REFUSED, Versions, body_given
from service.api.plain import Json, body_of, door, validated
from service.casework import Ordered, within
from service.casework.errors import ActorMissing, ActorUnknown, NotYours
from service.errors import CaseNotFound, KeyConflict, KeyInvalid, OthersCases, ParameterInvalid
from service.incidents import ProposalDecided, ProposalNotFound, accept, dismiss
from service.keyring import Caller
from service.store import CaseRow, IncidentRow, ProposalRow
from service.vault import Vault

router = door("/v1/incidents", "群体事件")
duplicates = door("/v1/duplicates", "群体事件")

OtherId = Annotated[str, Path(description="先来的案件编号（ULID）")]

LINKED = 500
"""Members that are told with an incident."""

ACCEPTED = [kind for kind in REFUSED if kind not in {KeyInvalid, KeyConflict}]


@router.get(
    "",
    summary="查询群体事件",
    response_model=IncidentPage,
    response_description="一页群体事件",
    responses=responses.problems(ParameterInvalid, OthersCases, *responses.READ),
)
async def list_incidents(
    query: Annotated[IncidentQuery, Query()], request: Request, here: WholeOffice, reads: Reading, reach: Reach
) -> Response:
    """反映同一家机构的诉求，在规则包 `incidents.yaml` 所定的时间之内达到所定的件数，即自动立为一件群体事件。

    群体事件本身是一个案件：主办、协办一次算定，各件并入其中。

    并入、拆出用 `POST /v1/cases/{id}/merge` 与 `/unmerge`，都要带 `If-Match`；拆出的不再自动并入。
    """
    query = own(query, reach)
    await check_codes(query, here.rules.engine, reads)
    rows = await reads(_incidents, query)
    shown = rows[: query.limit]
    after = shown[-1].case.id if len(rows) > len(shown) else None
    return Json({"incidents": [_told(row, here.vault, caller(request.scope)) for row in shown], "next": after})


def _incidents(conn: Any, query: IncidentQuery) -> list[IncidentRow]:
    how = {"status": query.status, "department": query.department, "before": query.cursor}
    return store.list_incidents(conn, limit=query.limit + 1, **how)


@router.get(
    "/{case_id}",
    summary="查看一件群体事件",
    response_model=IncidentWhole,
    response_description="群体事件及并入的案件",
    responses=responses.problems(CaseNotFound, *responses.READ),
)
async def get_incident(case_id: CaseId, request: Request, here: WholeOffice, reads: Reading, reach: Reach) -> Response:
    """群体事件和并入的各个案件。它作为案件的全部内容见 `/v1/cases/{id}`。"""
    incident, members = await reads(_incident, case_id, reach)
    who = caller(request.scope)
    linked = [veil.veil(told.summary(row), row, here.vault, who) for row in members]
    return Json(_told(incident, here.vault, who) | {"linked": linked})


def _incident(conn: Any, case_id: str, reach: str | None) -> tuple[IncidentRow, list[CaseRow]]:
    incident = store.get_incident(conn, case_id)
    if incident is None or not within(incident.case, reach):
        raise CaseNotFound(f"没有编号为 {case_id[:64]} 的群体事件。")
    ids = store.members(conn, case_id)[:LINKED]
    rows = store.cases_by_id(conn, ids)
    return incident, [rows[id_] for id_ in ids if id_ in rows and within(rows[id_], reach)]


def _told(row: IncidentRow, vault: Vault, who: Caller) -> dict[str, Any]:
    return {
        "case": veil.veil(told.summary(row.case), row.case, vault, who),
        "institution": row.institution,
        "opened_at": told.local(row.opened_at),
        "members": row.members,
        "first_at": row.first_at and told.local(row.first_at),
        "last_at": row.last_at and told.local(row.last_at),
    }


# Suspected duplicates -------------------------------------------------------------------------------------------------------------


@duplicates.get(
    "",
    summary="查询疑似重复",
    response_model=ProposalPage,
    response_description="一页疑似重复",
    responses=responses.problems(ParameterInvalid, *responses.READ),
)
async def list_duplicates(query: Annotated[ProposalQuery, Query()], request: Request, reads: Reading, reach: Reach) -> Response:
    """可能反映同一件事的案件，附相近的程度和共有的词语。只是提示，由人决定是否并单。"""
    rows = await reads(_proposals, query, reach)
    shown = rows[: query.limit]
    after = f"{shown[-1].case_id}-{shown[-1].other_id}" if len(rows) > len(shown) else None
    return Json({"duplicates": [_proposal(row, caller(request.scope)) for row in shown], "next": after})


def _proposals(conn: Any, query: ProposalQuery, reach: str | None) -> list[ProposalRow]:
    one, _, other = (query.cursor or "").partition("-")
    how: dict[str, Any] = {"before": (one, other) if one else None, "department": reach, "case": query.case}
    return store.list_proposals(conn, state=query.state, limit=query.limit + 1, **how)


@duplicates.post(
    "/{case_id}/{other_id}/accept",
    summary="是重复，并单",
    response_model=Moved,
    response_description="并单的回执",
    responses={
        200: {"headers": responses.headers(ETag="案件的新版本", Cache_Control="每次都要再问")},
        **responses.problems(*responses.BODY, *ACCEPTED, ProposalNotFound, ProposalDecided, *responses.WRITE),
    },
    openapi_extra=body_of(Plain, required=False),
)
async def accept_duplicate(
    case_id: CaseId, other_id: OtherId, request: Request, here: WholeOffice, actor: Acting, reach: Reach, versions: Versions = None
) -> Response:
    """把后来的案件并入先来的，与 `POST /v1/cases/{id}/merge` 相同；`If-Match` 写后来那个案件的版本。"""
    body = await body_given(request, Plain, here.settings.max_case_bytes)
    ordered = Ordered(case_id, etag.versions(versions), Move.MERGE, body, actor, reach=reach)
    made = await here.writer.submit(lambda conn: accept(conn, ordered, other_id, here.casework.terms(), here.casework.now))
    here.bell.ring(made.event.seq)
    return Json(told.moved(made.event), headers=etag.headers(f'"{told.version(made.event)}"'))


@duplicates.post(
    "/{case_id}/{other_id}/dismiss",
    summary="不是重复",
    response_model=Proposal,
    response_description="疑似重复，已有决定",
    responses=responses.problems(
        *responses.BODY, ActorMissing, ActorUnknown, NotYours, ProposalNotFound, ProposalDecided, *responses.WRITE
    ),
    openapi_extra=body_of(Because),
)
async def dismiss_duplicate(
    case_id: CaseId, other_id: OtherId, request: Request, here: WholeOffice, actor: Acting, reach: Reach
) -> Response:
    """两件都保留，不再提示。"""
    body = validated(Because, await read_json(request, here.settings.max_case_bytes))
    pair = case_id, other_id
    row, event = await here.writer.submit(
        lambda conn: dismiss(conn, pair, (actor, reach), body.reason, here.casework.terms(), here.casework.now)
    )
    here.bell.ring(event.seq)
    return Json(_proposal(row, caller(request.scope)))


def _proposal(row: ProposalRow, who: Caller) -> dict[str, Any]:
    """The words come from what people wrote; a part of a name among them is shown only to those who know it anyway."""
    return {
        "case_id": row.case_id,
        "other_id": row.other_id,
        "score": row.score,
        "basis": row.basis,
        "words": orjson.Fragment(row.words if veil.knows(who) else "[]"),
        "state": row.state,
        "proposed_at": told.local(row.proposed_at),
        "decided_at": row.decided_at and told.local(row.decided_at),
        "actor": row.actor,
        "note": row.note,
    }
