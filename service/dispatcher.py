"""The dispatcher's round: claim what is due, send it outside of any transaction, write down how it went.

Any number of them may run, in `fenpai serve` and as `fenpai work`. Within one case and department letters go one after another,
over different ones side by side. A department whose system is in trouble is asked by one letter at a time, with pauses, so that it
neither holds up the others nor uses up the attempts of all that waits for it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any, Protocol, TypeVar

import orjson
import structlog

from service import store
from service.channels import Answer, Channels, Letter
from service.config import Settings
from service.db import Database
from service.errors import FenpaiError, StorageUnavailable
from service.store import Delivery, OutboxState, Result
from service.store.letters import without
from service.vault import Vault
from service.writer import Writer

T = TypeVar("T")

POLL_SECONDS = 0.5
"""How often it is looked whether anything is due that others have written."""
SURVEY_SECONDS = 5.0
"""How often the outbox is counted, for the metrics and /readyz."""
TOGETHER = 64
"""Letters under way at the same time."""
FOR_ONE = 32
"""Of these, for one department."""
GRACE = 3.0
"""Seconds that letters under way get to arrive when the dispatcher stops."""
LONGEST_REST = 60.0
"""How long a department in trouble is left alone at most, unless it asks for more itself."""
CHANCE = random.Random()  # noqa: S311 (pauses must differ, not be secret)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the dispatcher is: attempts for each letter, seconds for one sending, the pauses between attempts.

    `margin`: seconds for which a claim outlasts the longest sending: it must still hold when the result is written.
    """

    attempts: int = 30
    seconds: float = 10.0
    first: float = 2.0
    longest: float = 3600.0
    margin: float = 20.0

    @classmethod
    def of(cls, settings: Settings) -> "Pace":
        return cls(settings.delivery_attempts, settings.delivery_timeout, settings.delivery_pause, margin=settings.delivery_margin)

    def pause(self, attempt: int, chance: float) -> float:
        """Seconds after an attempt, the first being 1: doubled each time, and by `chance` (0 to 1) up to half of it shorter.

        A receiver that comes back is not met by all who waited for it at the same moment.
        """
        whole = min(self.first * 2.0 ** min(attempt - 1, 60), self.longest)
        return whole * (1 - chance / 2)

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.seconds + self.margin)


class Told(Protocol):
    """Whoever counts what was sent."""

    def delivered(self, outcome: str, seconds: float) -> None:
        """A letter was `sent`, has `failed`, is `dead`, or met a receiver that is `gone`."""


@dataclass(slots=True)
class _Trouble:
    """A department's system that does not answer as it should: how often in a row, and until when it is left alone."""

    times: int = 0
    until: float = 0.0


@dataclass(slots=True, eq=False)
class _Ending:
    """An attempt that has ended and is to be written down; `rest` says that the channel is to rest."""

    result: Result
    rest: str | None = None


@dataclass(slots=True)
class _UnderWay:
    """What is being sent, and how much of it for each department."""

    letters: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    claims: dict[str, Delivery] = field(default_factory=dict)
    departments: Counter[str] = field(default_factory=Counter)

    def begin(self, claim: Delivery, sending: asyncio.Task[None]) -> None:
        self.letters[claim.id], self.claims[claim.id] = sending, claim
        self.departments[claim.department] += 1

    def end(self, claim: Delivery) -> None:
        if self.claims.pop(claim.id, None) is not None:
            del self.letters[claim.id]
            self.departments[claim.department] -= 1


