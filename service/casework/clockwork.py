"""The clockwork: strikes what is due, once, whichever replica comes first; and sets clocks anew when the calendar was filled in."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog

from service import store
from service.casework.carry import Now, recompute, strike
from service.casework.terms import Handbook
from service.errors import FenpaiError
from service.store import Claim, Event
from service.writer import Writer

POLL_SECONDS = 1.0
"""How often it is looked whether anything is due."""

PORTION = 32
"""Timers that strike together. Hundreds are due when an office closes, and those who wait for the writer must not wait for all of them."""

JUMP = timedelta(minutes=1)
"""By how much a clock may run ahead between two looks."""

DOUBT_SECONDS = 30.0
"""How long nothing strikes after the clock has jumped ahead: if it was wrong, it is set right meanwhile, and nobody was urged in vain."""

PAGE = 200
"""Cases whose clocks are looked at together when the calendar has changed."""


Reads = Callable[..., Awaitable[Any]]
"""Calls one of the store's functions with a connection to read from, beside the event loop."""


class Clockwork:
    """Runs beside the serving; any number of replicas may run one."""

    def __init__(self, reads: Reads, writer: Writer, terms: Handbook, now: Now, told: Callable[[int], None]) -> None:
        self._reads = reads
        self._writer = writer
        self._terms = terms
        self._now = now
        self._told = told
        self._version: int | None = None
        self.trouble: str | None = None
        self._behind, self._looked = 0.0, 0.0
        self._seen: tuple[datetime, float] | None = None
        self._doubted_until = 0.0

    @property
    def lag(self) -> float:
        """For how many seconds the first of what is due has been waiting, by the last look; 0 where nothing is."""
        return max(self._behind + time.monotonic() - self._looked, 0.0) if self._looked else 0.0

    async def run(self) -> None:
        """Look, strike, sleep, for ever. A database that is away is waited for."""
        while True:
            try:
                await self.recount()
                await self.tick()
                self.trouble = None
            except Exception as error:  # noqa: BLE001 (the edge: the clockwork must never stand still)
                self._complain(error)
            await asyncio.sleep(POLL_SECONDS)

    async def tick(self) -> int:
        """Strike all that is due now; how many struck."""
        struck = 0
        while await self._reads(self._is_due):
            claims = await self._writer.submit(lambda conn: store.claim_timers(conn, self._now(conn), PORTION))
            if not claims:
                break  # another replica was quicker
            struck += await _count(self._strike(claim) for claim in claims)
        return struck

    async def recount(self) -> int:
        """Once for each version of the rules: set the clocks anew that a calendar was missing for; how many changed."""
        version = self._terms().version
        if version == self._version:
            return 0
        changed, after = 0, ""
        while page := await self._reads(store.alarmed_cases, after, PAGE):
            after = page[-1]
            changed += await _count(self._recompute(case_id) for case_id in page)
        self._version = version
        return changed

    def _is_due(self, conn: Any) -> bool:
        now, first = self._now(conn), store.first_due(conn)
        self._behind, self._looked = ((now - first).total_seconds(), time.monotonic()) if first else (0.0, 0.0)
        return self._believes(now, time.monotonic()) and store.is_timer_due(conn, now)

    def _believes(self, now: datetime, steady: float) -> bool:
        """Whether the clock has gone on as time does, beside one that cannot be set."""
        if self._seen is not None:
            before, then = self._seen
            if now - before > timedelta(seconds=steady - then) + JUMP:
                self._doubted_until = steady + DOUBT_SECONDS
                structlog.get_logger().warning("clock_jumped", ahead=str(now - before), held_seconds=DOUBT_SECONDS)
        self._seen = now, steady
        return steady >= self._doubted_until

    async def _strike(self, claim: Claim) -> Event | None:
        event = await self._writer.submit(lambda conn: strike(conn, claim, self._terms(), self._now))
        return self._tell(event)

    async def _recompute(self, case_id: str) -> Event | None:
        event = await self._writer.submit(lambda conn: recompute(conn, case_id, self._terms(), self._now))
        return self._tell(event)

    def _tell(self, event: Event | None) -> Event | None:
        if event is not None:
            self._told(event.seq)
        return event

    def _complain(self, error: Exception) -> None:
        trouble = error.detail if isinstance(error, FenpaiError) else repr(error)
        if trouble != self.trouble:
            self.trouble = trouble
            structlog.get_logger().error("clockwork_trouble", detail=trouble, exc_info=error)


async def _count(works: Iterable[Awaitable[Event | None]]) -> int:
    """How many made an event. All are let finish; then the first that failed is told."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return sum(result is not None for result in results)
