"""Moves of cases as they are written: the case, its parts, its timer, its notes and the event, all in the transaction around them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from models.tables import case_departments, cases, events, move_keys, notes, timers, truths
from service.errors import Fault
from service.store.events import Head, chain_hash, take_head, write_events
from service.store.outbox import audience, write_move_letters
from service.store.rows import CaseDepartment, Event, MoveKey, NewEvent, NewMove, NewTimer, Truth
from service.store.sql import Insert, Named, Prepared, Rows, moments, together

_NOW = Prepared(text("SELECT clock_timestamp()"))
_CHANGED = (
    *("version", "seq", "updated_at", "status", "lead", "category", "hops", "complex"),
    *("clocks", "progress", "merged_into", "alarm", "due_at"),
)
_UPDATE = Named(
    update(cases)
    .where(cases.c.id == bindparam("of"), cases.c.version == bindparam("before"))
    .values({name: bindparam(name) for name in _CHANGED})
)
# Set anew it gets a new fence: who claimed the timer as it was holds nothing any more.
_SET_TIMER = Named(
    text(
        "INSERT INTO timers (case_id, kind, due_at, lease_until, fence) VALUES (:of, :kind, :due_at, NULL, 0) ON CONFLICT (case_id) "
        "DO UPDATE SET kind = excluded.kind, due_at = excluded.due_at, lease_until = NULL, fence = timers.fence + 1"
    )
)
_END_TIMER = Named(delete(timers).where(timers.c.case_id == bindparam("of")))
_NOTE = Insert(notes)
_USED = Insert(move_keys)
_EVENT = select(events).where(events.c.seq == bindparam("wanted"))
_KEY = select(move_keys.c.request_hash, move_keys.c.seq).where(
    move_keys.c.client == bindparam("whose"), move_keys.c.key == bindparam("wanted")
)
_NOTES = select(notes.c.version, notes.c.body).where(notes.c.case_id == bindparam("of"))
_MEMBERS = select(func.count()).select_from(cases).where(cases.c.merged_into == bindparam("of"))
_MEMBER_IDS = select(cases.c.id).where(cases.c.merged_into == bindparam("of")).order_by(cases.c.id)
_ALARMED = select(cases.c.id).where(cases.c.alarm.is_not(None), cases.c.id > bindparam("after")).order_by(cases.c.id)


def now(conn: Connection) -> datetime:
    """The moment by the database's own clock, which all replicas share; SQLite has only the one of this machine."""
    if conn.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = _NOW.send(conn).fetchall()[0][0]
    return moment.astimezone(UTC)


def write_move(conn: Connection, move: NewMove, head: Head | None = None) -> Event:
    """Write all that a move changes, and its event, behind the head if that was taken before.

    The case must still be of the version that the move was decided on.
    """
    head = head or take_head(conn)
    told = audience(conn, move.case_id)
    with together(conn):
        changed = _UPDATE.send(conn, _values(conn, move, head.seq + 1))
        set_timer(conn, move.case_id, move.timer)
    if changed.rowcount != 1:
        raise Fault(f"案件 {move.case_id} 不再是第 {move.version - 1} 版。")
    if move.departments is not None:
        _write_parts(conn, move.case_id, move.departments)
    if move.truth is not None:
        _write_truth(conn, move.case_id, move.truth)
    write_events(conn, head, [move.event, *move.also], _beside(conn, move, head.seq + 1))
    event = _written(head, move.event)
    write_move_letters(conn, told, move, event)
    return event


def _values(conn: Connection, move: NewMove, seq: int) -> dict[str, Any]:
    named, moment = {name: getattr(move, name) for name in _CHANGED if name not in {"seq", "updated_at"}}, moments(conn)
    times = {"updated_at": moment(move.event.at), "due_at": move.due_at and moment(move.due_at)}
    return named | {"of": move.case_id, "before": move.version - 1, "seq": seq} | times


