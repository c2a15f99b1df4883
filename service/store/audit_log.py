"""The log as an auditor reads it: the newest rows first, by kind, actor, key, case and time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from models.tables import events, moved
from service.store.rows import Event

BIRTHS = "case.received"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilters:
    """Which rows; a kind that ends with a dot is a whole family."""

    kind: str | None = None
    actor: str | None = None
    key: str | None = None
    case_id: str | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None
    before: int | None = None


def list_log(conn: Connection, filters: LogFilters, limit: int) -> list[Event]:
    """The rows before a position, the newest first."""
    wanted = select(events).where(*_asked(filters)).order_by(events.c.seq.desc()).limit(limit)
    return [Event(**row) for row in conn.execute(wanted).mappings()]


def _asked(filters: LogFilters) -> list[ColumnElement[bool]]:
    asked = [events.c[name] == value for name in ("actor", "case_id") if (value := getattr(filters, name)) is not None]
    if filters.kind is not None:
        asked += _of_kind(filters.kind)
    if filters.key is not None:
        asked.append(events.c.data.contains(f'"key":"{filters.key}"', autoescape=True))
    if filters.at_from is not None:
        asked.append(events.c.at >= filters.at_from)
    if filters.at_to is not None:
        asked.append(events.c.at < filters.at_to)
    if filters.before is not None:
        asked.append(events.c.seq < filters.before)
    return asked


def _of_kind(kind: str) -> list[ColumnElement[bool]]:
    """Said so that the index of all but the births serves it."""
    if kind.endswith("."):
        same = events.c.kind.startswith(kind, autoescape=True)
        return [same] if BIRTHS.startswith(kind) else [same, moved]
    return [events.c.kind == kind] if kind == BIRTHS else [events.c.kind == kind, moved]
