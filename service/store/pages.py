"""Lists of cases: filtered, page by page, never skipping or repeating one, and no slower among a million than among a thousand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, Subquery, and_, bindparam, case, exists, func, literal, or_, select, true, tuple_
from sqlalchemy.sql import ColumnElement

from models.tables import Moment, case_departments, case_issues, cases, events, from_text, incidents, marks, not_normal, to_text
from service.store.cases import WITH_PARTS, read_cases
from service.store.events import feed_head
from service.store.incidents import sorted_to
from service.store.rows import CaseRow, Cursor, Filters, Order, Page

EQUALS = ("status", "decision", "lead", "category", "urgency", "source_system", "source_order_no", "merged_into", "street")

NARROW = (
    *("source_order_no", "merged_into", "marks", "incident", "urgency", "issue", "department"),
    *("street", "lead", "category", "status", "missing", "source_system", "decision"),
)
"""Conditions, those first that are likely to leave the fewest."""
LATER = (*EQUALS, "missing", "incident", "department")
"""Conditions that are looked at in what another one gave."""

SLACK = timedelta(hours=1)
"""By how much replicas' clocks may differ before `updated_since` misses what the slower one wrote."""

FEW = 5_000
"""So many changed cases are sorted faster than a long index is walked in the hope of meeting them."""


def list_cases(conn: Connection, filters: Filters, *, limit: int, cursor: Cursor | None = None, order: Order = "created") -> Page:
    """A page of cases, "created": newest first, "changed": longest unchanged first.

    The cursor names the last case of the page before, so a case that comes in meanwhile shifts nothing. In the order of
    changes a case that changes while one reads comes up again at the end, and none is passed over.
    """
    since = _changed_since(conn, filters)
    sorted_ = _is_sorted(filters, since) and order != "changed"
    what: Select[Any] = select(cases.c.id) if sorted_ else WITH_PARTS
    statement = _after(_wanted(what, filters), filters, cursor, order)
    if since is not None and (since.few or order == "changed"):
        statement = statement.where(cases.c.seq > since.seq)
    statement = statement.order_by(*_order(filters, order, since)).limit(limit + 1)
    found = read_cases(conn, _whole(statement) if sorted_ else statement)
    return Page(found[:limit], _cursor(found[limit - 1], order) if len(found) > limit else None)


def _whole(ids: Select[Any]) -> Select[Any]:
    """The cases of which these are the ids: those that are sorted are sorted without their wide rows."""
    return WITH_PARTS.where(cases.c.id.in_(ids)).order_by(cases.c.created_at.desc(), cases.c.id.desc())


def count_listed(conn: Connection, filters: Filters, most: int) -> tuple[int, bool]:
    """How many cases the list has among the first so many that its narrowest condition gives, and whether these were all."""
    narrow = next(filter(partial(_narrows, filters), NARROW), None)
    wide = [name for name in LATER if name != narrow and getattr(filters, name) not in {None, True}]
    first = replace(filters, **dict.fromkeys(wide))
    read = [name for name in EQUALS if name in wide or name == filters.missing]
    looked = _wanted(select(cases.c.id, *(cases.c[name] for name in read)), first)
    if (since := _changed_since(conn, filters)) is not None:
        looked = looked.where(cases.c.seq > since.seq)
    found = looked.limit(most + 1).subquery()
    meant = case((and_(true(), *_also(filters, wide, found)), 1))
    seen, count = conn.execute(select(func.count(), func.count(meant)).select_from(found)).one()
    return min(count, most), seen <= most


def _narrows(filters: Filters, name: str) -> bool:
    """Whether an index gives the cases that meet this condition, and they are not nearly all."""
    value = getattr(filters, name)
    return value is not None and (_is_rare(value) if name == "urgency" else name != "decision" and value is not False)


def _also(filters: Filters, wide: Sequence[str], found: Subquery) -> Iterator[ColumnElement[bool]]:
    for name in wide:
        if name in EQUALS:
            yield found.c[name] == getattr(filters, name)
        elif name == "missing":
            yield found.c[str(filters.missing)].is_(None)
        elif name == "incident":
            yield ~exists(select(incidents.c.case_id).where(incidents.c.case_id == found.c.id))
        else:
            part = (case_departments.c.case_id == found.c.id) & (case_departments.c.department == filters.department)
            yield exists(select(case_departments.c.case_id).where(part))


def list_position(conn: Connection, filters: Filters) -> int:
    """A number that changes whenever the filtered list could have changed; one read of one row, or of two: marks come behind the feed."""
    return feed_head(conn) + ((sorted_to(conn) or 0) if filters.marks is not None else 0)


