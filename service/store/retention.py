"""Striking out: what a case says of people goes, what it was and what became of it stays, and the chain tells of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, delete, or_, select, update

from models.tables import cases, duplicates, idempotency, incidents, jobs, marks, notes, outbox, shadow_cases
from service.store.cases import cases_by_id, hash_of, state_hash, text_hash
from service.store.chain import STRUCK
from service.store.events import take_head, write_events
from service.store.rows import CaseRow, NewEvent

STRIDE = 500
GONE = "（已按保存期限清除）"
"""Stands where the reason of a decision stood; all other texts are empty."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An archived case, as far as it matters for how long it is kept."""

    id: str
    decision: str
    demand_type: str | None
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Strike:
    """A case that is struck out, and as what: the class, and for how many months it was kept."""

    case_id: str
    kind: str
    months: int


def archived_cases(conn: Connection) -> Iterator[Closed]:
    """The archived cases that are still whole, in the order of their ids."""
    asked = select(cases.c.id, cases.c.decision, cases.c.demand_type, cases.c.updated_at).where(
        cases.c.status == "archived", cases.c.struck_at.is_(None)
    )
    after, more = "", True
    while more:
        rows = conn.execute(asked.where(cases.c.id > after).order_by(cases.c.id).limit(STRIDE)).all()
        yield from (Closed(*row) for row in rows)
        after, more = rows[-1].id if rows else after, len(rows) == STRIDE


def strike_cases(conn: Connection, wanted: Sequence[Strike], *, actor: str, at: datetime) -> int:
    """Strike out these cases, where they still are archived and whole, and those merged into them; how many they were."""
    head = take_head(conn)
    by_id = {strike.case_id: strike for strike in wanted}
    for case_id, into in conn.execute(select(cases.c.id, cases.c.merged_into).where(cases.c.merged_into.in_(list(by_id)))).all():
        by_id[case_id] = Strike(case_id, by_id[into].kind, by_id[into].months)
    whole = [row for row in cases_by_id(conn, by_id).values() if row.struck_at is None and _may_go(row, by_id)]
    blanks = {row.id: _blank(row.triage) for row in whole}
    events = [_event(row, blanks[row.id], by_id[row.id], actor, at) for row in whole]
    write_events(conn, head, events)
    for number, row in enumerate(whole, 1):
        moved = {"version": row.version + 1, "seq": head.seq + number, "updated_at": at, "struck_at": at}
        conn.execute(update(cases).where(cases.c.id == row.id).values(**blanks[row.id], **moved))
    _clear(conn, [row.id for row in whole])
    return len(whole)


def _may_go(row: CaseRow, wanted: dict[str, Strike]) -> bool:
    return row.status == "archived" or (row.status == "merged" and row.merged_into in wanted)


def _blank(triage: str) -> dict[str, str | None]:
    """What is left of the texts. The evidence keeps its rules and their words, by which the ledger counts, and loses what was quoted."""
    told = orjson.loads(triage)
    blank: dict[str, Any] = {"reason": GONE, "runner_up": None, "ask": None, "register": None, "notices": []}
    told |= {name: value for name, value in blank.items() if name in told}
    told |= {"evidence": [one | {"quote": "", "start": 0, "end": 0} for one in told.get("evidence", ())]}
    texts: dict[str, str | None] = dict.fromkeys(("title", "content", "institution", "address"), "")
    return texts | {"details": "{}", "complainant": None, "triage": orjson.dumps(told).decode()}


def _event(row: CaseRow, blank: dict[str, str | None], strike: Strike, actor: str, at: datetime) -> NewEvent:
    """The texts that went are told by their hash, and so is what stands in their place."""
    left = [blank[name] for name in ("title", "content", "institution", "address", "details", "triage")]
    told = {
        "version": row.version + 1,
        "status": row.status,
        "lead": row.lead,
        "class": strike.kind,
        "months": strike.months,
        "text_hash": text_hash(row),
        "left_hash": hash_of(left),
        "state_hash": state_hash(row, row.departments),
    }
    return NewEvent(at=at, kind=STRUCK, actor=actor, case_id=row.id, data=orjson.dumps(told).decode())


def _clear(conn: Connection, ids: list[str]) -> None:
    """What stands beside cases and repeats what they said: notes, letters, marks by which they were found, suspicions, keys."""
    for table in (notes, outbox, marks, idempotency, shadow_cases):
        conn.execute(delete(table).where(table.c.case_id.in_(ids)))
    conn.execute(delete(duplicates).where(or_(duplicates.c.case_id.in_(ids), duplicates.c.other_id.in_(ids))))
    conn.execute(update(incidents).where(incidents.c.case_id.in_(ids)).values(institution=""))


def forget_jobs(conn: Connection, before: datetime) -> int:
    """Results of long work quote cases: those from before a moment go."""
    return conn.execute(delete(jobs).where(jobs.c.finished_at < before)).rowcount
