"""Incidents and suspected duplicates as they are kept: marks by which cases are found, incidents, proposals, and how far all was sorted."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Select, bindparam, func, insert, or_, select, tuple_, update

from models.tables import case_departments, cases, duplicates, heads, incidents, marks
from service.store.cases import cases_by_id
from service.store.events import feed_head
from service.store.rows import CaseRow

SORTED = "sorted"
MOST = 500
"""Cases that one look-up gives at most, the nearest in time first: more of them decide nothing else."""

State = Literal["pending", "accepted", "dismissed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something by which a case is found."""

    kind: str
    mark: str
    received_at: datetime
    case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """An incident, its case, and how many are merged into it, received from when to when."""

    case: CaseRow
    institution: str
    opened_at: datetime
    members: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRow:
    """A suspected duplicate; `words` is a JSON list."""

    case_id: str
    other_id: str
    score: int
    basis: Literal["text", "story"]
    words: str
    state: State
    proposed_at: datetime
    decided_at: datetime | None = None
    actor: str | None = None
    note: str = ""


# How far the feed was sorted --------------------------------------------------------------------------------------------------------

_SORTED = select(heads.c.value).where(heads.c.name == SORTED)


def sorted_to(conn: Connection) -> int | None:
    """Up to which change of the feed cases were looked at; None where nobody has begun."""
    return conn.execute(_SORTED).scalar_one_or_none()


def begin_sorting(conn: Connection) -> int:
    """Begin with what comes in from now on, unless somebody has begun already."""
    begun = sorted_to(conn)
    if begun is None:
        begun = feed_head(conn)
        conn.execute(insert(heads).values(name=SORTED, value=begun, hash=""))
    return begun


def note_sorted(conn: Connection, seq: int) -> None:
    conn.execute(update(heads).where(heads.c.name == SORTED).values(value=seq))


# Marks ------------------------------------------------------------------------------------------------------------------------------

_SIGNED = select(marks.c.case_id).where(marks.c.kind == bindparam("as"))
_BETWEEN = marks.c.received_at.between(bindparam("since"), bindparam("until"))
_BY_MARK = _SIGNED.where(marks.c.mark.in_(bindparam("wanted", expanding=True)), _BETWEEN).order_by(marks.c.received_at.desc()).limit(MOST)
_NAMES = select(marks.c.mark).where(marks.c.kind == "name", _BETWEEN).distinct().limit(10 * MOST)
_BY_MARK_EVER = _SIGNED.where(marks.c.mark.in_(bindparam("wanted", expanding=True)))


def add_marks(conn: Connection, new: Iterable[Mark]) -> None:
    rows = [asdict(mark) for mark in dict.fromkeys(new)]
    if rows:
        conn.execute(insert(marks), rows)


def marked(conn: Connection, kind: str, wanted: Iterable[str], since: datetime, until: datetime) -> list[str]:
    """The cases with one of these marks, received in this time."""
    values = {"as": kind, "wanted": list(wanted), "since": since, "until": until}
    return list(dict.fromkeys(conn.execute(_BY_MARK, values).scalars())) if values["wanted"] else []


def marked_ever(conn: Connection, kind: str, wanted: Iterable[str]) -> list[str]:
    values = {"as": kind, "wanted": list(wanted)}
    return list(dict.fromkeys(conn.execute(_BY_MARK_EVER, values).scalars())) if values["wanted"] else []


def names_told(conn: Connection, since: datetime, until: datetime) -> list[str]:
    """The names that cases of this time tell of institutions."""
    return list(conn.execute(_NAMES, {"since": since, "until": until}).scalars())


_TEXTS = select(cases.c.id, cases.c.title, cases.c.content).where(cases.c.id.in_(bindparam("wanted", expanding=True)))


