"""Intake: a work order comes in, is judged, and is kept as a case; the same order again is the same case."""

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from ulid import ULID

from models.case import BIRTH
from models.complaint import Complainant, Complaint, WorkOrderIn
from models.decision import Decision
from service.casework import Terms, of_birth
from service.errors import Conflict, FieldFault, Invalid, KeyConflict, OrderConflict
from service.store import Case, CaseDepartment, NewCase, Outcome
from service.vault import Vault

COLUMNS = frozenset(
    {"source_system", "source_order_no", "received_at", "title", "content", "institution", "address", "street", "demand_type"}
)
"""Fields of an order that have a column of their own; the rest is kept together as details."""


AHEAD = timedelta(hours=1)
"""By how much another clock may be ahead of ours; eight hours ahead is Beijing's time sent as UTC."""
LATER = "比现在还晚。请检查时区：北京时间应写成 2026-11-24T09:30:00+08:00 的样子"


CHANCE = random.Random()  # noqa: S311 (ids must be rare, not secret; asking the system for each would cost a thread switch)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom intake asks: who judges, who knows the time limits, who keeps (and answers after the commit), the vault."""

    triage: Callable[[Complaint], Decision]
    terms: Callable[[], Terms]
    keep: Callable[[NewCase], Awaitable[Outcome]]
    vault: Vault


@dataclass(frozen=True, slots=True)
class Received:
    """The case as it is kept, whether it is new, and where the feed then stood."""

    case: Case
    created: bool
    seq: int


async def receive(desk: Desk, order: WorkOrderIn, now: datetime, key: str | None = None, by_key: str | None = None) -> Received:
    """Judge an order and keep it. An order kept before gives its case again; other content under the same number or key is refused."""
    if order.received_at is not None and order.received_at > now + AHEAD:
        raise Invalid(faults=[FieldFault("/received_at", LATER, "out_of_range")])
    decision = desk.triage(order.complaint())
    outcome = await desk.keep(open_case(order, decision, now, desk, key, by_key))
    if outcome.result == "conflict" or not _same_complainant(outcome, order.complainant, desk.vault):
        raise _conflict(outcome, order)
    return Received(outcome.case, outcome.result == "created", outcome.seq)


def open_case(
    order: WorkOrderIn, decision: Decision, now: datetime, desk: Desk, key: str | None = None, by_key: str | None = None
) -> NewCase:
    """The case that an order opens; `key` is its Idempotency-Key, `by_key` the API key that it came with."""
    case_id = _new_id(now)
    birth = of_birth(desk.terms(), case_id, decision, now)
    sent = order.model_dump(mode="json", exclude={"complainant", "extra"}, exclude_defaults=True)
    if order.extra:
        sent["extra"] = order.extra  # as it came: pydantic would write NaN as null
    return NewCase(
        id=case_id,
        source_system=order.source_system,
        source_order_no=order.source_order_no,
        body_hash=fingerprint(sent),
        received_at=order.received_at or now,
        created_at=now,
        status=BIRTH[decision.decision],
        decision=decision.decision,
        reason_code=decision.reason_code,
        lead=decision.lead,
        category=decision.category,
        urgency=decision.urgency,
        demand_type=order.demand_type,
        street=order.street or None,
        title=order.title,
        content=order.content,
        institution=order.institution,
        address=order.address,
        details=_canonical({name: value for name, value in sent.items() if name not in COLUMNS}).decode(),
        complainant=desk.vault.seal(_plain(order.complainant)) if order.complainant else None,
        triage=orjson.dumps(decision).decode(),
        issues=orjson.dumps(decision.issues).decode(),
        ruleset_version=decision.ruleset.version,
        ruleset_digest=decision.ruleset.digest,
        departments=_departments(decision),
        actor=order.source_system,
        # Two hotlines may choose the same key.
        client=order.source_system if key is not None else "",
        idempotency_key=key,
        hops=birth.hops,
        complex=birth.complex,
        clocks=birth.clocks,
        alarm=birth.alarm,
        due_at=birth.due_at,
        timer=birth.timer,
        also=birth.also,
        by_key=by_key,
    )


def _new_id(now: datetime) -> str:
    return str(ULID(int(now.timestamp() * 1000).to_bytes(6, "big") + CHANCE.randbytes(10)))


def fingerprint(sent: dict[str, Any]) -> str:
    """Equal for equal orders, however their JSON was written.

    Fields left at their default are not in it, so that a field added later changes no old order. Nor is the complainant: a
    telephone has so few digits that its hash would give it away; intake compares the sealed text instead.
    """
    return sha256(_canonical(sent)).hexdigest()


def _canonical(sent: dict[str, Any]) -> bytes:
    if "extra" not in sent:
        return orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)
    try:
        # Not orjson: it turns integers of more than 64 bits away and NaN into null, and both occur there.
        return json.dumps(sent, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        fault = FieldFault("/extra", "含有 NaN 或无穷大，JSON 没有这样的数字", "out_of_range")
        raise Invalid(faults=[fault]) from None


def _departments(decision: Decision) -> tuple[CaseDepartment, ...]:
    lead = [CaseDepartment(department=decision.lead, role="lead")] if decision.lead else []
    assists = [CaseDepartment(department=assist.department, role="assist", issue=assist.issue) for assist in decision.assists]
    return (*lead, *assists)


def _plain(complainant: Complainant) -> bytes:
    return complainant.model_dump_json(exclude_defaults=True).encode()


def _same_complainant(outcome: Outcome, complainant: Complainant | None, vault: Vault) -> bool:
    sealed = outcome.case.complainant
    if outcome.result == "created" or (sealed is None and complainant is None) or outcome.case.struck_at:
        return True  # of one that was struck out, the rest of the order is all that can be compared
    return sealed is not None and complainant is not None and vault.unseal(sealed) == _plain(complainant)


def _conflict(outcome: Outcome, order: WorkOrderIn) -> Conflict:
    if outcome.by == "key":
        return KeyConflict(f"这个 Idempotency-Key 已用于案件 {outcome.case.id}，内容与本次不同。新的工单请换一个键。")
    return OrderConflict(
        f"来源系统 {order.source_system} 的工单 {order.source_order_no} 已作为案件 {outcome.case.id} 受理，内容与本次不同，没有改动。"
    )
