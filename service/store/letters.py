"""What a department is told of a case: the body of a delivery, in the envelope of CloudEvents 1.0. Who complained is not in it. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import orjson

from service.masks import masked
from service.store.rows import Case, CaseDepartment, CaseRow, Event, NewCase

SOURCE = "urn:fenpai"
TYPE = "fenpai."
"""Before the kind of the event, which is also that of the feed."""

Part = Literal["lead", "assist", "former"]

DETAILS = ("occurred_at", "is_repeat", "is_confidential", "requested_outcome", "answers", "attachments")
"""Of what the hotline sent besides; its own fields (`extra`) may hold anything and stay here."""


def delivery_id(case_id: str, version: int, department: str) -> str:
    """The same for each attempt and each replay of one message, and in no other database: receivers know by it what they have."""
    return f"{case_id}-{version}-{department}"


def envelope(id_: str, kind: str, at: datetime, data: dict[str, Any], case: Case | None = None, version: int = 0) -> str:
    """An event as CloudEvents 1.0 writes it in JSON.

    Of a case it bears the extension `sequence`, which compares as text: a letter that is sent once more may come after newer ones.
    """
    named = _named(subject=case.id, sequence=f"{version:010}") if case else {}
    head = {"specversion": "1.0", "id": id_, "source": SOURCE, "type": TYPE + kind, **named, "time": at}
    return orjson.dumps({**head, "datacontenttype": "application/json", "data": data}).decode()


def _named(**attributes: str) -> dict[str, str]:
    """Attributes by their names: `subject` is CloudEvents' word here, no category of a pack."""
    return attributes


def of_birth(case: NewCase, part: CaseDepartment, seq: int) -> str:
    """A new case, to one of its departments."""
    id_ = delivery_id(case.id, 1, part.department)
    data = _data(case, part.department, part.role, 1, seq)
    return envelope(id_, "case.received", case.created_at, data, case, 1)


def of_move(case: CaseRow, event: Event, department: str, part: Part, note: str | None) -> str:
    """A move of a case, to a department that has or had a part in it; the case as the move left it, and what was said."""
    id_ = delivery_id(case.id, case.version, department)
    facts = {name: value for name, value in orjson.loads(event.data).items() if name not in {"note_hash", "state_hash", "key"}}
    said = discreet(orjson.loads(note)) if note else {}
    data = _data(case, department, part, case.version, event.seq) | {"facts": facts, "note": said}
    return envelope(id_, event.kind, event.at, data, case, case.version)


def parts_after(before: tuple[CaseDepartment, ...], after: tuple[CaseDepartment, ...]) -> Iterator[tuple[str, Part]]:
    """Who is told of a move: all who have a part now, and those who had one until now."""
    now: dict[str, Part] = {part.department: part.role for part in reversed(after)}
    yield from now.items()
    yield from dict.fromkeys((part.department, "former") for part in before if part.department not in now)


def _data(case: Case, department: str, part: Part, version: int, seq: int) -> dict[str, Any]:
    details = orjson.loads(case.details)
    return {
        "case_id": case.id,
        "version": version,
        "seq": seq,
        "department": department,
        "role": part,
        "source_system": case.source_system,
        "source_order_no": case.source_order_no,
        "received_at": case.received_at,
        "status": case.status,
        "decision": case.decision,
        "reason_code": case.reason_code,
        "lead": case.lead,
        "assists": [{"department": d.department, "issue": d.issue} for d in case.departments if d.role == "assist"],
        "category": case.category,
        "issues": orjson.Fragment(case.issues),
        "urgency": case.urgency,
        "demand_type": case.demand_type,
        **discreet(_texts(case)),
        "details": discreet({name: details[name] for name in DETAILS if name in details}),
    }


def _texts(case: Case) -> dict[str, Any]:
    reason = orjson.loads(case.triage).get("reason")
    return {
        "title": case.title,
        "content": case.content,
        "institution": case.institution,
        "address": case.address,
        "street": case.street,
        "reason": reason,
    }


def discreet(value: Any, words: tuple[str, ...] = ()) -> Any:
    """The value with numbers of people, and these words, hidden in all its texts."""
    if isinstance(value, str):
        return masked(value, words)
    if isinstance(value, dict):
        return {name: discreet(inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [discreet(inner, words) for inner in value]
    return value


TEXTS = ("title", "content", "institution", "address", "street", "reason", "details", "note")
"""Where in the data of a body people's own words stand."""


def without(body: str, words: tuple[str, ...]) -> str:
    """The body with these words hidden too; its codes and its shape stay."""
    told = orjson.loads(body)
    told["data"] |= {name: discreet(told["data"][name], words) for name in TEXTS if name in told["data"]}
    return orjson.dumps(told).decode()
