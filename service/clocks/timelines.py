"""Two ways in which time passes: always, or only while the office is open. Each maps moments to a running count and back.

A count is in microseconds. The same count can be two moments (closing time, and the next opening): `moment` answers the earlier,
`resumed` the later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from models.clocks import Pause
from service.clocks.calendar import Calendar
from service.clocks.errors import MomentNaive, PauseBackwards
from service.clocks.policy import Policy, of_day

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class Timeline(Protocol):
    """How time passes."""

    def count(self, moment: datetime) -> int: ...

    def moment(self, count: int) -> datetime: ...

    def resumed(self, count: int) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Time that always passes (不区分工作日和非工作日)."""

    policy: Policy

    def count(self, moment: datetime) -> int:
        return (moment - EPOCH) // TICK

    def moment(self, count: int) -> datetime:
        return (EPOCH + count * TICK).astimezone(self.policy.zone)

    def resumed(self, count: int) -> datetime:
        return self.moment(count)


@dataclass(frozen=True, slots=True)
class Office:
    """Time that passes only in office hours of working days. Beyond the calendar it stands still: counts that need more days raise."""

    policy: Policy
    calendar: Calendar

    def count(self, moment: datetime) -> int:
        day, clock = local_day(self.policy, moment)
        index = self.calendar.first_from(day)
        full_days = index * self.policy.day
        if index == len(self.calendar.working) or self.calendar.working[index] != day.toordinal():
            return full_days
        return full_days + self._worked(clock)

    def moment(self, count: int) -> datetime:
        index, rest = divmod(count - 1, self.policy.day)
        return self._at(index, next(s.opens + rest + 1 - s.before for s in reversed(self.policy.stretches) if rest >= s.before))

    def resumed(self, count: int) -> datetime:
        index, rest = divmod(count, self.policy.day)
        return self._at(index, next(s.opens + rest - s.before for s in reversed(self.policy.stretches) if rest >= s.before))

    def _worked(self, clock: int) -> int:
        """How much of a working day has passed at this time of day."""
        return sum(max(0, min(clock, stretch.closes) - stretch.opens) for stretch in self.policy.stretches)

    def _at(self, index: int, clock: int) -> datetime:
        return at(self.policy, date.fromordinal(self.calendar.day(index)), clock)


def at(policy: Policy, day: date, clock: int) -> datetime:
    """A time of day, in microseconds, as a moment."""
    return datetime(day.year, day.month, day.day, tzinfo=policy.zone) + clock * TICK


def local(policy: Policy, moment: datetime) -> datetime:
    """A moment in the zone of the policy; one without a zone is refused."""
    if moment.utcoffset() is None:
        raise MomentNaive
    return moment.astimezone(policy.zone)


def local_day(policy: Policy, moment: datetime) -> tuple[date, int]:
    """The day and the microseconds of the day."""
    here = local(policy, moment)
    return here.date(), of_day(here.time())


def merged(policy: Policy, pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """Pauses in order, overlapping ones as one; a pause that still lasts swallows all after it."""
    joined: list[Pause] = []
    for pause in sorted((_checked(policy, pause) for pause in pauses), key=lambda pause: pause.began):
        last = joined[-1] if joined else None
        if last is None or (last.ended is not None and last.ended < pause.began):
            joined.append(pause)
        elif last.ended is not None:
            joined[-1] = Pause(last.began, None if pause.ended is None else max(last.ended, pause.ended))
    return tuple(joined)


def _checked(policy: Policy, pause: Pause) -> Pause:
    began, ended = local(policy, pause.began), None if pause.ended is None else local(policy, pause.ended)
    if ended is not None and ended < began:
        raise PauseBackwards(f"暂停的结束 {ended:%Y-%m-%d %H:%M} 早于开始 {began:%Y-%m-%d %H:%M}。")
    return Pause(began, ended)


@dataclass(frozen=True, slots=True)
class Run:
    """How far a clock got: the count it reached, and the time each pause cost. A lasting pause leaves `left` still to run."""

    reached: int
    lost: tuple[tuple[Pause, int], ...] = ()
    held: Pause | None = None
    left: int = 0


def run(timeline: Timeline, begin: int, length: int, pauses: Iterable[Pause], *, on_edge: bool = False) -> Run:
    """Run a clock for `length` from `begin` on, standing still in pauses.

    `on_edge`: a pause that begins at the very end still holds the clock up. Right for urging, which must find the office at
    work; wrong for what is due, which was due before that pause began.
    """
    reached = begin + length
    lost: list[tuple[Pause, int]] = []
    for pause in pauses:
        stopped = max(timeline.count(pause.began), begin)
        if stopped > reached or (stopped == reached and not on_edge):
            break
        if pause.ended is None:
            return Run(reached, tuple(lost), pause, reached - stopped)
        if (cost := timeline.count(pause.ended) - stopped) > 0:
            lost.append((pause, cost))
            reached += cost
    return Run(reached, tuple(lost))
