"""Deadlines: from the moment a case arrives to when each thing is due, each with its clause and its steps."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from models.clocks import ClockKind, Deadline, Limit, Outlook, Pause, Preview
from models.decision import Urgency
from service.clocks import steps
from service.clocks.calendar import Calendar
from service.clocks.clock import Clock
from service.clocks.errors import CalendarUnpublished, ExtensionTooLate, ExtensionTooLong, ExtensionUsedUp, MomentNaive, NotExtendable
from service.clocks.policy import SECOND, Policy
from service.clocks.timelines import Elapsed, Office, Run, Timeline, at, local, merged, run
from service.clocks.words import full


def deadlines(
    policy: Policy,
    calendar: Calendar,
    received_at: datetime,
    *,
    urgency: Urgency = Urgency.NORMAL,
    complex_case: bool = False,
    pauses: Iterable[Pause] = (),
    extensions: Iterable[int] = (),
) -> tuple[Deadline, ...]:
    """签收, 退单 and 办理: what a department must do with a case that reached it at `received_at`.

    Pauses stop all three clocks; `extensions` (working days granted) lengthen handling only.
    """
    file, start, stops = policy.file, local(policy, received_at), merged(policy, pauses)
    clocks = (
        _clock(policy, ClockKind.RECEIPT, file.receipt.name, file.receipt.limit(urgency), start, stops),
        _clock(policy, ClockKind.HAND_BACK, file.hand_back.name, file.hand_back.limit(complex_case=complex_case), start, stops),
        _clock(policy, ClockKind.HANDLING, file.handling.name, file.handling.limit(complex_case=complex_case), start, stops, extensions),
    )
    return tuple(_deadline(policy, calendar, clock) for clock in clocks)


def follow_up(policy: Policy, calendar: Calendar, completed_at: datetime, *, pauses: Iterable[Pause] = ()) -> Deadline:
    """回访: what must be asked of the complainant after completion."""
    file = policy.file.follow_up
    start, stops = local(policy, completed_at), merged(policy, pauses)
    return _deadline(policy, calendar, _clock(policy, ClockKind.FOLLOW_UP, file.name, file.normal, start, stops))


def recompute(policy: Policy, calendar: Calendar, deadline: Deadline, *, pauses: Iterable[Pause] | None = None) -> Deadline:
    """The same deadline anew: with other pauses, or by a calendar that was filled in since. Its limit stays what it was."""
    stops = deadline.pauses if pauses is None else merged(policy, pauses)
    return _deadline(policy, calendar, Clock.of(deadline, stops, deadline.extensions))


def extend(policy: Policy, calendar: Calendar, deadline: Deadline, days: int, asked_at: datetime) -> Deadline:
    """延期: the same deadline, longer by some working days; refused where the rules do not allow it."""
    _allow(policy, deadline, days, local(policy, asked_at))
    return _deadline(policy, calendar, Clock.of(deadline, deadline.pauses, (*deadline.extensions, days)))


def is_overdue(deadline: Deadline, now: datetime) -> bool:
    """Whether the due moment has passed. A clock that stands still is not overdue."""
    if now.utcoffset() is None:
        raise MomentNaive
    return deadline.due is not None and now > deadline.due


def preview(
    policy: Policy, calendar: Calendar, received_at: datetime, *, urgency: Urgency = Urgency.NORMAL, complex_case: bool = False
) -> Preview:
    """All clocks of a case that would arrive at `received_at`, with the longest extension and the last follow-up."""
    found = deadlines(policy, calendar, received_at, urgency=urgency, complex_case=complex_case)
    handling, cap = found[-1], policy.file.extension.max_working_days
    extended = policy.file.extension.times > 0
    return Preview(
        received_at=handling.start,
        urgency=urgency,
        complex=complex_case,
        deadlines=found,
        extended=_deadline(policy, calendar, Clock.of(handling, (), (cap,))) if extended else None,
        follow_up=follow_up(policy, calendar, handling.due) if handling.due else None,
        outlook=outlook(policy, calendar),
    )


def outlook(policy: Policy, calendar: Calendar) -> Outlook:
    """Until when arriving cases get firm deadlines, through the longest handling, all extensions and the follow-up."""
    file = policy.file
    settled = max((year for year, published in calendar.published.items() if published), default=None)
    if settled is None:
        missing = min(calendar.published, default=None)
        needed = f"calendar/{missing}.yaml" if missing else "calendar/"
        return Outlook(None, needed, f"还没有一年的放假安排是确定的，所有期限都是暂定。请填好 {needed}。")
    extension = file.extension.times * file.extension.max_working_days
    longest = (file.handling.complex.working_days or 0) + extension + (file.follow_up.normal.working_days or 0)
    index = calendar.first_after(date.fromisoformat(f"{settled}-{file.year_end_from}") - timedelta(days=1)) - longest
    firm = date.fromordinal(calendar.working[index]) - timedelta(days=1) if index >= 0 else None
    return Outlook(firm, f"calendar/{settled + 1}.yaml", steps.outlook(firm, settled + 1))


def _clock(
    policy: Policy, kind: ClockKind, name: str, limit: Limit, start: datetime, pauses: tuple[Pause, ...], extensions: Iterable[int] = ()
) -> Clock:
    return Clock(kind, name, limit.minutes, limit.working_days, policy.cite(limit.clause), limit.why, start, pauses, tuple(extensions))


def _allow(policy: Policy, deadline: Deadline, days: int, asked_at: datetime) -> None:
    """Refuse an extension that the rules do not allow."""
    rule = policy.file.extension
    if deadline.kind is not ClockKind.HANDLING:
        raise NotExtendable(f"{deadline.name}期限不能延期，只有{policy.file.handling.name}期限可以。")
    if len(deadline.extensions) >= rule.times:
        raise ExtensionUsedUp(f"{deadline.name}期限最多延期 {rule.times} 次，已经延过 {len(deadline.extensions)} 次。")
    if not 1 <= days <= rule.max_working_days:
        raise ExtensionTooLong(f"一次延期为 1 至 {rule.max_working_days} 个工作日，申请的是 {days} 个。")
    if deadline.due is not None and asked_at >= deadline.due:
        raise ExtensionTooLate(f"延期须在期限届满前提出：期限为{full(deadline.due)}，提出时为{full(asked_at)}。")


def _deadline(policy: Policy, calendar: Calendar, clock: Clock) -> Deadline:
    return _by_minutes(policy, clock) if clock.minutes is not None else _by_days(policy, calendar, clock)


def _by_minutes(policy: Policy, clock: Clock) -> Deadline:
    """A clock that always runs needs no calendar, so a missing year never stops an urgent receipt."""
    timeline = Elapsed(policy)
    begin, length = timeline.count(clock.start), (clock.minutes or 0) * 60 * SECOND
    due, urge = _runs(policy, timeline, clock, begin, length)
    lines = steps.by_minutes(policy, clock, timeline, due, urge)
    return _result(clock, timeline, due, urge, lines)


def _by_days(policy: Policy, calendar: Calendar, clock: Clock) -> Deadline:
    """Working days count from the day after, so all arrivals of a day share everything but the first line.

    A paused case is one of its kind: not worth keeping.
    """
    if clock.pauses:
        return _counted(policy, calendar, clock)
    shared = _of_the_day(policy, calendar, clock.starting(at(policy, clock.start.date(), 0)))
    return shared.starting(clock.start, steps.begin(policy, calendar, clock))


def _counted(policy: Policy, calendar: Calendar, clock: Clock) -> Deadline:
    timeline = Office(policy, calendar)
    day = clock.start.date()
    due, urge = _runs(policy, timeline, clock, calendar.first_after(day) * policy.day, clock.days * policy.day)
    last = timeline.moment(due.reached).date()
    calendar.require(day, last)
    unsettled = calendar.unsettled(day, last, policy.file.year_end_from)
    if unsettled and policy.file.unpublished == "refuse":
        raise CalendarUnpublished(unsettled[0])
    lines = steps.by_days(policy, calendar, clock, timeline, (due, urge), unsettled)
    return _result(clock, timeline, due, urge, lines, provisional=bool(unsettled))


# A case costs 3 computations; a day has a few hundred cases and 8 different computations at most.
_of_the_day = lru_cache(maxsize=1024)(_counted)


def _runs(policy: Policy, timeline: Timeline, clock: Clock, begin: int, length: int) -> tuple[Run, Run]:
    """The run to the due moment, and the one to the urging."""
    due = run(timeline, begin, length, clock.pauses)
    return due, run(timeline, begin, length * policy.file.urge_percent // 100, clock.pauses, on_edge=True)


def _result(clock: Clock, timeline: Timeline, due: Run, urge: Run, lines: Iterable[str], *, provisional: bool = False) -> Deadline:
    return Deadline(
        kind=clock.kind,
        name=clock.name,
        limit=steps.limit(clock),
        start=clock.start,
        due=timeline.moment(due.reached) if due.held is None else None,
        urge=timeline.resumed(urge.reached) if urge.held is None else None,
        citation=clock.citation,
        why=clock.why,
        steps=tuple(lines),
        provisional=provisional,
        minutes=clock.minutes,
        working_days=clock.working_days,
        pauses=clock.pauses,
        extensions=clock.extensions,
    )
