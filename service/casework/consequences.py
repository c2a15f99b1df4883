"""What is written besides a case itself when it is born or moves: events, clocks, the next timer, notes, the truth. Pure.

The seam for whatever else must leave in the same transaction (deliveries): it is decided here, from the same facts, and written by
`store.insert_cases` and `store.write_move`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson

from models.clocks import ClockKind
from models.decision import Decision, Outcome, Urgency
from service import store
from service.casework import decide, timing
from service.casework.effects import Truth
from service.casework.order import SYSTEM, Ground
from service.casework.terms import Terms
from service.casework.timing import Clocks
from service.casework.work import Work, write_clocks, write_progress, written
from service.store import MoveKey, NewEvent, NewMove, NewTimer


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new case is born with."""

    hops: int
    complex: bool
    clocks: str
    timer: NewTimer | None
    alarm: str | None
    due_at: datetime | None
    also: tuple[NewEvent, ...]


NOT_SENT = Birth(0, complex=False, clocks="[]", timer=None, alarm=None, due_at=None, also=())
"""A case that goes back to the hotline at once waits for nobody."""


def of_birth(terms: Terms, case_id: str, decision: Decision, at: datetime) -> Birth:
    """The clocks begin at the dispatch, which is the birth. Several departments make a case complex."""
    if decision.decision is Outcome.RETURN:
        return NOT_SENT
    urgency, complex_case = decision.urgency, decision.decision is Outcome.ESCALATE
    here = at.astimezone(terms.policy.zone) if terms.policy else at
    day = _day(terms, here.replace(hour=0, minute=0, second=0, microsecond=0), urgency, complex_case=complex_case)
    shared = day.text.replace(MIDNIGHT, here.isoformat())
    if not day.others:
        return Birth(1, complex_case, f"[{shared}]", day.timer, day.alarm, day.due_at, ())
    own = timing.start(terms, day.others, here, urgency, complex_case=complex_case)
    text = ",".join(part for part in (write_clocks(own)[1:-1], shared) if part)
    return Birth(
        1,
        complex_case,
        f"[{text}]",
        _first(_timer(own), day.timer),
        timing.alarm(own) or day.alarm,
        timing.due(own) or day.due_at,
        _alarms(terms, case_id, own, at),
    )


MIDNIGHT = "@"
"""Where the clocks of a day leave room for the moment at which one starts."""


@dataclass(frozen=True, slots=True)
class _Day:
    """What the clocks of all cases of one day have in common; `others` are computed for each case: minutes, or a missing calendar."""

    text: str
    timer: NewTimer | None
    alarm: str | None
    due_at: datetime | None
    others: tuple[ClockKind, ...]


@lru_cache(maxsize=256)
def _day(terms: Terms, midnight: datetime, urgency: Urgency, *, complex_case: bool) -> _Day:
    clocks = timing.start(terms, timing.OF_A_DISPATCH, midnight, urgency, complex_case=complex_case)
    shared = tuple(clock for clock in clocks if clock.minutes is None and not clock.unknown)
    others = tuple(clock.kind for clock in clocks if clock not in shared)
    text = ",".join(orjson.dumps(written(clock) | {"start": MIDNIGHT}).decode() for clock in shared)
    return _Day(text, _timer(shared), timing.alarm(shared), timing.due(shared), others)


def _first(one: NewTimer | None, other: NewTimer | None) -> NewTimer | None:
    return min((timer for timer in (one, other) if timer), key=lambda timer: timer.due_at, default=None)


def of_move(outcome: decide.Outcome, ground: Ground, key: MoveKey | None = None) -> NewMove:
    """All that a move writes."""
    before, case = outcome.before, outcome.case
    note = orjson.dumps(outcome.words).decode() if outcome.words else None
    move = NewMove(
        case_id=case.id,
        version=case.version,
        status=case.status,
        lead=case.lead,
        category=case.category,
        hops=case.hops,
        complex=case.complex,
        clocks=write_clocks(case.clocks),
        progress=write_progress(case.progress),
        merged_into=case.merged_into,
        alarm=timing.alarm(case.clocks),
        due_at=timing.due(case.clocks),
        departments=case.departments if case.departments != before.departments else None,
        timer=_timer(case.clocks),
        event=NewEvent(at=ground.now, kind=outcome.row.event, actor=ground.actor.name, case_id=case.id),
        also=_alarms(ground.terms, case.id, case.clocks, ground.now) if _grew_unknown(before, case) else (),
        note=note,
        truth=_truth(outcome.truth, case, ground) if outcome.truth else None,
        key=key,
    )
    told = {**outcome.facts, "state_hash": store.state_hash(move, case.departments)}
    return replace(move, event=replace(move.event, data=_data(told, note)))


def timer_of(case: Work) -> NewTimer | None:
    """When the case must be looked at next."""
    return _timer(case.clocks)


def _data(facts: Any, note: str | None) -> str:
    """What the feed tells; a note is told by its hash alone, which ties it into the chain."""
    told = dict(facts)
    if note is not None:
        told["note_hash"] = sha256(note.encode()).hexdigest()
    return orjson.dumps(told).decode()


def _timer(clocks: Clocks) -> NewTimer | None:
    timer = timing.next_timer(clocks)
    return NewTimer(kind=timer.kind, due_at=timer.due_at) if timer else None


def _grew_unknown(before: Work, case: Work) -> bool:
    return timing.alarm(case.clocks) == "unknown" and case.clocks != before.clocks


def _alarms(terms: Terms, case_id: str, clocks: Clocks, at: datetime) -> tuple[NewEvent, ...]:
    """An event of its own where the calendar did not reach, so that somebody hears of it."""
    trouble = timing.trouble(terms, clocks)
    if trouble is None:
        return ()
    kinds = [clock.kind for clock in clocks if clock.running and clock.unknown]
    data = orjson.dumps({"clocks": kinds, "detail": trouble}).decode()
    return (NewEvent(at=at, kind="case.clock_alarm", actor=SYSTEM.name, case_id=case_id, data=data),)


def _truth(truth: Truth, case: Work, ground: Ground) -> store.Truth:
    return store.Truth(
        category=truth.category,
        lead=truth.lead,
        decided_category=truth.decided_category,
        decided_lead=truth.decided_lead,
        version=case.version,
        ruleset_version=ground.terms.version,
        at=ground.now,
        actor=ground.actor.name,
        department=ground.actor.department,
    )