def texts_of(conn: Connection, ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """Number, title and content of these cases."""
    return [(id_, title, content) for id_, title, content in conn.execute(_TEXTS, {"wanted": list(ids)})] if ids else []


# Incidents --------------------------------------------------------------------------------------------------------------------------

_ARE = select(incidents.c.case_id).where(incidents.c.case_id.in_(bindparam("wanted", expanding=True)))
_MEMBERS = (
    select(cases.c.merged_into, func.count(), func.min(cases.c.received_at), func.max(cases.c.received_at))
    .where(cases.c.merged_into.in_(bindparam("wanted", expanding=True)), cases.c.merged_into.is_not(None))
    .group_by(cases.c.merged_into)
)


def add_incident(conn: Connection, case_id: str, institution: str, opened_at: datetime) -> None:
    conn.execute(insert(incidents).values(case_id=case_id, institution=institution, opened_at=opened_at))


def incidents_among(conn: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Which of these cases are incidents."""
    return frozenset(conn.execute(_ARE, {"wanted": list(ids)}).scalars()) if ids else frozenset()


def get_incident(conn: Connection, case_id: str) -> IncidentRow | None:
    return next(iter(_incidents(conn, select(incidents).where(incidents.c.case_id == case_id))), None)


def incidents_of(conn: Connection, ids: Iterable[str]) -> list[IncidentRow]:
    return _incidents(conn, select(incidents).where(incidents.c.case_id.in_(list(ids))))


def list_incidents(
    conn: Connection, *, limit: int, status: str | None = None, department: str | None = None, before: str | None = None
) -> list[IncidentRow]:
    """Incidents, the newest first, behind the one that `before` names."""
    wanted = select(incidents).order_by(incidents.c.case_id.desc()).limit(limit)
    if status is not None:
        wanted = wanted.join(cases, cases.c.id == incidents.c.case_id).where(cases.c.status == status)
    if department is not None:
        wanted = wanted.join(case_departments, case_departments.c.case_id == incidents.c.case_id)
        wanted = wanted.where(case_departments.c.department == department)
    return _incidents(conn, wanted if before is None else wanted.where(incidents.c.case_id < before))


def _incidents(conn: Connection, wanted: Select[tuple[str, str, datetime]]) -> list[IncidentRow]:
    found = conn.execute(wanted).all()
    ids = [row.case_id for row in found]
    rows = cases_by_id(conn, ids)
    counts = {into: told for into, *told in conn.execute(_MEMBERS, {"wanted": ids})} if ids else {}
    return [_incident(rows[row.case_id], row.institution, row.opened_at, counts.get(row.case_id, (0, None, None))) for row in found]


def _incident(case: CaseRow, institution: str, opened_at: datetime, told: Sequence[int | datetime | None]) -> IncidentRow:
    members, first_at, last_at = told
    return IncidentRow(
        case=case,
        institution=institution,
        opened_at=opened_at,
        members=members,  # type: ignore[arg-type]  # a count, which comes in one row with moments
        first_at=first_at,  # type: ignore[arg-type]
        last_at=last_at,  # type: ignore[arg-type]
    )


# Suspected duplicates ---------------------------------------------------------------------------------------------------------------

_PAIR = select(duplicates).where(duplicates.c.case_id == bindparam("one"), duplicates.c.other_id == bindparam("two"))


def add_proposal(conn: Connection, new: ProposalRow) -> None:
    conn.execute(insert(duplicates).values(**asdict(new)))


def get_proposal(conn: Connection, case_id: str, other_id: str) -> ProposalRow | None:
    row = conn.execute(_PAIR, {"one": case_id, "two": other_id}).mappings().first()
    return ProposalRow(**row) if row else None


def pending_with(conn: Connection, case_id: str) -> list[ProposalRow]:
    """The proposals that wait and name this case."""
    sides = (duplicates.c.case_id == case_id, duplicates.c.other_id == case_id)
    found = (conn.execute(select(duplicates).where(side)).mappings() for side in sides)
    return [ProposalRow(**row) for rows in found for row in rows if row["state"] == "pending"]


def list_proposals(
    conn: Connection,
    *,
    state: State,
    limit: int,
    before: tuple[str, str] | None = None,
    department: str | None = None,
    case: str | None = None,
) -> list[ProposalRow]:
    """Suspected duplicates, the latest first, behind the pair that `before` names: of which a department has both cases, of this case."""
    place = duplicates.c.case_id, duplicates.c.other_id
    wanted = select(duplicates).where(duplicates.c.state == state)
    for case_id in place if department is not None else ():
        part = case_departments.alias()
        wanted = wanted.join(part, (part.c.case_id == case_id) & (part.c.department == department))
    if case is not None:
        wanted = wanted.where(or_(*(column == case for column in place)))
    if before is not None:
        wanted = wanted.where(tuple_(*place) < tuple_(*before))
    found = wanted.order_by(*(column.desc() for column in place)).limit(limit)
    return [ProposalRow(**row) for row in conn.execute(found).mappings()]


def decide_proposal(conn: Connection, proposal: ProposalRow, state: State, *, actor: str, note: str, at: datetime) -> ProposalRow:
    decided = replace(proposal, state=state, decided_at=at, actor=actor, note=note)
    pair = duplicates.c.case_id == proposal.case_id, duplicates.c.other_id == proposal.other_id
    conn.execute(update(duplicates).where(*pair).values(state=state, decided_at=at, actor=actor, note=note))
    return decided
