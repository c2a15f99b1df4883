"""The departments' channels: where their own systems take deliveries. Each change is an event that names the host and no more."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from models.tables import channels, outbox
from service.store.events import append_events, take_head
from service.store.rows import NewEvent

REMOVED = "通道已删除"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A department's channel; `secret` is sealed."""

    department: str
    url: str
    secret: bytes
    active: bool
    trouble: str | None
    created_at: datetime
    updated_at: datetime


def get_channel(conn: Connection, department: str) -> Channel | None:
    row = conn.execute(select(channels).where(channels.c.department == department)).mappings().first()
    return Channel(**row) if row else None


def list_channels(conn: Connection) -> list[Channel]:
    return [Channel(**row) for row in conn.execute(select(channels).order_by(channels.c.department)).mappings()]


def put_channel(conn: Connection, channel: Channel, *, actor: str) -> Channel:
    """Set a channel, new or in place of the one before; what waits for it is due at once."""
    take_head(conn)
    values = {name: getattr(channel, name) for name in ("url", "secret", "active", "trouble", "updated_at")}
    of = channels.c.department == channel.department
    if not conn.execute(update(channels).where(of).values(values)).rowcount:
        conn.execute(insert(channels).values(values | {"department": channel.department, "created_at": channel.created_at}))
    _hurry(conn, channel)
    _tell(conn, "channel.set", channel, actor, channel.updated_at, active=channel.active)
    return channel


def _hurry(conn: Connection, channel: Channel) -> None:
    waiting = (outbox.c.department == channel.department, outbox.c.state == "pending", outbox.c.lease_until.is_(None))
    conn.execute(update(outbox).where(*waiting).values(due_at=channel.updated_at))


def rest_channel(conn: Connection, department: str, url: str, why: str, *, actor: str, at: datetime) -> bool:
    """Put a channel to rest; what waits for it goes on waiting. False if it rests already or leads elsewhere by now."""
    take_head(conn)
    channel = get_channel(conn, department)
    if channel is None or not channel.active or channel.url != url:
        return False
    conn.execute(update(channels).where(channels.c.department == department).values(active=False, trouble=why, updated_at=at))
    _tell(conn, "channel.rested", channel, actor, at, reason=why)
    return True


def remove_channel(conn: Connection, department: str, *, actor: str, at: datetime) -> Channel | None:
    """Take a channel away; what waited for it is given up, and can be replayed when there is another."""
    take_head(conn)
    channel = get_channel(conn, department)
    if channel is None:
        return None
    waiting = (outbox.c.department == department, outbox.c.state == "pending")
    given_up = {"state": "dead", "last_error": REMOVED, "finished_at": at, "lease_until": None, "token": outbox.c.token + 1}
    lost = conn.execute(update(outbox).where(*waiting).values(given_up)).rowcount
    conn.execute(delete(channels).where(channels.c.department == department))
    _tell(conn, "channel.removed", channel, actor, at, given_up=lost)
    return channel


def _tell(conn: Connection, kind: str, channel: Channel, actor: str, at: datetime, **more: object) -> None:
    # Not the whole address: the key of many a receiver stands in its path or query, and the feed goes to everybody.
    data = orjson.dumps({"department": channel.department, "host": urlsplit(channel.url).hostname, **more}).decode()
    append_events(conn, [NewEvent(at=at, kind=kind, actor=actor, data=data)])
