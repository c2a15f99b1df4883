"""The audit: read the whole feed again and say where it, or a case it tells of, is no longer what was written."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, select

from models.tables import case_departments, cases, events, notes, rulesets, to_text
from service.store.apikeys import KeyRow, key_hash, keys_revision, list_api_keys
from service.store.cases import cases_by_id, record_hash, state_hash, text_hash
from service.store.events import GENESIS, Head, chain_hash, changes, read_head
from service.store.rows import CaseRow, ChainReport, Event

STRIDE = 500

STRUCK = "case.struck"
"""The event by which the texts of a case were struck out."""

NOTED = '"note_hash"'
"""Stands in an event that came with a note: what people wrote is kept beside the feed."""


@dataclass(frozen=True, slots=True)
class Struck:
    """When the texts of a case were struck out; the hash of what they said, and that of what stands in their place."""

    at: datetime
    text_hash: str
    left_hash: str


class _Broken(Exception):
    """The first row that is not as it was written."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.why = why


def verify_chain(conn: Connection, *, after: int = 0, heard: Callable[[int], None] = lambda _: None) -> ChainReport:
    """Check every row behind `after` and the cases they tell of; memory does not grow with the feed. `heard` is told of each stretch."""
    end = read_head(conn)
    last = Head(after, GENESIS)
    try:
        last = _start(conn, after)
        for stride in _strides(conn, after, end.seq):
            last = _check_stride(conn, last, stride)
            heard(len(stride))
        _check_end(last, end)
        _check_strays(conn, end)
        _check_keys(conn, end)
        _check_rulesets(conn, end)
    except _Broken as broken:
        return ChainReport(broken.seq - after, end.seq, broken.seq, broken.why)
    except (ValueError, TypeError, KeyError):  # what was written can always be read
        return ChainReport(last.seq - after, end.seq, min(last.seq + 1, end.seq), "这里有内容已无法读懂")
    return ChainReport(end.seq - after, end.seq, None, None)


def _start(conn: Connection, after: int) -> Head:
    if after == 0:
        return Head(0, GENESIS)
    found = conn.execute(select(events.c.hash).where(events.c.seq == after)).scalar_one_or_none()
    if found is None:
        raise _Broken(after, "缺了这一行")
    return Head(after, found)


def _strides(conn: Connection, after: int, end: int) -> Iterator[list[Event]]:
    while after < end and (stride := changes(conn, after, min(STRIDE, end - after))):
        yield stride
        after = stride[-1].seq


def _check_stride(conn: Connection, last: Head, stride: list[Event]) -> Head:
    told_of = cases_by_id(conn, {event.case_id for event in stride if event.case_id and event.kind.startswith("case.")})
    noted, struck = _notes(conn, stride), _struck(conn, told_of)
    for event in stride:
        if event.seq != last.seq + 1:
            raise _Broken(last.seq + 1, "缺了这一行")
        if event.prev_hash != last.hash:
            raise _Broken(event.seq, "它接不上前一行")
        if event.hash != chain_hash(event.prev_hash, event.seq, event):
            raise _Broken(event.seq, "它的内容与当时的摘要不符")
        if event.kind == "case.received":
            _check_birth(event, told_of.get(event.case_id or ""), struck.get(event.case_id or ""))
        if NOTED in event.data and event.case_id not in struck:
            _check_note(event, noted)
        if event.case_id in told_of:
            _check_state(event, told_of[event.case_id])
        last = Head(event.seq, event.hash)
    return last


def _notes(conn: Connection, stride: list[Event]) -> dict[tuple[str, int], str]:
    """The notes of the cases that a stride tells of."""
    of = {event.case_id for event in stride if event.case_id and NOTED in event.data}
    if not of:
        return {}
    rows = conn.execute(select(notes).where(notes.c.case_id.in_(of)))
    return {(row.case_id, row.version): row.body for row in rows}


