"""Bodies of requests: their type is checked first, their size while they are read, and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from service.errors import BodyEmpty, BodyTooSlow, TooLarge, WrongMediaType

READ_SECONDS = 30
"""How long the next piece of a body may take."""
WHOLE_SECONDS = 120
"""How long a body may take that is read before anything is done with it: a byte every now and then is no way to send one."""

POLITE_BYTES = 20_000_000
POLITE_SECONDS = 3
"""How much of a body that is refused is still listened to, and for how long."""

JSON = (b"application/json",)
NDJSON = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")

BOM = b"\xef\xbb\xbf"


async def read_json(request: Request, limit: int) -> bytes:
    """The whole body of a request that says it is JSON."""
    try:
        check_head(request, JSON, limit)
        body = await _whole(request, limit)
    except TooLarge:
        await _hear_out(request)
        raise
    text = body.removeprefix(BOM)  # Windows' own tools put a mark before UTF-8
    if not text.strip():
        raise BodyEmpty
    return text


async def read_bytes(request: Request, media_types: Sequence[bytes], limit: int) -> bytes:
    """The whole body of a request that says it is of one of these types."""
    check_head(request, media_types, limit)
    return await _whole(request, limit)


async def _whole(request: Request, limit: int) -> bytes:
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            return b"".join([chunk async for chunk in chunks(request, limit)])
    except TimeoutError:
        raise BodyTooSlow(f"请求体 {WHOLE_SECONDS} 秒还没有发完。") from None


def check_head(request: Request, media_types: Sequence[bytes], limit: int) -> None:
    """Refuse by the headers what need not be read. A charset there is ignored (RFC 8259): the bytes tell it better."""
    headers = dict(request.scope["headers"])
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise WrongMediaType("请求体不要压缩（Content-Encoding）。")
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type not in media_types:
        raise WrongMediaType(f"请求头 Content-Type 应为 {media_types[0].decode()}，编码为 UTF-8。")
    if int(headers.get(b"content-length", 0)) > limit:
        raise too_large(limit)


async def chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body, piece by piece, up to a limit."""
    size, more = 0, True
    while more:
        message = await _receive(request)
        more = message.get("more_body", False)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        yield chunk


async def _receive(request: Request) -> Message:
    try:
        async with asyncio.timeout(READ_SECONDS):
            message = await request.receive()
    except TimeoutError:
        raise BodyTooSlow(f"请求体 {READ_SECONDS} 秒内没有新的内容。") from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message


async def _hear_out(request: Request) -> None:
    """Let a body that is only somewhat too large end: who sends first and reads afterwards would see a broken line, not our answer."""
    if b"expect" in dict(request.scope["headers"]):
        return  # that caller asks before sending
    heard, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(POLITE_SECONDS):
            while more and heard < POLITE_BYTES:
                message = await _receive(request)
                more = message.get("more_body", False)
                heard += len(message.get("body", b""))


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"请求体不能超过 {limit:,} 字节。")
