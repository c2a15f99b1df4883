"""Deliveries: what went out to departments' systems, what waits, what was given up; and sending it once more."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import fields
from hashlib import sha256
from typing import Annotated, Any

import orjson
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from models.access import ADMIN, VIEWER
from models.case import MAX_SEQ
from models.delivery import DeliveryPage, DeliveryQuery, DeliveryTold
from service import store
from service.api import responses, told
from service.api.access import caller
from service.api.cases import check_codes, own
from service.api.channels import ACTOR
from service.api.deps import Bound, Reading, Rules, WholeOffice
from service.api.plain import Json, door
from service.errors import ChannelMissing, CursorInvalid, DeliveryNotFound, OthersCases, ParameterInvalid
from service.store import DeliveryRow

router = door("/v1/deliveries", "送达")

DeliveryId = Annotated[str, Path(description="送达编号，即 webhook-id")]
MAY_READ = frozenset({VIEWER, ADMIN})
MOMENTS = frozenset({"created_at", "due_at", "finished_at"})


@router.get(
    "",
    summary="查询送达",
    response_model=DeliveryPage,
    response_description="一页送达",
    responses=responses.problems(ParameterInvalid, CursorInvalid, OthersCases, *responses.READ),
)
async def list_deliveries(query: Annotated[DeliveryQuery, Query()], request: Request, rules: Rules, reads: Reading) -> Response:
    """按状态、单位、案件查询送达，新的在前。放弃的（`state=dead`）可以重发。不含消息的内容。"""
    query = own(query, caller(request.scope).bound(MAY_READ))
    await check_codes(query, rules.engine, reads)
    before = _unpacked(query)
    rows = await reads(_page, query, before)
    shown = rows[: query.limit]
    after = _packed(shown[-1], query) if len(rows) > len(shown) else None
    return Json({"deliveries": [_told(row) for row in shown], "next": after})


def _page(conn: Any, query: DeliveryQuery, before: tuple[int, str] | None) -> list[DeliveryRow]:
    return store.list_deliveries(
        conn, state=query.state, department=query.department, case_id=query.case, before=before, limit=query.limit + 1
    )


@router.post(
    "/{delivery_id}/replay",
    summary="重发",
    response_model=DeliveryTold,
    response_description="送达，等待再送",
    responses=responses.problems(DeliveryNotFound, ChannelMissing, *responses.WRITE),
)
async def replay_delivery(delivery_id: DeliveryId, request: Request, here: WholeOffice, reach: Bound) -> Response:
    """把已送达或已放弃的消息原样再送一次，`webhook-id` 不变，次数从头计；还在等待的则立即再试。记入案件的经过。

    它可能晚于同案后来的消息送到：信封的 `sequence`（CloudEvents 扩展）按文字比较，收的一方丢弃不比已收的大的。
    """
    by = caller(request.scope).name or ACTOR
    row = await here.writer.submit(lambda conn: _replay(conn, delivery_id, reach, by))
    here.dispatcher.wake()
    return Json(_told(row))


def _replay(conn: Any, delivery_id: str, reach: str | None, by: str) -> DeliveryRow:
    store.take_head(conn)
    row = store.get_delivery(conn, delivery_id)
    if row is None or reach not in {None, row.department}:
        raise DeliveryNotFound(f"没有编号为 {delivery_id[:120]} 的送达。")
    if store.get_channel(conn, row.department) is None:
        raise ChannelMissing(f"单位 {row.department} 没有设置通道，送不出去。请先设置通道。")
    return store.replay_delivery(conn, row.id, actor=by, at=store.now(conn)) or row


def _told(row: DeliveryRow) -> dict[str, Any]:
    values = {part.name: getattr(row, part.name) for part in fields(DeliveryRow)}
    return values | {name: told.local(values[name]) for name in MOMENTS if values[name] is not None}


# Cursors: opaque, and good only for the list that gave them ------------------------------------------------------------------------


def _packed(last: DeliveryRow, query: DeliveryQuery) -> str:
    return urlsafe_b64encode(orjson.dumps([_mark(query), last.seq, last.id])).decode().rstrip("=")


def _unpacked(query: DeliveryQuery) -> tuple[int, str] | None:
    if query.cursor is None:
        return None
    with suppress(binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError):
        match orjson.loads(urlsafe_b64decode(query.cursor.encode("ascii") + b"=" * (-len(query.cursor) % 4))):
            case [mark, int(seq), str(id_)] if mark == _mark(query) and 0 <= seq <= MAX_SEQ:
                return seq, id_
    raise CursorInvalid


def _mark(query: DeliveryQuery) -> str:
    return sha256(query.model_dump_json(exclude={"cursor", "limit"}).encode()).hexdigest()[:8]
