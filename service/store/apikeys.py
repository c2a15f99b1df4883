"""API keys at rest: the hash of each and what it may do. Each change is an event, and raises the revision that replicas watch."""

from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from models.tables import api_keys, heads, to_text
from service.store.events import append_events, take_head
from service.store.rows import NewEvent

_REVISION = select(heads.c.value).where(heads.c.name == "api_keys")
_ALL = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
_ONE = select(api_keys).where(api_keys.c.id == bindparam("wanted"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key as it is kept; `hash` is the SHA-256 of the whole key."""

    id: str
    hash: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: str | None = None


def keys_revision(conn: Connection) -> int:
    """How often keys have changed: zero as long as there was never one."""
    return int(conn.execute(_REVISION).scalar_one())


def list_api_keys(conn: Connection) -> list[KeyRow]:
    return [_row(row) for row in conn.execute(_ALL).mappings()]


def get_api_key(conn: Connection, key_id: str) -> KeyRow | None:
    row = conn.execute(_ONE, {"wanted": key_id}).mappings().first()
    return _row(row) if row else None


def add_api_key(conn: Connection, key: KeyRow, by_key: str | None) -> KeyRow:
    """Keep a new key. `by_key` is the key, or what stands for one, of whoever makes it: a name can be written by anybody."""
    take_head(conn)
    _insert(conn, key)
    _changed(conn, "key.created", key, key.created_by, key.created_at, by_key=by_key)
    return key


def rotate_api_key(conn: Connection, old: KeyRow, new: KeyRow, until: datetime, by_key: str | None) -> KeyRow:
    """A new key in place of an old one, which opens until then."""
    take_head(conn)
    _insert(conn, new)
    conn.execute(update(api_keys).where(api_keys.c.id == old.id).values(expires_at=until, replaced_by=new.id))
    _changed(conn, "key.rotated", new, new.created_by, new.created_at, by_key=by_key, replaces=old.id, until=to_text(until))
    return new


def revoke_api_key(conn: Connection, key: KeyRow, *, actor: str, by_key: str | None, at: datetime) -> None:
    take_head(conn)
    conn.execute(update(api_keys).where(api_keys.c.id == key.id).values(revoked_at=at))
    _changed(conn, "key.revoked", key, actor, at, by_key=by_key)


def key_hash(key: KeyRow) -> str:
    """The hash of what never changes in a key: it ties the row into the chain, and does not tell the key's own hash."""
    unchanging = [key.id, key.hash, key.name, key.scopes, to_text(key.created_at), key.created_by]
    return sha256(orjson.dumps(unchanging)).hexdigest()


def _insert(conn: Connection, key: KeyRow) -> None:
    values = {part.name: getattr(key, part.name) for part in fields(key)}
    conn.execute(insert(api_keys).values(values | {"scopes": orjson.dumps(key.scopes).decode()}))


def _changed(conn: Connection, kind: str, key: KeyRow, actor: str, at: datetime, **more: str | None) -> None:
    expires = key.expires_at and to_text(key.expires_at)
    told = {"key": key.id, "name": key.name, "scopes": key.scopes, "expires_at": expires, "record_hash": key_hash(key), **more}
    append_events(conn, [NewEvent(at=at, kind=kind, actor=actor, data=orjson.dumps(told).decode())])
    conn.execute(update(heads).where(heads.c.name == "api_keys").values(value=heads.c.value + 1))


def _row(row: object) -> KeyRow:
    values = dict(row)  # type: ignore[call-overload] # a mapping of SQLAlchemy
    return KeyRow(**values | {"scopes": tuple(orjson.loads(values["scopes"]))})
