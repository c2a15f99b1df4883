"""POST /v1/cases/{id}/unmask: who complained, in clear, once, for a reason that is kept in the audit."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from models.unmask import Unmasked, UnmaskIn
from service import store
from service.api import responses, veil
from service.api.access import caller
from service.api.bodies import read_json
from service.api.cases import CaseId, found
from service.api.deps import Acting, Reach, WholeOffice
from service.api.plain import Json, body_of, door, validated
from service.casework import Actor
from service.casework.errors import ActorMissing, ActorUnknown
from service.errors import CaseNotFound, IdentityKept
from service.keyring import Caller
from service.masks import masked
from service.store import CaseRow, NewEvent
from service.vault import Vault

router = door("/v1/cases", "案件")

KIND = "audit.unmasked"


@router.post(
    "/{case_id}/unmask",
    summary="查看诉求人",
    response_model=Unmasked,
    response_description="诉求人与原文",
    responses=responses.problems(CaseNotFound, IdentityKept, ActorMissing, ActorUnknown, *responses.BODY, *responses.WRITE),
    openapi_extra=body_of(UnmaskIn),
)
async def unmask_case(case_id: CaseId, request: Request, here: WholeOffice, actor: Acting, reach: Reach) -> Response:
    """诉求人的姓名、电话、住址和未遮盖的原文。谁、何时、为什么看的记入审计链，写入之后才答复。

    单位只能看本单位主办的案件；诉求人要求保密的和举报的，单位一律不能看。
    """
    given = validated(UnmaskIn, await read_json(request, here.settings.max_case_bytes))
    asks = caller(request.scope)
    row, seq = await here.writer.submit(lambda conn: _unmask(conn, case_id, asks, actor, reach, given.reason, here.vault))
    here.bell.ring(seq)
    who = veil.person(row, here.vault)
    return Json({"case_id": row.id, **who, "title": row.title, "content": row.content, "seq": seq}, headers={"Cache-Control": "no-store"})


def _unmask(conn: Any, case_id: str, asks: Caller, actor: Actor, reach: str | None, reason: str, vault: Vault) -> tuple[CaseRow, int]:
    store.take_head(conn)
    row = found(store.get_case(conn, case_id), case_id, reach)
    if not veil.knows(asks):
        _check(row, asks)
    told = {"reason": masked(reason, vault.words(row.complainant)), "department": actor.department, "key": actor.key}
    event = NewEvent(at=store.now(conn), kind=KIND, case_id=row.id, actor=actor.name, data=orjson.dumps(told).decode())
    [written] = store.append_events(conn, [event])
    return row, written.seq


def _check(row: CaseRow, asks: Caller) -> None:
    if veil.is_confidential(row):
        raise IdentityKept("诉求人要求保密，或本件为举报：不向承办单位提供诉求人信息。确需联系的，请经热线转达。")
    if row.lead != asks.department:
        raise IdentityKept("只有主办单位可以查看诉求人信息。")
