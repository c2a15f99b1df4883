"""Rows as the hotline and the engine would make them, for tests of whatever stands on the store."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ulid import ULID

from service.store import CaseDepartment, NewCase

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
"""Noon in Tianjin."""


def new_case(number: int = 1, **changes: Any) -> NewCase:
    """A case about dance lessons and a refund, `number` minutes after noon; every field can be given another value."""
    at = NOON + timedelta(minutes=number)
    fields: dict[str, Any] = {
        "id": str(ULID.from_datetime(at)),
        "source_system": "12345",
        "source_order_no": f"TJ{number:08d}",
        "body_hash": sha256(f"body {number}".encode()).hexdigest(),
        "received_at": at,
        "created_at": at,
        "status": "dispatched",
        "decision": "dispatch",
        "reason_code": "clear",
        "lead": "culture_sports",
        "category": "arts",
        "urgency": "normal",
        "demand_type": "投诉",
        "street": "果园新村街",
        "title": "舞蹈培训退费",
        "content": "孩子在某艺术培训中心学舞蹈，机构关门，课时费不退。",
        "institution": "某艺术培训中心",
        "address": "北辰区某路 1 号",
        "details": '{"demand":"退费"}',
        "complainant": b"sealed",
        "triage": '{"decision":"dispatch","reason":"舞蹈属于文化艺术类","confidence":0.980}',
        "issues": '["refund"]',
        "ruleset_version": 1,
        "ruleset_digest": "d" * 64,
        "departments": (
            CaseDepartment(department="culture_sports", role="lead"),
            CaseDepartment(department="market_regulation", role="assist", issue="refund"),
        ),
        "actor": "hotline",
    }
    return NewCase(**{**fields, **changes})
