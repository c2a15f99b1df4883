"""Quarantine: a rule that falls below its floor goes on being seen and decides nothing, until somebody lets it out.

It is a version like any other, published by `system`: the rule's `status` in the YAML becomes `quarantined`, comments and all else stay.
So every decision still names the version that made it and can be made again bit for bit, a rollback works, and git can hold it.

What is counted against a rule is what was confirmed since it last left quarantine (or was put in force again by hand, which is the same)
and was decided by the rule as it reads today: a rule that somebody mended does not pay for what it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from models.ruleset import Floor, Rule, RuleSet, Status
from service import rulelife, store
from service.db import Database
from service.errors import FenpaiError
from service.ledger.accounts import Account, interval, summed
from service.ledger.errors import CannotRelease, NotQuarantined
from service.rulebook.edits import CannotEdit, Edit, apply
from service.rulelife import ApprovalMissing, Proposal, Ready
from service.store import NewEvent, Quarantine, RulesetRow, Tally

SYSTEM = "system"
OVERRULE = "台账自动停用"
HOW = (
    "实行双人审批，恢复也要另一人批准：请开一个草稿，把规则 {rule} 的 status 改为 active（别的不动），请求审批，"
    "由另一人批准后发布草稿，或再恢复一次。"
)
NOT_MEANT = {"name", "why", "clause", "status"}
"""Fields of a rule that do not change what it decides."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A rule below its floor: what was counted in all, and what tells against it."""

    rule: str
    counted: Account
    against: Account
    high: float
    floor: Floor

    @property
    def why(self) -> str:
        against, floor = self.against, self.floor
        return (
            f"规则 {self.rule} 在 {against.n} 件经人确认的案件中判对 {against.rights} 件，正确率 {against.rights / against.n:.1%}，"
            f"区间上限 {self.high:.1%}（把握 {floor.confidence}%），低于下限 {floor.precision}%"
        )


def fallen(database: Database, ruleset: RuleSet) -> list[Fallen]:
    """The active rules below the floor of the set; none where it has no floor."""
    floor = ruleset.ruleset.floor
    if floor is None:
        return []
    active = {rule.id: rule for rule in ruleset.rules if rule.status is Status.ACTIVE}
    with database.read() as conn:
        counted = {tally.rule: summed([tally]) for tally in store.rule_totals(conn) if tally.rule in active}
        before = _before(store.list_quarantines(conn, ruleset.pack))
    fresh = {name: account.less(before.get(name, Account())) for name, account in counted.items()}
    suspects = [name for name, account in fresh.items() if _high(account, floor) is not None]
    read: dict[int, RuleSet] = {ruleset.version: ruleset}
    against = {name: _least(fresh[name], _as_it_reads(database, ruleset, active[name], read)) for name in suspects}
    found = ((name, account, _high(account, floor)) for name, account in against.items())
    return [Fallen(name, counted[name], account, high, floor) for name, account, high in found if high is not None]


def _high(account: Account, floor: Floor) -> float | None:
    """The upper end of the interval, where it is below the floor."""
    if account.n < floor.cases:
        return None
    _, high = interval(account.rights, account.n, floor.confidence / 100)
    return high if high * 100 < floor.precision else None


def _before(quarantines: Iterable[Quarantine]) -> dict[str, Account]:
    """What had been counted of each rule when it was last quarantined or let out."""
    found: dict[str, Account] = {}
    for each in quarantines:  # the newest first
        found.setdefault(each.rule, Account(rights=each.rights, wrongs=each.wrongs))
    return found


def _as_it_reads(database: Database, ruleset: RuleSet, rule: Rule, read: dict[int, RuleSet]) -> Account:
    """What was decided by versions in which the rule said the same as now."""
    with database.read() as conn:
        tallies = [tally for tally in store.tallies_of(conn, rule.id) if not tally.term]
    same: list[Tally] = []
    for version in {tally.version for tally in tallies}:
        other = _version(database, ruleset.pack, version, read)
        if other is not None and _meaning(other, rule.id) == _meaning(ruleset, rule.id):
            same += [tally for tally in tallies if tally.version == version]
    return summed(same)


def _version(database: Database, pack: str, version: int, read: dict[int, RuleSet]) -> RuleSet | None:
    if version not in read:
        try:
            read[version] = rulelife.read_version(database, pack, version)
        except FenpaiError:  # gone, or not readable any more: it tells nothing
            return None
    return read[version]


