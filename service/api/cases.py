"""Cases: a work order comes in and becomes one; one case, a page of them, and what happened to one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from models.access import ADMIN
from models.case import Case, CaseCount, CaseFilters, CasePage, CaseQuery, Receipt, Timeline, TimelineQuery
from models.casework import CaseClocks
from models.complaint import Complaint, WorkOrderIn
from models.delivery import DeliveryQuery
from models.incidents import IncidentQuery
from models.stats import StatsQuery
from service import store
from service.api import cursor, etag, responses, told, veil
from service.api.access import caller
from service.api.bodies import read_json
from service.api.deps import Office, Reach, Reading, Reads, WholeOffice, office
from service.api.keys import HEADER, key_of
from service.api.plain import Json, PlainRoute, body_of, door, validated
from service.api.problems import NOTE
from service.casework import Dossier, Handbook, open_dossier, read_notes, within
from service.engine import Engine
from service.errors import (
    CaseNotFound,
    CursorInvalid,
    FieldFault,
    KeyConflict,
    KeyInvalid,
    OrderConflict,
    OthersCases,
    ParameterInvalid,
)
from service.incidents import Kin, signs_of
from service.intake import Received, receive
from service.keyring import Caller
from service.store import CaseRow, Event, Filters, Page

router = door("/v1/cases", "案件")
intake = door("/v1/cases", "案件", PlainRoute)

MOST_COUNTED = 10_000
"""So many cases are looked at; that there are more is told."""

CaseId = Annotated[str, Path(description="案件编号（ULID）")]


# In ------------------------------------------------------------------------------------------------------------------------------


@intake.post(
    "",
    summary="受理一个工单",
    status_code=201,
    response_model=Receipt,
    response_description="新受理；回执在提交到数据库之后才发出",
    responses={
        201: {"headers": responses.headers(Location="案件的地址；办理之前由此读取版本（ETag）")},
        200: {"model": Receipt, "description": "以前受理过同样的内容；回执与当时逐字节相同"},
        **responses.problems(*responses.BODY, KeyInvalid, OrderConflict, KeyConflict, *responses.WRITE),
    },
    openapi_extra=body_of(WorkOrderIn) | {"parameters": [HEADER]},
)
async def receive_order(request: Request) -> Response:
    """研判并保存一个 12345 工单。

    `source_system` 与 `source_order_no` 合起来唯一：同样的内容再发一次得到同一张回执（200）；编号相同而内容不同则拒绝（409）。
    答复 201 或 200 时案件已经写入磁盘；没有收到答复时，原样重发即可。
    """
    here = office(request)
    body = await read_json(request, here.settings.max_case_bytes)
    received = await receive(here.desk, validated(WorkOrderIn, body), datetime.now(UTC), key_of(request), caller(request.scope).key)
    note(here, received)
    request.scope[NOTE] = {"case": received.case.id}
    if not received.created:
        return Json(told.receipt(received.case))
    return Json(told.receipt(received.case), 201, headers={"Location": f"/v1/cases/{received.case.id}"})


def note(here: Office, received: Received) -> None:
    """Tell those who wait, and count."""
    if received.created:
        here.bell.ring(received.seq)
        here.meters.decided(received.case)


# Out -----------------------------------------------------------------------------------------------------------------------------


@router.get(
    "",
    summary="查询案件",
    response_model=CasePage,
    response_description="一页案件",
    responses={
        200: {"headers": responses.headers(ETag="列表的版本", Cache_Control="每次都要再问")},
        304: {"description": "这一页自 If-None-Match 那次以来没有变化"},
        **responses.problems(ParameterInvalid, CursorInvalid, OthersCases, *responses.READ),
    },
)
async def list_cases(
    query: Annotated[CaseQuery, Query()],
    request: Request,
    here: WholeOffice,
    reads: Reading,
    reach: Reach,
    condition: etag.Condition = None,
) -> Response:
    """按状态、单位、类别、时间等条件查询。翻页时把 `next` 作为 `cursor` 传回，其他条件不变；翻页期间新受理的案件不会造成遗漏或重复。

    轮询整个列表请带 `If-None-Match`：别的案件有变更、这一页没有变化时仍是 304；要得到每一个变更，请用 `/v1/changes`。
    """
    query = own(query, reach)
    await check_codes(query, here.rules.engine, reads)
    tag, page = await reads(_page, query, filters_of(query, here), cursor.unpack(query), condition)
    if page is None:
        return etag.unchanged(tag, etag.NOT_KEPT)
    body = {
        "cases": [veil.veil(told.summary(case), case, here.vault, caller(request.scope)) for case in page.cases],
        "next": cursor.pack(page.next, query),
    }
    return Json(body, headers=etag.headers(tag, etag.NOT_KEPT))


@router.get(
    "/count",
    summary="清点案件",
    response_model=CaseCount,
    response_description="件数",
    responses=responses.problems(ParameterInvalid, OthersCases, *responses.READ),
)
async def count_cases(query: Annotated[CaseFilters, Query()], here: WholeOffice, reads: Reading, reach: Reach) -> Response:
    """符合条件的案件有多少件；条件与查询案件相同。至多看 10000 件，没有看完的答 `more`，一百万件时也一样快。各项统计见 `/v1/stats`。"""
    asked = own(CaseQuery(**query.model_dump()), reach)
    await check_codes(asked, here.rules.engine, reads)
    count, whole = await reads(store.count_listed, filters_of(asked, here), MOST_COUNTED)
    return Json({"count": count, "more": not whole})


Asked = CaseQuery | DeliveryQuery | IncidentQuery | StatsQuery
Q = TypeVar("Q", CaseQuery, DeliveryQuery, IncidentQuery, StatsQuery)


def own(query: Q, reach: str | None) -> Q:
    """The query, asked of the caller's own department alone where the caller may meet no other."""
    if reach is None:
        return query
    if query.department not in {None, reach}:
        raise OthersCases
    return query.model_copy(update={"department": reach})


