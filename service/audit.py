"""The audit: is the chain whole, does each row that it tells of agree with it, and can each seal be opened; and the chain written out.

Whoever owns the database can take away its newest rows together with the mark of where it ends. Only who has noted that mark elsewhere
sees it: `verify` says the mark each time and compares it with one that was noted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from models.tables import to_text
from service import rulebook, store
from service.db import Database
from service.errors import SealBroken
from service.store import Event, NewEvent
from service.vault import Vault

EXPORTED = "audit.exported"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the chain ends: a position and its hash. Noted elsewhere, it shows later that nothing before it was touched."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the audit found: rows read, the mark of the end, and the first broken row with what is wrong there."""

    rows: int
    mark: Mark
    broken: int | None = None
    why: str = ""


def verify(
    database: Database, vault: Vault | None = None, noted: Mark | None = None, heard: Callable[[int], None] = lambda _: None
) -> Finding:
    """Check everything; with the vault also the seals, with a noted mark also that the chain goes through it."""
    with database.read() as conn:
        report = store.verify_chain(conn, heard=heard)
        mark = Mark(report.head, store.hash_at(conn, report.head) or "")
        if report.broken is not None:
            return Finding(report.rows, mark, report.broken, report.why or "")
        wrong = _unlike(conn, noted, report.head) or _changed_files(conn) or (_broken_seal(conn, vault) if vault else None)
    return Finding(report.rows, mark, *(wrong or ()))


Wrong = tuple[int, str]
"""A row, and what is wrong with what it tells of."""


def _unlike(conn: Any, noted: Mark | None, head: int) -> Wrong | None:
    if noted is None or store.hash_at(conn, noted.seq) == noted.hash:
        return None
    if noted.seq > head:
        return head, f"审计链到这里为止，以前却有 {noted.seq} 行：链尾被截去了"
    return noted.seq, f"它不是以前记下的那一行 {noted.hash[:12]}…：从它或更早起被整个换过"


def _changed_files(conn: Any) -> Wrong | None:
    """The files of a published version must make its digest."""
    for pack, version, digest, seq in store.all_versions(conn):
        if rulebook.digest(store.ruleset_files(conn, pack, version)) != digest:
            return seq, f"{pack} 第 {version} 版的文件不是当时发布的"
    return None


def _broken_seal(conn: Any, vault: Vault) -> Wrong | None:
    """Every seal is authenticated: one changed bit, and it does not open."""
    for case_id, sealed in store.sealed_cases(conn):
        try:
            vault.unseal(sealed)
        except SealBroken:
            return store.case_events(conn, case_id, limit=1)[0].seq, f"案件 {case_id} 的诉求人信息解不开"
    return None


def export(database: Database, after: int = 0) -> Iterator[bytes]:
    """The chain row by row: each line holds what is hashed, and how, so that anybody can check it without us."""
    with database.read() as conn:
        yield from map(line, store.export_chain(conn, after=after))


def line(event: Event) -> bytes:
    """A row as it is written out."""
    row = [event.seq, to_text(event.at), event.kind, event.case_id, event.actor, event.data]
    return orjson.dumps({"row": row, "prev_hash": event.prev_hash, "hash": event.hash}, option=orjson.OPT_APPEND_NEWLINE)


def row_hash(previous: str, row: list[Any]) -> str:
    """How a row is hashed: behind the hash of the row before it."""
    return sha256(previous.encode() + orjson.dumps(row)).hexdigest()


def note_export(conn: Any, actor: str, **what: Any) -> Event:
    """An export is itself a row of the chain."""
    data = orjson.dumps(what).decode()
    [event] = store.append_events(conn, [NewEvent(at=store.now(conn), kind=EXPORTED, actor=actor, data=data)])
    return event


def mark_of(noted: str) -> Mark | None:
    """A mark as it was told; None if it is none."""
    seq, _, digest = noted.partition(":")
    return Mark(int(seq), digest) if seq.isascii() and seq.isdecimal() and len(seq) < 19 and digest else None
