"""How stored things are told on the wire: plain dictionaries for orjson, with stored JSON put in as it stands."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from models.case import BIRTH
from models.casework import ClockState
from models.clocks import Deadline
from models.decision import Outcome
from service.casework import CaseClock, Dossier, Progress, at_a_glance
from service.store import Case, CaseDepartment, CaseRow, Event, Truth

CHINA = timezone(timedelta(hours=8))
"""Times are told with the offset that officials live by; it has not changed since 1991."""

TRUTH = ("category", "lead", "decided_category", "decided_lead", "version", "ruleset_version", "actor", "department")
PROGRESS = ("designated", "hand_backs", "redone", "urged", "supervised", "receipt_missed")


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
        "departments": [_part(part) for part in case.departments],
        "hops": case.hops,
        "complex": case.complex,
        "merged_into": case.merged_into,
        **at_a_glance(case),
    }


def _part(part: CaseDepartment) -> dict[str, Any]:
    return {
        "department": part.department,
        "role": part.role,
        "issue": part.issue,
        "opinion": part.opinion,
        "opinion_at": part.opinion_at and local(part.opinion_at),
    }


def whole(dossier: Dossier) -> dict[str, Any]:
    """A case with all but who complained."""
    case = dossier.row
    return summary(case) | {
        "content": case.content,
        "address": case.address,
        "details": orjson.Fragment(case.details),
        "has_complainant": case.complainant is not None,
        "struck_at": case.struck_at and local(case.struck_at),
        "triage": orjson.Fragment(case.triage),
        "clocks": [_clock(*clock) for clock in dossier.clocks],
        "progress": _progress(dossier.case.progress),
        "last": {move: {**facts, **dossier.notes.get(facts["version"], {})} for move, facts in dossier.case.progress.last.items()},
        "opinions": _opinions(dossier),
        "truth": _truth(dossier.truth) if dossier.truth else None,
    }


def clocks(dossier: Dossier) -> dict[str, Any]:
    """The clocks of a case with their computation."""
    told = [_clock(clock, deadline) | {"steps": deadline.steps} for clock, deadline in dossier.clocks]
    return {"version": dossier.row.version, "clocks": told}


def _clock(clock: CaseClock, deadline: Deadline) -> dict[str, Any]:
    return {
        "kind": clock.kind,
        "name": deadline.name,
        "state": _state(clock),
        "start": local(clock.start),
        "due": clock.due and local(clock.due),
        "urge": clock.urge and local(clock.urge),
        "ended_at": clock.ended_at and local(clock.ended_at),
        "minutes": clock.minutes,
        "working_days": clock.working_days,
        "extensions": clock.extensions,
        "pauses": clock.pauses,
        "provisional": clock.provisional,
        "citation": deadline.citation,
        "why": deadline.why,
        "ruleset_version": clock.ruleset,
    }


def _state(clock: CaseClock) -> ClockState:
    if not clock.running:
        return "stopped" if clock.on_time is None else "met" if clock.on_time else "late"
    return "paused" if clock.paused else "unknown" if clock.unknown else "running"


def _progress(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in PROGRESS}


def _opinions(dossier: Dossier) -> dict[str, str]:
    """What assisting departments wrote."""
    given = [part for part in dossier.case.assists if part.opinion == "given" and part.opinion_version]
    return {part.department: dossier.notes.get(part.opinion_version or 0, {}).get("text", "") for part in given}


def _truth(truth: Truth) -> dict[str, Any]:
    return {name: getattr(truth, name) for name in TRUTH} | {"at": local(truth.at)}


def moved(event: Event) -> bytes:
    """The receipt of a move: made of its event, so that it is the same bytes each time."""
    data = orjson.loads(event.data)
    same = {name: data[name] for name in ("move", "version", "status", "lead", "hops", "department")}
    place = {"case_id": event.case_id, "seq": event.seq, "at": local(event.at), "actor": event.actor}
    return orjson.dumps(place | same | {"data": orjson.Fragment(event.data)})


def version(event: Event) -> int:
    """The version of the case that a move made."""
    made: int = orjson.loads(event.data)["version"]
    return made


def happened(event: Event, notes: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """An event of one case, with what was written."""
    return change(event) | {"note": notes.get(orjson.loads(event.data).get("version", 0))}


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
