"""The outbox: what must reach departments' own systems, written with the case it tells of, and kept until it has arrived.

In order for each case and department: a row is claimed only when none before it still waits. A row that was given up (`dead`)
holds up nobody; each body tells the whole case, so the next makes good for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from sqlalchemy import (
    Connection,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine.interfaces import DBAPICursor

from models.tables import cases, channels, outbox
from service.store.cases import get_case
from service.store.events import append_events, take_head
from service.store.letters import delivery_id, of_birth, of_move, parts_after
from service.store.rows import CaseDepartment, Event, NewCase, NewEvent, NewMove
from service.store.sql import Insert, Prepared, Rows, insert_all, moments, together

LONGEST = timedelta(hours=2)
"""Longer than any pause or lease. What lies further ahead was written by a clock that has since jumped back, and counts for nothing."""

State = Literal["pending", "done", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A claimed delivery with all that is needed to send it; `token` tells this claim from all others."""

    id: str
    token: int
    seq: int
    case_id: str
    department: str
    kind: str
    body: str
    attempts: int
    url: str
    secret: bytes
    complainant: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """送达 as it is listed."""

    id: str
    seq: int
    case_id: str
    department: str
    kind: str
    version: int
    state: State
    attempts: int
    created_at: datetime
    due_at: datetime
    status: int | None
    last_error: str | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an attempt ended: `pending` for another one after a `pause`; `counts` is False for one that was not really made."""

    of: Delivery
    state: State
    pause: timedelta = timedelta(0)
    status: int | None = None
    error: str | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How much waits, since when the oldest of it, and how much was given up."""

    pending: int
    oldest: datetime | None
    dead: int


# In: within the transaction of what they tell of -----------------------------------------------------------------------------------

LETTERS = Insert(outbox)
_LISTENING = Prepared(select(channels.c.department).where(channels.c.active))
_LATEST = (
    select(outbox.c.department, func.max(outbox.c.due_at).label("due_at"))
    .where(outbox.c.case_id == bindparam("of"), outbox.c.state == literal_column("'pending'"))
    .group_by(outbox.c.department)
)


def ask_listening(conn: Connection) -> DBAPICursor:
    """The departments with a channel in force: asked within the transaction, so no channel is noticed too late."""
    return _LISTENING.send(conn)


def listening(asked: DBAPICursor) -> frozenset[str]:
    return frozenset(row[0] for row in asked.fetchall())


def birth_letters(conn: Connection, case: NewCase, seq: int, to: frozenset[str]) -> Rows:
    """What departments are told of a new case."""
    at = moments(conn)(case.created_at)
    told = {part.department: part for part in reversed(case.departments) if part.department in to}
    return [
        (delivery_id(case.id, 1, name), seq, case.id, name, "case.received", 1, of_birth(case, part, seq), at, *_fresh(at))
        for name, part in told.items()
    ]


