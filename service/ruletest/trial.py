"""A trial: one case of a pack, what came of its text, and what should have come of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.complaint import Complaint
from models.decision import Decision
from models.ruleset import Expectation


@dataclass(frozen=True, slots=True)
class Sample:
    """One case and where it stands: the file, its number there from 1, its line (0 where nobody knows)."""

    file: str
    number: int
    line: int
    case: Expectation

    def complaint(self) -> Complaint:
        """What the engine reads."""
        case = self.case
        return Complaint(content=case.text, title=case.title, institution=case.institution, asserted_scope=case.asserted_scope)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a text, as far as cases ask for it. `fired` holds every rule that was met, those without weight too."""

    decision: str
    reason_code: str
    lead: str | None
    category: str | None
    categories: frozenset[str]
    issues: frozenset[str]
    assists: frozenset[str]
    urgency: str
    fired: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that came out otherwise than the case says; `why` explains it where we know."""

    key: str
    expected: tuple[str, ...]
    got: tuple[str, ...]
    why: str = ""


def seen(decision: Decision, fired: Iterable[str]) -> Seen:
    """A decision as cases look at it."""
    return Seen(
        decision=decision.decision.value,
        reason_code=decision.reason_code.value,
        lead=decision.lead,
        category=decision.category,
        categories=frozenset(category.code for category in decision.categories),
        issues=frozenset(decision.issues),
        assists=frozenset(assist.department for assist in decision.assists),
        urgency=decision.urgency.value,
        fired=frozenset(fired),
    )


SINGLE = ("decision", "reason_code", "lead", "category", "urgency")
SEVERAL = ("categories", "issues", "assists")


def faults(case: Expectation, came: Seen) -> list[Fault]:
    """Everything that came out otherwise than the case says. Only what is written is compared; the order of lists says nothing."""
    found = []
    for key in SINGLE:
        expected, got = getattr(case, key), getattr(came, key)
        if expected is not None and expected != got:
            found.append(Fault(key, (expected,), (got,) if got else ()))
    for key in SEVERAL:
        expected, got = getattr(case, key), getattr(came, key)
        if expected is not None and set(expected) != got:
            found.append(Fault(key, tuple(expected), tuple(sorted(got))))
    found += [Fault("hits", (rule,), ()) for rule in case.hits if rule not in came.fired]
    return found + [Fault("not", (), (rule,)) for rule in case.not_hits if rule in came.fired]


def passes(case: Expectation, came: Seen) -> bool:
    return not faults(case, came)