def _beside(conn: Connection, move: NewMove, seq: int) -> list[tuple[Insert, Rows]]:
    """What goes into other tables with the event."""
    note: Rows = [] if move.note is None else [(move.case_id, move.version, move.note)]
    key = move.key
    used: Rows = [] if key is None else [(key.key, key.client, key.request_hash, seq, moments(conn)(move.event.at))]
    return [(_NOTE, note), (_USED, used)]


def _written(head: Head, event: NewEvent) -> Event:
    """The event as it now stands behind the head."""
    seq = head.seq + 1
    return Event(
        seq=seq,
        at=event.at.astimezone(UTC),
        kind=event.kind,
        case_id=event.case_id,
        actor=event.actor,
        data=event.data,
        prev_hash=head.hash,
        hash=chain_hash(head.hash, seq, event),
    )


def _write_parts(conn: Connection, case_id: str, parts: tuple[CaseDepartment, ...]) -> None:
    created_at = conn.execute(select(cases.c.created_at).where(cases.c.id == case_id)).scalar_one()
    conn.execute(delete(case_departments).where(case_departments.c.case_id == case_id))
    rows = [
        {
            "case_id": case_id,
            "department": part.department,
            "role": part.role,
            "rank": rank,
            "issue": part.issue,
            "created_at": created_at,
            "opinion": part.opinion,
            "opinion_at": part.opinion_at,
            "opinion_version": part.opinion_version,
        }
        for rank, part in enumerate(parts)
    ]
    if rows:
        conn.execute(insert(case_departments), rows)


def set_timer(conn: Connection, case_id: str, timer: NewTimer | None) -> None:
    """The case's one timer: set to the next moment and free to be claimed, or gone."""
    if timer is None:
        _END_TIMER.send(conn, {"of": case_id})
    else:
        _SET_TIMER.send(conn, {"of": case_id, "kind": timer.kind, "due_at": moments(conn)(timer.due_at)})


def _write_truth(conn: Connection, case_id: str, truth: Truth) -> None:
    """The last word counts; the earlier ones are in the events. What was decided at first stays."""
    values = {name: getattr(truth, name) for name in ("category", "lead", "version", "ruleset_version", "at", "actor", "department")}
    if not conn.execute(update(truths).where(truths.c.case_id == case_id).values(values)).rowcount:
        decided = {"decided_category": truth.decided_category, "decided_lead": truth.decided_lead}
        conn.execute(insert(truths).values(values | decided | {"case_id": case_id}))


def get_event(conn: Connection, seq: int) -> Event:
    return Event(**conn.execute(_EVENT, {"wanted": seq}).mappings().one())


def find_move_key(conn: Connection, client: str, key: str) -> MoveKey | None:
    """What a client's key was used for."""
    row = conn.execute(_KEY, {"whose": client, "wanted": key}).first()
    return MoveKey(client=client, key=key, request_hash=row.request_hash, seq=row.seq) if row else None


def case_notes(conn: Connection, case_id: str) -> dict[int, str]:
    """What officers wrote with the moves of a case, by the version that the move made."""
    return {row.version: row.body for row in conn.execute(_NOTES, {"of": case_id})}


def get_truth(conn: Connection, case_id: str) -> Truth | None:
    """What officers said would have been right."""
    row = conn.execute(select(truths).where(truths.c.case_id == case_id)).mappings().first()
    return Truth(**{name: value for name, value in row.items() if name != "case_id"}) if row else None


def count_members(conn: Connection, case_id: str) -> int:
    """How many cases are merged into this one."""
    return int(conn.execute(_MEMBERS, {"of": case_id}).scalar_one())


def members(conn: Connection, case_id: str) -> list[str]:
    return list(conn.execute(_MEMBER_IDS, {"of": case_id}).scalars())


def alarmed_cases(conn: Connection, after: str, limit: int) -> list[str]:
    """Cases with clocks that a calendar was missing for, in the order of their ids."""
    return list(conn.execute(_ALARMED.limit(limit), {"after": after}).scalars())
