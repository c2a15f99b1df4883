"""The computation of a deadline as lines an officer can read: which days count, which are skipped and why."""

from collections.abc import Iterable, Iterator
from datetime import date

from models.clocks import ClockKind
from service.clocks import words
from service.clocks.calendar import Calendar
from service.clocks.clock import Clock
from service.clocks.policy import Policy
from service.clocks.timelines import Run, Timeline

STARTED = {ClockKind.FOLLOW_UP: "办结"}
"""What sets a clock going, where it is not the arrival (收到) of the case."""


def limit(clock: Clock) -> str:
    """The limit in words: 5个工作日，延期5个工作日."""
    if clock.minutes is not None:
        return f"{clock.minutes}分钟"
    return "，延期".join(f"{days}个工作日" for days in (clock.working_days, *clock.extensions))


def by_minutes(policy: Policy, clock: Clock, timeline: Timeline, due: Run, urge: Run) -> Iterator[str]:
    yield f"起算：{words.full(clock.start)}{_started(clock)}，不区分工作日和非工作日，即时起算"
    yield _limit(clock)
    for stop, cost in due.lost:
        yield f"{words.pause(stop)}，其间{words.duration(cost)}不计时"
    if due.held:
        yield words.pause(due.held)
        yield f"届满：暂停期间不计时，恢复后还余{words.duration(due.left)}"
        return
    yield f"届满：{words.full(timeline.moment(due.reached))}"
    yield _urge(policy, timeline, urge)


def begin(policy: Policy, calendar: Calendar, clock: Clock) -> str:
    """The first line: from when days are counted. The only one that knows the hour."""
    off = calendar.why_off(clock.start.date())
    today = f"当日{off}，不是工作日" if off else "当日不计入"
    analogy = words.in_analogy(policy.cite(policy.file.counting.next_day))
    return f"起算：{words.full(clock.start)}{_started(clock)}，{today}，从下一个工作日起算{analogy}"


def by_days(
    policy: Policy, calendar: Calendar, clock: Clock, timeline: Timeline, runs: tuple[Run, Run], unsettled: Iterable[int]
) -> Iterator[str]:
    due, urge = runs
    yield begin(policy, calendar, clock)
    yield _limit(clock)
    yield from _count(policy, calendar, clock)
    for stop, cost in due.lost:
        yield f"{words.pause(stop)}，其间的工作时间{words.working_time(cost, policy.day)}不计入，期限顺延"
    if due.held:
        yield words.pause(due.held)
        yield f"届满：暂停期间不计时，恢复后还余{words.working_time(due.left, policy.day)}"
    else:
        yield from _end(policy, calendar, clock, timeline, due)
        yield _urge(policy, timeline, urge)
    for year in unsettled:
        yield words.unsettled(year, on_file=year in calendar.published)


def outlook(firm: date | None, year: int) -> str:
    """How far the calendar reaches, for those who keep it."""
    task = f"国务院办公厅公布 {year} 年放假安排后，请填好规则包中的 calendar/{year}.yaml"
    if firm is None:
        return f"日历太短，复杂工单的期限都会用到 {year} 年。{task}。"
    return f"{words.day_of(firm, 0)}及以前收到的工单，期限（含延期、回访）都是确定的；再往后会用到 {year} 年。{task}。"


def _started(clock: Clock) -> str:
    return STARTED.get(clock.kind, "收到")


def _limit(clock: Clock) -> str:
    days = f"{clock.minutes}分钟" if clock.minutes is not None else f"{clock.working_days}个工作日"
    return f"期限：{clock.name}{days}（{words.basis(clock.citation, clock.why)}）"


def _count(policy: Policy, calendar: Calendar, clock: Clock) -> Iterator[str]:
    """The days one by one, those skipped between them, and where each extension begins."""
    year, first = clock.start.year, calendar.first_after(clock.start.date())
    extended = _extended_from(clock)
    for number in range(1, clock.days + 1):
        if number in extended:
            yield _extension(policy, extended[number])
        yield from _rests(calendar, first + number - 1, year, after=clock.start.toordinal())
        yield words.counted(calendar, calendar.day(first + number - 1), number, year)


def _rests(calendar: Calendar, index: int, year: int, after: int) -> Iterator[str]:
    """The days off just before a working day, as far as they lie after a day."""
    for run in calendar.rests[index]:
        if run.last > after:
            yield words.rest(run if run.first > after else run.after(after), year)


def _extended_from(clock: Clock) -> dict[int, int]:
    """The number of the first day of each extension, and the days granted."""
    starts, number = {}, (clock.working_days or 0) + 1
    for days in clock.extensions:
        starts[number] = days
        number += days
    return starts


def _extension(policy: Policy, days: int) -> str:
    rule = policy.file.extension
    return f"{rule.name}{days}个工作日：从原期限最后一日的下一个工作日接着计算（{words.basis(policy.cite(rule.clause), rule.why)}）"


def _end(policy: Policy, calendar: Calendar, clock: Clock, timeline: Timeline, due: Run) -> Iterator[str]:
    """When it is due; after pauses, the days skipped on the way from the last counted day."""
    moment, closing = timeline.moment(due.reached), f"第{clock.days}个工作日下班时"
    if not due.lost:
        yield f"届满：{words.full(moment)}，即{closing}{words.in_analogy(policy.cite(policy.file.counting.close))}"
        return
    last = calendar.first_after(clock.start.date()) + clock.days - 1
    for index in range(last + 1, calendar.first_from(moment.date()) + 1):
        yield from _rests(calendar, index, clock.start.year, after=calendar.day(last))
    total = sum(cost for _, cost in due.lost)
    yield f"届满：{words.full(moment)}，即{closing}顺延{words.working_time(total, policy.day)}"


def _urge(policy: Policy, timeline: Timeline, urge: Run) -> str:
    return f"催办：{words.full(timeline.resumed(urge.reached))}，时间用去{policy.file.urge_percent}%时"
