"""A small made-up set of labels and answers, where every kind of error occurs. The tiny pack gives the names."""

from functools import cache
from typing import Any

from models.complaint import Complaint
from models.decision import CategoryScore, Decision, Outcome, Reason, RulesetRef, Urgency
from models.ruleset import RuleSet
from service import rulebook
from service.evaluate.gold import Gold, Judged
from tests.cli.conftest import PACK

LEADS = {"letters": "study_office", "ball": "gym_office", "stage": "stage_office"}


@cache
def ruleset() -> RuleSet:
    return rulebook.load(rulebook.read_folder(PACK))


def gold(decision: str, *categories: str, issues: tuple[str, ...] = (), **labels: Any) -> Gold:
    inside = decision != "return"
    lead = (LEADS[categories[0]] if categories else "study_office") if inside else None
    return Gold(
        id=1, scope="in" if inside else "out", categories=categories, decision=Outcome(decision), lead=lead, issues=issues, **labels
    )


def decided(decision: str, *categories: str, issues: tuple[str, ...] = (), certainty: int = 5) -> Decision:
    lead = None if decision == "return" else LEADS[categories[0]] if categories else "study_office"
    return Decision(
        decision=Outcome(decision),
        reason_code={"dispatch": Reason.CLEAR, "escalate": Reason.NO_CATEGORY, "return": Reason.NO_EVIDENCE}[decision],
        reason="",
        lead=lead,
        assists=(),
        category=categories[0] if categories else None,
        categories=tuple(CategoryScore(code, 6) for code in categories),
        issues=issues,
        urgency=Urgency.NORMAL,
        evidence=(),
        runner_up=None,
        ask=None,
        certainty=certainty,
        confidence=None,
        suggest=None,
        notices=(),
        ruleset=RulesetRef("tiny", 0, ""),
        engine="1",
    )


def judged() -> list[Judged]:
    """Labels beside answers."""
    pairs = [
        (gold("dispatch", "ball", issues=("refund",)), decided("dispatch", "ball", issues=("refund",), certainty=9)),
        (gold("dispatch", "ball", issues=("refund",)), decided("dispatch", "ball", "stage", certainty=8)),
        (gold("dispatch", "ball", kind="press"), decided("dispatch", "stage", issues=("refund",), certainty=2)),
        (gold("dispatch", "stage", issues=("noise", "refund")), decided("dispatch", "stage", issues=("noise",), certainty=7)),
        (gold("dispatch", "stage", hard=True), decided("escalate")),
        (gold("dispatch", "letters"), decided("return")),
        (gold("dispatch", "letters", kind="press"), decided("dispatch", "letters", certainty=7)),
        (gold("escalate", "ball", "stage"), decided("escalate", "stage", "ball")),
        (gold("escalate"), decided("escalate")),
        (gold("escalate", hard=True), decided("dispatch", "letters", certainty=3)),
        (gold("return"), decided("return")),
        (gold("return"), decided("return")),
        (gold("return"), decided("dispatch", "ball", certainty=1)),
        (gold("return", hard=True, kind="press"), decided("escalate")),
    ]
    return [Judged(label, Complaint(content="x"), answer) for label, answer in pairs]