class Dispatcher:
    """Starts within a running event loop, like the writer; on SQLite it writes through it."""

    def __init__(
        self,
        database: Database,
        writer: Writer | None,
        vault: Vault,
        channels: Channels,
        pace: Pace,
        told: Told | None = None,
        now: Callable[[Any], datetime] = store.now,
    ) -> None:
        self._database = database
        self._writer = writer if database.dialect == "sqlite" else None
        self._vault = vault
        self._channels = channels
        self._pace = pace
        self._told = told
        self._now = now
        self._under_way = _UnderWay()
        self._troubles: dict[str, _Trouble] = {}
        self._endings: list[_Ending] = []
        self._ended = asyncio.Event()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unsealed = lru_cache(maxsize=256)(lambda sealed: vault.unseal(sealed).decode())
        self._has_channels = False
        self._closing = asyncio.Event()
        self._over = False
        self.state = OutboxState(0, None, 0)
        self.trouble: str | None = None

    @property
    def age(self) -> float:
        """For how many seconds the oldest of what waits has been waiting, as counted last."""
        oldest = self.state.oldest
        return max((datetime.now(UTC) - oldest).total_seconds(), 0.0) if oldest else 0.0

    # Opening and closing ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._tasks = [asyncio.create_task(work()) for work in (self._rounds, self._records, self._surveys)]

    def wake(self) -> None:
        """Something was written that may have to be sent."""
        if self._has_channels:
            self._news.set()

    async def stop(self) -> None:
        """Claim nothing more, let letters under way arrive for a moment, give the claims of the others free."""
        rounds, records, surveys = self._tasks
        self._closing.set()
        self._news.set()
        await asyncio.gather(rounds, surveys)  # not called off: what is just being claimed would be held by nobody
        if self._under_way.letters:
            await asyncio.wait(self._under_way.letters.values(), timeout=GRACE)
        left = [claim for claim in self._under_way.claims.values() if not self._under_way.letters[claim.id].done()]
        await _called_off(*self._under_way.letters.values())
        self._endings += [_Ending(Result(of=claim, state="pending", counts=False)) for claim in left]
        self._over = True
        self._ended.set()
        await records
        structlog.get_logger().info("dispatcher_stopped", given_free=len(left))

    # The round ----------------------------------------------------------------------------------------------------------------

    async def _rounds(self) -> None:
        if self._writer is not None:
            await self._take_over()
        while not self._closing.is_set():
            self._news.clear()
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001 (the edge: the dispatcher must never stand still)
                self._complain(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if self._closing.is_set() else POLL_SECONDS):
                    await self._news.wait()

    async def _take_over(self) -> None:
        """On SQLite nobody but us can be sending: what is still claimed was claimed by a process that died."""
        try:
            await self._write(store.free_claims)
        except Exception as error:  # noqa: BLE001 (the edge: without it their leases are waited for)
            self._complain(error)

    async def _round(self) -> None:
        if self._room() <= 0:
            return
        for department in await self._read(store.due_departments):
            room = min(self._room(), self._room_for(department))
            if room > 0 and not self._closing.is_set():
                await self._claim(department, room)

    async def _claim(self, department: str, room: int) -> None:
        lease = self._pace.lease
        held_until = monotonic() + lease.total_seconds()
        claims = await self._write(lambda conn: store.claim_deliveries(conn, self._now(conn), department, room, lease))
        for claim in claims:
            self._under_way.begin(claim, asyncio.create_task(self._deliver(claim, held_until)))

    def _room(self) -> int:
        return TOGETHER - len(self._under_way.letters)

    def _room_for(self, department: str) -> int:
        trouble, under_way = self._troubles.get(department), self._under_way.departments[department]
        if trouble is None:
            return FOR_ONE - under_way
        return 1 - under_way if monotonic() >= trouble.until else 0

    async def _deliver(self, claim: Delivery, held_until: float) -> None:
        answer = await self._send(claim, held_until)
        ending = self._judge(claim, answer)
        self._count(ending, answer)
        self._endings.append(ending)
        self._ended.set()

    async def _send(self, claim: Delivery, held_until: float) -> Answer | None:
        """None where it was not sent: a process that was held up this long has lost its claim, and another may be sending."""
        if monotonic() > held_until - self._pace.seconds:
            return None
        try:
            letter = Letter(claim.id, claim.url, self._unsealed(claim.secret), self._discreet(claim))
            return await self._channels.send(letter)
        except Exception as error:  # noqa: BLE001 (the edge: one letter that cannot be sent harms no other)
            structlog.get_logger().error("delivery_unsendable", delivery=claim.id, exc_info=error)
            return Answer(None, error.detail if isinstance(error, FenpaiError) else f"程序出错（{type(error).__name__}）")

    def _discreet(self, claim: Delivery) -> str:
        """The body without what would tell who complained, also where the texts say it."""
        if claim.complainant is None:
            return claim.body
        known: dict[str, Any] = orjson.loads(self._vault.unseal(claim.complainant))
        words = [value.strip() for value in known.values() if isinstance(value, str) and len(value.strip()) > 1]
        return without(claim.body, tuple(sorted(words, key=len, reverse=True)))

    # How it went --------------------------------------------------------------------------------------------------------------

    def _judge(self, claim: Delivery, answer: Answer | None) -> _Ending:
        if answer is None:
            return _Ending(Result(of=claim, state="pending", counts=False))
        if answer.taken:
            self._troubles.pop(claim.department, None)
            return _Ending(Result(of=claim, state="done", status=answer.status))
        told = f"{answer.trouble}：{answer.excerpt}" if answer.excerpt else answer.trouble
        if answer.gone:
            return _Ending(Result(of=claim, state="pending", status=410, error=told, counts=False), rest="对方答复 410，不再接收")
        asked = answer.retry_after or 0.0
        if not answer.own_fault:
            self._leave_alone(claim.department, asked)
        if claim.attempts >= self._pace.attempts:
            return _Ending(Result(of=claim, state="dead", status=answer.status, error=told))
        pause = max(self._pace.pause(claim.attempts, CHANCE.random()), asked)
        return _Ending(Result(of=claim, state="pending", pause=timedelta(seconds=pause), status=answer.status, error=told))

    def _leave_alone(self, department: str, asked: float) -> None:
        trouble = self._troubles.setdefault(department, _Trouble())
        now = monotonic()
        if now >= trouble.until:  # letters that were under way together are one failure
            trouble.times += 1
            trouble.until = now + max(min(self._pace.pause(trouble.times, CHANCE.random()), LONGEST_REST), asked)

    def _count(self, ending: _Ending, answer: Answer | None) -> None:
        if answer is None:
            return
        result = ending.result
        outcome = "gone" if ending.rest else {"done": "sent", "dead": "dead", "pending": "failed"}[result.state]
        if self._told:
            self._told.delivered(outcome, answer.seconds)
        log, of = structlog.get_logger(), result.of
        level = {"sent": log.debug, "failed": log.info}.get(outcome, log.warning)
        # Never the body, the address or what was answered: letters hold what people wrote, addresses hold keys.
        level("delivery", outcome=outcome, delivery=of.id, department=of.department, attempt=of.attempts, status=answer.status)

    async def _records(self) -> None:
        while not self._over or self._endings:
            await self._ended.wait()
            self._ended.clear()
            endings = self._endings[:]
            try:
                await self._write_down(endings)
            except StorageUnavailable as error:
                self._complain(error)
                if self._over:
                    return  # what cannot be given free is free when the lease ends
                await asyncio.sleep(POLL_SECONDS)
                self._ended.set()
            except Exception as error:  # noqa: BLE001 (the edge: one that cannot be written holds up no other)
                self._complain(error)
                await self._each_alone(endings)

    async def _each_alone(self, endings: Sequence[_Ending]) -> None:
        for ending in endings:
            try:
                await self._write_down([ending])
            except StorageUnavailable:
                self._ended.set()
                return
            except Exception as error:  # noqa: BLE001 (the edge, as above; it is sent again when its lease ends)
                self._complain(error)
                self._close([ending])

    async def _write_down(self, endings: Sequence[_Ending]) -> None:
        if not endings:
            return
        await self._write(lambda conn: self._record(conn, endings))
        self._close(endings)

    def _record(self, conn: Any, endings: Sequence[_Ending]) -> None:
        now = self._now(conn)
        for of, why in {(ending.result.of.department, ending.result.of.url): ending.rest for ending in endings if ending.rest}.items():
            store.rest_channel(conn, *of, why, actor="system", at=now)
        # By number: two that write the same rows in different orders would wait for each other.
        store.record_results(conn, sorted((ending.result for ending in endings), key=lambda result: result.of.id), now)

    def _close(self, endings: Sequence[_Ending]) -> None:
        done = set(endings)
        self._endings = [ending for ending in self._endings if ending not in done]
        for ending in endings:
            self._under_way.end(ending.result.of)
        self._news.set()

    # Beside it ----------------------------------------------------------------------------------------------------------------

    async def _surveys(self) -> None:
        """Count what waits; mend what a clock that has jumped wrote."""
        while not self._closing.is_set():
            try:
                await self._survey()
                self.trouble = None
            except Exception as error:  # noqa: BLE001 (the edge: as above)
                self._complain(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(SURVEY_SECONDS):
                    await self._closing.wait()

    async def _survey(self) -> None:
        self.state, misdated, self._has_channels = await self._read(_surveyed)
        for department in misdated:
            await self._mend(department)

    async def _mend(self, department: str) -> None:
        await self._write(lambda conn: store.bring_near(conn, self._now(conn), department))

    async def _read(self, ask: Callable[[Any, datetime], T]) -> T:
        def read() -> T:
            with self._database.read() as conn:
                return ask(conn, self._now(conn))

        return await asyncio.to_thread(read)

    async def _write(self, job: Callable[[Any], T]) -> T:
        if self._writer is not None:
            return await self._writer.submit(job)

        def write() -> T:
            with self._database.write() as conn:
                return job(conn)

        return await asyncio.to_thread(write)

    def _complain(self, error: Exception) -> None:
        trouble = error.detail if isinstance(error, FenpaiError) else type(error).__name__
        if trouble != self.trouble:
            self.trouble = trouble
            structlog.get_logger().error("dispatcher_trouble", detail=trouble, exc_info=error)


def _surveyed(conn: Any, now: datetime) -> tuple[OutboxState, list[str], bool]:
    return store.outbox_state(conn), store.misdated_departments(conn, now), any(channel.active for channel in store.list_channels(conn))


async def _called_off(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