def _check_note(event: Event, noted: dict[tuple[str, int], str]) -> None:
    told = orjson.loads(event.data)
    note = noted.get((event.case_id or "", told.get("version", 0)))
    if note is None:
        raise _Broken(event.seq, f"缺了当时写给案件 {event.case_id} 的文字")
    if sha256(note.encode()).hexdigest() != told.get("note_hash"):
        raise _Broken(event.seq, f"当时写给案件 {event.case_id} 的文字被改过")


def _check_state(event: Event, case: CaseRow) -> None:
    """A case stands as its last move left it; what its earlier ones did is past."""
    told = orjson.loads(event.data)
    if "state_hash" in told and event.seq > case.seq:
        raise _Broken(event.seq, f"案件 {case.id} 没有记着这一步")
    if case.seq != event.seq:
        return
    if (case.version, case.status, case.lead) != (told.get("version", 1), told["status"], told["lead"]) or case.updated_at != event.at:
        raise _Broken(event.seq, f"案件 {case.id} 不是这一步留下的样子")
    if told.get("state_hash") not in {None, state_hash(case, case.departments)}:
        raise _Broken(event.seq, f"案件 {case.id} 不是这一步留下的样子")


def _check_end(last: Head, end: Head) -> None:
    if last.seq != end.seq:
        raise _Broken(last.seq + 1, "缺了这一行")
    if last.hash != end.hash:
        raise _Broken(last.seq, "它不是链尾所记的那一行")


def _check_birth(event: Event, case: CaseRow | None, struck: Struck | None) -> None:
    if case is None:
        raise _Broken(event.seq, f"缺了案件 {event.case_id}")
    told = orjson.loads(event.data)
    _check_blank(event, case, struck)
    if told.get("record_hash") != record_hash(case, struck.text_hash if struck else None):
        raise _Broken(event.seq, f"案件 {case.id} 不是当时受理、研判的内容")
    if told.get("complainant", False) is not (case.complainant is not None) and struck is None:
        raise _Broken(event.seq, f"案件 {case.id} 的诉求人被去掉或添上了")


def _check_blank(event: Event, case: CaseRow, struck: Struck | None) -> None:
    """What was struck out is gone, and nothing was put in its place; and nothing is said to be gone that was not struck out."""
    if case.struck_at != (struck.at if struck else None):
        raise _Broken(event.seq, f"案件 {case.id} 的清除没有记在审计链里")
    if struck and (case.complainant is not None or text_hash(case) != struck.left_hash):
        raise _Broken(event.seq, f"案件 {case.id} 已按保存期限清除，之后又被写入了内容")


def _struck(conn: Connection, of: Iterable[str]) -> dict[str, Struck]:
    """The cases whose texts were struck out."""
    wanted = list(of)
    if not wanted:
        return {}
    rows = conn.execute(select(events.c.case_id, events.c.at, events.c.data).where(events.c.kind == STRUCK, events.c.case_id.in_(wanted)))
    return {row.case_id: Struck(row.at, **{name: orjson.loads(row.data)[name] for name in ("text_hash", "left_hash")}) for row in rows}


# What stands beside the feed -------------------------------------------------------------------------------------------------------


def _check_strays(conn: Connection, end: Head) -> None:
    """No case without the event that it names as its last."""
    mine = (events.c.seq == cases.c.seq) & (events.c.case_id == cases.c.id)
    stray = conn.execute(select(cases.c.id).outerjoin(events, mine).where(events.c.seq.is_(None)).limit(1)).scalar_one_or_none()
    if stray is not None:
        raise _Broken(end.seq, f"案件 {stray} 不在审计链中")
    part = case_departments.c
    moved = select(part.case_id).join(cases, cases.c.id == part.case_id).where(part.created_at != cases.c.created_at).limit(1)
    if (stray := conn.execute(moved).scalar_one_or_none()) is not None:
        raise _Broken(end.seq, f"案件 {stray} 的承办单位与案件的时间不同")


