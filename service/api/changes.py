"""GET /v1/changes: the ordered feed. A poller keeps one number and loses nothing."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from models.case import Changes, FeedQuery
from service import store
from service.api import responses, told
from service.api.deps import Reading, Waiting
from service.api.plain import Json, door
from service.errors import CursorAhead, ParameterInvalid
from service.store import Event

router = door("/v1/changes", "变更")


@router.get(
    "",
    summary="读取变更",
    response_model=Changes,
    response_description="变更，从早到晚",
    responses=responses.problems(ParameterInvalid, CursorAhead, *responses.READ),
)
async def changes(query: Annotated[FeedQuery, Query()], request: Request, reads: Reading, bell: Waiting) -> Response:
    """`after` 之后的变更，按提交的次序，每个恰好一次，不会遗漏。

    把答复中的 `next` 存下来，下一次作为 `after`。带上 `wait=30` 时，没有新变更就等到有为止，最多 30 秒；等待的连接不占用线程和数据库连接。
    """
    found = await reads(_behind, query.after, query.limit)
    if not found and query.wait:
        await _unless_gone(request, bell.wait_beyond(query.after, query.wait))
        found = await reads(_behind, query.after, query.limit)
    return Json({"changes": [told.change(event) for event in found], "next": found[-1].seq if found else query.after})


def _behind(conn: Any, after: int, limit: int) -> list[Event]:
    found = store.changes(conn, after, limit)
    if not found and after > (head := store.feed_head(conn)):
        # Waiting there would skip all that is to come up to that position.
        raise CursorAhead(f"变更流现在只到 {head}，没有到过 {after}：数据库可能换过或还原过。请从 0 重新读取。")
    return found


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
