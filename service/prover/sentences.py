"""Sentences: complaints composed of a rule's own words, its frame words and what it needs, so that the rule can fire in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.complaint import Complaint
from models.decision import Decision
from models.ruleset import Rule, RuleSet
from service.engine import Engine
from service.engine.evidence import Hit, find
from service.engine.plan import Plan, PlannedRule
from service.engine.terms import expand_term, word_lists
from service.prover.findings import Witness

ALONE = "{}"
MOST_WAYS = 400
"""Ways that are tried for one rule before it is called dead: frame words times what it needs times places."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a phrase is set: in which field, between which words, before which other sentence."""

    place: str
    before: str = ""
    after: str = ""
    behind: Complaint | None = None

    def around(self, phrase: str) -> Complaint:
        text = f"{self.before}{phrase}{self.after}"
        match self.place:
            case "institution":
                said = Complaint("", institution=text)
            case "title":
                said = Complaint("", title=text)
            case _:
                said = Complaint(text)
        return joined(said, self.behind) if self.behind else said


def joined(first: Complaint, second: Complaint) -> Complaint:
    """Both complaints in one, a full stop between them."""
    return Complaint(
        _both(first.content, second.content),
        title=_both(first.title, second.title),
        institution=_both(first.institution, second.institution),
    )


def _both(first: str, second: str) -> str:
    return f"{first}。{second}" if first and second else first or second


STEPS = {"explore": 2, "dead_terms": 1, "lost_programs": 1, "idle_rules": 3, "idle_conditions": 7}
"""How long each walk over the rules takes, about, against the others: so far a run has come."""


class Tally:
    """What has ever come of a sentence: departments, issues, reasons, questions."""

    def __init__(self) -> None:
        self.departments: set[str] = set()
        self.issues: set[str] = set()
        self.reasons: set[str] = set()
        self.questions: set[str] = set()

    def note(self, decision: Decision) -> None:
        self.departments |= {decision.lead, *(assist.department for assist in decision.assists)} - {None}  # type: ignore[arg-type]
        self.issues.update(decision.issues)
        self.reasons.add(decision.reason_code.value)
        if decision.ask is not None:
            self.questions.add(decision.ask.code)


class Stage:
    """Where sentences are played to the engine. Remembers for each rule a sentence in which it fires.

    `told` hears of every sentence, and how many steps were gone; what it raises ends the run.
    """

    def __init__(self, engine: Engine, told: Callable[[int], None] = lambda _: None) -> None:
        self.engine = engine
        self._told = told
        self.plan = engine.plan
        self.ruleset: RuleSet = engine.ruleset
        self.tally = Tally()
        self.played = 0
        self.firing: dict[int, Complaint] = {}
        self.way: dict[int, Way] = {}
        self._written: dict[str, Rule] = {rule.id: rule for rule in engine.ruleset.rules}
        self._lists = word_lists(engine.ruleset.rules, engine.ruleset.lists)
        for planned in self.plan.rules:
            self._rehearse(planned)

    def rules(self, steps: int) -> Iterator[PlannedRule]:
        """Each rule in turn, and then word that so many steps more are gone."""
        for planned in self.plan.rules:
            yield planned
            self._told(steps)

    def play(self) -> None:
        """One sentence more."""
        self.played += 1
        self._told(0)

    def written(self, planned: PlannedRule) -> Rule:
        """The rule as officials wrote it."""
        return self._written[planned.id]

    def expanded(self, word: str) -> tuple[str, ...]:
        """Every plain word that a written one stands for, as it is searched."""
        return tuple(filter(None, map(self.plan.reader.fold, expand_term(word, self._lists))))

    def hits(self, complaint: Complaint) -> list[Hit]:
        self.play()
        return self.engine.hits(complaint)

    def triage(self, complaint: Complaint) -> Decision:
        """The engine's own decision; all of them are kept in the tally."""
        self.play()
        decision = self.engine.triage(complaint)
        self.tally.note(decision)
        return decision

    def fires(self, planned: PlannedRule, complaint: Complaint, word: str = "") -> bool:
        """Whether a rule fires, by this very word if one is named."""
        return any(
            hit.rule.order == planned.order and (not word or self.plan.patterns[hit.pattern] == word) for hit in self.hits(complaint)
        )

    def would_fire(self, plan: Plan, planned: PlannedRule, complaint: Complaint) -> bool:
        """Whether a rule would fire under a changed plan."""
        self.play()
        return any(hit.rule.id == planned.id for hit in find(plan, plan.reader.read(complaint), self.ruleset.ruleset))

    def witness(self, complaint: Complaint) -> Witness:
        fired = frozenset(hit.rule.id for hit in self.hits(complaint))
        return Witness(complaint, self.triage(complaint), fired)

    def ways(self, planned: PlannedRule) -> Iterator[Way]:
        """How a phrase can be set so that the rule's frame, needs and places are met."""
        rule = self.written(planned)
        places = ("content", "title") if not planned.places else tuple("content" if place == "head" else place for place in rule.places)
        needed = [self.firing[order] for order in sorted(planned.needs or ()) if order in self.firing]
        behind: list[Complaint | None] = [*needed] or [None]
        for frame in self.frames(rule):
            for sentence in behind:
                for place in dict.fromkeys(places):
                    yield Way(place, *frame, sentence)

    def frames(self, rule: Rule) -> Iterator[tuple[str, str]]:
        """A frame word before or behind the phrase, close by or across a comma."""
        if rule.near is None:
            yield "", ""
            return
        for word in (plain for written in rule.near.words for plain in self.expanded(written)):
            yield from (("", f"，{word}"), (f"{word}，", ""), (word, ""), ("", word))

    def _rehearse(self, planned: PlannedRule) -> None:
        """Find a sentence in which a rule fires. What it needs stands before it in the plan and has been found already."""
        words = [plain for written in self.written(planned).terms for plain in self.expanded(written)[:3]]
        for number, way in enumerate(self.ways(planned)):
            for word in words if number < 2 else words[:4]:
                if self.fires(planned, way.around(word)):
                    self.firing[planned.order], self.way[planned.order] = way.around(word), way
                    return
            if number > MOST_WAYS:
                return
