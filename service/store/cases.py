"""Cases as they stand: found by id, by the hotline's number, and in pages that never skip or repeat one."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, Text, bindparam, literal, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models.tables import Moment, case_departments, cases, from_text, to_text
from service.store.events import feed_head
from service.store.rows import Case, CaseDepartment, CaseRow, Cursor, Filters, Order, Page


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
_PARTS = select(_Listed(_PART.c.rank, _PART.c.department, _PART.c.role, _PART.c.issue)).where(_PART.c.case_id == cases.c.id)
# A case with its departments in one statement, so that both are of one moment.
_CASES = select(*cases.columns, _PARTS.correlate(cases).scalar_subquery())
_BY_ID = _CASES.where(cases.c.id == bindparam("wanted"))
_BY_IDS = _CASES.where(cases.c.id.in_(bindparam("wanted", expanding=True)))
_BY_NUMBER = _CASES.where(cases.c.source_order_no == bindparam("order_no"), cases.c.source_system == bindparam("system"))


def get_case(conn: Connection, case_id: str) -> CaseRow | None:
    return _first(conn, _BY_ID, {"wanted": case_id})


def find_case(conn: Connection, source_system: str, source_order_no: str) -> CaseRow | None:
    """The case that a hotline's own number names."""
    return _first(conn, _BY_NUMBER, {"order_no": source_order_no, "system": source_system})


def cases_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, CaseRow]:
    wanted = list(ids)
    return {row.id: row for row in _read(conn, _BY_IDS, {"wanted": wanted})} if wanted else {}


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


def list_cases(conn: Connection, filters: Filters, *, limit: int, cursor: Cursor | None = None, order: Order = "created") -> Page:
    """A page of cases, "created": newest first, "changed": longest unchanged first.

    The cursor names the last case of the page before, so a case that comes in meanwhile shifts nothing. In the order of
    changes a case that changes while one reads comes up again at the end, and none is passed over.
    """
    statement = _wanted(_CASES, filters)
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
        statement = statement.where(tuple_(at, id_) < tuple_(literal(from_text(created_at), Moment), literal(case_id)))
    return statement.order_by(at.desc(), id_.desc())


def _cursor(last: CaseRow, order: Order) -> Cursor:
    return (last.seq,) if order == "changed" else (to_text(last.created_at), last.id)


def _first(conn: Connection, statement: Select[Any], values: dict[str, Any]) -> CaseRow | None:
    return next(iter(_read(conn, statement, values)), None)


def _read(conn: Connection, statement: Select[Any], values: dict[str, Any] | None = None) -> list[CaseRow]:
    return [_row(row) for row in conn.execute(statement, values or {})]


def _row(row: Row[Any]) -> CaseRow:
    return CaseRow(**dict(zip(_NAMES, row[:-1], strict=True)), departments=_parts(row[-1]))


def _parts(listed: str | None) -> tuple[CaseDepartment, ...]:
    rows = sorted(orjson.loads(listed)) if listed else []
    return tuple(CaseDepartment(department=department, role=role, issue=issue) for _, department, role, issue in rows)
