"""Past cases, to be decided again: stretch by stretch in the order in which they came, so that memory does not grow with them."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, Select, func, literal, or_, select, tuple_

from models.tables import Moment, cases, truths
from service.store.rows import PastCase

STRIDE = 500

DONE = ("completed", "followed_up", "archived")
"""Whoever brought a case to one of these states took it as their own: that confirms them as its lead."""

_NAMES = ("id", "created_at", "status", "lead", "title", "content", "institution", "address", "street", "demand_type")
_PAST = select(
    *(cases.c[name] for name in (*_NAMES, "details", "triage", "ruleset_version")), truths.c.lead.label("truth_lead")
).select_from(cases.outerjoin(truths, truths.c.case_id == cases.c.id))
_CONFIRMED = or_(truths.c.lead.is_not(None), cases.c.status.in_(DONE))


def past_cases(conn: Connection, *, since: datetime | None = None, version: int | None = None) -> Iterator[list[PastCase]]:
    """All cases, or those that came in since a moment, or those that a version decided."""
    statement = _PAST if since is None else _PAST.where(cases.c.created_at >= since)
    return _stretches(conn, statement if version is None else statement.where(cases.c.ruleset_version == version))


def confirmed_cases(conn: Connection) -> Iterator[list[PastCase]]:
    """The cases whose lead officers confirmed, by a correction or by bringing them to an end."""
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
