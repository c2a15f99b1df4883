"""The plan: a rule set made ready for matching, one automaton over every term, exclusion, frame word and negation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from daachorse import CharwiseDoubleArrayAhoCorasick

from models.ruleset import NAMING, Rule, RuleSet, ScopeCode, Status

from .gate import Gate
from .terms import expand_term, word_lists
from .text import FIELDS, Reader
from .tokens import cutter

LIVE = (Status.ACTIVE, Status.TRIAL, Status.QUARANTINED)
"""Rules of these statuses are looked for; only active ones carry weight."""


@dataclass(frozen=True, slots=True, eq=False)
class PlannedRule:
    """A rule as the matcher wants it: numbers and sets of numbers only.

    `order` is its place in the plan, after all that it needs; `places` is empty where every place will do; `needs` is None where it
    needs nothing, and empty where all that it needs is switched off. `trial`: seen without weight, on trial or in quarantine.
    """

    order: int
    id: str
    supports: str
    kind: str
    code: str
    points: int
    places: frozenset[str]
    within: int | None
    needs: frozenset[int] | None
    blocked_by: frozenset[int]
    trial: bool
    loose: bool
    negatable: bool
    clause: str | None
    assists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """What one pattern means where it is met: a term of, an exclusion of, a frame word of these rules; a negation that reaches so far.

    `negates` reaches forward, to what follows it; `clears` back, to what stands before it.
    """

    terms: tuple[int, ...]
    unless: tuple[int, ...]
    near: tuple[int, ...]
    negates: int | None
    clears: int | None = None
    is_only_term: bool = field(init=False)
    """Nearly all patterns are terms and nothing else; whoever looks at one need not ask for the rest."""

    def __post_init__(self) -> None:
        more = self.unless or self.near or self.negates is not None or self.clears is not None
        object.__setattr__(self, "is_only_term", not more)


def words_of(ruleset: RuleSet, reader: Reader) -> set[str]:
    """The words that jieba must know: the pack's own, and each program's name. A rule on trial moves no border."""
    naming = [rule for rule in ruleset.rules if rule.program and rule.status in NAMING]
    programs = {reader.fold(term) for rule in naming for term in rule.terms if "{" not in term}
    return programs | {reader.fold(word) for word in ruleset.words}


class Plan:
    """Everything that matching a text needs, made once for a rule set and never changed."""

    def __init__(self, ruleset: RuleSet) -> None:
        head = ruleset.ruleset
        self.reader = Reader(ruleset.aliases, head.quoted)
        self.cutter = cutter(frozenset(words_of(ruleset, self.reader)))
        rules = in_order(rule for rule in ruleset.rules if rule.status in LIVE)
        self.rules = tuple(self._planned(order, rule, rules, ruleset) for order, rule in enumerate(rules))
        roles = self._roles(rules, ruleset)
        self.patterns = tuple(sorted(roles))
        self.roles = tuple(roles[pattern] for pattern in self.patterns)
        self.longest = max(map(len, self.patterns), default=0)
        self.finder = CharwiseDoubleArrayAhoCorasick(list(self.patterns))
        self.gate = Gate({*self._openers(roles, ruleset), *self.reader.alias_words}, self.reader)

    def _planned(self, order: int, rule: Rule, rules: list[Rule], ruleset: RuleSet) -> PlannedRule:
        kind, code = rule.supports.split(":")
        return PlannedRule(
            order=order,
            id=rule.id,
            supports=rule.supports,
            kind=kind,
            code=code,
            points=ruleset.ruleset.points[rule.strength] if rule.status is Status.ACTIVE else 0,
            places=frozenset() if set(FIELDS) <= set(rule.places) else frozenset(rule.places),
            within=rule.near.within if rule.near else None,
            needs=frozenset(_orders(rule.needs, rules)) if rule.needs else None,
            blocked_by=frozenset(_orders(rule.blocked_by, rules)),
            trial=rule.status is not Status.ACTIVE,
            loose=rule.loose,
            negatable=kind == "category" or rule.supports == "scope:in",
            clause=rule.clause,
            assists=rule.assists,
        )

    def _roles(self, rules: list[Rule], ruleset: RuleSet) -> dict[str, Roles]:
        """What each pattern means, by pattern."""
        lists = word_lists(ruleset.rules, ruleset.lists)
        meant: dict[str, list[int]] = defaultdict(list)
        excluded: dict[str, list[int]] = defaultdict(list)
        framing: dict[str, list[int]] = defaultdict(list)
        for order, rule in enumerate(rules):
            for of, words in ((meant, rule.terms), (excluded, rule.unless), (framing, rule.near.words if rule.near else ())):
                plain = self.reader.fold_all([plain for word in words for plain in expand_term(word, lists)])
                for word in dict.fromkeys(plain):
                    of[word].append(order)
        reach: dict[str, dict[str, int]] = {"after": {}, "before": {}}
        for negation in ruleset.ruleset.negations:
            far = reach[negation.side]
            for word in map(self.reader.fold, negation.words):
                far[word] = max(negation.within, far.get(word, 0))
        negates, clears = reach["after"], reach["before"]
        shared = cache(Roles)  # most patterns mean what many others mean
        roles = {pattern: shared(tuple(orders), (), (), None, None) for pattern, orders in meant.items()}
        for pattern in {*excluded, *framing, *negates, *clears}:
            ours = (tuple(of.get(pattern, ())) for of in (meant, excluded, framing))
            roles[pattern] = shared(*ours, negates.get(pattern), clears.get(pattern))
        roles.pop("", None)
        return roles

    def _openers(self, roles: Mapping[str, Roles], ruleset: RuleSet) -> list[str]:
        """Patterns without one of which a text is not read further: terms for being in scope, for what the pack listens to, emergencies."""
        heard = {f"scope:{code}" for code in (ScopeCode.IN, *ruleset.ruleset.listen)} | set(OPENING)
        opening: set[int] = set()
        for rule in self.rules:
            if rule.supports in heard and not (rule.needs and rule.needs <= opening):
                opening.add(rule.order)
        in_texts = opening - {rule.order for rule in self.rules if rule.places == {"institution"}}  # one that is named is always read
        return sorted(pattern for pattern, role in roles.items() if in_texts.intersection(role.terms))


OPENING = ("signal:emergency", "signal:urgent")
"""Signals that must be heard whatever the text is about."""


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Rules by id, each after all that it needs or is blocked by; ValueError names a ring."""
    waiting = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
    done: list[Rule] = []
    while waiting:
        names = {name for rule in waiting.values() for name in (rule.id, rule.supports)}
        ready = [rule for rule in waiting.values() if not names.intersection((*rule.needs, *rule.blocked_by))]
        if not ready:
            raise ValueError("规则互相依赖，成环：" + "、".join(waiting))
        done += ready
        for rule in ready:
            del waiting[rule.id]
    return done


def _orders(names: Iterable[str], rules: list[Rule]) -> list[int]:
    wanted = set(names)
    return [order for order, rule in enumerate(rules) if rule.id in wanted or rule.supports in wanted]
