"""Cases: stored once each, in batches; found by id, by the hotline's number, and in pages that never skip or repeat one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, Text, cast, func, insert, select, tuple_
from sqlalchemy.sql import ColumnElement

from models.tables import case_departments, cases, from_text, idempotency, to_text
from service.store.events import Head, feed_head, take_head, write_events
from service.store.rows import Case, CaseDepartment, CaseRow, Cursor, Filters, NewCase, NewEvent, Order, Outcome, Page
from service.store.sql import Prepared, moments

_INSERT_CASE = Prepared(insert(cases))
_INSERT_DEPARTMENT = Prepared(insert(case_departments))
_INSERT_KEY = Prepared(insert(idempotency))

Number = tuple[str, str]
Key = tuple[str, str]


# Storing --------------------------------------------------------------------------------------------------------------------


def insert_cases(conn: Connection, new: Sequence[NewCase]) -> list[Outcome]:
    """Store those that are new, and tell of each what became of it. A number or a key is met at most once, also within the batch."""
    head = take_head(conn)
    known = _Known(head.seq, _by_number(conn, new), _by_key(conn, new))
    outcomes = [known.meet(case) for case in new]
    _write_cases(conn, known.created, head)
    _INSERT_KEY.run_many(conn, _key_rows(conn, known.keys_used))
    write_events(
        conn, head, [NewEvent(at=c.created_at, kind="case.received", actor=c.actor, case_id=c.id, data=_birth(c)) for c in known.created]
    )
    return outcomes


class _Known:
    """The numbers and keys that are taken, by stored cases and by those of this batch."""

    def __init__(self, seq: int, numbers: Mapping[Number, CaseRow], keys: Mapping[Key, "_KeyUse"]) -> None:
        self.created: list[NewCase] = []
        self.keys_used: list[_KeyUse] = []
        self._seq = seq
        self._numbers: dict[Number, tuple[Case, int]] = {number: (case, case.seq) for number, case in numbers.items()}
        self._keys = dict(keys)

    def meet(self, case: NewCase) -> Outcome:
        use = self._keys.get((case.client, case.idempotency_key)) if case.idempotency_key is not None else None
        if use is not None:
            return Outcome("same" if use.body_hash == case.body_hash else "conflict", use.case, "key", use.seq)
        outcome = self._meet_number(case)
        if case.idempotency_key is not None and outcome.result != "conflict":
            self._use_key(case, case.idempotency_key, outcome)
        return outcome

    def _meet_number(self, case: NewCase) -> Outcome:
        number = (case.source_system, case.source_order_no)
        found = self._numbers.get(number)
        if found is not None:
            stored, seq = found
            return Outcome("same" if stored.body_hash == case.body_hash else "conflict", stored, "order", seq)
        self._seq += 1
        self._numbers[number] = (case, self._seq)
        self.created.append(case)
        return Outcome("created", case, None, self._seq)

    def _use_key(self, case: NewCase, key: str, outcome: Outcome) -> None:
        use = _KeyUse(case.client, key, case.body_hash, outcome.case, outcome.seq, case.created_at)
        self._keys[(case.client, key)] = use
        self.keys_used.append(use)


@dataclass(frozen=True, slots=True)
class _KeyUse:
    """An idempotency key and the case it stands for."""

    client: str
    key: str
    body_hash: str
    case: Case
    seq: int
    created_at: datetime


def _by_number(conn: Connection, new: Sequence[NewCase]) -> dict[Number, CaseRow]:
    numbers = [(case.source_order_no, case.source_system) for case in new]
    taken = tuple_(cases.c.source_order_no, cases.c.source_system).in_(numbers)
    return {(row.source_system, row.source_order_no): row for row in _read(conn, _select(conn).where(taken))}


def _by_key(conn: Connection, new: Sequence[NewCase]) -> dict[Key, _KeyUse]:
    keys = [(case.client, case.idempotency_key) for case in new if case.idempotency_key is not None]
    if not keys:
        return {}
    taken = tuple_(idempotency.c.client, idempotency.c.key).in_(keys)
    uses = conn.execute(select(idempotency).where(taken)).all()
    owners = {row.id: row for row in _read(conn, _select(conn).where(cases.c.id.in_({use.case_id for use in uses})))}
    return {
        (use.client, use.key): _KeyUse(use.client, use.key, use.body_hash, owners[use.case_id], owners[use.case_id].seq, use.created_at)
        for use in uses
    }


def _write_cases(conn: Connection, created: Sequence[NewCase], head: Head) -> None:
    moment = moments(conn)
    rows = [_case_row(case, moment(case.received_at), moment(case.created_at), head.seq + n) for n, case in enumerate(created, 1)]
    _INSERT_CASE.run_many(conn, rows)
    _INSERT_DEPARTMENT.run_many(conn, [row for case in created for row in _department_rows(case, moment(case.created_at))])


def _case_row(case: NewCase, received_at: Any, created_at: Any, seq: int) -> tuple[Any, ...]:
    # In the order of the table's columns; a test compares what comes back with what went in.
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
    )


def _department_rows(case: NewCase, created_at: Any) -> list[tuple[Any, ...]]:
    # A department that helps because of two issues has one row, for the first; the decision tells both.
    first: dict[str, tuple[Any, ...]] = {}
    for rank, part in enumerate(case.departments):
        first.setdefault(part.department, (case.id, part.department, part.role, rank, part.issue, created_at))
    return list(first.values())


def _key_rows(conn: Connection, uses: Iterable[_KeyUse]) -> list[tuple[Any, ...]]:
    moment = moments(conn)
    return [(use.client, use.key, use.body_hash, use.case.id, moment(use.created_at)) for use in uses]


def _birth(case: NewCase) -> str:
    """What the feed tells of a new case; `record_hash` ties the stored row into the chain."""
    return orjson.dumps(
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
            "record_hash": record_hash(case),
        }
    ).decode()


def record_hash(case: Case) -> str:
    """The hash of all that never changes in a case: what came in and what was decided at once."""
    unchanging = [
        case.id,
        case.source_system,
        case.source_order_no,
        case.body_hash,
        to_text(case.received_at),
        case.title,
        case.content,
        case.institution,
        case.address,
        case.details,
        case.triage,
        case.ruleset_version,
        case.ruleset_digest,
    ]
    return sha256(orjson.dumps(unchanging)).hexdigest()


# Finding --------------------------------------------------------------------------------------------------------------------


def get_case(conn: Connection, case_id: str) -> CaseRow | None:
    return next(iter(_read(conn, _select(conn).where(cases.c.id == case_id))), None)


def find_case(conn: Connection, source_system: str, source_order_no: str) -> CaseRow | None:
    """The case that a hotline's own number names."""
    mine = (cases.c.source_order_no == source_order_no) & (cases.c.source_system == source_system)
    return next(iter(_read(conn, _select(conn).where(mine))), None)


