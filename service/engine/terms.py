"""Terms written out: each `{list}` place in a term replaced by every member of the list it names."""

import re
from collections.abc import Iterable, Mapping

from models.ruleset import NAMING, Rule

PLACE = re.compile(r"\{([^{}]*)\}")
PROGRAM = "program"
"""The list of every plain term of the rules marked `program`; a category's code names its share of it."""


def word_lists(rules: Iterable[Rule], lists: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The lists that terms may name: the pack's own, `program`, and one for each category that has programs."""
    programs: dict[str, list[str]] = {PROGRAM: []}
    for rule in rules:
        if rule.program and rule.category and rule.status in NAMING:
            plain = [term for term in rule.terms if not PLACE.search(term)]
            programs[PROGRAM] += plain
            programs.setdefault(rule.category, []).extend(plain)
    return {name: tuple(sorted(set(words))) for name, words in programs.items() if words} | dict(lists)


def expand_term(term: str, lists: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Every plain term that `term` stands for; KeyError names the list that is missing."""
    if "{" not in term:
        return (term,)
    places = PLACE.findall(term)
    if not places:
        return (term,)
    begin, *pieces = PLACE.sub("\x00", term).split("\x00")
    written = [begin]
    for place, piece in zip(places, pieces, strict=True):
        written = [before + word + piece for before in written for word in lists[place]]
    return tuple(written)
