"""What the prover finds: a claim about the rules, and the sentence that shows it."""

from dataclasses import dataclass
from enum import StrEnum

from models.complaint import Complaint
from models.decision import Decision
from models.ruleset import Expectation, RuleSet


class Kind(StrEnum):
    """What is wrong, the gravest first."""

    CANCELLED_RULE = "cancelled_rule"
    DEAD_NEAR = "dead_near"
    DEAD_NEEDS = "dead_needs"
    DEAD_BLOCK = "dead_block"
    DEAD_RULE = "dead_rule"
    CONFLICT = "conflict"
    LOST = "lost"
    DEAD_TERM = "dead_term"
    BORDER_TERM = "border_term"
    IDLE_RULE = "idle_rule"
    IDLE_NEAR = "idle_near"
    IDLE_NEED = "idle_need"
    IDLE_BLOCK = "idle_block"
    IDLE_UNLESS = "idle_unless"
    TIE = "tie"
    NO_STRONG = "no_strong"
    NO_DEPARTMENT = "no_department"
    NO_ISSUE = "no_issue"
    NO_QUESTION = "no_question"
    NO_RETURN = "no_return"


FAULTS = frozenset({Kind.CANCELLED_RULE, Kind.DEAD_NEAR, Kind.DEAD_NEEDS, Kind.DEAD_BLOCK, Kind.DEAD_RULE, Kind.DEAD_TERM})
"""Kinds that are surely not meant. The others may be, and are told so that an official can say."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A sentence, and what the engine really makes of it. `fired` names every rule that was met."""

    complaint: Complaint
    decision: Decision
    fired: frozenset[str]

    def case(self, rule: str, why: str, ruleset: RuleSet) -> Expectation:
        """The sentence as a case that holds what comes of it today; whoever mends the rules changes what it expects."""
        decision, complaint = self.decision, self.complaint
        known = rule in {each.id for each in ruleset.rules}
        return Expectation.model_validate(
            {
                "text": complaint.content or "无",
                "title": complaint.title,
                "institution": complaint.institution,
                "decision": decision.decision.value,
                "reason_code": decision.reason_code.value,
                "lead": decision.lead,
                "category": decision.category,
                "issues": decision.issues or None,
                "hits": (rule,) if known and rule in self.fired else (),
                "not": (rule,) if known and rule not in self.fired else (),
                "why": why,
            }
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim. `where` is the rule, category, issue or department; `word` the term in question.

    `tried`: what was tried in vain, where the claim is that something never happens.
    """

    kind: Kind
    where: str
    word: str
    said: str
    hint: str
    witness: Witness | None
    tried: str = ""

    @property
    def is_fault(self) -> bool:
        return self.kind in FAULTS


@dataclass(frozen=True, slots=True)
class Proof:
    """All findings about a rule set, and how many sentences it took."""

    ruleset: RuleSet
    findings: tuple[Finding, ...]
    sentences: int
    seconds: float

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_fault)
