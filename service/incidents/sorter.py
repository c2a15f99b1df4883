"""The sorter goes along the feed behind intake: marks each new case, opens incidents, attaches to them, proposes duplicates.

How far it has come is a row of the database that moves in the same transaction as all that follows from a case. So what was left
undone by a process that died is done by the next; of replicas that race for one stretch the second finds it done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import orjson
import structlog

from models.decision import Outcome
from service import store
from service.casework import Handbook, Now
from service.engine import Engine
from service.errors import FenpaiError
from service.incidents.placing import Bench, place
from service.incidents.traits import Kin, Traits
from service.store import Mark
from service.writer import Writer

POLL_SECONDS = 1.0
"""How often it is looked whether cases came in."""
STRETCH = 500
"""Changes of the feed that are read together."""
PORTION = 2
"""Cases in one transaction: those who wait for the writer must not wait long."""
ASIDE = 50
"""Cases that were returned, of which only the institution's name is marked, in one transaction."""
REST = 4.0
"""How many times as long as it works the sorter rests in between: intake goes first, and what is behind catches up when it is quiet."""

Reads = Callable[..., Awaitable[Any]]
"""Calls one of the store's functions with a connection to read from, beside the event loop."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some of the feed: from where to where, and the cases in it that may belong with others."""

    before: int
    upto: int
    cases: tuple[Traits, ...]
    aside: tuple[Mark, ...] = ()


class Sorter:
    """Runs beside the serving; any number of replicas may run one. Without incidents.yaml it does nothing."""

    def __init__(
        self, reads: Reads, writer: Writer, engine: Callable[[], Engine], terms: Handbook, now: Now, told: Callable[[int], None]
    ) -> None:
        self._reads = reads
        self._writer = writer
        self._engine = engine
        self._terms = terms
        self._now = now
        self._told = told
        self._kin: Kin | None = None
        self._trouble: str | None = None

    async def run(self) -> None:
        """Look, sort, sleep, for ever. A database that is away is waited for."""
        while True:
            try:
                await self.tick(REST)
                self._trouble = None
            except Exception as error:  # noqa: BLE001 (the edge: the sorter must never stand still)
                self._complain(error)
            await asyncio.sleep(POLL_SECONDS)

    async def begin(self) -> None:
        """Take note of where the feed ends, if nobody has: what came in before is not looked at."""
        if self._reader().ruleset.incidents is not None:
            await self._writer.submit(store.begin_sorting)

    async def tick(self, rest: float = 0.0) -> int:
        """Sort all that came in, with so much rest for each portion's work; how many cases were looked at."""
        kin, looked, began = self._reader(), 0, monotonic()
        if kin.ruleset.incidents is None:
            return 0
        while (stretch := await self._reads(self._read, kin)) is not None:
            looked += await self._sort(kin, stretch)
            await asyncio.sleep((monotonic() - began) * rest)
            began = monotonic()
        return looked

    def _reader(self) -> Kin:
        engine = self._engine()
        if self._kin is None or self._kin.ruleset is not engine.ruleset:
            self._kin = Kin(engine)
        return self._kin

    def _read(self, conn: Any, kin: Kin) -> _Stretch | None:
        """The next stretch that holds no more cases than fit into a transaction."""
        before = store.sorted_to(conn)
        if before is None:
            return None if store.feed_head(conn) == 0 else _Stretch(-1, -1, ())
        events = store.changes(conn, before, STRETCH)
        if not events:
            return None
        ids: list[str] = []
        aside: list[str] = []
        upto = before
        for event in events:
            if event.kind == "case.received" and event.case_id:
                outside = orjson.loads(event.data)["decision"] == Outcome.RETURN
                if len(aside if outside else ids) == (ASIDE if outside else PORTION):
                    break
                (aside if outside else ids).append(event.case_id)
            upto = event.seq
        rows, made = store.cases_by_id(conn, ids + aside), store.incidents_among(conn, ids)
        marks = tuple(mark for id_ in aside for mark in kin.of_outside(rows[id_]))
        return _Stretch(before, upto, tuple(kin.of_new(rows[id_]) for id_ in ids if id_ not in made), marks)

    async def _sort(self, kin: Kin, stretch: _Stretch) -> int:
        if stretch.before < 0:
            await self._writer.submit(store.begin_sorting)
            return 0
        done = await self._writer.submit(lambda conn: self._place_all(conn, kin, stretch))
        if done:
            self._told(done)
        return len(stretch.cases)

    def _place_all(self, conn: Any, kin: Kin, stretch: _Stretch) -> int:
        """Within one transaction; gives where the feed then ends if it was added to."""
        head = store.take_head(conn)
        if store.sorted_to(conn) != stretch.before:
            return 0  # another replica was quicker
        bench = Bench(conn, kin, self._terms(), self._now(conn))
        for traits in stretch.cases:
            place(bench, traits)
        store.add_marks(conn, stretch.aside)
        store.note_sorted(conn, stretch.upto)
        now = store.feed_head(conn)
        return now if now > head.seq else 0

    def _complain(self, error: Exception) -> None:
        trouble = error.detail if isinstance(error, FenpaiError) else repr(error)
        if trouble != self._trouble:
            self._trouble = trouble
            structlog.get_logger().error("sorter_trouble", detail=trouble, exc_info=error)
