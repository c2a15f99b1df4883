"""Shadows as they are stored: the draft that runs beside the version in force, how far it has come, and where it disagrees."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, insert, or_, select, update

from models.tables import cases, events, shadow_cases, shadows
from service.store.past import past_cases_by_id
from service.store.rows import Arrived, ShadowCase, ShadowRow

_TOLD = [column for column in shadows.c if column.name != "files"]


def add_shadow(conn: Connection, new: ShadowRow, files: Mapping[str, str]) -> ShadowRow:
    """Keep a new one; the database itself refuses a second that runs."""
    conn.execute(insert(shadows).values(**asdict(new), files=orjson.dumps(dict(files)).decode()))
    return new


def last_shadow(conn: Connection, pack: str, *, running: bool = False) -> ShadowRow | None:
    """The shadow that runs, or else the last that ran."""
    statement = select(*_TOLD).where(shadows.c.pack == pack)
    statement = statement.where(shadows.c.stopped_at.is_(None)) if running else statement
    row = conn.execute(statement.order_by(shadows.c.started_at.desc(), shadows.c.id.desc()).limit(1)).mappings().first()
    return ShadowRow(**row) if row else None


def shadow_files(conn: Connection, shadow_id: str) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(conn.execute(select(shadows.c.files).where(shadows.c.id == shadow_id)).scalar_one())
    return found


def stop_shadow(conn: Connection, shadow_id: str, by: str, at: datetime) -> bool:
    """End it; False if it was over already."""
    lasting = (shadows.c.id == shadow_id, shadows.c.stopped_at.is_(None))
    return conn.execute(update(shadows).where(*lasting).values(stopped_at=at, stopped_by=by)).rowcount == 1


def claim_shadow(conn: Connection, row: ShadowRow, holder: str, now: datetime, lease: timedelta) -> bool:
    """Take the lease; False while another holds it, or where it has gone on or ended meanwhile."""
    free = or_(shadows.c.holder == holder, shadows.c.lease_until.is_(None), shadows.c.lease_until < now)
    same = (shadows.c.id == row.id, shadows.c.position == row.position, shadows.c.stopped_at.is_(None))
    return conn.execute(update(shadows).where(*same, free).values(holder=holder, lease_until=now + lease)).rowcount == 1


def note_shadow(conn: Connection, row: ShadowRow, after: ShadowRow, found: Sequence[ShadowCase]) -> bool:
    """Write how far it has come, unless somebody else has: so each case is counted once, whoever looks at it."""
    values = {name: getattr(after, name) for name in ("position", "cases", "agreed", "issues_changed")}
    same = (shadows.c.id == row.id, shadows.c.position == row.position, shadows.c.stopped_at.is_(None))
    if conn.execute(update(shadows).where(*same).values(values)).rowcount != 1:
        return False
    if found:
        conn.execute(insert(shadow_cases), [asdict(case) | {"shadow_id": row.id} for case in found])
    return True


def arrivals(conn: Connection, after: int, limit: int) -> tuple[int, list[Arrived]]:
    """The cases that came behind a position, among so many changes; and the position of the last change looked at."""
    statement = select(events.c.seq, events.c.kind, events.c.case_id).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    rows = conn.execute(statement).all()
    born = {row.case_id: row.seq for row in rows if row.kind == "case.received"}
    found = past_cases_by_id(conn, list(born))
    return rows[-1].seq if rows else after, sorted((Arrived(born[case.id], case) for case in found), key=lambda each: each.seq)


def shadow_cases_of(conn: Connection, shadow_id: str, limit: int) -> list[tuple[ShadowCase, str, str, bytes | None]]:
    """Where it disagrees, the newest first, each with title and content of the case, and who complained, sealed."""
    statement = (
        select(shadow_cases.c.seq, shadow_cases.c.case_id, shadow_cases.c.body, cases.c.title, cases.c.content, cases.c.complainant)
        .select_from(shadow_cases.join(cases, cases.c.id == shadow_cases.c.case_id))
        .where(shadow_cases.c.shadow_id == shadow_id)
        .order_by(shadow_cases.c.seq.desc())
        .limit(limit)
    )
    return [(ShadowCase(row.seq, row.case_id, row.body), row.title, row.content, row.complainant) for row in conn.execute(statement)]
