"""Accounts: what was counted of a rule as precision with its exact interval, by term and by month."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from models.register import RULE_NAMES
from models.ruleset import Rule, RuleSet
from service import store
from service.evaluate.chance import exact
from service.ledger.judge import COUNTS, Counts
from service.store import Tally, WrongCase

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Account(Counts):
    """What is counted, summed up. `n`: how often it was confirmed that it was right or wrong."""

    @property
    def n(self) -> int:
        return self.rights + self.wrongs

    @property
    def precision(self) -> float | None:
        return self.rights / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of Clopper and Pearson, at 95%."""
        return interval(self.rights, self.n) if self.n else None

    def less(self, other: "Account") -> "Account":
        """What came since the other one; never less than nothing."""
        return Account(*(max(getattr(self, name) - getattr(other, name), 0) for name in COUNTS))


@lru_cache(maxsize=4096)
def interval(rights: int, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    return exact(rights, count, confidence)


def summed(tallies: Iterable[Tally]) -> Account:
    parts = [[getattr(tally, name) for name in COUNTS] for tally in tallies]
    return Account(*map(sum, zip(*parts, strict=True))) if parts else Account()


@dataclass(frozen=True, slots=True)
class RuleAccount:
    """A rule's account in the overview. Where the rule set in force does not know it, it has no name."""

    rule: str
    name: str | None
    supports: str | None
    status: str | None
    account: Account


@dataclass(frozen=True, slots=True)
class TermAccount:
    """The account of one of a rule's terms."""

    term: str
    account: Account


@dataclass(frozen=True, slots=True)
class MonthAccount:
    """The account of one month, by when cases came."""

    month: str
    account: Account


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is known of one rule."""

    head: RuleAccount
    terms: tuple[TermAccount, ...]
    months: tuple[MonthAccount, ...]
    wrongs: tuple[WrongCase, ...]


def overview(conn: Any, ruleset: RuleSet) -> list[RuleAccount]:
    """Every rule of the set and every other that has an account; the worst first, by the upper end of the interval, then by name."""
    rules = {rule.id: rule for rule in ruleset.rules}
    counted = {tally.rule: summed([tally]) for tally in store.rule_totals(conn)}
    found = [_head(name, rules.get(name), counted.get(name, Account())) for name in {*rules, *counted}]
    return sorted(found, key=_worst)


def _worst(each: RuleAccount) -> tuple[Any, ...]:
    low, high = each.account.interval or (0.0, 1.0)
    return high, low, -each.account.n, each.rule


def ledger_of(conn: Any, ruleset: RuleSet, name: str, most: int) -> Ledger | None:
    """One rule's ledger; None where neither the rule set nor the ledger knows it."""
    rule = next((rule for rule in ruleset.rules if rule.id == name), None)
    tallies = store.tallies_of(conn, name)
    if rule is None and not tallies:
        return None
    own = [tally for tally in tallies if not tally.term]
    terms = [TermAccount(term, summed(group)) for term, group in _grouped(tallies, "term").items() if term]
    months = tuple(MonthAccount(month, summed(group)) for month, group in sorted(_grouped(own, "month").items()))
    terms.sort(key=lambda each: (-each.account.wrongs, -each.account.n, each.term))
    return Ledger(_head(name, rule, summed(own)), tuple(terms), months, tuple(store.wrong_cases(conn, name, most)))


def _head(name: str, rule: Rule | None, account: Account) -> RuleAccount:
    if rule is None:
        return RuleAccount(name, RULE_NAMES.get(name), None, None, account)
    return RuleAccount(name, rule.name, rule.supports, rule.status.value, account)


def _grouped(tallies: Iterable[Tally], by: str) -> dict[str, list[Tally]]:
    groups = defaultdict[str, list[Tally]](list)
    for tally in tallies:
        groups[getattr(tally, by)].append(tally)
    return groups
