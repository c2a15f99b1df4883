"""Sessions at rest: the SHA-256 of each cookie and who is behind it. Beginnings and ends are events; rows that are over are deleted."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from models.tables import sessions, sign_ons
from service.store.events import append_events
from service.store.rows import Event, NewEvent

_ONE = select(sessions).where(sessions.c.hash == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is kept; `hash` is the SHA-256 of its cookie. `identity` is JSON where no key of ours is behind it."""

    hash: str
    key_id: str | None
    identity: str | None
    created_at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignOnRow:
    """A log-in that is under way elsewhere. `hash` is the SHA-256 of the cookie that its browser holds, `before` that of its session."""

    hash: str
    state: str
    nonce: str
    verifier: str
    back_to: str
    before: str
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


def add_sign_on(conn: Connection, row: SignOnRow, now: datetime) -> None:
    """Remember that somebody went to sign on, and forget those who did not come back."""
    conn.execute(delete(sign_ons).where(sign_ons.c.expires_at <= now))
    conn.execute(insert(sign_ons).values(asdict(row)))


def take_sign_on(conn: Connection, wanted: str) -> SignOnRow | None:
    """The log-in that a cookie stands for: given once, whoever asks, and however many at the same time."""
    row = conn.execute(delete(sign_ons).where(sign_ons.c.hash == wanted).returning(sign_ons)).mappings().first()
    return SignOnRow(**row) if row else None


def tell_session(conn: Connection, kind: str, actor: str, at: datetime, **facts: Any) -> Event:
    """A log-in, a log-out or a failed log-in, in the audit."""
    [event] = append_events(conn, [NewEvent(at=at, kind=kind, actor=actor, data=orjson.dumps(facts).decode())])
    return event
