"""A dial for a process without an API: /metrics and /healthz over plain HTTP, nothing else. Only numbers stand on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from service.errors import ListenFailed

PATIENCE = 5.0
"""Seconds in which a question must have been asked."""

Page = Callable[[], tuple[int, bytes]]
"""Gives a status and a text."""


@asynccontextmanager
async def shown(host: str, port: int, pages: dict[str, Page]) -> AsyncIterator[int]:
    """Show these pages as long as the block lasts; gives the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answered(head, pages))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, host, port, limit=16_384)
    except OSError as error:
        raise ListenFailed(f"无法在 {host}:{port} 给出指标：{error.strerror}。可用 FENPAI_METRICS_PORT 换一个端口。") from error
    async with server:
        yield server.sockets[0].getsockname()[1]


def _answered(head: bytes, pages: dict[str, Page]) -> bytes:
    method, _, rest = head.partition(b" ")
    page = pages.get(rest.partition(b" ")[0].decode("latin-1").partition("?")[0])
    status, text = page() if page is not None and method == b"GET" else (404, b"")
    reason = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}[status]
    lines = [f"HTTP/1.1 {status} {reason}", "Content-Type: text/plain; version=0.0.4; charset=utf-8", f"Content-Length: {len(text)}"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + text