def _page(conn: Any, query: CaseQuery, filters: Filters, place: store.Cursor | None, condition: str | None) -> tuple[str, Page | None]:
    # The position first: if something changes in between, the tag is too old, and the next question is answered in full.
    position, which = store.list_position(conn, filters), _digest(query.model_dump_json())
    if (held := etag.held(condition, f"{position}-{which}-")) is not None:
        return held, None  # nothing at all has changed since: one row was read
    page = store.list_cases(conn, filters, limit=query.limit, cursor=place, order=query.order)
    stand = f"-{which}-{_digest(repr([(case.id, case.version) for case in page.cases]) + repr(page.next))}"
    if (held := etag.held(condition, end=stand)) is not None:
        return held, None  # other cases have changed, none of this list
    return f'W/"{position}{stand}"', page


def filters_of(query: CaseQuery, here: Office) -> Filters:
    """What the query asks, as the store is asked."""
    asked = query.model_dump(exclude={"order", "limit", "cursor", "overdue", "institution"})
    marks = None if query.institution is None else _marks(query.institution, here)
    return Filters(**asked, marks=marks, due_before=datetime.now(UTC) if query.overdue else None)


def _marks(institution: str, here: Office) -> tuple[tuple[str, str], ...]:
    """By which marks the cases of an institution are found: its own name as it sounds, and its entry in the register."""
    if here.rules.engine.ruleset.incidents is None:
        fault = FieldFault("/institution", "规则包没有 incidents.yaml，案件没有按机构编排，不能按机构查", "not_sorted")
        raise ParameterInvalid(faults=[fault])
    listed = here.register.look_up(Complaint(title="", content="", institution=institution)).register
    if marks := signs_of(Kin(here.rules.engine), institution, listed.id if listed else None):
        return marks
    fault = FieldFault("/institution", f"“{institution}”里没有机构自己的名号，请写它的名称，例如全称", "no_proper_name")
    raise ParameterInvalid(faults=[fault])


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()


async def check_codes(query: Asked, engine: Engine, reads: Reads) -> None:
    """Refuse codes that neither the rules in force nor a case has."""
    if unknown := _unknown_codes(query, engine):
        await reads(_refuse_codes, unknown)


def _unknown_codes(query: Asked, engine: Engine) -> dict[str, tuple[str, list[str]]]:
    """Codes that the rules in force do not have, each with those that there are."""
    ruleset = engine.ruleset
    departments = [department.code for department in ruleset.departments]
    known = {"department": departments, "lead": departments, "category": list(ruleset.ruleset.categories), "issue": list(ruleset.issues)}
    asked = {name: getattr(query, name, None) for name in known}
    return {name: (code, known[name]) for name, code in asked.items() if code is not None and code not in known[name]}


