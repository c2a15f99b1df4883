"""Mutants: each word, exclusion, condition and strength taken away in turn, to name those that no case would miss.

Recompiling an engine for each of some thousand mutants would take an hour. So the pack is compiled once, the cases are read once, and
each mutant is a changed copy of a table: only cases to which it can matter are tried again, and only until one of them fails. A term
matters where it counted, an exclusion or frame word where a term of its rule stands, a strength where its rule fired. One thing is left
as it is: the tokeniser keeps knowing a program's name whose term is taken away.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from models.ruleset import NAMING, Rule, RuleSet, Strength
from service.engine import Engine
from service.engine.plan import Plan, PlannedRule
from service.engine.terms import PLACE, PROGRAM
from service.ruletest.bench import Bench, Ready
from service.ruletest.origins import Origin, origins
from service.ruletest.report import samples
from service.ruletest.trial import passes

Role = tuple[str, int, int]
"""What a pattern is to a rule: the role, the rule's place in the plan, the pattern's number."""


class Fate(StrEnum):
    """What became of a mutant: a case failed; cases met its words and all passed; no case meets them; or nothing had changed."""

    NOTICED = "noticed"
    UNNOTICED = "unnoticed"
    UNREACHED = "unreached"
    REDUNDANT = "redundant"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One thing taken away: `part` is terms, unless, near, list, strength, or a condition of the rule; `where` the rule or list."""

    part: str
    where: str
    word: str
    fate: Fate
    noticed_by: str = ""


@dataclass(frozen=True, slots=True)
class Mutation:
    """All mutants of a rule set. Only cases that pass now take part; `failing` counts the others."""

    ruleset: RuleSet
    mutants: tuple[Mutant, ...]
    failing: int

    def count(self, fate: Fate) -> int:
        return sum(1 for mutant in self.mutants if mutant.fate is fate)

    def of(self, fate: Fate) -> tuple[Mutant, ...]:
        return tuple(mutant for mutant in self.mutants if mutant.fate is fate)


def mutate(engine: Engine, advance: Callable[[], None] = lambda: None) -> Mutation:
    """Take everything away in turn; `advance` is called after each mutant, for a progress bar."""
    bench = Bench(engine)
    tried = [bench.ready(sample) for sample in samples(engine.ruleset)]
    sound = [ready for ready in tried if passes(ready.sample.case, ready.came)]
    trials = _Trials(bench, sound)
    mutants = []
    for mutant in (*_words(trials), *_conditions(trials)):
        mutants.append(mutant)
        advance()
    return Mutation(engine.ruleset, tuple(mutants), len(tried) - len(sound))


class _Trials:
    """The bench, and which sound cases each pattern and each rule stands in."""

    def __init__(self, bench: Bench, sound: list[Ready]) -> None:
        self.bench = bench
        self.numbers = {pattern: number for number, pattern in enumerate(bench.plan.patterns)}
        self._sound = sound
        self._with_pattern: dict[int, list[int]] = defaultdict(list)
        self._with_rule: dict[int, list[int]] = defaultdict(list)
        self._counted: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._fired: dict[int, list[int]] = defaultdict(list)
        for place, ready in enumerate(sound):
            for order, pattern in {(hit.rule.order, hit.pattern) for hit in ready.hits}:
                self._counted[order, pattern].append(place)
            for order in {hit.rule.order for hit in ready.hits}:
                self._fired[order].append(place)
            for pattern in ready.patterns:
                self._with_pattern[pattern].append(place)
            for order in {order for pattern in ready.patterns for order in bench.plan.roles[pattern].terms}:
                self._with_rule[order].append(place)

    def lose(self, lost: set[Role]) -> tuple[Fate, str]:
        """What becomes of the rule set without these roles of patterns."""
        if not lost:
            return Fate.REDUNDANT, ""
        if not any(self._with_pattern[pattern] for _, _, pattern in lost):
            return Fate.UNREACHED, ""
        places = sorted({place for role in lost for place in self._mattering(*role)})
        return self._try(places, self.bench.without(lost)) if places else (Fate.UNNOTICED, "")

    def _mattering(self, role: str, order: int, pattern: int) -> Iterable[int]:
        """The cases in which a pattern that loses its role for a rule can change anything."""
        if role == "terms":
            return self._counted[order, pattern]
        return set(self._with_pattern[pattern]).intersection(self._with_rule[order])

    def swap(self, rule: PlannedRule, *, weight_alone: bool) -> tuple[Fate, str]:
        """What becomes of the rule set with this rule in place of the one with its number."""
        if not self._with_rule[rule.order]:
            return Fate.UNREACHED, ""
        places = (self._fired if weight_alone else self._with_rule)[rule.order]
        return self._try(places, self.bench.with_rule(rule)) if places else (Fate.UNNOTICED, "")

    def _try(self, places: list[int], plan: Plan) -> tuple[Fate, str]:
        for place in places:
            ready = self._sound[place]
            if not self.bench.passes(ready, plan):
                return Fate.NOTICED, f"{ready.sample.file} 第 {ready.sample.number} 个用例"
        return Fate.UNNOTICED, ""


