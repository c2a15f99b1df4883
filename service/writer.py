"""The writer: one thread that commits together all who wait.

Endpoints await; the thread takes whatever waits, runs it in one transaction, and answers after the commit. Nobody waits for
company (at rest a transaction holds one job), yet under load one fsync serves dozens.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.db import Database, commit, explained, is_unavailable, write_lock
from service.errors import FenpaiError, Overloaded, StorageUnavailable, WriterStopped
from service.store import take_head

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

Job = Callable[[Connection], T]
Batch = Callable[[Connection, Sequence[Item]], Sequence[Result]]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Somebody who waits: for a job of their own, or for their item of a batch."""

    work: Callable[..., Any]
    batched: bool
    item: Any
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Failed:
    """Told instead of a result."""

    error: Exception


Answers = dict[_Waiting, Any]


class Writer:
    """Takes jobs from the event loop and commits them in groups. On SQLite it is the only one for its database."""

    def __init__(self, database: Database, *, limit: int = 4096, batch: int = 256) -> None:
        self._database = database
        self._limit = limit
        self._batch = batch
        self._queue: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        self._fresh: list[_Waiting] = []
        self._held = ExitStack()
        self._open = False
        self._ended = False
        self.waiting = 0

    def start(self) -> None:
        """Begin, within the running event loop; refused while another process writes to the same SQLite file."""
        self._held.enter_context(write_lock(self._database))
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._work, name="fenpai-writer", daemon=True)
        self._thread.start()
        self._open = True

    async def stop(self) -> None:
        """Take nothing more, finish what waits, give the database free."""
        if self._open:
            self._open = False
            self._hand_over()
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._held.close()

    async def submit(self, job: Job[T]) -> T:
        """Run the job in the next transaction and give its result once that is committed.

        A refusal (any FenpaiError) undoes what this job wrote and nothing else. A caller who goes away does not undo it.
        """
        result: T = await self._enqueue(job, batched=False, item=None)
        return result

    async def submit_item(self, batch: Batch[Item, Result], item: Item) -> Result:
        """The same for one item of a batch: items that wait for the same function are handed over to it together."""
        result: Result = await self._enqueue(batch, batched=True, item=item)
        return result

    def _enqueue(self, work: Callable[..., Any], *, batched: bool, item: object) -> asyncio.Future[Any]:
        if not self._open:
            raise WriterStopped
        if self.waiting >= self._limit:
            raise Overloaded
        self.waiting += 1
        future = self._loop.create_future()
        if not self._fresh:
            self._loop.call_soon(self._hand_over)
        self._fresh.append(_Waiting(work, batched, item, future))
        return future

    def _hand_over(self) -> None:
        """Give the thread at once all that came up in one turn of the event loop: it would begin with the first, and commit that alone."""
        fresh, self._fresh = self._fresh, []
        for start in range(0, len(fresh), self._batch):
            self._queue.put(fresh[start : start + self._batch])

    # In the event loop above, in the writer's thread below ------------------------------------------------------------------

    def _work(self) -> None:
        while waiting := self._next():
            answers = self._together(waiting)
            # Once for all: waking the loop costs more than setting a result. A loop that is closed has nobody left to tell.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell, answers)

    def _next(self) -> list[_Waiting]:
        """All who wait, up to about a limit that keeps a transaction short; nobody only when the end was asked for."""
        taken: list[_Waiting] = []
        with suppress(Empty):
            while not self._ended and len(taken) < self._batch:
                more = self._queue.get(block=not taken)
                if more is None:
                    self._ended = True
                else:
                    taken += more
        return taken

    def _together(self, waiting: list[_Waiting]) -> Answers:
        try:
            return self._transact(waiting)
        except _JobFailed as failed:
            # Alone, too, if the connection was cut since the last time: there is another one now.
            again = len(waiting) > 1 or isinstance(failed.error, StorageUnavailable)
            return self._each_alone(waiting) if again else {waiting[0]: _Failed(failed.error)}
        except Exception as error:  # noqa: BLE001 (the edge: whatever happened, those who wait must hear of it)
            return dict.fromkeys(waiting, _Failed(explained(error)))

    def _each_alone(self, waiting: list[_Waiting]) -> Answers:
        """One of them spoilt the transaction, so each gets its own; where the database itself fails, all others hear so at once."""
        answers: Answers = {}
        for place, one in enumerate(waiting):
            try:
                answers |= self._transact([one])
            except _JobFailed as failed:
                answers[one] = _Failed(failed.error)
            except Exception as error:  # noqa: BLE001 (the edge, as above)
                return answers | dict.fromkeys(waiting[place:], _Failed(explained(error)))
        return answers

    def _transact(self, waiting: list[_Waiting]) -> Answers:
        with closing(self._database.writer.connect()) as conn:
            conn.begin()
            try:
                answers = _run(conn, waiting)
            except Exception as error:  # noqa: BLE001 (whatever it is, it came from a job)
                if is_unavailable(error):
                    conn.invalidate()
                raise _JobFailed(explained(error)) from None
            commit(conn)
        return answers

    def _tell(self, answers: Answers) -> None:
        self.waiting -= len(answers)
        for one, answer in answers.items():
            if one.future.done():
                continue  # the caller went away
            if isinstance(answer, _Failed):
                one.future.set_exception(answer.error)
            else:
                one.future.set_result(answer)


class _JobFailed(Exception):
    """A job, not the database, spoilt the transaction."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _run(conn: Connection, waiting: Sequence[_Waiting]) -> Answers:
    answers: Answers = {}
    jobs = [one for one in waiting if not one.batched]
    if jobs:
        # Outside of their savepoints, whose end would give it free; `take_head` says why it comes before all they do.
        take_head(conn)
    for batch, items in _batches(waiting).items():
        answers.update(_run_batch(conn, batch, items))
    for one in jobs:
        answers[one] = _run_job(conn, one)
    return answers


def _batches(waiting: Sequence[_Waiting]) -> dict[Callable[..., Any], list[_Waiting]]:
    groups: dict[Callable[..., Any], list[_Waiting]] = {}
    for one in waiting:
        if one.batched:
            groups.setdefault(one.work, []).append(one)
    return groups


def _run_batch(conn: Connection, batch: Callable[..., Any], waiting: list[_Waiting]) -> Answers:
    results = batch(conn, [one.item for one in waiting])
    return dict(zip(waiting, results, strict=True))


def _run_job(conn: Connection, one: _Waiting) -> object:
    try:
        with conn.begin_nested():
            return one.work(conn)
    except FenpaiError as refusal:
        return _Failed(refusal)