def _check_keys(conn: Connection, end: Head) -> None:
    """API keys are what the feed says was made of them."""
    told: dict[str, tuple[int, dict[str, Any]]] = {}
    count = 0
    for event in _read_events(conn, events.c.kind.like("key.%")):
        data, count = orjson.loads(event.data), count + 1
        before = told.get(data["key"], (0, {}))[1]
        told[data["key"]] = (event.seq, before | data | ({"revoked_at": to_text(event.at)} if event.kind == "key.revoked" else {}))
        if "replaces" in data:
            old = told[data["replaces"]][1]
            told[data["replaces"]] = (event.seq, old | {"expires_at": data["until"], "replaced_by": data["key"]})
    rows = {row.id: row for row in list_api_keys(conn)}
    for key_id, (seq, data) in told.items():
        if key_id not in rows or _key(rows[key_id]) != {name: data.get(name) for name in KEY_FACTS}:
            raise _Broken(seq, f"钥匙 {key_id} 不是这一步留下的样子")
    if strays := rows.keys() - told.keys():
        raise _Broken(end.seq, f"钥匙 {min(strays)} 不在审计链中")
    if keys_revision(conn) != count:
        raise _Broken(end.seq, "钥匙的变更次数与审计链不符")


KEY_FACTS = ("record_hash", "expires_at", "revoked_at", "replaced_by")


def _key(row: KeyRow) -> dict[str, Any]:
    moments = {name: getattr(row, name) and to_text(getattr(row, name)) for name in ("expires_at", "revoked_at")}
    return {"record_hash": key_hash(row), "replaced_by": row.replaced_by, **moments}


def _check_rulesets(conn: Connection, end: Head) -> None:
    """Published versions are what was published."""
    told = _published(conn)
    for row in conn.execute(select(rulesets.c.pack, rulesets.c.version, rulesets.c.digest)):
        seq, digest = told.get((row.pack, row.version), (end.seq, None))
        if digest != row.digest:
            raise _Broken(seq, f"{row.pack} 第 {row.version} 版不是当时发布的")


def _published(conn: Connection) -> dict[tuple[str, int], tuple[int, str]]:
    """Where the feed tells of each published version, and with which digest."""
    told = {}
    for event in _read_events(conn, events.c.kind == "rules.published"):
        data = orjson.loads(event.data)
        told[data["pack"], data["version"]] = (event.seq, data["digest"])
    return told


def _read_events(conn: Connection, wanted: ColumnElement[bool]) -> Iterator[Event]:
    for row in conn.execute(select(events).where(wanted).order_by(events.c.seq)).mappings():
        yield Event(**row)


def hash_at(conn: Connection, seq: int) -> str | None:
    """The hash of one row."""
    return conn.execute(select(events.c.hash).where(events.c.seq == seq)).scalar_one_or_none()


def all_versions(conn: Connection) -> list[tuple[str, int, str, int]]:
    """Every published version with its digest, and where the feed tells of it."""
    told = _published(conn)
    rows = conn.execute(select(rulesets.c.pack, rulesets.c.version, rulesets.c.digest).order_by(rulesets.c.pack, rulesets.c.version))
    return [(row.pack, row.version, row.digest, told.get((row.pack, row.version), (0, ""))[0]) for row in rows]


def sealed_cases(conn: Connection, after: str = "") -> Iterator[tuple[str, bytes]]:
    """The cases in which somebody is sealed, in the order of their ids."""
    rows = True
    while rows:
        asked = select(cases.c.id, cases.c.complainant).where(cases.c.complainant.is_not(None), cases.c.id > after)
        found = conn.execute(asked.order_by(cases.c.id).limit(STRIDE)).all()
        yield from ((row.id, row.complainant) for row in found)
        rows, after = len(found) == STRIDE, found[-1].id if found else after


# For an auditor --------------------------------------------------------------------------------------------------------------------


def export_chain(conn: Connection, *, after: int = 0) -> Iterator[Event]:
    """Every row behind `after`, as it is hashed."""
    for stride in _strides(conn, after, read_head(conn).seq):
        yield from stride
