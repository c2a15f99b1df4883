"""/v1/audit: administrators read the log, have the whole chain checked, and take it away for an auditor. Each export is a row of it."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from models.audit import AuditExportQuery, AuditPage, AuditQuery, AuditTold, AuditVerifyIn
from models.drafts import JobTold
from service import audit, store
from service.api import longwork, responses, told
from service.api.access import caller
from service.api.bodies import read_json
from service.api.deps import Office, Reading, Reads, WholeOffice
from service.api.jobs import Progress
from service.api.plain import Json, body_of, door, validated
from service.audit import Mark
from service.errors import ParameterInvalid
from service.keyring import Caller
from service.store import Event, LogFilters

router = door("/v1/audit", "审计")

NDJSON = "application/x-ndjson"
STRIDE = 500
LOCAL = "本机"
"""Who it was where no key was shown."""


@router.get(
    "",
    summary="查询审计记录",
    response_model=AuditPage,
    response_description="一页记录",
    responses=responses.problems(ParameterInvalid, *responses.READ),
)
async def list_audit(query: Annotated[AuditQuery, Query()], reads: Reading) -> Response:
    """谁在何时用哪把钥匙做了什么：受理、办理、查看诉求人、规则、钥匙、登录、导出，新的在前。记录只增不改。"""
    filters = LogFilters(**query.model_dump(exclude={"limit"}))
    found = await reads(store.list_log, filters, query.limit + 1)
    shown = found[: query.limit]
    return Json({"rows": [_row(event) for event in shown], "next": shown[-1].seq if len(found) > len(shown) else None})


def _row(event: Event) -> dict[str, Any]:
    same = {"seq": event.seq, "at": told.local(event.at), "kind": event.kind, "case_id": event.case_id, "actor": event.actor}
    return same | {"data": orjson.Fragment(event.data), "hash": event.hash}


@router.post(
    "/verify",
    status_code=202,
    summary="核对审计链",
    response_model=JobTold,
    response_description="已开始；照 Location 查询进度和结果",
    responses={202: longwork.BEGUN, **responses.problems(*responses.BODY, *responses.WRITE)},
    openapi_extra=body_of(AuditVerifyIn),
)
async def verify_audit(request: Request, here: WholeOffice) -> Response:
    """核对整条审计链，以及每个案件、钥匙、规则版本是否与它相符、每份加密的诉求人信息能否解开；指出第一处不符。

    是后台任务；结果里的 `mark` 请另处存好，下次作为 `noted`，链尾被截去也能看出。
    """
    given = validated(AuditVerifyIn, await read_json(request, here.settings.max_case_bytes))
    noted, rows = audit.mark_of(given.noted or ""), await here.reads(store.feed_head)
    asked = longwork.Asked("audit", "", rows, doer(caller(request.scope)))
    return await longwork.begin(here, asked, lambda progress: _verified(here, noted, progress))


def _verified(here: Office, noted: Mark | None, progress: Progress) -> dict[str, Any]:
    found = audit.verify(here.database, here.vault, noted, progress)
    return AuditTold(**asdict(found) | {"mark": str(found.mark)}).model_dump()


@router.get(
    "/export",
    summary="导出审计记录",
    response_class=StreamingResponse,
    response_description="一行一条 JSON，从早到晚",
    responses={
        200: {"content": {NDJSON: {"schema": {"type": "string"}}}, "headers": responses.headers(Content_Disposition="文件名")},
        **responses.problems(ParameterInvalid, *responses.WRITE),
    },
)
async def export_audit(query: Annotated[AuditExportQuery, Query()], request: Request, here: WholeOffice) -> Response:
    """整条链，一行一条：`hash` 是 SHA-256(`prev_hash` + `row` 的紧凑 JSON)，谁都能自行核对。导出本身也记入审计，是最后一行。"""
    asks = caller(request.scope)
    event = await here.writer.submit(lambda conn: audit.note_export(conn, doer(asks), what="audit", after=query.after, key=asks.key))
    here.bell.ring(event.seq)
    name = {"Content-Disposition": f'attachment; filename="audit-{event.seq}.ndjson"'}
    return StreamingResponse(_lines(here.reads, query.after, event.seq), media_type=NDJSON, headers=name)


async def _lines(reads: Reads, after: int, end: int) -> AsyncIterator[bytes]:
    """Read stretch by stretch: what is read never changes, and no connection is held while the caller takes it."""
    while after < end and (stretch := await reads(store.changes, after, min(STRIDE, end - after))):
        yield b"".join(audit.line(event) for event in stretch)
        after = stretch[-1].seq


def doer(asks: Caller) -> str:
    """Who did it, as the log names them."""
    return asks.name or LOCAL
