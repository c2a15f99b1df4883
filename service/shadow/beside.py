"""Starting a draft beside the version in force, stopping it, and how it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from service import rulebook, rulelife, store
from service.db import Database
from service.rulelife import Draft, DraftNotFound, NothingNew, Proposal, signed
from service.shadow.errors import ShadowMissing, ShadowRunning
from service.store import NewEvent, ShadowCase, ShadowRow

Files = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A draft that is to run, and where it comes from: files, `version:3`, `draft:ID`."""

    draft: Draft
    origin: str


@dataclass(frozen=True, slots=True)
class Told:
    """How a shadow stands, and where it disagrees: how a case was decided and would be, its title and content, who complained (sealed)."""

    row: ShadowRow
    cases: tuple[tuple[ShadowCase, str, str, bytes | None], ...]


def choose(database: Database, pack: str, *, files: Files | None = None, version: int | None = None, kept: str | None = None) -> Chosen:
    """The draft that is meant: files, a version, or a draft that is kept; read whole, or refused with all mistakes."""
    if version is not None:
        files, origin = rulelife.files_of(database, pack, version), f"version:{version}"
    elif kept is not None:
        with database.read() as conn:
            row = store.get_draft(conn, pack, kept)
            if row is None:
                raise DraftNotFound
            files, origin = store.draft_files(conn, kept), f"draft:{kept}"
    else:
        origin = "files"
    draft = rulelife.read_draft(files or {})
    rulelife.same_pack(draft, pack)
    return Chosen(draft, origin)


def start(conn: Any, shadow_id: str, chosen: Chosen, by: Proposal, now: datetime) -> ShadowRow:
    """Let it run from the next case on, in the transaction around this."""
    by, draft = signed(by), chosen.draft
    pack, digest, head = draft.ruleset.pack, rulebook.digest(draft.files), store.take_head(conn)
    running, active = store.last_shadow(conn, pack, running=True), store.active_ruleset(conn, pack)
    if running is not None:
        raise ShadowRunning(f"{running.author} 的草稿（{running.note}）正在影子运行，请先停止。")
    if active is not None and active.digest == digest:
        raise NothingNew(f"这个草稿与在用的第 {active.version} 版内容相同，没有可比的。")
    new = ShadowRow(
        id=shadow_id, pack=pack, digest=digest, origin=chosen.origin, author=by.author, note=by.note, started_at=now, position=head.seq
    )
    row = store.add_shadow(conn, new, draft.files)
    _tell(conn, "rules.shadow_started", row, by, now)
    return row


def stop(conn: Any, pack: str, by: Proposal, now: datetime) -> ShadowRow:
    """End the one that runs, in the transaction around this."""
    by = signed(by)
    store.take_head(conn)
    row = store.last_shadow(conn, pack, running=True)
    if row is None:
        raise ShadowMissing
    store.stop_shadow(conn, row.id, by.author, now)
    _tell(conn, "rules.shadow_stopped", row, by, now, note=by.note)
    return store.last_shadow(conn, pack) or row


def told(conn: Any, pack: str, limit: int) -> Told:
    """The one that runs, or the last that ran."""
    row = store.last_shadow(conn, pack)
    if row is None:
        raise ShadowMissing("还没有草稿影子运行过。")
    return Told(row, tuple(store.shadow_cases_of(conn, row.id, limit)))


def _tell(conn: Any, kind: str, row: ShadowRow, by: Proposal, at: datetime, **more: str) -> None:
    counts = {"cases": row.cases, "agreed": row.agreed}
    more |= {"key": by.key} if by.key else {}
    data = {"pack": row.pack, "shadow": row.id, "digest": row.digest, "origin": row.origin, "note": row.note, **counts, **more}
    store.append_events(conn, [NewEvent(at=at, kind=kind, actor=by.author, data=orjson.dumps(data).decode())])
