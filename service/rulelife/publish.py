"""Publishing: a draft that passed every check becomes a version in force; an earlier one comes back by the same step.

Nothing that is slow happens inside the transaction: the draft is examined before, and what it was examined against is compared again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models.ruleset import RuleSet
from service import rulebook, ruletest, store
from service.errors import FieldFault, RulesetNotFound
from service.rulelife.draft import Draft
from service.rulelife.errors import ApprovalMissing, AuthorMissing, BaseMoved, CasesFail, ConfirmedBreak, NothingNew
from service.ruletest import Report
from service.store import ApprovalRow, NewRuleset, RulesetRow

LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who publishes and why; the version that the draft was made from, if it is to be that still; why what fails may fail."""

    author: str
    note: str
    base: int | None = None
    overrule: str = ""
    key: str | None = None
    """The access key by which it came: a name can be written by anybody."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft that may be published.

    `report` is its test, `broken` the confirmed cases that go wrong by it, `against` the version that was in force then;
    `second`: another person must have approved this content.
    """

    draft: Draft
    proposal: Proposal
    against: int
    report: Report
    broken: tuple[str, ...]
    second: bool = False

    @property
    def overruled(self) -> str | None:
        """What was overruled and why, for the record."""
        failed = [f"用例 {result.sample.file} 第 {result.sample.number} 个" for result in self.report.failed]
        facts = failed + [f"案件 {case}" for case in self.broken]
        return f"{self.proposal.overrule}（不顾：{_few(facts)}）" if facts else None


def needs_second(in_force: RuleSet, setting: str) -> bool:
    """Whether a second person must approve: the installation says so, or the pack in force (a draft cannot excuse itself)."""
    return setting == "yes" or in_force.ruleset.second_person


def something_new(draft: Draft, in_force: RuleSet) -> None:
    """Refuse at once, before anything is tried, what is in force already."""
    if draft.ruleset.digest == in_force.digest:
        raise _same(in_force.version)


def _same(version: int) -> NothingNew:
    return NothingNew(f"内容与在用的第 {version} 版逐字相同，没有发布。")


def prepare(draft: Draft, proposal: Proposal, against: int, broken: Sequence[str] = (), *, second: bool = False) -> Ready:
    """Examine a draft. What fails stops it, unless the proposal says why it may."""
    proposal = signed(proposal)
    report = ruletest.run(draft.engine, draft.files)
    if not proposal.overrule and not report.passed:
        raise CasesFail.by(report)
    if not proposal.overrule and broken:
        raise refused(broken)
    return Ready(draft, proposal, against, report, tuple(broken), second)


def publish(conn: Any, ready: Ready, now: datetime) -> RulesetRow:
    """Write the version and put it in force, in the transaction around this."""
    pack, proposal = ready.draft.ruleset.pack, ready.proposal
    store.take_head(conn)
    active = store.active_ruleset(conn, pack)
    _still(ready, active)
    given = _approved(conn, ready)
    row = store.publish_ruleset(conn, replace(_new(ready, active, now), approved_by=given.decided_by if given else None))
    if given is not None:
        _end_draft(conn, given, row, now)
    return store.activate_ruleset(conn, pack, row.version, actor=proposal.author, at=now, note=proposal.note, key=proposal.key)


def activate(conn: Any, pack: str, version: int, proposal: Proposal, now: datetime) -> RulesetRow:
    """Put a version in force, in the transaction around this; whoever calls has seen that this program can read it."""
    proposal = signed(proposal)
    store.take_head(conn)
    active = store.active_ruleset(conn, pack)
    if proposal.base is not None and (active is None or active.version != proposal.base):
        raise _moved(proposal.base, active)
    if active is not None and active.version == version:
        raise NothingNew(f"第 {version} 版已经在用。")
    return store.activate_ruleset(conn, pack, version, actor=proposal.author, at=now, note=proposal.note, key=proposal.key)


def signed(proposal: Proposal) -> Proposal:
    """The proposal, if it says who and why."""
    given = {"author": proposal.author.strip(), "note": proposal.note.strip()}
    faults = [FieldFault(f"/{name}", "不能为空", "too_short") for name, text in given.items() if not text]
    if faults:
        raise AuthorMissing(faults=faults)
    return Proposal(given["author"][:LONGEST], given["note"][:LONGEST], proposal.base, proposal.overrule.strip()[:LONGEST], proposal.key)


def refused(broken: Sequence[str]) -> ConfirmedBreak:
    refusal = ConfirmedBreak(
        f"{len(broken)} 件经人确认、现在研判正确的案件会因此出错（{_few(broken)}），没有发布。"
        "请改好，或写明理由（overrule）后仍然发布；试算影响（fenpai rules impact）列出是哪些。"
    )
    refusal.members = {"broken": list(broken[:500])}
    return refusal


def _still(ready: Ready, active: RulesetRow | None) -> None:
    """Refuse what was examined against another version than the one in force now, or would change nothing."""
    if active is None:
        raise RulesetNotFound(f"数据库里还没有规则包 {ready.draft.ruleset.pack} 的版本，请先运行一次 fenpai serve。")
    if active.digest == rulebook.digest(ready.draft.files):
        raise _same(active.version)
    for base in (ready.proposal.base, ready.against):
        if base is not None and active.version != base:
            raise _moved(base, active)


def _approved(conn: Any, ready: Ready) -> ApprovalRow | None:
    """The approval of this content, which is used up by it. Where one is needed and there is none, nothing is published."""
    pack = ready.draft.ruleset.pack
    given = store.approved_content(conn, pack, rulebook.digest(ready.draft.files))
    if given is None and ready.second:
        raise ApprovalMissing
    if given is None:
        return None
    return store.write_approval(conn, replace(given, state="used"))


def _end_draft(conn: Any, given: ApprovalRow, row: RulesetRow, now: datetime) -> None:
    """The draft that was approved has become this version, also where its content came from a folder."""
    draft = store.get_draft(conn, row.pack, given.draft_id)
    if draft is not None and draft.state == "open" and draft.digest == row.digest:
        store.write_draft(conn, replace(draft, state="published", published=row.version, updated_at=now, updated_by=row.author))


def _moved(base: int, active: RulesetRow | None) -> BaseMoved:
    now = f"在用的是第 {active.version} 版（{active.author}：{active.note}）" if active else "没有在用的版本"
    return BaseMoved(
        f"这一步依据的是第 {base} 版，而{now}。请看过差异（fenpai rules diff）再来一次；保存的草稿可先合并在用的版本（…/merge）。"
    )


def _new(ready: Ready, active: RulesetRow | None, now: datetime) -> NewRuleset:
    files: Mapping[str, str] = ready.draft.files
    return NewRuleset(
        pack=ready.draft.ruleset.pack,
        digest=rulebook.digest(files),
        files=files,
        author=ready.proposal.author,
        note=ready.proposal.note,
        created_at=now,
        parent=active.version if active else None,
        overruled=ready.overruled,
        key=ready.proposal.key,
    )


def _few(names: Sequence[str]) -> str:
    return "、".join(names[:10]) + (f" 等 {len(names)} 个" if len(names) > 10 else "")
