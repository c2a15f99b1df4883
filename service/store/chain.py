"""The audit: read the whole feed again and say where it, or a case it tells of, is no longer what was written."""

from collections.abc import Iterator
from hashlib import sha256

import orjson
from sqlalchemy import Connection, select

from models.tables import events, notes
from service.store.cases import cases_by_id, record_hash
from service.store.events import GENESIS, Head, chain_hash, changes, read_head
from service.store.rows import CaseRow, ChainReport, Event

STRIDE = 500

NOTED = '"note_hash"'
"""Stands in an event that came with a note: what people wrote is kept beside the feed."""


class _Broken(Exception):
    """The first row that is not as it was written."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.why = why


def verify_chain(conn: Connection, *, after: int = 0) -> ChainReport:
    """Check every row behind `after` and the cases they tell of; memory does not grow with the feed."""
    end = read_head(conn)
    last = Head(after, GENESIS)
    try:
        last = _start(conn, after)
        for stride in _strides(conn, after, end.seq):
            last = _check_stride(conn, last, stride)
        _check_end(last, end)
    except _Broken as broken:
        return ChainReport(broken.seq - after, end.seq, broken.seq, broken.why)
    return ChainReport(end.seq - after, end.seq, None, None)


def _start(conn: Connection, after: int) -> Head:
    if after == 0:
        return Head(0, GENESIS)
    found = conn.execute(select(events.c.hash).where(events.c.seq == after)).scalar_one_or_none()
    if found is None:
        raise _Broken(after, "this row is missing")
    return Head(after, found)


def _strides(conn: Connection, after: int, end: int) -> Iterator[list[Event]]:
    while after < end and (stride := changes(conn, after, min(STRIDE, end - after))):
        yield stride
        after = stride[-1].seq


def _check_stride(conn: Connection, last: Head, stride: list[Event]) -> Head:
    cases = cases_by_id(conn, {event.case_id for event in stride if event.case_id and event.kind.startswith("case.")})
    noted = _notes(conn, stride)
    for event in stride:
        if event.seq != last.seq + 1:
            raise _Broken(last.seq + 1, "this row is missing")
        if event.prev_hash != last.hash:
            raise _Broken(event.seq, "it does not follow the row before it")
        if event.hash != chain_hash(event.prev_hash, event.seq, event):
            raise _Broken(event.seq, "its content is not what was hashed")
        if event.kind == "case.received":
            _check_birth(event, cases.get(event.case_id or ""))
        if NOTED in event.data:
            _check_note(event, noted)
        if event.case_id in cases:
            _check_state(event, cases[event.case_id])
        last = Head(event.seq, event.hash)
    return last


def _notes(conn: Connection, stride: list[Event]) -> dict[tuple[str, int], str]:
    """The notes of the cases that a stride tells of."""
    of = {event.case_id for event in stride if event.case_id and NOTED in event.data}
    if not of:
        return {}
    rows = conn.execute(select(notes).where(notes.c.case_id.in_(of)))
    return {(row.case_id, row.version): row.body for row in rows}


def _check_note(event: Event, noted: dict[tuple[str, int], str]) -> None:
    told = orjson.loads(event.data)
    note = noted.get((event.case_id or "", told.get("version", 0)))
    if note is None:
        raise _Broken(event.seq, f"what was written with it to case {event.case_id} is missing")
    if sha256(note.encode()).hexdigest() != told.get("note_hash"):
        raise _Broken(event.seq, f"what was written with it to case {event.case_id} is not what was hashed")


def _check_state(event: Event, case: CaseRow) -> None:
    """A case stands as its last move left it; what its earlier ones did is past."""
    if case.seq != event.seq:
        return
    told = orjson.loads(event.data)
    if (case.version, case.status, case.lead) != (told.get("version", 1), told["status"], told["lead"]):
        raise _Broken(event.seq, f"case {case.id} does not stand as this left it")


def _check_end(last: Head, end: Head) -> None:
    if last.seq != end.seq:
        raise _Broken(last.seq + 1, "this row is missing")
    if last.hash != end.hash:
        raise _Broken(last.seq, "it is not the row at which the feed's head points")


def _check_birth(event: Event, case: CaseRow | None) -> None:
    if case is None:
        raise _Broken(event.seq, f"case {event.case_id} is missing")
    if orjson.loads(event.data).get("record_hash") != record_hash(case):
        raise _Broken(event.seq, f"case {case.id} is not what was received and decided")
