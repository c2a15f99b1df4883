"""An incident is made of cases: lead and assists are computed once, from what was decided on each of them. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import orjson
from ulid import ULID

from models.case import BIRTH
from models.decision import Assist, CategoryScore, Decision, Outcome, Reason, RulesetRef, Urgency
from models.ruleset import RuleSet
from service.casework import SYSTEM, Terms, of_birth
from service.engine import ENGINE_VERSION
from service.incidents.traits import Kin, Traits
from service.store import CaseDepartment, CaseRow, NewCase, NewEvent

SOURCE = "fenpai"
"""The source system of incidents: we ourselves."""
URGENCIES = (Urgency.NORMAL, Urgency.URGENT, Urgency.EMERGENCY)


@dataclass(frozen=True, slots=True)
class Member:
    """A case that an incident is made of."""

    row: CaseRow
    traits: Traits


def open_incident(kin: Kin, terms: Terms, members: Sequence[Member], now: datetime) -> NewCase:
    """The case of an incident. Its order number is that of the first complaint's case, so no two can be opened by one."""
    first = min(members, key=lambda member: (member.row.received_at, member.row.id)).row
    decision = _decide(kin, members)
    case_id = str(ULID.from_datetime(now))
    birth = of_birth(terms, case_id, decision, now)
    name, content = institution(members), _content(members, terms)
    opened = {
        "institution": name,
        "members": [member.row.id for member in members],
        "hours": kin.file.opening.hours if kin.file.opening else None,
        "informed": [informed.department for informed in kin.file.informed],
    }
    return NewCase(
        id=case_id,
        source_system=SOURCE,
        source_order_no=f"incident-{first.id}",
        body_hash=sha256(content.encode()).hexdigest(),
        received_at=first.received_at,
        created_at=now,
        status=BIRTH[decision.decision],
        decision=decision.decision,
        reason_code=decision.reason_code,
        lead=decision.lead,
        category=decision.category,
        urgency=decision.urgency,
        demand_type=None,
        street=_commonest(member.row.street for member in members),
        title=f"群体事件：{name}",
        content=content,
        institution=name,
        address=_commonest(member.row.address for member in members) or "",
        details="{}",
        complainant=None,
        triage=orjson.dumps(decision).decode(),
        issues=orjson.dumps(decision.issues).decode(),
        ruleset_version=kin.ruleset.version,
        ruleset_digest=kin.ruleset.digest,
        departments=_parts(decision),
        actor=SYSTEM.name,
        hops=birth.hops,
        complex=birth.complex,
        clocks=birth.clocks,
        alarm=birth.alarm,
        due_at=birth.due_at,
        timer=birth.timer,
        also=(
            NewEvent(at=now, kind="incident.opened", actor=SYSTEM.name, case_id=case_id, data=orjson.dumps(opened).decode()),
            *birth.also,
        ),
    )


def institution(members: Sequence[Member]) -> str:
    """What the institution is called: as the register does, else as most do."""
    registered = _commonest(member.traits.institution for member in members if member.traits.register)
    return registered or _commonest(member.traits.institution for member in members) or "（未写明名称）"


def _commonest(values: Iterable[str | None]) -> str | None:
    """What stands most often, of equals the first."""
    told = Counter(value for value in values if value)
    return told.most_common(1)[0][0] if told else None


def _parts(decision: Decision) -> tuple[CaseDepartment, ...]:
    lead = [CaseDepartment(department=decision.lead, role="lead")] if decision.lead else []
    helping = (CaseDepartment(department=part.department, role="assist", issue=part.issue or None) for part in decision.assists)
    return (*lead, *helping)


# What is decided ----------------------------------------------------------------------------------------------------------------


def _decide(kin: Kin, members: Sequence[Member]) -> Decision:
    rows = [member.row for member in members]
    ruleset = kin.ruleset
    # A department that was sure of by itself counts before those that only got an unclear case.
    sure = [row.lead for row in rows if row.decision == Outcome.DISPATCH]
    lead = _commonest(sure) or _commonest(row.lead for row in rows) or ruleset.ruleset.coordinator
    category = _commonest(row.category for row in rows if row.lead == lead)
    issues = _issues(ruleset, rows)
    assists = _assists(kin, rows, lead)
    return Decision(
        decision=Outcome.ESCALATE,
        reason_code=Reason.COMPREHENSIVE,
        reason=_reason(kin, members, lead, assists),
        lead=lead,
        assists=assists,
        category=category,
        categories=(CategoryScore(category, 0),) if category else (),
        issues=issues,
        urgency=max((Urgency(row.urgency) for row in rows), key=URGENCIES.index),
        evidence=(),
        runner_up=None,
        ask=None,
        certainty=0,
        confidence=None,
        suggest=None,
        notices=(),
        ruleset=RulesetRef(ruleset.pack, ruleset.version, ruleset.digest),
        engine=ENGINE_VERSION,
    )


def _issues(ruleset: RuleSet, rows: Sequence[CaseRow]) -> tuple[str, ...]:
    """All issues of the members, in the order of rank."""
    told = dict.fromkeys(issue for row in rows for issue in orjson.loads(row.issues))
    return tuple(sorted(told, key=lambda issue: (ruleset.issues[issue].rank if issue in ruleset.issues else 100, issue)))


def _assists(kin: Kin, rows: Sequence[CaseRow], lead: str) -> tuple[Assist, ...]:
    """Whoever helps with a member, whatever lead another member had, and those that the pack wants informed."""
    found: dict[str, Assist] = {}
    for told in (part for row in rows for part in orjson.loads(row.triage)["assists"]):
        found.setdefault(told["department"], Assist(told["department"], told["issue"], told["clause"]))
    for row in rows:
        if row.lead:
            found.setdefault(row.lead, Assist(row.lead, "", None))
    for informed in kin.file.informed:
        found.setdefault(informed.department, Assist(informed.department, "", informed.clause))
    return tuple(assist for assist in found.values() if assist.department != lead)


def _reason(kin: Kin, members: Sequence[Member], lead: str, assists: Sequence[Assist]) -> str:
    names = {unit.code: unit.name for unit in kin.ruleset.departments}
    told = (
        f"{len(members)}件诉求反映同一家机构“{institution(members)}”，受理时间相距不超过{_hours(kin)}小时，属群体事件，"
        f"并案由{names.get(lead, lead)}牵头。"
    )
    if assists:
        told += f"协办：{'、'.join(names.get(assist.department, assist.department) for assist in assists)}。"
    for informed in kin.file.informed:
        told += f"{names.get(informed.department, informed.department)}按规则告知{_basis(kin, informed.clause, informed.why)}。"
    return told


def _hours(kin: Kin) -> int:
    return kin.file.opening.hours if kin.file.opening else 0


def _basis(kin: Kin, clause: str | None, why: str | None) -> str:
    quoted = kin.ruleset.clauses.get(clause) if clause else None
    if quoted is not None:
        return f"（依据{quoted.article}：“{quoted.quote}”）"
    return f"（{why}）" if why else ""


def _content(members: Sequence[Member], terms: Terms) -> str:
    """Which the members are, one a line; what people wrote stays with them, for there it is known whom to mask."""
    lines = [f"以下{len(members)}件诉求反映同一家机构，由系统并案，逐件可拆："]
    for number, member in enumerate(members, 1):
        row = member.row
        at = row.received_at.astimezone(terms.policy.zone) if terms.policy else row.received_at
        lines.append(f"{number}. {row.source_system} {row.source_order_no}，{at:%Y-%m-%d %H:%M}，{terms.name(row.lead)}")
    return "\n".join(lines)
