"""The decision: where a complaint goes and why. Plain dataclasses, since the engine makes thousands a second."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, dataclass_transform

from models.complaint import RegisterHit

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def _fixed(cls: type[T]) -> type[T]:
    """A dataclass that nobody may change: the type checker sees to it.

    Seeing to it at run time would cost more than finding a piece of evidence; and without slots orjson writes it three times as fast.
    """
    return dataclass(unsafe_hash=True)(cls)


class Outcome(StrEnum):
    """研判结果."""

    DISPATCH = "dispatch"
    ESCALATE = "escalate"
    RETURN = "return"


class Reason(StrEnum):
    """Reason codes (design §4), each with the Chinese an officer reads."""

    CLEAR = "clear"
    REGISTER = "register"
    NO_CATEGORY = "no_category"
    MULTI_DEPARTMENT = "multi_department"
    COMPREHENSIVE = "comprehensive"
    NEEDS_IDENTIFICATION = "needs_identification"
    LOW_CONFIDENCE = "low_confidence"
    REPEATED_RETURN = "repeated_return"
    OUT_SCHOOL = "out_school"
    OUT_KINDERGARTEN = "out_kindergarten"
    OUT_ADULT = "out_adult"
    OUT_CHILDCARE = "out_childcare"
    OUT_CARE_ONLY = "out_care_only"
    OUT_OTHER_MATTER = "out_other_matter"
    OUT_OTHER_DISTRICT = "out_other_district"
    NO_EVIDENCE = "no_evidence"


class Urgency(StrEnum):
    """紧急程度."""

    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


@_fixed
class Evidence:
    """依据: one rule that fired. `start` and `end` are character offsets into the original text of `field`, which reads `quote` there."""

    rule: str
    supports: str
    term: str
    field: str
    start: int
    end: int
    quote: str
    weight: int
    clause: str | None


@_fixed
class Assist:
    """协办: a department that helps because of an issue, with the clause it rests on."""

    department: str
    issue: str
    clause: str | None


@_fixed
class CategoryScore:
    """The weight of evidence for one category, in points."""

    code: str
    score: int


@_fixed
class RunnerUp:
    """The next best lead, and in Chinese why it is not the one."""

    department: str
    category: str | None
    score: int
    why_not: str


@_fixed
class Option:
    """One answer to a question: its code, what the officer reads, and the department or decision it leads to."""

    code: str
    text: str
    leads_to: str


@_fixed
class Ask:
    """追问: the one question that would settle an unsure case, to be put while the caller is on the line."""

    code: str
    question: str
    options: tuple[Option, ...]


@_fixed
class RulesetRef:
    """Which rule set decided: pack, published version (0 while unpublished) and digest."""

    pack: str
    version: int
    digest: str


@_fixed
class Decision:
    """研判结果, whole: where the complaint goes, why, and what would change it.

    `certainty`, in points, is how far the evidence is from saying otherwise;
    `confidence` is the probability, learnt on labelled complaints by `fenpai calibrate`, that the lead is right;
    None where the pack carries no calibration. `suggest` is the unit to suggest to the hotline with a return.
    `register` is what the register knew, so that the decision can be made again when the register has long changed.
    """

    decision: Outcome
    reason_code: Reason
    reason: str
    lead: str | None
    assists: tuple[Assist, ...]
    category: str | None
    categories: tuple[CategoryScore, ...]
    issues: tuple[str, ...]
    urgency: Urgency
    evidence: tuple[Evidence, ...]
    runner_up: RunnerUp | None
    ask: Ask | None
    certainty: int
    confidence: float | None
    suggest: str | None
    notices: tuple[str, ...]
    ruleset: RulesetRef
    engine: str
    register: RegisterHit | None = None
