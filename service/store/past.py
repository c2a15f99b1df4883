"""Past cases, to be decided again: stretch by stretch in the order in which they came, so that memory does not grow with them."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, Select, exists, func, literal, literal_column, or_, select, tuple_

from models.past import PastCase
from models.tables import Moment, cases, incidents, verdicts
from service.store.rows import Lesson

STRIDE = 500

_NAMES = ("id", "created_at", "status", "lead", "title", "content", "institution", "address", "street", "demand_type")
# Incidents were not decided on by the rules: they are made of cases that were.
_COMPLAINT = ~exists(select(incidents.c.case_id).where(incidents.c.case_id == cases.c.id))
_TOLD = (
    *(cases.c[name] for name in (*_NAMES, "details", "triage", "ruleset_version")),
    verdicts.c.lead.label("right_lead"),
    verdicts.c.outside,
)
_WHOLE = cases.c.struck_at.is_(None)  # nobody can decide again on a text that is gone
_PAST = select(*_TOLD).select_from(cases.outerjoin(verdicts, verdicts.c.case_id == cases.c.id)).where(_COMPLAINT, _WHOLE)
_CONFIRMED = or_(verdicts.c.lead.is_not(None), verdicts.c.outside.is_not(None))


def past_cases(conn: Connection, *, since: datetime | None = None, version: int | None = None) -> Iterator[list[PastCase]]:
    """All cases, or those that came in since a moment, or those that a version decided."""
    statement = _PAST if since is None else _PAST.where(cases.c.created_at >= since)
    return _stretches(conn, statement if version is None else statement.where(cases.c.ruleset_version == version))


def confirmed_cases(conn: Connection) -> Iterator[list[PastCase]]:
    """The cases of which people have confirmed whose they are, or that they are none of ours."""
    return _stretches(conn, _PAST.where(_CONFIRMED))


def count_cases(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(cases)).scalar_one())


def _stretches(conn: Connection, statement: Select[tuple[object, ...]]) -> Iterator[list[PastCase]]:
    place = cases.c.created_at, cases.c.id
    statement = statement.order_by(*place).limit(STRIDE)
    found = _read(conn, statement)
    while found:
        yield found
        last = tuple_(literal(found[-1].created_at, Moment), literal(found[-1].id))
        found = _read(conn, statement.where(tuple_(*place) > last)) if len(found) == STRIDE else []


def _read(conn: Connection, statement: Select[tuple[object, ...]]) -> list[PastCase]:
    return [PastCase(**row) for row in conn.execute(statement).mappings()]


def past_cases_by_id(conn: Connection, ids: list[str]) -> list[PastCase]:
    """Some cases by their ids; few, for they are named in the statement."""
    return _read(conn, _PAST.where(cases.c.id.in_(ids))) if ids else []


def lessons(conn: Connection, limit: int, *, stands: bool) -> list[Lesson]:
    """The newest cases of which it is known that their decision stands, or does not."""
    # Written out, for it must read as the index on the few that do not stand.
    known = verdicts.c.stands == literal_column("true" if stands else "false")
    joined = verdicts.join(cases, cases.c.id == verdicts.c.case_id)
    # Ids rise with time, and by them the few can be read in order without sorting them all.
    order = verdicts.c.case_id.desc()
    statement = select(*_TOLD, verdicts.c.body).select_from(joined).where(known, _COMPLAINT, _WHOLE).order_by(order).limit(limit)
    found = [dict(row) for row in conn.execute(statement).mappings()]
    return [Lesson(verdict=row.pop("body"), case=PastCase(**row)) for row in found]