def _fresh(due_at: Any) -> tuple[Any, ...]:
    return ("pending", 0, due_at, None, 0, None, None, None)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who listens, and who had a part in the case before the move."""

    listening: frozenset[str]
    before: tuple[CaseDepartment, ...]


NOBODY = Audience(frozenset(), ())


def audience(conn: Connection, case_id: str) -> Audience:
    """Before a move is written: whom it may have to be told to."""
    to = listening(ask_listening(conn))
    case = get_case(conn, case_id) if to else None
    return Audience(to, case.departments) if case else NOBODY


def write_move_letters(conn: Connection, to: Audience, move: NewMove, event: Event) -> None:
    """After a move is written: what departments are told of it."""
    if not to.listening:
        return
    case = get_case(conn, move.case_id)
    parts = [] if case is None else [part for part in parts_after(to.before, case.departments) if part[0] in to.listening]
    if case is None or not parts:
        return
    # Not due before what waits in front of them: else each look for what is due would meet them in vain.
    due = {row.department: row.due_at for row in conn.execute(_LATEST, {"of": case.id})}
    rows: Rows = []
    for name, part in parts:
        at = moments(conn)
        body = of_move(case, event, name, part, move.note)
        row = (delivery_id(case.id, case.version, name), event.seq, case.id, name, event.kind, case.version, body, at(event.at))
        rows.append((*row, *_fresh(at(max(event.at, due.get(name, event.at))))))
    insert_all(conn, [(LETTERS, rows)])


# Out ---------------------------------------------------------------------------------------------------------------------------------

_PENDING = outbox.c.state == literal_column("'pending'")
_FREE = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= bindparam("now"), outbox.c.lease_until > bindparam("longest"))
_DUE = and_(_PENDING, outbox.c.due_at <= bindparam("now"), _FREE)
_EARLIER = outbox.alias("earlier")
# A case has few letters, a department very many: the department's own index must not tempt the planner away from the case's.
_IN_FRONT = and_(
    _EARLIER.c.case_id == outbox.c.case_id,
    cast(_EARLIER.c.department, Text).concat(literal_column("''")) == outbox.c.department,
    _EARLIER.c.seq < outbox.c.seq,
    _EARLIER.c.state == literal_column("'pending'"),
)
_DUE_DEPARTMENTS = select(channels.c.department).where(
    channels.c.active, exists(select(outbox.c.id).where(outbox.c.department == channels.c.department, _DUE).correlate(channels))
)
# In a part of its own, for PostgreSQL might ask a bare subquery more than once, and then lock more rows than it was asked for.
_CHOSEN = (
    select(outbox.c.id)
    .where(outbox.c.department == bindparam("whose"), _DUE, ~exists(select(_EARLIER.c.id).where(_IN_FRONT).correlate(outbox)))
    .order_by(outbox.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(of=outbox, skip_locked=True)
    .cte("chosen")
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(select(_CHOSEN.c.id)))
    .values(lease_until=bindparam("until"), token=outbox.c.token + 1, attempts=outbox.c.attempts + 1)
    .returning(outbox.c.id)
)
_CLAIMED = (
    select(
        *(outbox.c[name] for name in ("id", "token", "seq", "case_id", "department", "kind", "body", "attempts")),
        channels.c.url,
        channels.c.secret,
        cases.c.complainant,
    )
    .join(channels, channels.c.department == outbox.c.department)
    .join(cases, cases.c.id == outbox.c.case_id)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(outbox.c.due_at, outbox.c.seq)
)


_TOO_FAR = and_(_PENDING, outbox.c.department == channels.c.department, outbox.c.due_at > bindparam("longest"))
_ANY_TOO_FAR = select(channels.c.department).where(exists(select(outbox.c.id).where(_TOO_FAR).correlate(channels)))
_BRING_NEAR = (
    update(outbox)
    .where(_PENDING, outbox.c.department == bindparam("whose"), outbox.c.due_at > bindparam("longest"))
    .values(due_at=bindparam("now"))
)


def misdated_departments(conn: Connection, now: datetime) -> list[str]:
    """The departments for which something is due further ahead than anything can be: a clock has jumped."""
    return list(conn.execute(_ANY_TOO_FAR, {"longest": now + LONGEST}).scalars())


def bring_near(conn: Connection, now: datetime, department: str) -> int:
    """Let what is due too far ahead be due now."""
    return conn.execute(_BRING_NEAR, {"whose": department, "longest": now + LONGEST, "now": now}).rowcount


def due_departments(conn: Connection, now: datetime) -> list[str]:
    """The departments for which something can be sent now; a read that costs little where nothing can."""
    return list(conn.execute(_DUE_DEPARTMENTS, {"now": now, "longest": now + LONGEST}).scalars())


def claim_deliveries(conn: Connection, now: datetime, department: str, most: int, lease: timedelta) -> list[Delivery]:
    """Take what is due for a department, of each case the first; what another dispatcher is just taking is passed over."""
    values = {"now": now, "longest": now + LONGEST, "until": now + lease, "whose": department, "most": most}
    ids = list(conn.execute(_CLAIM, values).scalars())
    return [Delivery(**row) for row in conn.execute(_CLAIMED, {"ids": ids}).mappings()] if ids else []


def free_claims(conn: Connection) -> int:
    """Give all claims free: for the one who knows that nobody else can be sending."""
    held = update(outbox).where(_PENDING, outbox.c.lease_until.is_not(None))
    return conn.execute(held.values(lease_until=None, token=outbox.c.token + 1)).rowcount


_FINISH = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("of"), outbox.c.token == bindparam("holding"), _PENDING)
    .values(
        state=bindparam("state_"),
        attempts=outbox.c.attempts - bindparam("not_made"),
        due_at=bindparam("due"),
        lease_until=null(),
        status=bindparam("status_"),
        last_error=bindparam("error"),
        finished_at=bindparam("finished"),
    )
)
_PUT_OFF = (
    update(outbox)
    .where(outbox.c.case_id == bindparam("of"), outbox.c.department == bindparam("whose"), _PENDING)
    .where(outbox.c.seq > bindparam("after"), outbox.c.due_at < bindparam("due"))
    .values(due_at=bindparam("due"))
)


def record_results(conn: Connection, results: Sequence[Result], now: datetime) -> list[bool]:
    """Write how attempts ended, each by itself; False for one whose claim no longer counts, of which nothing is written."""
    if any(result.state == "dead" for result in results):
        take_head(conn)  # before all else, as whoever writes an event must
    at = moments(conn)
    with together(conn):
        sent = [_FINISH.send(conn, _ending(result, now, at)) for result in results]
    kept = [cursor.rowcount == 1 for cursor in sent]
    held = [result for result, counts in zip(results, kept, strict=True) if counts]
    for result in held:
        if result.state == "pending" and result.counts:
            of = result.of
            conn.execute(_PUT_OFF, {"of": of.case_id, "whose": of.department, "after": of.seq, "due": now + result.pause})
    given_up = [_given_up(result, now) for result in held if result.state == "dead"]
    if given_up:
        append_events(conn, given_up)
    return kept


def _ending(result: Result, now: datetime, at: Any) -> tuple[Any, ...]:
    # In the order of the statement's text: that of the table's columns, then the conditions.
    finished = None if result.state == "pending" else at(now)
    written = (result.state, int(not result.counts), at(now + result.pause), result.status, result.error, finished)
    return (*written, result.of.id, result.of.token)


def _given_up(result: Result, now: datetime) -> NewEvent:
    of = result.of
    data = {"delivery": of.id, "department": of.department, "attempts": of.attempts, "status": result.status}
    return NewEvent(at=now, kind="delivery.dead", actor="system", case_id=of.case_id, data=orjson.dumps(data).decode())


# Looked at and replayed --------------------------------------------------------------------------------------------------------------

_ROW = [column for column in outbox.c if column.name in DeliveryRow.__dataclass_fields__]
_WAITING = select(func.count()).select_from(outbox).where(_PENDING)
_UNDONE = outbox.c.state != literal_column("'done'")
_OLDEST = select(outbox.c.created_at).where(_UNDONE, _PENDING).order_by(outbox.c.seq).limit(1)
_DEAD = select(func.count()).select_from(outbox).where(_UNDONE, outbox.c.state == literal_column("'dead'"))


def outbox_state(conn: Connection) -> OutboxState:
    pending, dead = (int(conn.execute(counted).scalar_one()) for counted in (_WAITING, _DEAD))
    return OutboxState(pending, conn.execute(_OLDEST).scalar_one_or_none(), dead)


def get_delivery(conn: Connection, id_: str) -> DeliveryRow | None:
    row = conn.execute(select(*_ROW).where(outbox.c.id == id_)).mappings().first()
    return DeliveryRow(**row) if row else None


def list_deliveries(
    conn: Connection,
    *,
    state: State | None = None,
    department: str | None = None,
    case_id: str | None = None,
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[DeliveryRow]:
    """Deliveries, the newest first, behind the place `before`."""
    wanted = []
    if case_id is not None:
        wanted.append(outbox.c.case_id == case_id)
    if department is not None:
        # What is undone is little, and has an index of its own: that of the department must not tempt the planner away from it.
        name = outbox.c.department if state in {None, "done"} else cast(outbox.c.department, Text).concat(literal_column("''"))
        wanted.append(name == department)
    if state is not None:
        wanted += [outbox.c.state == literal_column(f"'{state}'"), *([] if state == "done" else [_UNDONE])]
    if before is not None:
        wanted.append(tuple_(outbox.c.seq, outbox.c.id) < tuple_(literal(before[0]), literal(before[1])))
    listed = select(*_ROW).where(*wanted).order_by(outbox.c.seq.desc(), outbox.c.id.desc()).limit(limit)
    return [DeliveryRow(**row) for row in conn.execute(listed).mappings()]


def replay_delivery(conn: Connection, id_: str, *, actor: str, at: datetime) -> DeliveryRow | None:
    """Let it be sent once more, under its own number and at its place among those that wait. One that waits is only hurried."""
    take_head(conn)
    row = get_delivery(conn, id_)
    if row is None:
        return None
    if row.state == "pending":
        conn.execute(update(outbox).where(outbox.c.id == id_).values(due_at=at))
        return get_delivery(conn, id_)
    again = {"state": "pending", "attempts": 0, "due_at": at, "lease_until": None, "finished_at": None, "token": outbox.c.token + 1}
    conn.execute(update(outbox).where(outbox.c.id == id_).values(again))
    data = orjson.dumps({"delivery": id_, "department": row.department, "was": row.state}).decode()
    append_events(conn, [NewEvent(at=at, kind="delivery.replayed", actor=actor, case_id=row.case_id, data=data)])
    return get_delivery(conn, id_)


def dead_deliveries(conn: Connection, department: str | None, limit: int) -> Iterable[str]:
    """The numbers of what was given up, the oldest first, so that replays keep their order."""
    found = select(outbox.c.id).where(_UNDONE, outbox.c.state == literal_column("'dead'")).order_by(outbox.c.seq).limit(limit)
    if department is not None:
        found = found.where(cast(outbox.c.department, Text).concat(literal_column("''")) == department)
    return list(conn.execute(found).scalars())
