"""Moves carried out: read the case, decide, write, all within the transaction that stands around."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from models.moves import Move
from models.requests import Merge, Request
from service import ledger, store
from service.casework import consequences, timing
from service.casework.decide import decide_move
from service.casework.errors import stale
from service.casework.order import SYSTEM, Actor, Ground
from service.casework.terms import Handbook, Terms
from service.casework.work import Work, work_of
from service.errors import CaseNotFound, KeyConflict, Refusal
from service.store import CaseRow, Claim, Event, MoveKey
from service.writer import Writer

Now = Callable[[Any], datetime]
"""What time it is, asked of a connection: the database's clock is the one that all replicas share."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A move that somebody orders: of which case, in which of its versions, saying what; `key` makes it happen once.

    `reach` is the department whose cases alone they may meet; None for those who may meet all.
    """

    case_id: str
    versions: frozenset[int]
    move: Move
    body: Request | None
    actor: Actor
    key: MoveKey | None = None
    reach: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A move that was made: its event; `again` if it was ordered before by the same key."""

    event: Event
    again: bool = False


@dataclass(frozen=True, slots=True)
class Casework:
    """Whom the doors ask: they order a move and are answered when it is committed."""

    writer: Writer
    terms: Handbook
    now: Now

    async def move(self, ordered: Ordered) -> Made:
        return await self.writer.submit(lambda conn: carry_out(conn, ordered, self.terms(), self.now))


def carry_out(conn: Any, ordered: Ordered, terms: Terms, now: Now) -> Made:
    """Make the move, or raise the Refusal that says why not."""
    head = store.take_head(conn)  # before anything is read: what is decided on must still be so when it is written
    earlier = _made_before(conn, ordered.key)
    if earlier is not None:
        return earlier
    row = _row(conn, ordered.case_id, ordered.reach)
    case = work_of(row)
    if case.version not in ordered.versions:
        raise stale(case)
    ground = _ground(conn, case, ordered, terms, now(conn))
    outcome = decide_move(case, ordered.move, ordered.body, ground)
    event = store.write_move(conn, consequences.of_move(outcome, ground, ordered.key), head)
    ledger.post(conn, row, event)
    return Made(event)


def _made_before(conn: Any, key: MoveKey | None) -> Made | None:
    used = store.find_move_key(conn, key.client, key.key) if key else None
    if key is None or used is None:
        return None
    if used.request_hash != key.request_hash:
        raise KeyConflict("这个 Idempotency-Key 已用于另一个请求，与本次不同。新的请求请换一个键。")
    return Made(store.get_event(conn, used.seq), again=True)


def _case(conn: Any, case_id: str) -> Work:
    return work_of(_row(conn, case_id))


def within(row: CaseRow, reach: str | None) -> bool:
    """Whether a case is one of those that may be met."""
    return reach is None or any(part.department == reach for part in row.departments)


def _row(conn: Any, case_id: str, reach: str | None = None) -> CaseRow:
    row = store.get_case(conn, case_id)
    if row is None or not within(row, reach):
        raise CaseNotFound(f"没有编号为 {case_id[:64]} 的案件。")
    return row


def _ground(conn: Any, case: Work, ordered: Ordered, terms: Terms, now: datetime) -> Ground:
    if not isinstance(ordered.body, Merge):
        return Ground(now, terms, ordered.actor)
    target = store.get_case(conn, ordered.body.into)
    return Ground(now, terms, ordered.actor, work_of(target) if target else None, store.count_members(conn, case.id))


def strike(conn: Any, claim: Claim, terms: Terms, now: Now) -> Event | None:
    """A timer strikes: the system makes its move, and in the same transaction the timer is set to the next moment or gone.

    None where the claim no longer counts. A strike that the table refuses would be a fault of ours: the timer is then set to what
    the case says, and the log tells of it.
    """
    head = store.take_head(conn)
    if not store.is_held(conn, claim):
        return None
    case, moment = _case(conn, claim.case_id), now(conn)
    ground = Ground(moment, terms, SYSTEM, timer=claim.kind)
    try:
        outcome = decide_move(case, timing.BY_TIMER[claim.kind], None, ground)
    except Refusal as refusal:
        structlog.get_logger().error("timer_refused", case=case.id, timer=claim.kind, code=refusal.code)
        store.set_timer(conn, case.id, consequences.timer_of(case))
        return None
    return store.write_move(conn, consequences.of_move(outcome, ground), head)


def recompute(conn: Any, case_id: str, terms: Terms, now: Now) -> Event | None:
    """Set the clocks by the calendar of today; None where that changes nothing."""
    head = store.take_head(conn)
    case, ground = _case(conn, case_id), Ground(now(conn), terms, SYSTEM)
    try:
        outcome = decide_move(case, Move.RECOMPUTE, None, ground)
    except Refusal:
        return None
    return store.write_move(conn, consequences.of_move(outcome, ground), head)
