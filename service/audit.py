"""The audit: is the chain whole, does each row that it tells of agree with it, and can each seal be opened; and the chain written out.

Whoever owns the database can take away its newest rows together with the mark of where it ends. Only who has noted that mark elsewhere
sees it: `verify` says the mark each time and compares it with one that was noted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from models.tables import to_text
from service import rulebook, store
from service.db import Database
from service.errors import SealBroken
from service.store import NewEvent
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


def verify(database: Database, vault: Vault | None = None, noted: Mark | None = None) -> Finding:
    """Check everything; with the vault also the seals, with a noted mark also that the chain goes through it."""
    with database.read() as conn:
        report = store.verify_chain(conn)
        mark = Mark(report.head, store.hash_at(conn, report.head) or "")
        if report.broken is not None:
            return Finding(report.rows, mark, report.broken, report.why or "")
        why = _unlike(conn, noted) or _changed_files(conn) or (_broken_seal(conn, vault) if vault else None)
    return Finding(report.rows, mark, report.head if why else None, why or "")


def _unlike(conn: Any, noted: Mark | None) -> str | None:
    if noted is None or store.hash_at(conn, noted.seq) == noted.hash:
        return None
    return f"审计链没有经过以前记下的 {noted.seq}:{noted.hash[:12]}…"


def _changed_files(conn: Any) -> str | None:
    """The files of a published version must make its digest."""
    for pack, version, digest in store.all_versions(conn):
        if rulebook.digest(store.ruleset_files(conn, pack, version)) != digest:
            return f"{pack} 第 {version} 版的文件不是当时发布的"
    return None


def _broken_seal(conn: Any, vault: Vault) -> str | None:
    """Every seal is authenticated: one changed bit, and it does not open."""
    for case_id, sealed in store.sealed_cases(conn):
        try:
            vault.unseal(sealed)
        except SealBroken:
            return f"案件 {case_id} 的诉求人信息解不开"
    return None


def export(database: Database, after: int = 0) -> Iterator[bytes]:
    """The chain row by row: each line holds what is hashed, and how, so that anybody can check it without us."""
    with database.read() as conn:
        for event in store.export_chain(conn, after=after):
            row = [event.seq, to_text(event.at), event.kind, event.case_id, event.actor, event.data]
            yield orjson.dumps({"row": row, "prev_hash": event.prev_hash, "hash": event.hash}, option=orjson.OPT_APPEND_NEWLINE)


def row_hash(previous: str, row: list[Any]) -> str:
    """How a row is hashed: behind the hash of the row before it."""
    return sha256(previous.encode() + orjson.dumps(row)).hexdigest()


def note_export(conn: Any, actor: str, after: int) -> None:
    """An export is itself a row of the chain."""
    data = orjson.dumps({"after": after}).decode()
    store.append_events(conn, [NewEvent(at=store.now(conn), kind=EXPORTED, actor=actor, data=data)])
