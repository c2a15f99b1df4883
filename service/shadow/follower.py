"""The follower: goes along the feed behind intake, decides each new case once more under the shadow, and writes down where it disagrees.

Every replica has one; a lease lets one of them work, and a step counts only if nobody else has made it. It works in small portions, in a
thread of its own, and rests four times as long as it worked: intake keeps nearly all of the processor, and a backlog only makes the
shadow late. Where it stands is in the database, so a restart goes on where it was.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, TypeVar

import orjson
import structlog
from ulid import ULID

from models.decision import Decision
from service import rulebook, store
from service.db import Database
from service.engine import Engine
from service.errors import FenpaiError
from service.impact.past import recall
from service.store import Arrived, ShadowCase, ShadowRow
from service.writer import Writer

T = TypeVar("T")

LOOK_SECONDS = 1.0
PORTION = 100
"""Changes that are looked at in one step."""
REST = 4.0
LEASE = timedelta(seconds=15)
LISTED = 10_000
"""Disagreements of one shadow that are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What a portion of the feed came to."""

    after: ShadowRow
    found: tuple[ShadowCase, ...]


class Follower:
    """Follows whichever shadow runs. `trouble` says why it cannot."""

    def __init__(self, database: Database, writer: Writer, pack: Callable[[], str], now: Callable[[Any], datetime]) -> None:
        self._database = database
        self._writer = writer
        self._pack = pack
        self._now = now
        self._id = str(ULID())
        self._engine: tuple[str, Engine] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fenpai-shadow")
        self.trouble: str | None = None

    async def watch(self) -> None:
        while True:
            try:
                rest = await self.step()
                self.trouble = None
            except Exception as error:  # noqa: BLE001 (the edge: the follower must never stand still, nor disturb the rest)
                rest = LOOK_SECONDS
                self._complain(error)
            await asyncio.sleep(rest)

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    async def step(self) -> float:
        """One portion of the feed, if there is any; how long to rest then."""
        row = await self._aside(self._behind)
        if row is None:
            return LOOK_SECONDS
        if not await self._writer.submit(lambda conn: store.claim_shadow(conn, row, self._id, self._now(conn), LEASE)):
            return LOOK_SECONDS
        began = perf_counter()
        step = await self._aside(self._look, row)
        worked = perf_counter() - began
        await self._writer.submit(lambda conn: store.note_shadow(conn, row, step.after, step.found))
        return worked * REST

    async def _aside(self, work: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def _behind(self) -> ShadowRow | None:
        """The shadow that runs, if the feed has gone on and nobody else is at it."""
        with self._database.read() as conn:
            row = store.last_shadow(conn, self._pack(), running=True)
            if row is None:
                self._engine = None
                return None
            held = row.lease_until is not None and row.lease_until > self._now(conn) and row.holder != self._id
            return None if held or store.feed_head(conn) <= row.position else row

    def _look(self, row: ShadowRow) -> _Step:
        engine = self._ready(row)
        with self._database.read() as conn:
            position, arrived = store.arrivals(conn, row.position, PORTION)
        seen = [(each, differs(each, engine)) for each in arrived]
        found = [ShadowCase(each.seq, each.case.id, orjson.dumps(body).decode()) for each, body in seen if body]
        other = sum(body is not None and body["moved"] for _, body in seen)
        after = replace(
            row,
            position=position,
            cases=row.cases + len(arrived),
            agreed=row.agreed + len(arrived) - other,
            issues_changed=row.issues_changed + sum(body is not None and body["issues_changed"] for _, body in seen),
        )
        room = max(LISTED - (row.cases - row.agreed) - row.issues_changed, 0)
        return _Step(after, tuple(found[:room]))

    def _ready(self, row: ShadowRow) -> Engine:
        if self._engine is None or self._engine[0] != row.id:
            with self._database.read() as conn:
                files = store.shadow_files(conn, row.id)
            self._engine = row.id, Engine(rulebook.restore(files, 0))
        return self._engine[1]

    def _complain(self, error: Exception) -> None:
        told = error.detail if isinstance(error, FenpaiError) else f"程序出错（{type(error).__name__}）"
        if told != self.trouble:
            self.trouble = told
            structlog.get_logger().error("shadow_trouble", detail=told, exc_info=error)


def differs(arrived: Arrived, engine: Engine) -> dict[str, Any] | None:
    """How the shadow would have decided a case otherwise: where it goes, or its issues. None where it would not."""
    was: dict[str, Any] = orjson.loads(arrived.case.triage)
    would = engine.triage(recall(arrived.case))
    moved = (was["decision"], was["lead"]) != (would.decision.value, would.lead)
    issues_changed = list(was["issues"]) != list(would.issues)
    if not moved and not issues_changed:
        return None
    old = [f"{piece['rule']}「{piece['quote']}」" for piece in was["evidence"]]
    new = [f"{piece.rule}「{piece.quote}」" for piece in would.evidence]
    return {
        "moved": moved,
        "issues_changed": issues_changed,
        "ruleset_version": arrived.case.ruleset_version,
        "was": {name: was[name] for name in ("decision", "lead", "category", "issues", "reason_code", "reason")},
        "would": _brief(would),
        "gained": list(dict.fromkeys(word for word in new if word not in old)),
        "lost": list(dict.fromkeys(word for word in old if word not in new)),
    }


def _brief(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.decision,
        "lead": decision.lead,
        "category": decision.category,
        "issues": decision.issues,
        "reason_code": decision.reason_code,
        "reason": decision.reason,
    }
