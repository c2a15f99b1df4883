"""Figures of a period, each by one query over an index: cases by the time at which they came in, moves by kind and time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Text, exists, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models.tables import case_departments, cases, events, incidents, moved, verdicts

YES = frozenset({True, "true", "yes"})


@dataclass(frozen=True, slots=True)
class Period:
    """From when, until when, and of which department; None: of all."""

    since: datetime
    until: datetime
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """How many, and how many of them did it."""

    n: int = 0
    count: int = 0


class _Member(FunctionElement[str]):
    """A member of JSON text: the column, and the names on the way to it."""

    type = Text()
    inherit_cache = True


@compiles(_Member, "sqlite")
def _member_in_sqlite(member: _Member, compiler: SQLCompiler, **kw: Any) -> str:
    column, *path = (compiler.process(part, **kw) for part in member.clauses)
    return f"json_extract({column}, '$.{'.'.join(path)}')"


@compiles(_Member, "postgresql")
def _member_in_postgresql(member: _Member, compiler: SQLCompiler, **kw: Any) -> str:
    column, *path = (compiler.process(part, **kw) for part in member.clauses)
    return f"(CAST({column} AS JSON) #>> '{{{','.join(path)}}}')"


class _Hour(FunctionElement[str]):
    """The hour of a moment, in UTC; days are made of hours where it is known how the clock is set."""

    type = Text()
    inherit_cache = True


@compiles(_Hour, "sqlite")
def _hour_in_sqlite(hour: _Hour, compiler: SQLCompiler, **kw: Any) -> str:
    return f"substr({compiler.process(hour.clauses, **kw)}, 1, 13)"


@compiles(_Hour, "postgresql")
def _hour_in_postgresql(hour: _Hour, compiler: SQLCompiler, **kw: Any) -> str:
    return f"to_char({compiler.process(hour.clauses, **kw)} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24')"


def _member(column: ColumnElement[str], *path: str) -> _Member:
    return _Member(column, *(literal_column(name) for name in path))


# Cases that came in ---------------------------------------------------------------------------------------------------------------

COUNT = func.count()
_IS_INCIDENT = exists(select(incidents.c.case_id).where(incidents.c.case_id == cases.c.id))


def _came(statement: Any, period: Period) -> Any:
    """Of the cases that came in: complaints alone, for incidents are made of them."""
    if period.department is None:
        return statement.where(cases.c.created_at >= period.since, cases.c.created_at < period.until, ~_IS_INCIDENT)
    own = case_departments.alias("own")
    joined = statement.join(own, own.c.case_id == cases.c.id).where(own.c.department == period.department, ~_IS_INCIDENT)
    return joined.where(own.c.created_at >= period.since, own.c.created_at < period.until)


def count_together(conn: Connection, period: Period, names: Sequence[str]) -> Counter[tuple[Any, ...]]:
    """How many cases there are of each combination of these columns: rows are wide, and so each is read once, not once for every column."""
    columns = [cases.c[name] for name in names]
    found = conn.execute(_came(select(*columns, COUNT).select_from(cases), period).group_by(*columns))
    return Counter({tuple(row[:-1]): row[-1] for row in found})


def count_overdue(conn: Connection, now: datetime, department: str | None = None) -> int:
    """Cases whose time for handling is over, whenever they came in: read from their own index, which holds only what is being handled."""
    counted = select(COUNT).select_from(cases).where(cases.c.due_at < now)
    if department is not None:
        own = case_departments.alias("own")
        counted = counted.join(own, (own.c.case_id == cases.c.id) & (own.c.department == department))
    return int(conn.execute(counted).scalar_one())


def count_hours(conn: Connection, period: Period) -> dict[datetime, int]:
    hour = _Hour(cases.c.created_at)
    found = conn.execute(_came(select(hour, COUNT).select_from(cases), period).group_by(hour))
    return {datetime.fromisoformat(f"{told}:00").replace(tzinfo=UTC): count for told, count in found}


def count_parts(conn: Connection, period: Period) -> list[tuple[str, str, int]]:
    """Department, role, how many."""
    part = case_departments.alias("part")
    counted = select(part.c.department, part.c.role, COUNT).select_from(cases).join(part, part.c.case_id == cases.c.id)
    return [tuple(row) for row in conn.execute(_came(counted, period).group_by(part.c.department, part.c.role))]


def count_hand_backs(conn: Connection, period: Period) -> list[tuple[int, int, str, int]]:
    """Of the cases that were sent to a department: handed back by the first, of these upheld, how they stand, how many."""
    handed_back, upheld = (func.coalesce(_member(verdicts.c.body, name), literal_column("'0'")) for name in ("handed_back", "upheld"))
    counted = select(handed_back, upheld, cases.c.status, COUNT).select_from(cases).outerjoin(verdicts, verdicts.c.case_id == cases.c.id)
    found = conn.execute(_came(counted, period).where(cases.c.decision != "return").group_by(handed_back, upheld, cases.c.status))
    return [(int(one), int(other), status, count) for one, other, status, count in found]


def count_incidents(conn: Connection, period: Period) -> int:
    """Incidents opened; few among all cases, so they are looked up from their own table."""
    counted = select(COUNT).select_from(incidents).where(incidents.c.opened_at >= period.since, incidents.c.opened_at < period.until)
    if period.department is not None:
        own = case_departments.alias("own")
        counted = counted.join(own, (own.c.case_id == incidents.c.case_id) & (own.c.department == period.department))
    return int(conn.execute(counted).scalar_one())


# Moves that were made -------------------------------------------------------------------------------------------------------------


def _made(statement: Any, period: Period, kinds: Sequence[str]) -> Any:
    made = statement.where(moved, events.c.kind.in_(kinds), events.c.at >= period.since, events.c.at < period.until)
    return made if period.department is None else made.where(_member(events.c.data, "lead") == period.department)


def count_on_time(conn: Connection, period: Period, clocks: Sequence[str], kinds: Sequence[str]) -> dict[str, Tried]:
    """For each clock that ended with one of these kinds of moves: how many ended, and how many of them in time."""
    columns = [_member(events.c.data, "on_time", clock) for clock in clocks]
    found = conn.execute(_made(select(*columns, COUNT).select_from(events), period, kinds).group_by(*columns)).all()
    return {clock: _tried((row[at], row[-1]) for row in found) for at, clock in enumerate(clocks)}


def count_said(conn: Connection, period: Period, kind: str, names: Sequence[str]) -> dict[str, Tried]:
    """For each question: how many said yes or no, and how many yes."""
    columns = [_member(events.c.data, name) for name in names]
    found = conn.execute(_made(select(*columns, COUNT).select_from(events), period, [kind]).group_by(*columns)).all()
    return {name: _tried((row[at], row[-1]) for row in found if row[at] != "unknown") for at, name in enumerate(names)}


def _tried(told: Iterator[tuple[Any, int]]) -> Tried:
    counts = [(value in YES, count) for value, count in told if value is not None]
    return Tried(sum(count for _, count in counts), sum(count for yes, count in counts if yes))
