"""A past case as the engine read it, and what officers said since."""

from typing import Any

import orjson

from models.complaint import Complaint, RegisterHit
from service.store import PastCase

DONE = frozenset({"completed", "followed_up", "archived"})
"""Who brought a case to one of these states took it as their own."""


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


def confirmed_lead(case: PastCase) -> str | None:
    """The lead that officers confirmed, by a correction or by bringing the case to an end."""
    return case.truth_lead or (case.lead if case.status in DONE else None)
