"""The working calendar: which days are worked, which are not and why. Built once from a pack's calendar years, then only read."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from models.clocks import SATURDAY, CalendarFile
from service.clocks.errors import CalendarYearMissing

WEEKEND = "周末"


@dataclass(frozen=True, slots=True)
class Rest:
    """A run of days off for one reason, from `first` to `last`, both ordinals."""

    first: int
    last: int
    reason: str

    def after(self, day: int) -> "Rest":
        """The part of the run after a day."""
        return Rest(max(self.first, day + 1), self.last, self.reason)


class Calendar:
    """The days of some years, as ordinals: `working` in order, `rests[i]` the days off just before the i-th of them."""

    def __init__(self, years: Iterable[CalendarFile]) -> None:
        files = sorted(years, key=lambda file: file.year)
        self.published: Mapping[int, bool] = {file.year: file.published for file in files}
        off, self._made_up = _marks(files)
        reasons = {day: _why_off(day, off, self._made_up) for year in self.published for day in _days_of(year)}
        self._off = {day: reason for day, reason in reasons.items() if reason is not None}
        self.working: Sequence[int] = [day for day, reason in reasons.items() if reason is None]
        self.rests: Sequence[tuple[Rest, ...]] = _rests(reasons)

    def first_after(self, day: date) -> int:
        """The index of the first working day after this day."""
        return bisect_right(self.working, day.toordinal())

    def first_from(self, day: date) -> int:
        """The index of the first working day not before this day."""
        return bisect_left(self.working, day.toordinal())

    def why_off(self, day: date) -> str | None:
        """Why a day is not worked (国庆节放假, 周末); None where it is worked."""
        self.require(day, day)
        return self._off.get(day.toordinal())

    def made_up(self, ordinal: int) -> str | None:
        """The holiday for which this weekend day is worked (调休); None for other days."""
        return self._made_up.get(ordinal)

    def day(self, index: int) -> int:
        """The index-th working day; where the calendar ends before it, the year that is missing is named."""
        if index < len(self.working):
            return self.working[index]
        raise CalendarYearMissing(max(self.published, default=date.min.year) + 1)

    def require(self, first: date, last: date) -> None:
        """Refuse a span of days that reaches into a year without a calendar file."""
        for year in range(first.year, last.year + 1):
            if year not in self.published:
                raise CalendarYearMissing(year)

    def unsettled(self, first: date, last: date, year_end_from: str) -> tuple[int, ...]:
        """The years that bear on these days and whose holidays are not published.

        New Year's make-up days can fall in late December of the year before (29 December 2018 was one), so the last days of a
        year are settled only when the next year's notice is out.
        """
        reach = last.year + (last.isoformat()[5:] >= year_end_from)
        return tuple(year for year in range(first.year, reach + 1) if not self.published.get(year, False))


def _marks(files: Sequence[CalendarFile]) -> tuple[dict[int, str], dict[int, str]]:
    """Days off and weekend days worked, each with its holiday. A later year's notice overrules an earlier one's December."""
    off: dict[int, str] = {}
    made_up: dict[int, str] = {}
    for holiday in (holiday for file in files for holiday in file.holidays):
        for day in holiday.days():
            off[day.toordinal()] = f"{holiday.name}放假"
            made_up.pop(day.toordinal(), None)
        for day in holiday.work:
            made_up[day.toordinal()] = holiday.name
            off.pop(day.toordinal(), None)
    return off, made_up


def _why_off(day: int, off: Mapping[int, str], made_up: Mapping[int, str]) -> str | None:
    weekend = WEEKEND if (day - 1) % 7 >= SATURDAY and day not in made_up else None  # ordinal 1 is a Monday
    return off.get(day, weekend)


def _days_of(year: int) -> range:
    return range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())


def _rests(reasons: Mapping[int, str | None]) -> list[tuple[Rest, ...]]:
    """For each working day, the runs of days off just before it."""
    rests: list[tuple[Rest, ...]] = []
    open_runs: list[Rest] = []
    for day, reason in reasons.items():
        if reason is None:
            rests.append(tuple(open_runs))
            open_runs = []
        elif open_runs and open_runs[-1].reason == reason:
            open_runs[-1] = Rest(open_runs[-1].first, day, reason)
        else:
            open_runs.append(Rest(day, day, reason))
    return rests