def cases_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, CaseRow]:
    return {row.id: row for row in _read(conn, _select(conn).where(cases.c.id.in_(list(ids))))}


def list_cases(conn: Connection, filters: Filters, *, limit: int, cursor: Cursor | None = None, order: Order = "created") -> Page:
    """A page of cases, "created": newest first, "changed": longest unchanged first.

    The cursor names the last case of the page before, so a case that comes in meanwhile shifts nothing. In the order of
    changes a case that changes while one reads comes up again at the end, and none is passed over.
    """
    statement = _wanted(_select(conn), filters)
    found = _read(conn, _placed(statement, filters, cursor, order).limit(limit + 1))
    rest = found[limit:]
    return Page(found[:limit], _cursor(found[limit - 1], order) if rest else None)


def list_position(conn: Connection, filters: Filters) -> int:  # noqa: ARG001 (finer positions per filter may come)
    """A number that changes whenever the filtered list could have changed; one read of one row."""
    return feed_head(conn)


def _wanted(statement: Select[Any], filters: Filters) -> Select[Any]:
    if filters.department is not None:
        part = (case_departments.c.case_id == cases.c.id) & (case_departments.c.department == filters.department)
        statement = statement.join(case_departments, part)
    return statement.where(*_equals(filters), *_within(filters))


def _equals(filters: Filters) -> list[ColumnElement[bool]]:
    names = ("status", "decision", "lead", "category", "urgency", "source_system", "source_order_no")
    return [cases.c[name] == getattr(filters, name) for name in names if getattr(filters, name) is not None]


def _within(filters: Filters) -> list[ColumnElement[bool]]:
    bounds = []
    if filters.created_from is not None:
        bounds.append(cases.c.created_at >= filters.created_from)
    if filters.created_to is not None:
        bounds.append(cases.c.created_at < filters.created_to)
    if filters.updated_since is not None:
        bounds.append(cases.c.updated_at >= filters.updated_since)
    return bounds


def _placed(statement: Select[Any], filters: Filters, cursor: Cursor | None, order: Order) -> Select[Any]:
    if order == "changed":
        after = cases.c.seq > (cursor[0] if cursor else 0)
        return statement.where(after).order_by(cases.c.seq)
    # A department's cases are walked along its own index, which holds the same two values.
    at, id_ = (case_departments.c.created_at, case_departments.c.case_id) if filters.department else (cases.c.created_at, cases.c.id)
    if cursor is not None:
        created_at, case_id = (str(part) for part in cursor)
        statement = statement.where(tuple_(at, id_) < tuple_(from_text(created_at), case_id))
    return statement.order_by(at.desc(), id_.desc())


def _cursor(last: CaseRow, order: Order) -> Cursor:
    return (last.seq,) if order == "changed" else (to_text(last.created_at), last.id)


# Rows -----------------------------------------------------------------------------------------------------------------------

_OF_CASE = case_departments.alias("part")
_NAMES = [column.name for column in cases.columns]


def _select(conn: Connection) -> Select[Any]:
    """A case with its departments in one statement, so that both are of one moment."""
    return select(*cases.columns, _departments(conn))


def _departments(conn: Connection) -> ColumnElement[str]:
    parts = (_OF_CASE.c.rank, _OF_CASE.c.department, _OF_CASE.c.role, _OF_CASE.c.issue)
    if conn.dialect.name == "sqlite":
        listed: ColumnElement[Any] = func.json_group_array(func.json_array(*parts))
    else:
        listed = cast(func.json_agg(func.json_build_array(*parts)), Text)
    return select(listed).where(_OF_CASE.c.case_id == cases.c.id).correlate(cases).scalar_subquery()


def _read(conn: Connection, statement: Select[Any]) -> list[CaseRow]:
    return [_row(row) for row in conn.execute(statement)]


def _row(row: Row[Any]) -> CaseRow:
    return CaseRow(**dict(zip(_NAMES, row[:-1], strict=True)), departments=_parts(row[-1]))


def _parts(listed: str | None) -> tuple[CaseDepartment, ...]:
    rows = sorted(orjson.loads(listed)) if listed else []
    return tuple(CaseDepartment(department=department, role=role, issue=issue) for _, department, role, issue in rows)
