"""The workshop: a plan that knows the words of all candidates already, so that each edit is tried without compiling anew.

What it cannot show: a new program's name also moves the borders of tokens. Therefore the best candidates are tried on the real engine.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from models.ruleset import Rule, RuleSet, Status, Strength
from service.engine import Engine
from service.engine.plan import LIVE, OPENING, Plan, Roles
from service.engine.terms import PLACE, PROGRAM, word_lists
from service.rulebook.edits import Edit
from service.ruletest.bench import Bench

CARRIER = "repair.words"
"""A rule on trial, which weighs nothing: it makes the automaton know the words."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edits that are tried together; `size`: how much they move; `likely`: how plausible their words are."""

    edits: tuple[Edit, ...]
    size: int
    likely: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """A changed plan, the patterns through which it touches texts, and whether the gate lets more in."""

    plan: Plan
    touched: frozenset[int]
    opens: bool


class Workshop:
    """Tries candidates on a rule set."""

    def __init__(self, ruleset: RuleSet, words: Sequence[str]) -> None:
        self.ruleset = ruleset
        self.rules = {rule.id: rule for rule in ruleset.rules}
        self._lists = word_lists(ruleset.rules, ruleset.lists)
        self._templates = list(_templates(ruleset))
        filled = {plain for word in words for name in self._shared() for _, _, plain in self._written_out(name, word)}
        self.bench = Bench(Engine(_knowing(ruleset, {*words, *filled})))
        self._number = {pattern: number for number, pattern in enumerate(self.bench.plan.patterns)}

    def _shared(self) -> set[str]:
        """The lists that an edit may lengthen: programs, and lists that stand for exclusions."""
        excluding = {place for role, _, word in self._templates if role == "unless" for place in PLACE.findall(word)}
        return {rule.category for rule in self.ruleset.rules if rule.program and rule.category} | (excluding & set(self.ruleset.lists))

    def number(self, word: str) -> int:
        """The pattern of a word."""
        return self._number[self.bench.plan.reader.fold(word)]

    def effect(self, candidate: Candidate) -> Effect:
        """What a candidate makes of the plan."""
        roles: dict[int, set[tuple[str, str]]] = {}
        for edit in candidate.edits:
            if edit.field in ("strength", "within"):
                return self._other_value(edit)
            for role, rule, word in self._meanings(edit):
                roles.setdefault(self.number(word), set()).add((role, rule))
        plan = self.bench.with_roles({pattern: self._more(pattern, added) for pattern, added in roles.items()})
        return Effect(plan, frozenset(roles), any(map(self._opens, candidate.edits)))

    def _other_value(self, edit: Edit) -> Effect:
        plan = self.bench.plan
        planned = plan.rules[self.bench.orders[edit.where]]
        touched = frozenset(number for number, role in enumerate(plan.roles) if planned.order in role.terms)
        if edit.field == "within":
            return Effect(self.bench.with_rule(replace(planned, within=int(edit.value))), touched, opens=False)
        points = self.ruleset.ruleset.points[Strength(edit.value)]
        return Effect(self.bench.with_rule(replace(planned, points=points)), touched, opens=False)

    def _meanings(self, edit: Edit) -> Iterator[tuple[str, str, str]]:
        """Role, rule and word of all that an edit brings about: a program or a list's member goes wherever its list is put in."""
        if edit.field == "list":
            yield from self._written_out(edit.where, edit.value)
            return
        yield edit.field, edit.where, edit.value
        rule = self.rules[edit.where]
        if edit.field == "terms" and is_program(rule):
            yield from self._written_out(rule.category or "", edit.value)

    def _written_out(self, name: str, word: str) -> Iterator[tuple[str, str, str]]:
        """Every word that comes of one more member of a list; of a program also where all programs are meant."""
        names = {name} if name in self.ruleset.lists else {name, PROGRAM}
        for role, rule, template in self._templates:
            places = PLACE.findall(template)
            pieces = PLACE.split(template)[::2]
            for at, place in enumerate(places):
                if place in names:
                    lists = [(word,) if number == at else self._lists[each] for number, each in enumerate(places)]
                    for words in product(*lists):
                        yield role, rule, "".join(piece + filled for piece, filled in zip(pieces, (*words, ""), strict=True))

    def _more(self, pattern: int, added: Iterable[tuple[str, str]]) -> Roles:
        old = self.bench.plan.roles[pattern]
        orders = {role: {self.bench.orders[rule] for each, rule in added if each == role} for role in ("terms", "unless", "near")}
        return Roles(
            tuple(sorted({*old.terms, *orders["terms"]})),
            tuple(sorted({*old.unless, *orders["unless"]})),
            tuple(sorted({*old.near, *orders["near"]})),
            old.negates,
            old.clears,
        )

    def _opens(self, edit: Edit) -> bool:
        """Whether texts that the gate kept out are read further for a new term."""
        if edit.field != "terms":
            return False
        rule = self.rules[edit.where]
        heard = {"scope:in", *(f"scope:{code}" for code in self.ruleset.ruleset.listen), *OPENING}
        return is_program(rule) or rule.supports in heard


def is_program(rule: Rule) -> bool:
    """Whether a rule's terms are names of what is taught, which other rules put into theirs."""
    return rule.program and rule.category is not None and rule.status is Status.ACTIVE


def _templates(ruleset: RuleSet) -> Iterator[tuple[str, str, str]]:
    """Role, rule and word of every written word with a `{list}` place."""
    for rule in ruleset.rules:
        if rule.status in LIVE:
            for role, words in (("terms", rule.terms), ("unless", rule.unless), ("near", rule.near.words if rule.near else ())):
                yield from ((role, rule.id, word) for word in words if PLACE.search(word))


def _knowing(ruleset: RuleSet, words: Iterable[str]) -> RuleSet:
    """The rule set with the carrier of some words."""
    plain = {"id": CARRIER, "name": "候选", "signal": "repair_words", "terms": ["候选"], "loose": True, "status": "trial"}
    carrier = Rule.model_validate(plain).model_copy(update={"terms": tuple(sorted(words)) or ("候选",)})
    return ruleset.model_copy(update={"rules": (*ruleset.rules, carrier)})