def _meaning(ruleset: RuleSet, name: str) -> Mapping[str, Any] | None:
    return next((rule.model_dump(exclude=NOT_MEANT) for rule in ruleset.rules if rule.id == name), None)


def _least(one: Account, other: Account) -> Account:
    return Account(rights=min(one.rights, other.rights), wrongs=min(one.wrongs, other.wrongs))


# Out of force and in again ------------------------------------------------------------------------------------------------------


def prepare(database: Database, ruleset: RuleSet, found: list[Fallen]) -> Ready:
    """The version without the weight of these rules. Cases beside the rules may fail by it, which is then told with the version."""
    note = "自动停用待查：" + "；".join(each.why for each in found)
    return _ready(database, ruleset, {each.rule: Status.QUARANTINED for each in found}, Proposal(SYSTEM, note, ruleset.version, OVERRULE))


def publish(conn: Any, ready: Ready, found: list[Fallen], now: datetime) -> RulesetRow:
    """Put it in force and tell, in the transaction around this."""
    row = rulelife.publish(conn, ready, now)
    for each in found:
        counted = each.counted
        store.add_quarantine(
            conn,
            Quarantine(
                pack=row.pack, rule=each.rule, version=row.version, at=now, why=each.why, rights=counted.rights, wrongs=counted.wrongs
            ),
        )
    told = [{"rule": each.rule, "why": each.why, "n": each.against.n, "rights": each.against.rights, "high": each.high} for each in found]
    _tell(conn, "rules.quarantined", row, told, now)
    return row


def prepare_release(database: Database, ruleset: RuleSet, rule: str, proposal: Proposal, setting: str = "no") -> Ready:
    """The version with the rule in force again; a reason overrules all but the second person."""
    proposal = rulelife.signed(proposal)
    known = next((each for each in ruleset.rules if each.id == rule), None)
    if known is None or known.status is not Status.QUARANTINED:
        raise NotQuarantined(f"规则 {rule} 在用的版本里没有停用待查。" if known else f"在用的规则集里没有规则 {rule}。")
    signed = Proposal(proposal.author, f"恢复规则 {rule}：{proposal.note}", ruleset.version, proposal.note, proposal.key)
    ready = _ready(database, ruleset, {rule: Status.ACTIVE}, signed)
    return replace(ready, second=rulelife.needs_second(ruleset, setting))


def publish_release(conn: Any, ready: Ready, rule: str, reason: str, now: datetime) -> RulesetRow:
    """Put it in force again and begin to count anew, in the transaction around this."""
    try:
        row = rulelife.publish(conn, ready, now)
    except ApprovalMissing as missing:
        raise ApprovalMissing(HOW.format(rule=rule)) from missing
    counted = summed(tally for tally in store.tallies_of(conn, rule) if not tally.term)
    ended = Quarantine(
        pack=row.pack,
        rule=rule,
        version=0,
        at=now,
        why="",
        rights=counted.rights,
        wrongs=counted.wrongs,
        released_at=now,
        released_by=ready.proposal.author,
        released_version=row.version,
        reason=reason,
    )
    store.end_quarantines(conn, ended)
    _tell(conn, "rules.released", row, [{"rule": rule}], now, ready.proposal)
    return row


def _ready(database: Database, ruleset: RuleSet, statuses: Mapping[str, Status], proposal: Proposal) -> Ready:
    files: Mapping[str, str] = rulelife.files_of(database, ruleset.pack, ruleset.version)
    try:
        for rule, status in statuses.items():
            files = apply(files, Edit("status", rule, status.value))
    except CannotEdit as error:
        raise CannotRelease(f"{error}。请在规则包里改 status，再发布。") from error
    return rulelife.prepare(rulelife.read_draft(files), proposal, ruleset.version)


def _tell(conn: Any, kind: str, row: RulesetRow, rules: list[dict[str, Any]], now: datetime, by: Proposal | None = None) -> None:
    actor, vouched = (by.author, {"key": by.key} if by.key else {}) if by else (SYSTEM, {})
    data = orjson.dumps({"pack": row.pack, "version": row.version, "note": row.note, "rules": rules, **vouched}).decode()
    store.append_events(conn, [NewEvent(at=now, kind=kind, actor=actor, data=data)])
