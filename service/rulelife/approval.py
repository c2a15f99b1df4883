"""The second person: where a pack or the installation wants it, content is published only after somebody else has approved it.

An approval is of a content (its digest): an edit afterwards needs another one, and once published it is used up. Nobody approves
what they asked for or worked on themselves, by name or by key. An overrule never stands in for it. Each step counts as another
version of the draft, so that whoever publishes or decides has read it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ulid import ULID

from service import store
from service.rulelife.errors import ApprovalNotOpen, OwnApproval
from service.rulelife.kept import Person, still, touched
from service.store import ApprovalRow, DraftRow

DECISIONS = {"approved": "rules.approved", "refused": "rules.refused", "withdrawn": "rules.withdrawn"}
NAMES = {"asked": "等待批准", "approved": "已批准", "refused": "未批准", "withdrawn": "已撤回", "used": "已批准并发布"}


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something about a draft that they have read at some version, and what."""

    actor: Person
    words: str
    versions: frozenset[int]


def ask(conn: Any, draft: DraftRow, said: Said, now: datetime) -> tuple[DraftRow, ApprovalRow]:
    """Ask that a draft, as it is now, be approved."""
    row = still(conn, draft, said.versions)
    last = store.last_approval(conn, row.id)
    if last is not None and last.state in {"asked", "approved"} and last.digest == row.digest:
        raise ApprovalNotOpen(f"这一稿{NAMES[last.state]}，不必再请求。")
    if last is not None and last.state == "asked":
        why = "草稿又改过，另行请求"
        store.write_approval(conn, replace(last, state="withdrawn", decided_by=said.actor.name, decided_at=now, reason=why))
        store.tell_draft(conn, DECISIONS["withdrawn"], row, said.actor.name, said.actor.key, now, approval=last.id, reason=why)
    new = ApprovalRow(
        id=str(ULID.from_datetime(now)),
        pack=row.pack,
        draft_id=row.id,
        digest=row.digest,
        state="asked",
        asked_by=said.actor.name,
        asked_at=now,
        note=said.words,
    )
    store.tell_draft(conn, "rules.approval_asked", row, said.actor.name, said.actor.key, now, approval=new.id, note=said.words)
    return store.write_draft(conn, touched(row, said.actor)), store.add_approval(conn, new)


def decide(conn: Any, draft: DraftRow, said: Said, decision: str, now: datetime) -> tuple[DraftRow, ApprovalRow]:
    """Approve, refuse or withdraw what was asked; who approves must have read the draft as it is now."""
    row = still(conn, draft, said.versions)
    asked = store.last_approval(conn, row.id)
    if asked is None or not _open(asked, decision):
        raise ApprovalNotOpen(f"这个草稿{NAMES[asked.state]}，没有等待决定的请求。" if asked else None)
    if decision == "approved":
        _by_another(row, asked, said.actor)
    store.tell_draft(
        conn, DECISIONS[decision], row, said.actor.name, said.actor.key, now, approval=asked.id, asked_by=asked.asked_by, reason=said.words
    )
    decided = replace(asked, state=decision, decided_by=said.actor.name, decided_at=now, reason=said.words)
    return store.write_draft(conn, row), store.write_approval(conn, decided)


def _open(asked: ApprovalRow, decision: str) -> bool:
    """An approval that was given can still be taken back, until it is used."""
    return asked.state == "asked" or (asked.state == "approved" and decision in {"refused", "withdrawn"})


def _by_another(row: DraftRow, asked: ApprovalRow, actor: Person) -> None:
    """Another name, and another key: a name is only what somebody says."""
    if asked.digest != row.digest:
        raise ApprovalNotOpen("请求审批之后草稿又改过，请改稿的人重新请求。")
    if _same(actor.name, asked.asked_by) or any(_same(actor.name, editor) for editor in row.editors):
        raise OwnApproval(f"{actor.name} 请求了审批或改过这个草稿，须由另一人批准。")
    if actor.key and actor.key in row.keys:
        raise OwnApproval("这把钥匙请求了审批或改过这个草稿，须由另一人用自己的钥匙批准。")


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
