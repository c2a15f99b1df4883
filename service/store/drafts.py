"""Drafts of rule sets and what second persons said of them. Each step that somebody must answer for is an event; edits are not."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from models.tables import approvals, drafts
from service.store.events import append_events, take_head
from service.store.rows import ApprovalRow, DraftRow, NewEvent

_TOLD = [column for column in drafts.c if column.name != "files"]


def add_draft(conn: Connection, row: DraftRow, files: Mapping[str, str]) -> DraftRow:
    """Keep a new draft."""
    take_head(conn)
    conn.execute(insert(drafts).values(_values(row) | {"files": _text(files)}))
    tell_draft(conn, "rules.draft_opened", row, row.author, next(iter(row.keys), ""), row.created_at, base=row.base, title=row.title)
    return row


def get_draft(conn: Connection, pack: str, draft_id: str) -> DraftRow | None:
    row = conn.execute(select(*_TOLD).where(drafts.c.pack == pack, drafts.c.id == draft_id)).mappings().first()
    return _draft(row) if row else None


def draft_files(conn: Connection, draft_id: str) -> dict[str, str]:
    """The files of a draft, which must be there."""
    found: dict[str, str] = orjson.loads(conn.execute(select(drafts.c.files).where(drafts.c.id == draft_id)).scalar_one())
    return found


def list_drafts(conn: Connection, pack: str, state: str, limit: int) -> list[DraftRow]:
    """Drafts in a state, the one touched last in front."""
    of = select(*_TOLD).where(drafts.c.pack == pack, drafts.c.state == state)
    return [_draft(row) for row in conn.execute(of.order_by(drafts.c.updated_at.desc(), drafts.c.id).limit(limit)).mappings()]


def count_drafts(conn: Connection, pack: str) -> int:
    """How many are open."""
    return conn.execute(select(func.count()).where(drafts.c.pack == pack, drafts.c.state == "open")).scalar_one()


def write_draft(conn: Connection, row: DraftRow, files: Mapping[str, str] | None = None) -> DraftRow:
    """Write a draft anew, with its files if they changed; whoever calls holds the head and has compared the version."""
    written = replace(row, version=row.version + 1)
    values = _values(written) | ({} if files is None else {"files": _text(files)})
    conn.execute(update(drafts).where(drafts.c.id == row.id).values(values))
    return written


def tell_draft(conn: Connection, kind: str, row: DraftRow, actor: str, key: str, at: datetime, **more: object) -> None:
    """Write into the chain what was done with a draft, by whom, and which access key vouches for the name (none before the first)."""
    more |= {"key": key} if key else {}
    data = orjson.dumps({"pack": row.pack, "draft": row.id, "digest": row.digest, **more}).decode()
    append_events(conn, [NewEvent(at=at, kind=kind, actor=actor, data=data)])


# Second persons -----------------------------------------------------------------------------------------------------------------


def add_approval(conn: Connection, row: ApprovalRow) -> ApprovalRow:
    conn.execute(insert(approvals).values(asdict(row)))
    return row


def write_approval(conn: Connection, row: ApprovalRow) -> ApprovalRow:
    conn.execute(update(approvals).where(approvals.c.id == row.id).values(asdict(row)))
    return row


def last_approval(conn: Connection, draft_id: str) -> ApprovalRow | None:
    """What was last asked for a draft, and what became of it."""
    of = select(approvals).where(approvals.c.draft_id == draft_id)
    row = conn.execute(of.order_by(approvals.c.asked_at.desc(), approvals.c.id.desc()).limit(1)).mappings().first()
    return ApprovalRow(**row) if row else None


def approved_content(conn: Connection, pack: str, digest: str) -> ApprovalRow | None:
    """The approval of this very content that was not used yet."""
    of = (approvals.c.pack == pack, approvals.c.digest == digest, approvals.c.state == "approved")
    row = conn.execute(select(approvals).where(*of).order_by(approvals.c.id.desc()).limit(1)).mappings().first()
    return ApprovalRow(**row) if row else None


def _draft(row: Any) -> DraftRow:
    lists = {name: tuple(orjson.loads(row[name])) for name in ("editors", "keys")}
    return DraftRow(**{**row, **lists})


def _values(row: DraftRow) -> dict[str, Any]:
    return asdict(row) | {"editors": _text(row.editors), "keys": _text(row.keys)}


def _text(value: Any) -> str:
    return orjson.dumps(dict(value) if isinstance(value, Mapping) else value).decode()
