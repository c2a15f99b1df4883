"""Cases coming in: in batches, each stored once, whichever number, key or replica it comes by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.engine.interfaces import DBAPICursor

from models.tables import case_departments, case_issues, cases, idempotency, timers
from service.store.cases import cases_by_id, record_hash, state_hash
from service.store.events import Head, ask_head, taken_head, write_events
from service.store.outbox import LETTERS, ask_listening, birth_letters, listening
from service.store.rows import Case, NewCase, NewEvent, Outcome
from service.store.sql import Insert, moments, one_of, padded, together

_CASES = Insert(cases)
_PARTS = Insert(case_departments)
_ISSUES = Insert(case_issues)
_USED = Insert(idempotency)
_TIMERS = Insert(timers)
_NUMBERS = select(cases.c.id, cases.c.source_system, cases.c.source_order_no)
_KEYS = select(idempotency.c.client, idempotency.c.key, idempotency.c.body_hash, idempotency.c.case_id)


def insert_cases(conn: Connection, new: Sequence[NewCase]) -> list[Outcome]:
    """Store those that are new and tell of each what became of it; two of one batch may also be the same.

    The end of the feed is taken first, so nobody can store the same number between the looking and the writing.
    """
    if not new:
        return []
    with together(conn):
        head_asked, numbers_asked, keys_asked = ask_head(conn), _ask_numbers(conn, new), _ask_keys(conn, new)
        told_asked = ask_listening(conn)
        head, numbers, keys = taken_head(head_asked), numbers_asked.fetchall(), keys_asked.fetchall() if keys_asked else []
        told = listening(told_asked)
    known = _Known(head.seq)
    _recall(conn, known, new, numbers, keys)
    outcomes = [known.meet(case) for case in new]
    _write(conn, head, known, told)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Taken:
    """The case that a number or a key stands for, and the body it came with."""

    case: Case
    seq: int
    body_hash: str


@dataclass(slots=True)
class _Known:
    """The numbers and keys that are taken: by stored cases, and by those of this batch as it is gone through."""

    seq: int
    numbers: dict[tuple[str, str], _Taken] = field(default_factory=dict)
    keys: dict[tuple[str, str | None], _Taken] = field(default_factory=dict)
    created: list[NewCase] = field(default_factory=list)
    used: list[tuple[NewCase, Case]] = field(default_factory=list)

    def meet(self, case: NewCase) -> Outcome:
        if case.idempotency_key is None:
            return self._meet_number(case)
        taken = self.keys.get((case.client, case.idempotency_key))
        if taken is not None:
            return Outcome("same" if taken.body_hash == case.body_hash else "conflict", taken.case, "key", taken.seq)
        outcome = self._meet_number(case)
        if outcome.result != "conflict":  # a refused request leaves its key free
            self.keys[case.client, case.idempotency_key] = _Taken(outcome.case, outcome.seq, case.body_hash)
            self.used.append((case, outcome.case))
        return outcome

    def _meet_number(self, case: NewCase) -> Outcome:
        number = (case.source_system, case.source_order_no)
        taken = self.numbers.get(number)
        if taken is not None:
            return Outcome("same" if taken.body_hash == case.body_hash else "conflict", taken.case, "order", taken.seq)
        self.seq += 1
        self.numbers[number] = _Taken(case, self.seq, case.body_hash)
        self.created.append(case)
        return Outcome("created", case, None, self.seq)


def _ask_numbers(conn: Connection, new: Sequence[NewCase]) -> DBAPICursor:
    # By number alone, for SQLite would walk the whole table to find pairs; two systems seldom give the same number.
    numbers = padded([case.source_order_no for case in new])
    return one_of(_NUMBERS, cases.c.source_order_no, len(numbers)).send(conn, numbers)


def _ask_keys(conn: Connection, new: Sequence[NewCase]) -> DBAPICursor | None:
    given = [case.idempotency_key for case in new if case.idempotency_key is not None]
    if not given:
        return None
    keys = padded(given)
    return one_of(_KEYS, idempotency.c.key, len(keys)).send(conn, keys)


def _recall(conn: Connection, known: _Known, new: Sequence[NewCase], numbers: Sequence[Any], keys: Sequence[Any]) -> None:
    """Let it be known what was found: rows of `_NUMBERS` and of `_KEYS`."""
    if not numbers and not keys:
        return
    wanted = {(case.source_system, case.source_order_no) for case in new}
    ids = {id_ for id_, system, order_no in numbers if (system, order_no) in wanted}
    stored = cases_by_id(conn, ids | {id_ for *_, id_ in keys})
    for id_ in ids:
        row = stored[id_]
        known.numbers[row.source_system, row.source_order_no] = _Taken(row, row.seq, row.body_hash)
    for client, key, body_hash, id_ in keys:
        known.keys[client, key] = _Taken(stored[id_], stored[id_].seq, body_hash)


def _write(conn: Connection, head: Head, known: _Known, told: frozenset[str]) -> None:
    moment = moments(conn)
    created = [(case, moment(case.received_at), moment(case.created_at)) for case in known.created]
    rows = [_case_row(case, moment, (received, at), head.seq + n) for n, (case, received, at) in enumerate(created, 1)]
    about = [(issue, at, case.id) for case, _, at in created for issue in dict.fromkeys(orjson.loads(case.issues))]
    parts = [row for case, _, at in created for row in _department_rows(case, at)]
    keys = [(case.idempotency_key, case.client, case.body_hash, owner.id, moment(case.created_at)) for case, owner in known.used]
    waiting = [(case.id, case.timer.kind, moment(case.timer.due_at), None, 0) for case in known.created if case.timer]
    letters = [row for n, case in enumerate(known.created, 1) for row in birth_letters(conn, case, head.seq + n, told)] if told else []
    # Births first: the n-th case has the n-th position.
    events = [*(_birth(case) for case in known.created), *(event for case in known.created for event in case.also)]
    write_events(
        conn, head, events, [(_CASES, rows), (_PARTS, parts), (_ISSUES, about), (_USED, keys), (_TIMERS, waiting), (LETTERS, letters)]
    )


def _case_row(case: NewCase, moment: Callable[[datetime], Any], times: tuple[Any, Any], seq: int) -> tuple[Any, ...]:
    # In the order of the table's columns; a test compares what comes back with what went in.
    received_at, created_at = times
    return (
        case.id,
        case.source_system,
        case.source_order_no,
        case.body_hash,
        received_at,
        created_at,
        created_at,
        1,
        seq,
        case.status,
        case.decision,
        case.reason_code,
        case.lead,
        case.category,
        case.urgency,
        case.demand_type,
        case.street,
        case.title,
        case.content,
        case.institution,
        case.address,
        case.details,
        case.complainant,
        case.triage,
        case.issues,
        case.ruleset_version,
        case.ruleset_digest,
        case.hops,
        case.complex,
        case.clocks,
        case.progress,
        case.merged_into,
        case.alarm,
        None,
        case.due_at and moment(case.due_at),
    )


def _department_rows(case: NewCase, created_at: Any) -> list[tuple[Any, ...]]:
    # A department that helps because of two issues has one row, for the first; the decision tells both.
    first: dict[str, tuple[Any, ...]] = {}
    for rank, part in enumerate(case.departments):
        first.setdefault(part.department, (case.id, part.department, part.role, rank, part.issue, created_at, None, None, None))
    return list(first.values())


def _birth(case: NewCase) -> NewEvent:
    """What the feed tells of a new case; `record_hash` and `state_hash` tie the stored row into the chain."""
    data = orjson.dumps(
        {
            "source_system": case.source_system,
            "source_order_no": case.source_order_no,
            "status": case.status,
            "decision": case.decision,
            "reason_code": case.reason_code,
            "lead": case.lead,
            "assists": [{"department": d.department, "issue": d.issue} for d in case.departments if d.role == "assist"],
            "category": case.category,
            "urgency": case.urgency,
            "ruleset_version": case.ruleset_version,
            "ruleset_digest": case.ruleset_digest,
            "complainant": case.complainant is not None,
            "record_hash": record_hash(case),
            "state_hash": state_hash(case, case.departments),
            **({"key": case.by_key} if case.by_key else {}),
        }
    )
    return NewEvent(at=case.created_at, kind="case.received", actor=case.actor, case_id=case.id, data=data.decode())
