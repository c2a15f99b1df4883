"""Origins: which written word of which rule, and which members of which lists, each searched pattern comes from."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

from models.ruleset import Rule, RuleSet
from service.engine.plan import LIVE
from service.engine.terms import PLACE, expand_term, word_lists


class Origin(NamedTuple):
    """One way in which a pattern comes about: written as `word` in a role of a rule, with these members in its `{list}` places."""

    role: str
    rule: str
    word: str
    members: tuple[tuple[str, str], ...]
    pattern: str


def origins(ruleset: RuleSet, fold: Callable[[str], str]) -> Iterator[Origin]:
    """Every origin of every pattern of the live rules."""
    lists = word_lists(ruleset.rules, ruleset.lists)
    for rule in ruleset.rules:
        if rule.status in LIVE:
            for role, words in _roles(rule):
                for word in words:
                    places = PLACE.findall(word)
                    for members, plain in zip(product(*(lists[place] for place in places)), expand_term(word, lists), strict=True):
                        yield Origin(role, rule.id, word, tuple(zip(places, members, strict=True)), fold(plain))


def _roles(rule: Rule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    near = rule.near.words if rule.near else ()
    return ("terms", tuple(dict.fromkeys(rule.terms))), ("unless", tuple(dict.fromkeys(rule.unless))), ("near", tuple(dict.fromkeys(near)))
