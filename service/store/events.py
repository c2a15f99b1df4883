"""The feed: every change once, numbered without a gap in the order of commits, each row chained to the one before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, bindparam, not_, or_, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from models.tables import case_departments, events, heads, to_text
from service.store.rows import Event, NewEvent
from service.store.sql import Insert, Prepared, Rows, insert_all, moments, together

GENESIS = "0" * 64

_TAKE_HEAD = Prepared(select(heads.c.value, heads.c.hash).where(heads.c.name == bindparam("name")).with_for_update())
_MOVE_HEAD = Prepared(update(heads).where(heads.c.name == bindparam("of")).values(value=bindparam("value"), hash=bindparam("hash")))
_INSERT = Insert(events)
_READ_HEAD = select(heads.c.value, heads.c.hash).where(heads.c.name == "events")
_CHANGES = select(events).where(events.c.seq > bindparam("after")).order_by(events.c.seq).limit(bindparam("most"))
_OF_CASE = _CHANGES.where(events.c.case_id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Head:
    """Where the feed ends."""

    seq: int
    hash: str


def take_head(conn: Connection) -> Head:
    """Take the feed's end and keep it until the commit; whoever else wants to write waits here.

    It is the first statement of every writing transaction, on PostgreSQL too. So all that a job reads stays true until it
    has written, no two transactions can wait for each other, and rows of the feed become visible in the order of their
    numbers: a poller that asks for `seq > last` cannot miss one that was numbered earlier and committed later.
    """
    with together(conn):
        return taken_head(ask_head(conn))


def ask_head(conn: Connection) -> DBAPICursor:
    """The first half of `take_head`, for those who have more to ask at once."""
    if not conn.in_transaction():  # the driver alone would commit each statement on SQLite
        conn.begin()
    return _TAKE_HEAD.send(conn, ("events",))


def taken_head(cursor: DBAPICursor) -> Head:
    return Head(*cursor.fetchall()[0])


def append_events(conn: Connection, new: Sequence[NewEvent]) -> list[Event]:
    head = take_head(conn)
    write_events(conn, head, new)
    return changes(conn, head.seq, len(new))


def write_events(conn: Connection, head: Head, new: Iterable[NewEvent], with_them: Sequence[tuple[Insert, Rows]] = ()) -> None:
    """Number, chain and insert behind `head`, which this transaction must have taken; and insert what goes with the events."""
    rows: Rows = []
    moment = moments(conn)
    seq, prev_hash = head.seq, head.hash
    for event in new:
        seq += 1
        hash_ = chain_hash(prev_hash, seq, event)
        rows.append((seq, moment(event.at), event.kind, event.case_id, event.actor, event.data, prev_hash, hash_))
        prev_hash = hash_
    with together(conn):
        insert_all(conn, [*with_them, (_INSERT, rows)])
        if rows:
            _MOVE_HEAD.send(conn, (seq, prev_hash, "events"))


def chain_hash(prev_hash: str, seq: int, event: NewEvent | Event) -> str:
    """The hash of a row: over the hash before it and the row's own canonical JSON."""
    row = orjson.dumps([seq, to_text(event.at), event.kind, event.case_id, event.actor, event.data])
    return sha256(prev_hash.encode() + row).hexdigest()


def feed_head(conn: Connection) -> int:
    """The position of the last change."""
    return read_head(conn).seq


def read_head(conn: Connection) -> Head:
    """Where the feed ended a moment ago; unlike `take_head` it holds up nobody."""
    row = conn.execute(_READ_HEAD).one()
    return Head(row.value, row.hash)


def changes(conn: Connection, after: int, limit: int) -> list[Event]:
    """The changes behind the position `after`, oldest first."""
    return _read(conn, _CHANGES, {"after": after, "most": limit})


@dataclass(frozen=True, slots=True)
class View:
    """What of the feed somebody may meet: a department's own cases alone, and none of the kinds that begin with these words."""

    department: str | None = None
    without: tuple[str, ...] = ()


def changes_within(conn: Connection, view: View, after: int, limit: int) -> tuple[list[Event], int]:
    """The changes behind `after` that a view shows, and how far has been looked: all behind that is still to come.

    A department meets what happens to a case as long as it has a part in it, and the change by which it lost that part.
    """
    head = feed_head(conn)  # first: what is committed after it lies behind it
    statement = _CHANGES.where(events.c.seq <= head, *(not_(events.c.kind.like(f"{word}%")) for word in view.without))
    if view.department is not None:
        own = select(case_departments.c.case_id).where(
            case_departments.c.case_id == events.c.case_id, case_departments.c.department == view.department
        )
        lost = and_(events.c.data.like('%"left":[%'), events.c.data.like(f'%"{view.department}"%'))
        statement = statement.where(or_(own.exists(), lost))
    found = _read(conn, statement, {"after": after, "most": limit})
    looked = found[-1].seq if len(found) == limit else max(head, after)
    return [event for event in found if view.department is None or _concerns(conn, event, view.department)], looked


def _concerns(conn: Connection, event: Event, department: str) -> bool:
    if department in (orjson.loads(event.data).get("left") or ()):
        return True
    part = (case_departments.c.case_id == event.case_id, case_departments.c.department == department)
    return conn.execute(select(case_departments.c.case_id).where(*part)).first() is not None


def case_events(conn: Connection, case_id: str, *, after: int = 0, limit: int = 200) -> list[Event]:
    """What happened to one case, oldest first."""
    return _read(conn, _OF_CASE, {"of": case_id, "after": after, "most": limit})


def _read(conn: Connection, statement: Select[Any], values: dict[str, Any]) -> list[Event]:
    return [Event(**row) for row in conn.execute(statement, values).mappings()]
