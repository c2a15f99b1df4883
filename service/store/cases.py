"""Cases as they stand: each with its departments, found by id or by the hotline's number."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, Row, Select, Text, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models.tables import case_departments, cases, from_text, to_text
from service.store.rows import Case, CaseDepartment, CaseRow, Opinion, Role


class _Listed(FunctionElement[str]):
    """The given columns of all rows as one JSON text; the two databases name that differently."""

    type = Text()
    inherit_cache = True


@compiles(_Listed, "sqlite")
def _listed_by_sqlite(listed: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array(json_array({compiler.process(listed.clauses, **kw)}))"


@compiles(_Listed, "postgresql")
def _listed_by_postgresql(listed: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(listed.clauses, **kw)})) AS TEXT)"


_NAMES = [column.name for column in cases.columns]
_PART = case_departments.alias("part")
_TOLD = ("rank", "department", "role", "issue", "opinion", "opinion_at", "opinion_version")
_PARTS = select(_Listed(*(_PART.c[name] for name in _TOLD))).where(_PART.c.case_id == cases.c.id)
# A case with its departments in one statement, so that both are of one moment.
WITH_PARTS = select(*cases.columns, _PARTS.correlate(cases).scalar_subquery())
_BY_ID = WITH_PARTS.where(cases.c.id == bindparam("wanted"))
_BY_IDS = WITH_PARTS.where(cases.c.id.in_(bindparam("wanted", expanding=True)))
_MOVED = WITH_PARTS.where(cases.c.version > 1, cases.c.id > bindparam("after")).order_by(cases.c.id)
_BY_NUMBER = WITH_PARTS.where(cases.c.source_order_no == bindparam("order_no"), cases.c.source_system == bindparam("system"))


def get_case(conn: Connection, case_id: str) -> CaseRow | None:
    return _first(conn, _BY_ID, {"wanted": case_id})


def find_case(conn: Connection, source_system: str, source_order_no: str) -> CaseRow | None:
    """The case that a hotline's own number names."""
    return _first(conn, _BY_NUMBER, {"order_no": source_order_no, "system": source_system})


def cases_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, CaseRow]:
    wanted = list(ids)
    return {row.id: row for row in read_cases(conn, _BY_IDS, {"wanted": wanted})} if wanted else {}


def text_hash(case: Case) -> str:
    """The hash of what was written and what was read in it: all that is struck out when a case has been kept long enough."""
    return hash_of([case.title, case.content, case.institution, case.address, case.details, case.triage])


def record_hash(case: Case, text: str | None = None) -> str:
    """The hash of all that never changes in a case: what came in and what was decided at once; `text` stands for a text struck out."""
    unchanging = [
        case.id,
        case.source_system,
        case.source_order_no,
        case.body_hash,
        to_text(case.received_at),
        to_text(case.created_at),
        case.decision,
        case.reason_code,
        case.urgency,
        case.demand_type,
        case.street,
        case.issues,
        case.ruleset_version,
        case.ruleset_digest,
        text or text_hash(case),
    ]
    return hash_of(unchanging)


class Changing(Protocol):
    """What moves change in a case."""

    @property
    def status(self) -> str: ...
    @property
    def lead(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def hops(self) -> int: ...
    @property
    def complex(self) -> bool: ...
    @property
    def clocks(self) -> str: ...
    @property
    def progress(self) -> str: ...
    @property
    def merged_into(self) -> str | None: ...
    @property
    def alarm(self) -> str | None: ...
    @property
    def due_at(self) -> datetime | None: ...


def state_hash(case: Changing, departments: Iterable[CaseDepartment]) -> str:
    """The hash of all that moves change in a case; it ties the row, as each move left it, into the chain."""
    parts: dict[str, list[Any]] = {}
    for part in departments:
        at = part.opinion_at and to_text(part.opinion_at)
        parts.setdefault(part.department, [part.department, part.role, part.issue, part.opinion, at, part.opinion_version])
    state = [case.status, case.lead, case.category, case.hops, case.complex, case.clocks, case.progress, case.merged_into, case.alarm]
    due = case.due_at and to_text(case.due_at)
    return hash_of([*state, due, list(parts.values())])


def hash_of(values: list[Any]) -> str:
    return sha256(orjson.dumps(values)).hexdigest()


def _first(conn: Connection, statement: Select[Any], values: dict[str, Any]) -> CaseRow | None:
    return next(iter(read_cases(conn, statement, values)), None)


def read_cases(conn: Connection, statement: Select[Any], values: dict[str, Any] | None = None) -> list[CaseRow]:
    return [_row(row) for row in conn.execute(statement, values or {})]


def _row(row: Row[Any]) -> CaseRow:
    return CaseRow(**dict(zip(_NAMES, row[:-1], strict=True)), departments=_parts(row[-1]))


def _parts(listed: str | None) -> tuple[CaseDepartment, ...]:
    # By rank and name, of which no two are alike, so that no NULL is ever compared.
    return tuple(_part(*row[1:]) for row in sorted(orjson.loads(listed))) if listed else ()


def _part(department: str, role: Role, issue: str | None, opinion: Opinion | None, at: str | None, version: int | None) -> CaseDepartment:
    return CaseDepartment(
        department=department,
        role=role,
        issue=issue,
        opinion=opinion,
        opinion_at=from_text(at) if at else None,
        opinion_version=version,
    )


def moved_cases(conn: Connection, after: str, limit: int) -> list[CaseRow]:
    """Cases that were moved since their birth, in the order of their ids."""
    return read_cases(conn, _MOVED.limit(limit), {"after": after})
