"""The bench: a plan laid open, on which rules can be changed one at a time to see what a text would then come to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace

from models.complaint import Complaint
from models.decision import Decision, Reason
from service.engine import Engine
from service.engine.evidence import Hit, find
from service.engine.judge import judge, weigh
from service.engine.plan import Plan, PlannedRule, Roles
from service.engine.text import Reading
from service.ruletest.trial import Sample, Seen, passes, seen

EVERY = (100,) * 2_000
"""Weights for as many terms of one rule as it can have: the bench wants to see them all."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A case made ready for many tries: read once, its patterns found once.

    `came` is what really comes of it, `hits` every hit in it, also those that an answer would leave out; `shut`: the engine's gate kept
    it out, so that what is judged inside does not count.
    """

    sample: Sample
    complaint: Complaint
    reading: Reading
    patterns: frozenset[int]
    decision: Decision
    came: Seen
    hits: tuple[Hit, ...]
    shut: bool


class Bench:
    """One engine on the bench."""

    def __init__(self, engine: Engine) -> None:
        ruleset = engine.ruleset
        self.ruleset = ruleset
        self.plan = engine.plan
        self._engine = engine
        self.orders = {rule.id: rule.order for rule in self.plan.rules}
        self._whole = ruleset.ruleset.model_copy(update={"repeat": EVERY})

    def ready(self, sample: Sample) -> Ready:
        complaint = sample.complaint()
        reading = self.plan.reader.read(complaint)
        patterns = frozenset(span[2] for span in self.plan.finder.find_overlapping(reading.text))
        decision = self._engine.triage(complaint)
        hits = tuple(self._engine.hits(complaint))
        came = seen(decision, {hit.rule.id for hit in hits})
        closed = decision.reason_code is Reason.NO_EVIDENCE
        shut = closed and replace(self.judged(complaint, reading, self.plan), fired=came.fired) != came
        return Ready(sample, complaint, reading, patterns, decision, came, hits, shut)

    def fires(self, ready: Ready, plan: Plan, rule: str) -> bool:
        """Whether a rule would fire under a changed plan."""
        return any(hit.rule.id == rule for hit in find(plan, ready.reading, self._whole))

    def passes(self, ready: Ready, plan: Plan) -> bool:
        """Whether a case would pass under a changed plan."""
        judged = self.judged(ready.complaint, ready.reading, plan)
        return passes(ready.sample.case, replace(ready.came, fired=judged.fired) if ready.shut else judged)

    def judged(self, complaint: Complaint, reading: Reading, plan: Plan) -> Seen:
        """What would come of a text that the gate lets in."""
        hits = find(plan, reading, self.ruleset.ruleset)
        verdict = judge(weigh(hits, complaint, self.ruleset), complaint, self.ruleset)
        return Seen(
            decision=verdict.outcome.value,
            reason_code=verdict.reason.value,
            lead=verdict.lead,
            category=verdict.primary,
            categories=frozenset(category.code for category in verdict.categories),
            issues=frozenset(verdict.issues),
            assists=frozenset(assist.department for assist in verdict.assists),
            urgency=verdict.urgency.value,
            fired=frozenset(hit.rule.id for hit in hits),
        )

    def with_rule(self, rule: PlannedRule) -> Plan:
        """The plan with one rule replaced."""
        plan = copy(self.plan)
        plan.rules = (*self.plan.rules[: rule.order], rule, *self.plan.rules[rule.order + 1 :])
        return plan

    def without(self, lost: Iterable[tuple[str, int, int]]) -> Plan:
        """The plan without some roles of some patterns, each named by role, rule and pattern."""
        by_pattern: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for role, order, pattern in lost:
            by_pattern[pattern].add((role, order))
        return self.with_roles({pattern: _less(self.plan.roles[pattern], gone) for pattern, gone in by_pattern.items()})

    def with_roles(self, changed: Mapping[int, Roles]) -> Plan:
        """The plan with the roles of some patterns replaced."""
        plan = copy(self.plan)
        roles = list(self.plan.roles)
        for pattern, role in changed.items():
            roles[pattern] = role
        plan.roles = tuple(roles)
        return plan


def _less(roles: Roles, gone: set[tuple[str, int]]) -> Roles:
    return replace(
        roles,
        terms=tuple(order for order in roles.terms if ("terms", order) not in gone),
        unless=tuple(order for order in roles.unless if ("unless", order) not in gone),
        near=tuple(order for order in roles.near if ("near", order) not in gone),
    )
