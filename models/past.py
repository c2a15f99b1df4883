"""A past case, as it is read to be decided again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCase:
    """A stored case as far as deciding it again needs it; `right_lead` and `outside` are what people confirmed, as its verdict says."""

    id: str
    created_at: datetime
    status: str
    lead: str | None
    title: str
    content: str
    institution: str
    address: str
    street: str | None
    demand_type: str | None
    details: str
    triage: str
    ruleset_version: int
    right_lead: str | None
    outside: str | None
