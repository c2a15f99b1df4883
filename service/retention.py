"""Retention: which archived cases have been kept long enough, by the classes of retention.yaml, and the striking out of those."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.retention import RetentionClass
from service import store
from service.db import Database
from service.store import Closed, Strike

YEARS = (1, 3, 5, 10)
"""Borders of the ages that are counted apart."""
PORTION = 100
"""Struck out in one transaction: a server that runs beside us must not wait for all of them."""
JOBS_KEPT = timedelta(days=30)


@dataclass(slots=True)
class Line:
    """A class: how many archived cases of it there are by age, and which have been kept long enough. None: cases of no class."""

    kind: RetentionClass | None
    ages: list[int] = field(default_factory=lambda: [0] * (len(YEARS) + 1))
    ripe: list[str] = field(default_factory=list)


def plan(conn: Any, classes: Sequence[RetentionClass], now: datetime) -> list[Line]:
    """Every class in its order, and last what belongs to none."""
    lines = [*(Line(kind) for kind in classes), Line(None)]
    ends = [months_before(now, kind.months) for kind in classes]
    borders = [months_before(now, 12 * years) for years in YEARS]
    for case in store.archived_cases(conn):
        place = next((n for n, kind in enumerate(classes) if _fits(kind, case)), len(classes))
        lines[place].ages[sum(case.closed_at <= border for border in borders)] += 1
        if place < len(classes) and case.closed_at <= ends[place]:
            lines[place].ripe.append(case.id)
    return lines


def _fits(kind: RetentionClass, case: Closed) -> bool:
    by_type = not kind.demand_types or case.demand_type in kind.demand_types
    return by_type and (not kind.decisions or case.decision in kind.decisions)


def months_before(now: datetime, months: int) -> datetime:
    """The same day so many months ago, or the last of that month."""
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = now.day
    while True:
        try:
            return now.replace(year=max(years, 1), month=month + 1, day=day)
        except ValueError:  # no such day in that month
            day -= 1


def apply(database: Database, lines: Iterable[Line], actor: str, told: Callable[[int], None]) -> int:
    """Strike out all that is ripe; how many cases that were, with those merged into them."""
    count = 0
    for portion in _portions(lines):
        with database.write() as conn:
            count += store.strike_cases(conn, portion, actor=actor, at=store.now(conn))
        told(len(portion))
    with database.write() as conn:
        store.take_head(conn)
        now = store.now(conn)
        store.forget_jobs(conn, now - JOBS_KEPT)
    return count


def _portions(lines: Iterable[Line]) -> Iterator[list[Strike]]:
    ripe = [Strike(case_id, line.kind.id, line.kind.months) for line in lines if line.kind for case_id in line.ripe]
    for start in range(0, len(ripe), PORTION):
        yield ripe[start : start + PORTION]
