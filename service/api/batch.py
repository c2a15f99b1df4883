"""POST /v1/cases/batch: work orders line by line, results line by line, while both are still under way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from models.complaint import WorkOrderIn
from service.api import responses, told
from service.api.access import caller
from service.api.bodies import BOM, NDJSON, check_head, chunks, too_large
from service.api.cases import note
from service.api.deps import Office, office
from service.api.plain import PlainRoute, door, validated
from service.api.problems import NOTE, REQUEST_ID, as_problem
from service.api.spool import Spool
from service.errors import BodyEmpty, BodyTooSlow, Fault, FenpaiError, Overloaded, TooLarge, WrongMediaType
from service.intake import Received, receive

router = door("/v1/cases", "案件", PlainRoute)

MEDIA_TYPE = "application/x-ndjson"

UNDER_WAY = 64
"""Rows that are judged or wait for their commit at the same time: enough for full groups, few enough that others get their turn."""

MOST_WAITING = 1_000_000_000
"""Bytes of results that may wait for a caller who does not read."""

PATIENCE = 0.05
"""Seconds before a row knocks again at a full writer."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the body; None where it is too long to be looked at."""

    number: int
    text: bytes | None


@router.post(
    "/batch",
    summary="受理一批工单",
    response_class=Response,
    response_description="每行一个结果，次序与请求相同",
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/BatchRow"}}}},
        **responses.problems(BodyEmpty, BodyTooSlow, TooLarge, WrongMediaType),
    },
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/WorkOrderIn"}}}}},
)
async def receive_batch(request: Request) -> Response:
    """请求体为 NDJSON：每行一个工单，与 `POST /v1/cases` 的请求体相同。答复也是 NDJSON：每行一个结果，含行号、状态码和回执或错误说明。

    一行出错不影响其他行；每行的结果在它提交到数据库之后才发出。边收边办边答，整批不必放进内存；中断之后原样重发即可，已受理的行得到同一张回执。
    每行不超过一个工单的上限，整批另有上限；空行跳过，但计入行号。
    """
    here = office(request)
    check_head(request, NDJSON, here.settings.max_batch_bytes)
    rows = lines(chunks(request, here.settings.max_batch_bytes), here.settings.max_case_bytes)
    first = await anext(rows, None)
    if first is None:
        raise BodyEmpty("请求体里没有一行内容。请每行放一个工单。")
    return _Results(here, first, rows)


async def lines(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[Line]:
    """The lines that are not blank, with their numbers; the rest of a line that is too long is dropped as it comes."""
    number, rest, dropping = 1, bytearray(), False
    async for piece in pieces:
        *ended, open_end = piece.split(b"\n")
        for part in ended:
            rest += part
            if dropping or rest.strip():
                yield Line(number, None if dropping or len(rest) > limit else bytes(rest))
            number, dropping = number + 1, False
            rest.clear()
        rest += open_end
        if len(rest) > limit:
            dropping = True
            rest.clear()
    if dropping or rest.strip():
        yield Line(number, None if dropping else bytes(rest))


class _Results(Response):
    """The answer, written while the request is still being read."""

    media_type = MEDIA_TYPE

    def __init__(self, here: Office, first: Line, rows: AsyncIterator[Line]) -> None:
        self._here = here
        self._first = first
        self._rows = rows
        self.status_code = 200
        self.background = None
        self.init_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the rows read the request)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        spool = Spool()
        batch = _Batch(self._here, scope, spool)
        scope[NOTE] = {"rows": batch.rows}
        work = asyncio.create_task(batch.run(self._first, self._rows))
        try:
            async for data in spool.take():
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await work
            await send({"type": "http.response.body", "body": b""})
        finally:
            work.cancel()
            spool.close()


class _Batch:
    """Works through the rows: some are under way at a time, and their results are told in the order of the lines."""

    def __init__(self, here: Office, scope: Scope, spool: Spool) -> None:
        self._here = here
        self._key = caller(scope).key
        self._instance: str = scope[REQUEST_ID]
        self._spool = spool
        self._under_way: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(UNDER_WAY)
        self.rows: Counter[int] = Counter()

    async def run(self, first: Line, rows: AsyncIterator[Line]) -> None:
        """Begin each row as it comes, tell each result as soon as it is there and those before it are told."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tell())
                end = await self._begin_all(tasks, first, rows)
                await self._under_way.put(None)
            if isinstance(end, FenpaiError):
                self._spool.put(self._problem(0, end))  # the rows so far stand, the rest was not read
            elif end:
                raise end
        finally:
            self._spool.end()

    async def _begin_all(self, tasks: asyncio.TaskGroup, first: Line, rows: AsyncIterator[Line]) -> FenpaiError | ClientDisconnect | None:
        """Why it ended before the rows did, if it did. Not raised, or the rows under way would be called off."""
        try:
            await self._under_way.put(tasks.create_task(self._row(first)))
            async for line in rows:
                await self._under_way.put(tasks.create_task(self._row(line)))
                if self._spool.waiting > MOST_WAITING:
                    return TooLarge("结果积压太多而没有被读取，从下一行起没有受理。请边发边读，或分成几批。")
        except (FenpaiError, ClientDisconnect) as end:
            return end
        return None

    async def _tell(self) -> None:
        while task := await self._under_way.get():
            self._spool.put(await task)

    async def _row(self, line: Line) -> bytes:
        """What becomes of one line, told as a line."""
        try:
            received = await self._receive(line)
        except FenpaiError as error:
            return self._problem(line.number, error)
        except Exception as error:  # noqa: BLE001 (the edge: one bad row harms no other)
            structlog.get_logger().error("unexpected", request=self._instance, line=line.number, exc_info=error)
            return self._problem(line.number, Fault())
        note(self._here, received)
        status = 201 if received.created else 200
        self.rows[status] += 1
        return _line({"line": line.number, "status": status, "receipt": orjson.Fragment(told.receipt(received.case))})

    async def _receive(self, line: Line) -> Received:
        if line.text is None:
            raise too_large(self._here.settings.max_case_bytes)
        text = line.text.removeprefix(BOM) if line.number == 1 else line.text
        order = validated(WorkOrderIn, text)
        while True:
            try:
                return await receive(self._here.desk, order, datetime.now(UTC), by_key=self._key)
            except Overloaded:  # a batch can wait: its caller is slowed down, those who come one by one are not
                await asyncio.sleep(PATIENCE)

    def _problem(self, line: int, error: FenpaiError) -> bytes:
        self.rows[error.status] += 1
        return _line({"line": line, "status": error.status, "problem": as_problem(error, self._instance)})


def _line(row: dict[str, object]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
