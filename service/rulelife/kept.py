"""Drafts kept in the database: opened, edited by several people at once without losing anything, asked to be approved, published.

Each step runs in the transaction around it and compares the version that its maker has read. What is slow (reading YAML, testing)
was done before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ulid import ULID

from service import rulebook, store
from service.rulebook.edits import CannotEdit, Edit, apply, doubled
from service.rulelife.draft import is_safe
from service.rulelife.errors import BaseMoved, DraftClosed, DraftFileNotFound, DraftNotFound, DraftsFull, DraftStale, EditRefused
from service.rulelife.publish import Ready, publish
from service.store import DraftRow, RulesetRow

MOST = 200
"""Drafts that may be open at once."""
FILES = 400
BYTES = 24_000_000


@dataclass(frozen=True, slots=True)
class Person:
    """Who works on a draft: the name that they give, and the access key by which they come, where there are keys."""

    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A draft as somebody read it, with its files."""

    row: DraftRow
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a draft is made from: whose pack, for what, by whom, on which version."""

    pack: str
    title: str
    author: Person
    base: int | None


def open_draft(conn: Any, new: Beginning, files: Mapping[str, str], now: datetime) -> DraftRow:
    """Keep a new draft."""
    _fitting(files)
    store.take_head(conn)
    if store.count_drafts(conn, new.pack) >= MOST:
        raise DraftsFull
    row = DraftRow(
        id=str(ULID.from_datetime(now)),
        pack=new.pack,
        title=new.title,
        base=new.base,
        digest=rulebook.digest(files),
        version=1,
        state="open",
        author=new.author.name,
        editors=(new.author.name,),
        keys=(new.author.key,) if new.author.key else (),
        created_at=now,
        updated_at=now,
        updated_by=new.author.name,
    )
    return store.add_draft(conn, row, files)


def read(conn: Any, pack: str, draft_id: str) -> Held:
    """A draft with its files, as they are now."""
    return Held(found(conn, pack, draft_id), store.draft_files(conn, draft_id))


def found(conn: Any, pack: str, draft_id: str) -> DraftRow:
    """The draft of this number."""
    row = store.get_draft(conn, pack, draft_id) if draft_id.isalnum() else None
    if row is None:
        raise DraftNotFound
    return row


def save(conn: Any, held: Held, files: Mapping[str, str], actor: Person, now: datetime) -> DraftRow:
    """Write the files anew, if nobody else has done so since they were read."""
    _fitting(files)
    return _write(conn, still(conn, held.row, frozenset({held.row.version})), files, actor, now)


def rebase(conn: Any, held: Held, files: Mapping[str, str], base: int, actor: Person, now: datetime) -> DraftRow:
    """Write the files that came of putting the draft onto another version, if both are that still."""
    _fitting(files)
    row = still(conn, held.row, frozenset({held.row.version}))
    active = store.active_ruleset(conn, held.row.pack)
    if active is None or active.version != base:
        raise BaseMoved(f"合并时在用的是第 {base} 版，现在又换了；请再合并一次。")
    return _write(conn, replace(row, base=base), files, actor, now)


def _write(conn: Any, row: DraftRow, files: Mapping[str, str], actor: Person, now: datetime) -> DraftRow:
    changed = replace(touched(row, actor), digest=rulebook.digest(files), updated_at=now, updated_by=actor.name)
    return store.write_draft(conn, changed, files)


def touched(row: DraftRow, actor: Person) -> DraftRow:
    """The draft with one more who worked on it."""
    editors = row.editors if actor.name in row.editors else (*row.editors, actor.name)
    keys = row.keys if not actor.key or actor.key in row.keys else (*row.keys, actor.key)
    return replace(row, editors=editors, keys=keys)


def discard(conn: Any, row: DraftRow, versions: frozenset[int], actor: Person, now: datetime) -> DraftRow:
    """End a draft that becomes nothing."""
    current = still(conn, row, versions)
    closed = store.write_draft(conn, replace(current, state="discarded", updated_at=now, updated_by=actor.name))
    store.tell_draft(conn, "rules.draft_discarded", closed, actor.name, actor.key, now)
    return closed


def publish_draft(conn: Any, held: Held, ready: Ready, now: datetime) -> RulesetRow:
    """Publish what was examined, if the draft is that still, and end the draft."""
    row = still(conn, held.row, frozenset({held.row.version}))
    version = publish(conn, ready, now)
    author = ready.proposal.author
    store.write_draft(conn, replace(row, state="published", published=version.version, updated_at=now, updated_by=author))
    return version


def still(conn: Any, row: DraftRow, versions: frozenset[int]) -> DraftRow:
    """The draft as it is, which must be open and at a version that the caller has read."""
    store.take_head(conn)
    current = found(conn, row.pack, row.id)
    if current.version not in versions:
        refusal = DraftStale(
            f"草稿已是第 {current.version} 稿（{current.updated_by} 改过），您读到的是更早的；没有改动，请重新读取后再改。"
        )
        refusal.members = {"present": present(current)}
        raise refusal
    if current.state != "open":
        raise DraftClosed(f"草稿已{ENDED[current.state]}，不能再改；请另开一个草稿。")
    return current


ENDED = {"published": "发布", "discarded": "丢弃"}


def present(row: DraftRow) -> dict[str, Any]:
    """How a draft stands, in short."""
    return {"id": row.id, "version": row.version, "state": row.state, "digest": row.digest, "updated_by": row.updated_by}


# Files of a draft ---------------------------------------------------------------------------------------------------------------


def with_file(files: Mapping[str, str], name: str, text: str) -> dict[str, str]:
    """The files with one written anew."""
    _named(name)
    return {**files, name: text}


def without_file(files: Mapping[str, str], name: str) -> dict[str, str]:
    """The files without one."""
    file_text(files, name)
    return {other: text for other, text in files.items() if other != name}


def file_text(files: Mapping[str, str], name: str) -> str:
    """The text of one file."""
    if name not in files:
        raise DraftFileNotFound(f"草稿里没有 {name[:100]} 这个文件。")
    return files[name]


def edited(files: Mapping[str, str], edits: list[Edit]) -> dict[str, str]:
    """The files after some edits, all of them or none; comments and order stay as they were."""
    changed = dict(files)
    for edit in edits:
        try:
            if doubled(changed, edit):
                raise EditRefused(f"{edit.where} 的 {edit.field} 里已经有 {edit.value}。没有改动。")
            changed = apply(changed, edit)
        except CannotEdit as refusal:
            raise EditRefused(f"{refusal}。没有改动。") from refusal
    return changed


def _named(name: str) -> None:
    if not is_safe(name):
        raise EditRefused(f"文件名 {name[:100]!r} 不能用，请用规则包里的相对路径，例如 categories/arts.yaml。")


def _fitting(files: Mapping[str, str]) -> None:
    """Refuse what no pack can be: it would be kept, and written out again, for nothing or worse."""
    for name in files:
        _named(name)
    if len(files) > FILES:
        raise EditRefused(f"草稿有 {len(files)} 个文件，至多 {FILES} 个。")
    if sum(len(text.encode("utf-8", "surrogatepass")) for text in files.values()) > BYTES:
        raise EditRefused("草稿太大，所有文件加起来不能超过 24 MB。")