def _refuse_codes(conn: Any, unknown: Mapping[str, tuple[str, list[str]]]) -> None:
    """A code that does not exist would find nothing for ever, and the caller would think that all is quiet.

    One that the rules have lost is good as long as a case has it: old cases stay findable.
    """
    faults = [
        FieldFault(f"/{name}", f"没有 {code} 这个代码，只能是 {'、'.join(codes)}", "unknown_code")
        for name, (code, codes) in unknown.items()
        if not store.is_code_used(conn, name, code)
    ]
    if faults:
        raise ParameterInvalid(faults=faults)


@router.get(
    "/{case_id}",
    summary="查看一个案件",
    response_model=Case,
    response_description="案件",
    responses={
        200: {"headers": responses.headers(ETag="案件的版本", Cache_Control="每次都要再问")},
        304: {"description": "案件仍是 If-None-Match 所说的版本"},
        **responses.problems(CaseNotFound, *responses.READ),
    },
)
async def get_case(
    case_id: CaseId, request: Request, here: WholeOffice, reads: Reading, reach: Reach, condition: etag.Condition = None
) -> Response:
    """案件的全部内容。诉求人已遮盖；除热线和管理员外，文中的电话、身份证号、车牌也已遮盖，原文用 `unmask` 查看。"""
    tag, dossier = await reads(_dossier, case_id, here.casework.terms, reach, condition)
    if dossier is None:
        return etag.unchanged(tag, etag.NOT_KEPT)
    asks, row = caller(request.scope), dossier.row
    shown = veil.veil(told.whole(dossier), row, here.vault, asks) | {"complainant": veil.masked_person(row, here.vault, asks)}
    return Json(shown, headers=etag.headers(tag, etag.NOT_KEPT))


def _dossier(conn: Any, case_id: str, terms: Handbook, reach: str | None, condition: str | None) -> tuple[str, Dossier | None]:
    case = found(store.get_case(conn, case_id), case_id, reach)
    tag = f'"{case.version}"'
    return tag, None if etag.holds(condition, tag) else open_dossier(conn, case, terms)


@router.get(
    "/{case_id}/clocks",
    summary="查看一个案件的期限",
    response_model=CaseClocks,
    response_description="各项期限及计算过程",
    responses=responses.problems(CaseNotFound, *responses.READ),
)
async def case_clocks(case_id: CaseId, here: WholeOffice, reads: Reading, reach: Reach) -> Response:
    """各项期限的起算、届满、催办，以及依据和逐步的计算。"""
    return Json(told.clocks(await reads(_clocks, case_id, here.casework.terms, reach)))


def _clocks(conn: Any, case_id: str, terms: Handbook, reach: str | None) -> Dossier:
    return open_dossier(conn, found(store.get_case(conn, case_id), case_id, reach), terms, steps=True)


@router.get(
    "/{case_id}/events",
    summary="查看一个案件的经过",
    response_model=Timeline,
    response_description="事件，从早到晚",
    responses=responses.problems(CaseNotFound, ParameterInvalid, *responses.READ),
)
async def case_events(
    case_id: CaseId, query: Annotated[TimelineQuery, Query()], request: Request, here: WholeOffice, reads: Reading, reach: Reach
) -> Response:
    """案件受理以来发生的事和所写的文字，从早到晚。"""
    case, events, notes = await reads(_events, case_id, query, reach)
    shown = events[: query.limit]
    after = shown[-1].seq if len(events) > len(shown) else None
    asks = caller(request.scope)
    return Json({"events": [_happened(event, notes, case, here, asks) for event in shown], "next": after})


def _events(conn: Any, case_id: str, query: TimelineQuery, reach: str | None) -> tuple[CaseRow, list[Event], dict[int, dict[str, Any]]]:
    case = found(store.get_case(conn, case_id), case_id, reach)
    return case, store.case_events(conn, case_id, after=query.after, limit=query.limit + 1), read_notes(conn, case)


def _happened(event: Event, notes: dict[int, dict[str, Any]], case: CaseRow, here: Office, asks: Caller) -> dict[str, Any]:
    shown = told.happened(event, notes)
    if event.kind.startswith("audit.") and not (asks.key is None or ADMIN in asks.scopes):
        shown["data"] = {}  # that somebody looked is for all who work on it, why is for those who watch over it
    return shown | veil.veil({"note": shown["note"]}, case, here.vault, asks)


def found(case: CaseRow | None, case_id: str, reach: str | None = None) -> CaseRow:
    """The case; for who may not meet it there is none."""
    if case is None or not within(case, reach):
        raise CaseNotFound(f"没有编号为 {case_id[:64]} 的案件。")
    return case
