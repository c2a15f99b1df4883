"""A past case as the engine read it, and what officers said since."""

from dataclasses import dataclass
from typing import Any

import orjson

from models.complaint import Complaint, RegisterHit
from models.decision import Outcome
from models.past import PastCase


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known to be right: the lead, and the decision where a label or a verdict says it."""

    lead: str | None
    decision: str | None = None


def recall(case: PastCase) -> Complaint:
    """The complaint as it was judged, with what the register knew then."""
    details: dict[str, Any] = orjson.loads(case.details)
    return Complaint(
        content=case.content,
        title=case.title,
        institution=case.institution,
        address=case.address,
        street=case.street or "",
        demand_type=case.demand_type,
        asserted_scope=bool(details.get("asserted_scope", False)),
        answers=details.get("answers", {}),
        register=_register(case),
    )


def _register(case: PastCase) -> RegisterHit | None:
    if '"register":{' not in case.triage:  # most have none, and reading a whole decision takes longer than making it
        return None
    hit = orjson.loads(case.triage).get("register")
    return RegisterHit(**hit) if hit else None


def truth_of(case: PastCase) -> Truth | None:
    """What people have confirmed about it, as `service/ledger/verdict.py` defines it."""
    if case.outside is not None:
        return Truth(None, Outcome.RETURN.value)
    return Truth(case.right_lead) if case.right_lead else None
