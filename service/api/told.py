"""How stored things are told on the wire: plain dictionaries for orjson, with stored JSON put in as it stands."""

from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from models.case import BIRTH
from models.decision import Outcome
from service.store import Case, CaseRow, Event

CHINA = timezone(timedelta(hours=8))
"""Times are told with the offset that officials live by; it has not changed since 1991."""


def receipt(case: Case) -> bytes:
    """The receipt: made of what never changes, so that it is the same bytes each time."""
    return orjson.dumps(
        {
            "id": case.id,
            "source_system": case.source_system,
            "source_order_no": case.source_order_no,
            "received_at": local(case.received_at),
            "status": _birth_status(case),
            "triage": orjson.Fragment(case.triage),
        }
    )


def summary(case: CaseRow) -> dict[str, Any]:
    """A case in a list."""
    return {
        "id": case.id,
        "version": case.version,
        "seq": case.seq,
        "source_system": case.source_system,
        "source_order_no": case.source_order_no,
        "received_at": local(case.received_at),
        "created_at": local(case.created_at),
        "updated_at": local(case.updated_at),
        "status": case.status,
        "decision": case.decision,
        "reason_code": case.reason_code,
        "lead": case.lead,
        "category": case.category,
        "issues": orjson.Fragment(case.issues),
        "urgency": case.urgency,
        "demand_type": case.demand_type,
        "street": case.street,
        "title": case.title,
        "institution": case.institution,
        "departments": case.departments,
    }


def whole(case: CaseRow) -> dict[str, Any]:
    """A case with all but who complained."""
    return summary(case) | {
        "content": case.content,
        "address": case.address,
        "details": orjson.Fragment(case.details),
        "has_complainant": case.complainant is not None,
        "triage": orjson.Fragment(case.triage),
    }


def change(event: Event) -> dict[str, Any]:
    """A row of the feed."""
    return {
        "seq": event.seq,
        "at": local(event.at),
        "kind": event.kind,
        "case_id": event.case_id,
        "actor": event.actor,
        "data": orjson.Fragment(event.data),
    }


def local(moment: datetime) -> datetime:
    return moment.astimezone(CHINA)


def _birth_status(case: Case) -> str:
    return BIRTH[Outcome(case.decision)]