_USED = {
    "lead": exists(select(cases.c.id).where(cases.c.lead == bindparam("code"))),
    "category": exists(select(cases.c.id).where(cases.c.category == bindparam("code"))),
    "issue": exists(select(case_issues.c.case_id).where(case_issues.c.issue == bindparam("code"))),
    "department": exists(select(case_departments.c.case_id).where(case_departments.c.department == bindparam("code"))),
}


def is_code_used(conn: Connection, name: str, code: str) -> bool:
    """Whether any case has this code for its lead, its category, one of its issues or one of its departments."""
    return bool(conn.execute(select(_USED[name]), {"code": code}).scalar_one())


def _wanted(statement: Select[Any], filters: Filters) -> Select[Any]:
    if filters.department is not None:
        statement = statement.join(case_departments, case_departments.c.case_id == cases.c.id)
        statement = statement.where(case_departments.c.department == filters.department)
    if filters.issue is not None:
        same = (case_issues.c.case_id == cases.c.id) & (case_issues.c.created_at == cases.c.created_at)
        statement = statement.join(case_issues, same).where(case_issues.c.issue == filters.issue)
    return statement.where(*_equals(filters), *_within(filters), *_kind(filters))


def _kind(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.missing is not None:
        yield cases.c[filters.missing].is_(None)
    if filters.incident is not None:
        made = exists(select(incidents.c.case_id).where(incidents.c.case_id == cases.c.id))
        yield cases.c.id.in_(select(incidents.c.case_id)) if filters.incident else ~made
    if filters.marks is not None:
        signed = or_(*(and_(marks.c.kind == kind, marks.c.mark == mark) for kind, mark in filters.marks))
        yield cases.c.id.in_(select(marks.c.case_id).where(signed))


def _equals(filters: Filters) -> list[ColumnElement[bool]]:
    asked = [cases.c[name] == getattr(filters, name) for name in EQUALS if getattr(filters, name) is not None]
    return [*asked, not_normal] if _is_rare(filters.urgency) else asked


def _within(filters: Filters) -> list[ColumnElement[bool]]:
    bounds = []
    if filters.created_from is not None:
        bounds.append(cases.c.created_at >= filters.created_from)
    if filters.created_to is not None:
        bounds.append(cases.c.created_at < filters.created_to)
    if filters.updated_since is not None:
        bounds.append(cases.c.updated_at >= filters.updated_since)
    if filters.due_before is not None:
        bounds.append(cases.c.due_at < filters.due_before)
    return bounds


def _is_rare(urgency: str | None) -> bool:
    return urgency is not None and urgency != "normal"


def _after(statement: Select[Any], filters: Filters, cursor: Cursor | None, order: Order) -> Select[Any]:
    if cursor is None:
        return statement
    if order == "changed":
        return statement.where(cases.c.seq > cursor[0])
    created_at, case_id = (str(part) for part in cursor)
    return statement.where(tuple_(*_place(filters)) < tuple_(literal(from_text(created_at), Moment), literal(case_id)))


def _order(filters: Filters, order: Order, since: "_Since | None") -> list[ColumnElement[Any]]:
    if order == "changed":
        return [cases.c.seq.asc()]
    if _is_sorted(filters, since):
        # Said so that no index gives this order: SQLite would walk that one to its end rather than sort the few.
        return [func.coalesce(column, column).desc() for column in _place(filters)]
    place = _place(filters)
    if filters.missing is not None and place[0] is cases.c.created_at:
        # Of no effect among those that have none, but PostgreSQL knows its index by it.
        place = (cases.c[filters.missing], *place)
    return [column.desc() for column in place]


def _is_sorted(filters: Filters, since: "_Since | None") -> bool:
    """Whether the cases asked for are few enough to be sorted."""
    return filters.due_before is not None or filters.marks is not None or bool(filters.incident) or (since is not None and since.few)


def _place(filters: Filters) -> tuple[ColumnElement[Any], ...]:
    """Where a case stands in the order of creation: for a department or an issue in its own index, which holds the same two values."""
    if filters.department is not None:
        return case_departments.c.created_at, case_departments.c.case_id
    if filters.issue is not None:
        return case_issues.c.created_at, case_issues.c.case_id
    return cases.c.created_at, cases.c.id


def _cursor(last: CaseRow, order: Order) -> Cursor:
    return (last.seq,) if order == "changed" else (to_text(last.created_at), last.id)


@dataclass(frozen=True, slots=True)
class _Since:
    """All that changed since a moment stands behind this position, and may be little or much."""

    seq: int
    few: bool


_BEFORE = select(events.c.seq).where(events.c.at < bindparam("moment")).order_by(events.c.at.desc(), events.c.seq.desc()).limit(1)


def _changed_since(conn: Connection, filters: Filters) -> _Since | None:
    if filters.updated_since is None:
        return None
    seq = conn.execute(_BEFORE, {"moment": filters.updated_since - SLACK}).scalar_one_or_none() or 0
    return _Since(seq, feed_head(conn) - seq <= FEW)
