"""Sessions at rest: the SHA-256 of each cookie and the key behind it. Beginnings and ends are events; rows that are over are deleted."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from models.tables import sessions
from service.store.events import append_events
from service.store.rows import Event, NewEvent

_ONE = select(sessions).where(sessions.c.hash == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is kept; `hash` is the SHA-256 of its cookie."""

    hash: str
    key_id: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


def get_session(conn: Connection, wanted: str) -> SessionRow | None:
    row = conn.execute(_ONE, {"wanted": wanted}).mappings().first()
    return SessionRow(**row) if row else None


def add_session(conn: Connection, row: SessionRow) -> None:
    conn.execute(insert(sessions).values(asdict(row)))


def touch_session(conn: Connection, wanted: str, at: datetime) -> None:
    conn.execute(update(sessions).where(sessions.c.hash == wanted).values(used_at=at))


def drop_session(conn: Connection, wanted: str) -> bool:
    """End a session; False if there is none."""
    return conn.execute(delete(sessions).where(sessions.c.hash == wanted)).rowcount == 1


def drop_old_sessions(conn: Connection, now: datetime, unused_since: datetime) -> None:
    """Forget those that are over."""
    conn.execute(delete(sessions).where(or_(sessions.c.expires_at <= now, sessions.c.used_at <= unused_since)))


def tell_session(conn: Connection, kind: str, actor: str, at: datetime, **facts: Any) -> Event:
    """A log-in, a log-out or a failed log-in, in the audit."""
    [event] = append_events(conn, [NewEvent(at=at, kind=kind, actor=actor, data=orjson.dumps(facts).decode())])
    return event