def _words(trials: _Trials) -> Iterator[Mutant]:
    """Every written word of every rule, and every member of every list."""
    bench = trials.bench
    found = [
        (origin, (origin.role, bench.orders[origin.rule], trials.numbers[origin.pattern]))
        for origin in origins(bench.ruleset, bench.plan.reader.fold)
        if origin.pattern
    ]
    ways = Counter(role for _, role in found)
    programs = _programs(bench.ruleset)
    for (part, where, word), roles in _by_word(found, programs).items():
        gone = Counter(roles)
        fate, by = trials.lose({role for role, count in gone.items() if ways[role] == count})
        yield Mutant(part, where, word, fate, by)


def _by_word(found: list[tuple[Origin, Role]], programs: Mapping[tuple[str, str], str | None]) -> dict[tuple[str, str, str], list[Role]]:
    """What each word brings about: by part, rule or list, and word. A program's name brings about what its lists do, too."""
    brings: dict[tuple[str, str, str], list[Role]] = defaultdict(list)
    for origin, role in found:
        owners = {(origin.role, origin.rule, origin.word)}
        for place, member in origin.members:
            if (place, member) not in programs:
                owners.add(("list", place, member))
            elif owner := programs[place, member]:
                owners.add(("terms", owner, member))
        for key in owners:
            brings[key].append(role)
    return brings


def _programs(ruleset: RuleSet) -> dict[tuple[str, str], str | None]:
    """For each program in each list made of programs the one rule that it comes from; None where several hold it."""
    owners: dict[tuple[str, str], str | None] = {}
    for rule in ruleset.rules:
        if rule.program and rule.category and rule.status in NAMING:
            for term in rule.terms:
                for place in (PROGRAM, rule.category) if not PLACE.search(term) else ():
                    owners[place, term] = None if owners.get((place, term), rule.id) != rule.id else rule.id
    return owners


def _conditions(trials: _Trials) -> Iterator[Mutant]:
    """Every strength one step weaker, and every condition of a rule lifted as a whole."""
    bench = trials.bench
    rules = {rule.id: rule for rule in bench.ruleset.rules}
    for planned in bench.plan.rules:
        for part, word, changed in _changes(planned, rules[planned.id], bench.ruleset):
            yield Mutant(part, planned.id, word, *trials.swap(changed, weight_alone=part == "strength"))


def _changes(planned: PlannedRule, rule: Rule, ruleset: RuleSet) -> Iterator[tuple[str, str, PlannedRule]]:
    if planned.points and planned.kind != "signal":
        weaker = {Strength.STRONG: Strength.MEDIUM, Strength.MEDIUM: Strength.WEAK}.get(rule.strength)
        points = ruleset.ruleset.points[weaker] if weaker else 0
        yield "strength", f"{rule.strength} → {weaker or 'trial'}", replace(planned, points=points, trial=weaker is None)
    if planned.within is not None:
        yield "near", "（整个 near）", replace(planned, within=None)
    if planned.needs is not None:
        yield "needs", "、".join(rule.needs), replace(planned, needs=None)
    if planned.blocked_by:
        yield "blocked_by", "、".join(rule.blocked_by), replace(planned, blocked_by=frozenset())
    if planned.places:
        yield "in", "、".join(rule.places), replace(planned, places=frozenset())
