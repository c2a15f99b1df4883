"""What an edit touches: the words without one of which a text cannot be judged otherwise than before.

Most edits add or take away a few words. Where nothing else changed, a text that holds none of them comes to the same decision by
construction, and a replay passes it over: that is most of a million cases. Any other change, and every case is judged twice.
"""

from functools import lru_cache
from typing import Any, Protocol

from daachorse import CharwiseDoubleArrayAhoCorasick

from models.ruleset import NAMING, Rule, RuleSet
from service.engine import Engine

NEVER = "\x00"
"""Stands in no text; an automaton must have a pattern."""


class Finder(Protocol):
    """Finds the touched words in a text as the engine reads it."""

    def find(self, haystack: str, /) -> list[Any]:
        """Where they stand."""
        ...


@lru_cache(maxsize=1)
def touched(before: Engine, after: Engine) -> Finder | None:
    """The finder of touched words; None where more than words changed."""
    if _frame(before.ruleset) != _frame(after.ruleset):
        return None
    old, new = _meanings(before), _meanings(after)
    words = [word for word in {*old, *new} if old.get(word) != new.get(word)]
    return CharwiseDoubleArrayAhoCorasick(sorted(words) or [NEVER])


def _frame(ruleset: RuleSet) -> tuple[Any, ...]:
    """All that decides besides the words of rules: numbers, issues, how texts are read and cut, what each rule does with its words."""
    programs = {rule.id: rule.terms for rule in ruleset.rules if rule.program and rule.status in NAMING}
    return ruleset.ruleset, ruleset.issues, ruleset.aliases, ruleset.words, programs, [_without_words(rule) for rule in ruleset.rules]


def _without_words(rule: Rule) -> dict[str, Any]:
    whole = rule.model_dump(exclude={"terms", "unless", "name", "why", "clause"})
    return whole | {"near": rule.near.within if rule.near else None}


def _meanings(engine: Engine) -> dict[str, Any]:
    """What each word means to the engine; rules are numbered alike on both sides where the frame is the same."""
    return dict(zip(engine.plan.patterns, engine.plan.roles, strict=True))
