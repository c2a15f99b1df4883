"""GET /v1/changes: the ordered feed. A poller keeps one number and loses nothing."""

import asyncio
from collections.abc import Coroutine
from time import monotonic
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from models.access import ADMIN
from models.case import Changes, FeedQuery
from service import store
from service.api import responses, told
from service.api.access import caller
from service.api.deps import Reach, Reading, Waiting, office
from service.api.plain import Json, door
from service.errors import CursorAhead, Overloaded, ParameterInvalid
from service.store import Event, View

router = door("/v1/changes", "变更")

HIDDEN = ("key.", "audit.", "session.")
"""Kinds of changes that are for administrators alone begin so."""


@router.get(
    "",
    summary="读取变更",
    response_model=Changes,
    response_description="变更，从早到晚",
    responses=responses.problems(ParameterInvalid, CursorAhead, Overloaded, *responses.READ),
)
async def changes(query: Annotated[FeedQuery, Query()], request: Request, reads: Reading, bell: Waiting, reach: Reach) -> Response:
    """`after` 之后的变更，按提交的次序，每个恰好一次，不会遗漏。

    把答复中的 `next` 存下来，下一次作为 `after`；只关心以后的，第一次用 `after=now`。

    带上 `wait=30` 时，没有新变更就等到有为止，最多 30 秒；等待的连接不占用线程和数据库连接。

    单位的钥匙只读得到本单位主办、协办的案件，以及使它不再主办、协办的那一次变更。
    """
    if query.after == "now":
        return Json({"changes": [], "next": await reads(store.feed_head)})
    view = View(reach, () if caller(request.scope).scopes & {ADMIN} else HIDDEN)
    until = monotonic() + query.wait
    found, looked = await reads(_behind, view, query.after, query.limit)
    while not found and (left := until - monotonic()) > 0 and not bell.closed:
        if bell.waiting >= office(request).settings.max_pollers:
            raise Overloaded("同时等待变更的轮询太多，请稍后再试，或不带 wait。")
        await _unless_gone(request, bell.wait_beyond(looked, left))
        found, looked = await reads(_behind, view, looked, query.limit)
    return Json({"changes": [told.change(event) for event in found], "next": looked})


def _behind(conn: Any, view: View, after: int, limit: int) -> tuple[list[Event], int]:
    found, looked = store.changes_within(conn, view, after, limit)
    if looked > store.feed_head(conn):
        # Waiting there would skip all that is to come up to that position.
        raise CursorAhead(f"变更流现在只到 {store.feed_head(conn)}，没有到过 {after}：数据库可能换过或还原过。请从 0 重新读取。")
    return found, looked


async def _unless_gone(request: Request, waiting: Coroutine[Any, Any, None]) -> None:
    """Wait, but no longer than the caller does."""
    wait, gone = asyncio.create_task(waiting), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((wait, gone), return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise ClientDisconnect
    finally:
        wait.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
