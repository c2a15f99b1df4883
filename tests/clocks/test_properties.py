"""What holds for all deadlines, tried on random cases against a slow and obvious reference that walks minute by minute."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clocks import Deadline, Pause
from models.decision import Urgency
from service.clocks import CalendarYearMissing, deadlines, extend
from tests.clocks import pack
from tests.clocks.pack import BEIJING

POLICY = pack.policy()
CALENDAR = pack.calendar()
MINUTE = timedelta(minutes=1)
DAY_MINUTES = 450


def days_off_and_worked() -> tuple[set[date], set[date]]:
    """Straight from the YAML, without the code under test."""
    off: set[date] = set()
    worked: set[date] = set()
    for year in (2025, 2026, 2027):
        for holiday in pack.raw(f"calendar/{year}.yaml")["holidays"]:
            day, last = (date.fromisoformat(holiday.get(key, holiday["from"])) for key in ("from", "to"))
            while day <= last:
                off.add(day)
                day += timedelta(days=1)
            worked |= {date.fromisoformat(text) for text in holiday.get("work", [])}
    return off, worked


OFF, WORKED = days_off_and_worked()


def is_working_day(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


def is_working_minute(moment: datetime) -> bool:
    clock = moment.time()
    return is_working_day(moment.date()) and (time(8, 30) <= clock < time(12) or time(13, 30) <= clock < time(17, 30))


def running_minutes(start: datetime, pauses: list[Pause]) -> Iterator[datetime]:
    """Every minute in which the clock runs, from the day after the start."""
    moment = datetime.combine(start.date() + timedelta(days=1), time(0), BEIJING)
    while True:
        if is_working_minute(moment) and not any(stop.ended and stop.began <= moment < stop.ended for stop in pauses):
            yield moment
        moment += MINUTE


class Reference(NamedTuple):
    due: datetime
    urge: datetime


def reference(start: datetime, days: int, pauses: list[Pause]) -> Reference:
    minutes = running_minutes(start, pauses)
    run = [next(minutes) for _ in range(days * DAY_MINUTES)]
    return Reference(run[-1] + MINUTE, run[days * DAY_MINUTES * 80 // 100])


FIRST, LAST = datetime(2025, 1, 1), datetime(2027, 9, 1)  # noqa: DTZ001 - hypothesis wants naive bounds and adds the zone
starts = st.datetimes(FIRST, LAST, timezones=st.just(BEIJING))
whole_minutes = starts.map(lambda moment: moment.replace(second=0, microsecond=0))


@st.composite
def paused_cases(draw: st.DrawFn) -> tuple[datetime, list[Pause]]:
    """A start and up to three pauses around it, in whole minutes, that may overlap, touch, or miss the case."""
    start = draw(whole_minutes)
    pauses = []
    for _ in range(draw(st.integers(0, 3))):
        began = start + MINUTE * draw(st.integers(-3 * 1440, 20 * 1440))
        pauses.append(Pause(began, began + MINUTE * draw(st.integers(0, 6 * 1440))))
    return start, pauses


def due_of(deadline: Deadline) -> datetime:
    assert deadline.due is not None
    return deadline.due


def urge_of(deadline: Deadline) -> datetime:
    assert deadline.urge is not None
    return deadline.urge


@settings(max_examples=150, deadline=None)
@given(paused_cases(), st.booleans())
def test_due_and_urge_equal_the_reference(case: tuple[datetime, list[Pause]], complex_case: bool) -> None:
    start, pauses = case
    for deadline in deadlines(POLICY, CALENDAR, start, complex_case=complex_case, pauses=pauses):
        assert deadline.working_days is not None
        assert (due_of(deadline), urge_of(deadline)) == reference(start, deadline.working_days, pauses)


@settings(max_examples=300, deadline=None)
@given(starts, st.booleans())
def test_the_count_of_working_days_is_that_of_the_calendar(start: datetime, complex_case: bool) -> None:
    for deadline in deadlines(POLICY, CALENDAR, start, complex_case=complex_case):
        due = due_of(deadline)
        between = [start.date() + timedelta(days=n) for n in range(1, (due.date() - start.date()).days + 1)]
        assert sum(map(is_working_day, between)) == deadline.working_days
        assert is_working_day(due.date())
        assert due.time() == time(17, 30)


@settings(max_examples=300, deadline=None)
@given(starts, st.timedeltas(timedelta(0), timedelta(days=40)), st.booleans(), st.sampled_from(Urgency))
def test_who_comes_later_is_due_no_sooner(start: datetime, later: timedelta, complex_case: bool, urgency: Urgency) -> None:
    first, second = (deadlines(POLICY, CALENDAR, moment, complex_case=complex_case, urgency=urgency) for moment in (start, start + later))
    for earlier, after in zip(first, second, strict=True):
        assert due_of(earlier) <= due_of(after)
        assert urge_of(earlier) <= urge_of(after)


@settings(max_examples=300, deadline=None)
@given(paused_cases(), st.sampled_from(Urgency))
def test_a_pause_never_shortens(case: tuple[datetime, list[Pause]], urgency: Urgency) -> None:
    start, pauses = case
    for fewer, more in zip(
        deadlines(POLICY, CALENDAR, start, urgency=urgency, pauses=pauses[1:]),
        deadlines(POLICY, CALENDAR, start, urgency=urgency, pauses=pauses),
        strict=True,
    ):
        assert due_of(fewer) <= due_of(more)
        assert urge_of(fewer) <= urge_of(more)


@settings(max_examples=300, deadline=None)
@given(paused_cases(), st.sampled_from(Urgency), st.booleans())
def test_urging_comes_after_the_start_and_before_the_end(case: tuple[datetime, list[Pause]], urgency: Urgency, complex_case: bool) -> None:
    start, pauses = case
    for deadline in deadlines(POLICY, CALENDAR, start, urgency=urgency, complex_case=complex_case, pauses=pauses):
        assert start < urge_of(deadline) < due_of(deadline)


@settings(max_examples=300, deadline=None)
@given(paused_cases(), st.booleans())
def test_due_and_urge_find_the_office_at_work(case: tuple[datetime, list[Pause]], complex_case: bool) -> None:
    """What is due is due at the end of a minute that was worked and not paused; urging comes at the beginning of one."""
    start, pauses = case
    for deadline in deadlines(POLICY, CALENDAR, start, complex_case=complex_case, pauses=pauses):
        for minute in (due_of(deadline) - MINUTE, urge_of(deadline)):
            assert is_working_minute(minute)
            assert not any(stop.ended and stop.began <= minute < stop.ended for stop in pauses)


@settings(max_examples=200, deadline=None)
@given(paused_cases(), st.integers(1, 5), st.booleans())
def test_an_extension_only_lengthens(case: tuple[datetime, list[Pause]], days: int, complex_case: bool) -> None:
    start, pauses = case
    handling = deadlines(POLICY, CALENDAR, start, complex_case=complex_case, pauses=pauses)[-1]
    extended = extend(POLICY, CALENDAR, handling, days, start)
    assert due_of(extended) > due_of(handling)
    assert urge_of(extended) > urge_of(handling)


@settings(max_examples=200, deadline=None)
@given(starts)
def test_beijing_time_never_jumps(start: datetime) -> None:
    assert start.utcoffset() == timedelta(hours=8)
    for deadline in deadlines(POLICY, CALENDAR, start):
        assert due_of(deadline).utcoffset() == urge_of(deadline).utcoffset() == timedelta(hours=8)


@settings(max_examples=200, deadline=None)
@given(starts, st.sampled_from([2025, 2026, 2027]))
def test_a_year_that_is_taken_away_is_missed_or_not_needed(start: datetime, year: int) -> None:
    """Either the answer is the same without that year, but for late December's provisional mark, or its file is asked for."""
    left = pack.calendar(*{2025, 2026, 2027} - {year})
    expected = deadlines(POLICY, CALENDAR, start)
    needed = any(start.year <= year <= due_of(deadline).year for deadline in expected)
    if not needed:
        found = deadlines(POLICY, left, start)
        assert [deadline.due for deadline in found] == [deadline.due for deadline in expected]
        return
    with pytest.raises(CalendarYearMissing, match=rf"calendar/{year}\.yaml"):
        deadlines(POLICY, left, start)
