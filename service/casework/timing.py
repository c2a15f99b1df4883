"""The clocks of a case: started, stopped, extended, paused; when the next one strikes; and their words for readers. Pure.

Where the calendar does not reach, a clock is kept as `unknown` rather than refused: no case is lost for want of a calendar, and
RECOMPUTE sets it once the calendar is there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.clocks import Citation, ClockKind, Deadline, Limit, Pause
from models.decision import Urgency
from models.moves import Move
from service import clocks
from service.casework.terms import Terms
from service.casework.work import CaseClock, Work
from service.clocks import CalendarUnpublished, CalendarYearMissing, Policy

OF_A_DISPATCH = (ClockKind.RECEIPT, ClockKind.HAND_BACK, ClockKind.HANDLING)
"""What begins when a department gets a case."""

JUST_AFTER = timedelta(microseconds=1)
"""What is due at a moment may still be done at that moment."""

Clocks = tuple[CaseClock, ...]


@dataclass(frozen=True, slots=True)
class Timer:
    """定时器: the next moment at which a case must be looked at, and why."""

    kind: str
    due_at: datetime


STRIKES: dict[tuple[ClockKind, str], Move] = {
    (ClockKind.RECEIPT, "urge"): Move.URGE,
    (ClockKind.RECEIPT, "overdue"): Move.REPORT,
    (ClockKind.HANDLING, "urge"): Move.URGE,
    (ClockKind.HANDLING, "overdue"): Move.SUPERVISE,
    (ClockKind.FOLLOW_UP, "overdue"): Move.URGE,
}
"""What the system does when a clock strikes. A right that lapses (退单) needs nobody."""

BY_TIMER = {f"{kind}.{point}": move for (kind, point), move in STRIKES.items()}


# Setting ------------------------------------------------------------------------------------------------------------------------


def start(terms: Terms, kinds: Iterable[ClockKind], at: datetime, urgency: Urgency, *, complex_case: bool) -> Clocks:
    """Clocks that begin now."""
    if terms.policy is None:
        return ()
    started = []
    for kind in kinds:
        limit = _limit(terms.policy, kind, urgency, complex_case=complex_case)
        started.append(_set(terms, CaseClock(kind=kind, start=at, minutes=limit.minutes, working_days=limit.working_days)))
    return tuple(started)


def end(cases_clocks: Clocks, kind: ClockKind, now: datetime) -> Clocks:
    """What was due is done: the clock ends, on time or late."""
    return tuple(_ended(clock, now) if clock.kind is kind and clock.running else clock for clock in cases_clocks)


def stop(cases_clocks: Clocks, now: datetime) -> Clocks:
    """All clocks stop, and none of them says whether it was on time."""
    return tuple(replace(clock, ended_at=now) if clock.running else clock for clock in cases_clocks)


def extend(terms: Terms, cases_clocks: Clocks, days: int, now: datetime) -> Clocks:
    """Handling gets longer; ExtensionRefused where the rules do not allow it."""
    policy = terms.policy
    if policy is None:
        return cases_clocks

    def longer(clock: CaseClock) -> Deadline:
        return clocks.extend(policy, terms.calendar, _deadline(clock, _name(policy, clock.kind)), days, now)

    return tuple(
        _set(terms, replace(clock, extensions=(*clock.extensions, days)), now, longer(clock))
        if clock.running and clock.kind is ClockKind.HANDLING
        else clock
        for clock in cases_clocks
    )


def pause(terms: Terms, cases_clocks: Clocks, now: datetime) -> Clocks:
    """All clocks that run stand still."""
    return _each_running(cases_clocks, lambda clock: clock if clock.paused else _set(terms, _with_pause(clock, Pause(now)), now))


def resume(terms: Terms, cases_clocks: Clocks, now: datetime) -> Clocks:
    """All clocks that stand still run on, later by what they stood still."""

    def on(clock: CaseClock) -> CaseClock:
        if not clock.paused:
            return clock
        return _set(terms, replace(clock, pauses=(*clock.pauses[:-1], Pause(clock.pauses[-1].began, now))), now)

    return _each_running(cases_clocks, on)


def recompute(terms: Terms, cases_clocks: Clocks, now: datetime) -> Clocks:
    """All clocks that run, by the calendar of today."""
    return _each_running(cases_clocks, lambda clock: _set(terms, clock, now))


def same_times(one: Clocks, other: Clocks) -> bool:
    """Whether clocks tell the same, whichever version of the rules they were set by."""
    return [replace(clock, ruleset=0) for clock in one] == [replace(clock, ruleset=0) for clock in other]


def _each_running(cases_clocks: Clocks, change: Callable[[CaseClock], CaseClock]) -> Clocks:
    return tuple(change(clock) if clock.running else clock for clock in cases_clocks)


def _with_pause(clock: CaseClock, stop: Pause) -> CaseClock:
    return replace(clock, pauses=(*clock.pauses, stop))


def _ended(clock: CaseClock, now: datetime) -> CaseClock:
    on_time = None if clock.unknown else clock.due is None or now <= clock.due
    return replace(clock, ended_at=now, on_time=on_time)


def _set(terms: Terms, clock: CaseClock, now: datetime | None = None, deadline: Deadline | None = None) -> CaseClock:
    """The clock with the moments that its numbers give. What was past already when it was set anew does not strike again."""
    try:
        found = deadline or _computed(terms, clock)
    except (CalendarYearMissing, CalendarUnpublished):
        return replace(clock, due=None, urge=None, unknown=True, ruleset=terms.version)
    return replace(
        clock,
        due=found.due,
        urge=found.urge,
        pauses=found.pauses,
        provisional=found.provisional,
        unknown=False,
        ruleset=terms.version,
        urged=clock.urged and _past(found.urge, now),
        told=clock.told and _past(found.due, now),
    )


def _past(moment: datetime | None, now: datetime | None) -> bool:
    return moment is not None and now is not None and moment < now


def _computed(terms: Terms, clock: CaseClock) -> Deadline:
    if terms.policy is None:
        return _deadline(clock)
    return clocks.recompute(terms.policy, terms.calendar, _deadline(clock))


def _deadline(clock: CaseClock, name: str = "", citation: Citation | None = None, why: str | None = None) -> Deadline:
    """The clock in the shape that service.clocks computes with."""
    return Deadline(
        kind=clock.kind,
        name=name,
        limit="",
        start=clock.start,
        due=clock.due,
        urge=clock.urge,
        citation=citation,
        why=why,
        steps=(),
        provisional=clock.provisional,
        minutes=clock.minutes,
        working_days=clock.working_days,
        pauses=clock.pauses,
        extensions=clock.extensions,
    )


def _limit(policy: Policy, kind: ClockKind, urgency: Urgency, *, complex_case: bool) -> Limit:
    file = policy.file
    match kind:
        case ClockKind.RECEIPT:
            return file.receipt.limit(urgency)
        case ClockKind.HAND_BACK:
            return file.hand_back.limit(complex_case=complex_case)
        case ClockKind.HANDLING:
            return file.handling.limit(complex_case=complex_case)
        case ClockKind.FOLLOW_UP:
            return file.follow_up.normal


# Striking -----------------------------------------------------------------------------------------------------------------------


def next_timer(cases_clocks: Sequence[CaseClock]) -> Timer | None:
    """The next moment at which a clock strikes; of two at the same moment the one that comes first in the table."""
    return min((timer for clock in cases_clocks for timer in _timers(clock)), key=lambda timer: timer.due_at, default=None)


def due(cases_clocks: Sequence[CaseClock]) -> datetime | None:
    """When handling runs out; None where it does not run."""
    return next((clock.due for clock in cases_clocks if clock.kind is ClockKind.HANDLING and clock.running), None)


def _timers(clock: CaseClock) -> Iterator[Timer]:
    if not clock.running or clock.paused:
        return
    if clock.urge is not None and not clock.urged and (clock.kind, "urge") in STRIKES:
        yield Timer(f"{clock.kind}.urge", clock.urge)
    if clock.due is not None and not clock.told and (clock.kind, "overdue") in STRIKES:
        yield Timer(f"{clock.kind}.overdue", clock.due + JUST_AFTER)


def struck(cases_clocks: Clocks, timer: str) -> Clocks:
    """The clocks, of which one has struck."""
    kind, _, point = timer.partition(".")

    def mark(clock: CaseClock) -> CaseClock:
        return replace(clock, urged=True, told=clock.told or point == "overdue") if clock.kind == kind else clock

    return _each_running(cases_clocks, mark)


# Telling ------------------------------------------------------------------------------------------------------------------------


def describe(terms: Terms, case: Work, clock: CaseClock) -> Deadline:
    """The clock with its name and article, by the rules that set it."""
    if terms.policy is None:
        return _deadline(clock)
    limit = _limit(terms.policy, clock.kind, case.urgency, complex_case=case.complex)
    return _deadline(clock, _name(terms.policy, clock.kind), terms.policy.cite(limit.clause), limit.why)


def explain(terms: Terms, case: Work, clock: CaseClock) -> Deadline:
    """The same with the computation in steps."""
    told = describe(terms, case, clock)
    if terms.policy is None:
        return told
    try:
        return clocks.recompute(terms.policy, terms.calendar, told)
    except (CalendarYearMissing, CalendarUnpublished) as missing:
        return replace(told, steps=(missing.detail,))


def _name(policy: Policy, kind: ClockKind) -> str:
    file = policy.file
    names = (file.receipt.name, file.hand_back.name, file.handling.name, file.follow_up.name)
    return dict(zip(ClockKind, names, strict=True))[kind]


def alarm(cases_clocks: Clocks) -> str | None:
    """What is wrong with the clocks: some could not be computed, or only provisionally."""
    running = [clock for clock in cases_clocks if clock.running]
    if any(clock.unknown for clock in running):
        return "unknown"
    return "provisional" if any(clock.provisional for clock in running) else None


def trouble(terms: Terms, cases_clocks: Clocks) -> str | None:
    """Why a clock could not be computed: which calendar file to write."""
    for clock in cases_clocks:
        if clock.running and clock.unknown:
            try:
                _computed(terms, clock)
            except (CalendarYearMissing, CalendarUnpublished) as missing:
                return missing.detail
    return None
