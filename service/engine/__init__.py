"""The engine: a complaint and a rule set give a decision. Pure: no I/O, no clock, no settings, no database."""

from models.complaint import Complaint
from models.decision import Decision, Outcome, Reason, RulesetRef, Urgency
from models.ruleset import RuleSet

from . import explain
from .evidence import Hit, find
from .judge import Verdict, judge, weigh
from .plan import Plan

ENGINE_VERSION = "1"
"""Raised whenever the same complaint and rule set may give another decision."""

EVERY = (0,) * 10_000
"""Shares for as many terms as one rule can have, written out."""


class Engine:
    """One rule set, made ready. Safe to share between threads; the same complaint always gives the same decision."""

    def __init__(self, ruleset: RuleSet, plan: Plan | None = None) -> None:
        self.ruleset = ruleset
        self._plan = plan or Plan(ruleset)
        self._ref = RulesetRef(ruleset.pack, ruleset.version, ruleset.digest)
        self._nothing = self._without_evidence()

    @property
    def plan(self) -> Plan:
        """The rule set made ready for matching: what provers and rule tests look into. Never changed."""
        return self._plan

    def numbered(self, version: int) -> "Engine":
        """The same rules as another version of them; nothing is made ready again."""
        return Engine(self.ruleset.model_copy(update={"version": version}), self._plan)

    def hits(self, complaint: Complaint) -> list[Hit]:
        """Every hit of a complaint, also where the gate reads it no further; the terms of a rule that `repeat` leaves out weigh nothing."""
        head = self.ruleset.ruleset
        unbounded = head.model_copy(update={"repeat": (*head.repeat, *EVERY)})
        return find(self._plan, self._plan.reader.read(complaint), unbounded)

    def triage(self, complaint: Complaint) -> Decision:
        """Read a complaint, find the evidence, decide."""
        reading = self._plan.gate.let_in(complaint)
        if reading is None:
            return self._nothing
        reading = self._plan.reader.written_out(reading)
        hits = find(self._plan, reading, self.ruleset.ruleset)
        weighing = weigh(hits, complaint, self.ruleset)
        verdict = judge(weighing, complaint, self.ruleset)
        pieces = explain.evidence(hits, reading, verdict, self._plan.patterns, explain.register(verdict, complaint, self.ruleset))
        return Decision(
            decision=verdict.outcome,
            reason_code=verdict.reason,
            reason=explain.reason(verdict, pieces, complaint, self.ruleset),
            lead=verdict.lead,
            assists=verdict.assists,
            category=verdict.primary,
            categories=verdict.categories,
            issues=verdict.issues,
            urgency=verdict.urgency,
            evidence=pieces,
            runner_up=explain.runner_up(verdict, weighing, self.ruleset),
            ask=explain.ask(verdict, complaint, weighing, self.ruleset),
            certainty=verdict.certainty,
            confidence=confidence(self.ruleset, verdict),
            suggest=explain.suggest(verdict, self.ruleset),
            notices=explain.notices(verdict, complaint, self.ruleset),
            ruleset=self._ref,
            engine=ENGINE_VERSION,
            register=complaint.register,
        )

    def _without_evidence(self) -> Decision:
        """The decision on every text without a word of training in it, made once."""
        advice = self.ruleset.ruleset.no_evidence
        reason = f"{advice.reason}退回热线。" + (f"建议转{advice.suggest}办理。" if advice.suggest else "")
        return Decision(
            Outcome.RETURN, Reason.NO_EVIDENCE, reason, None, (), None, (), (), Urgency.NORMAL, (), None, None, 0, None, advice.suggest, (),
            self._ref, ENGINE_VERSION,
        )  # fmt: skip


def confidence(ruleset: RuleSet, verdict: Verdict) -> float | None:
    """The probability that a lead told from the text is right, by the calibration; None without one, or where the text tells none."""
    calibration = ruleset.ruleset.calibration
    told = verdict.outcome is Outcome.DISPATCH and verdict.reason is not Reason.REGISTER
    if calibration is None or not (told or verdict.reason is Reason.LOW_CONFIDENCE):
        return None
    known = [right for points, right in calibration.curve if points <= verdict.certainty]
    return known[-1] if known else 0.0
