"""The figures: rates with intervals, precision, recall and F1, and who was taken for whom. Nothing here is printed."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan

from models.decision import Outcome
from models.ruleset import RuleSet
from service.evaluate.chance import at_least, exact, wilson
from service.evaluate.gold import RETURNED, Judged


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of complaints: `right` of `count`."""

    code: str
    name: str
    right: int
    count: int

    @property
    def value(self) -> float:
        return self.right / self.count if self.count else nan

    @property
    def wilson(self) -> tuple[float, float]:
        return wilson(self.right, self.count)

    @property
    def exact(self) -> tuple[float, float]:
        return exact(self.right, self.count) if self.count else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Score:
    """How well one label is found: true positives, false positives, false negatives. What has no case at all is not a number."""

    code: str
    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else nan

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else nan

    @property
    def f1(self) -> float:
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp + self.fp + self.fn else nan


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows: the right department, or back to the hotline; columns: the one that was named."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """What asking for this certainty gives: how many are dispatched, how many wrongly, and what share of all that is in scope."""

    certainty: int
    dispatched: int
    wrong: int
    coverage: float

    @property
    def risk(self) -> float:
        return self.wrong / self.dispatched

    @property
    def bound(self) -> float:
        """The risk that the true one is not above, at 95%."""
        return 1 - at_least(self.dispatched - self.wrong, self.dispatched)


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one set of labelled complaints."""

    count: int
    rates: tuple[Rate, ...]
    categories: tuple[Score, ...]
    departments: tuple[Score, ...]
    issues: tuple[Score, ...]
    issue: Score
    confusion: Confusion
    curve: tuple[Point, ...]

    @property
    def macro_f1(self) -> float:
        """The mean over the categories that occur at all."""
        return mean(score.f1 for score in self.categories)

    def rate(self, code: str) -> Rate:
        """The rate of this code."""
        return next(rate for rate in self.rates if rate.code == code)


def mean(values: Iterable[float]) -> float:
    """The mean of those that are numbers."""
    known = [value for value in values if not isnan(value)]
    return sum(known) / len(known) if known else nan


def measure(judged: Sequence[Judged], ruleset: RuleSet) -> Figures:
    """Count everything."""
    inside = [item for item in judged if item.gold.inside]
    labels = tuple(dict.fromkeys([*(code for item in judged for code in (item.expected, item.given) if code != RETURNED), RETURNED]))
    confusion = _confusion(judged, tuple(sorted(labels[:-1])) + labels[-1:])
    issues = _labels(inside, lambda item: item.gold.issues, lambda item: item.decision.issues)
    categories = _labels(
        inside,
        lambda item: item.gold.categories,
        lambda item: [score.code for score in item.decision.categories],
        ruleset.ruleset.categories,
    )
    return Figures(
        count=len(judged),
        rates=rates(judged),
        categories=categories,
        departments=_scores(confusion),
        issues=issues,
        issue=Score("", sum(score.tp for score in issues), sum(score.fp for score in issues), sum(score.fn for score in issues)),
        confusion=confusion,
        curve=curve(judged),
    )


def rates(judged: Sequence[Judged]) -> tuple[Rate, ...]:
    """The shares that say whether the service keeps its word. A dispatch is right where the text is in scope and the lead is the one."""
    inside = [item for item in judged if item.gold.inside]
    outside = [item for item in judged if not item.gold.inside]
    clear = [item for item in inside if item.gold.decision is Outcome.DISPATCH]
    unclear = [item for item in inside if item.gold.decision is Outcome.ESCALATE]
    sent = [item for item in judged if item.dispatched]
    return (
        _rate("right", "研判正确：全部", judged, lambda item: item.right),
        _rate("right_clear", "研判正确：不含疑难", [item for item in judged if not item.gold.hard], lambda item: item.right),
        _rate("kept", "范围内：留下", inside, lambda item: item.given != RETURNED),
        _rate("lead", "范围内：主办正确", inside, lambda item: item.expected == item.given),
        _rate("returned", "范围外：退回", outside, lambda item: item.given == RETURNED),
        _rate("misdispatched", "范围外：误分派", outside, lambda item: item.dispatched),
        _rate("precision", "自动分派：正确", sent, lambda item: item.right_lead),
        _rate("coverage", "自动分派：覆盖", clear, lambda item: item.right),
        _rate("escalated", "应提级的提级了", unclear, lambda item: item.decision.decision is Outcome.ESCALATE),
        _rate("escalation_rate", "提级率", judged, lambda item: item.decision.decision is Outcome.ESCALATE),
        _rate("return_rate", "退回率", judged, lambda item: item.given == RETURNED),
    )


def _rate(code: str, name: str, items: Sequence[Judged], good: Callable[[Judged], bool]) -> Rate:
    return Rate(code, name, sum(map(good, items)), len(items))


Labels = Callable[[Judged], Iterable[str]]


def _labels(items: Sequence[Judged], expected: Labels, given: Labels, always: Iterable[str] = ()) -> tuple[Score, ...]:
    """Each label on its own: wanted and given, given alone, wanted alone."""
    pairs = [(set(expected(item)), set(given(item))) for item in items]
    codes = dict.fromkeys([*always, *sorted({code for pair in pairs for code in pair[0] | pair[1]})])
    return tuple(
        Score(
            code,
            sum(code in want and code in got for want, got in pairs),
            sum(code not in want and code in got for want, got in pairs),
            sum(code in want and code not in got for want, got in pairs),
        )
        for code in codes
    )


def _categories(item: Judged) -> list[str]:
    return [score.code for score in item.decision.categories]


def _confusion(judged: Sequence[Judged], labels: tuple[str, ...]) -> Confusion:
    seen = Counter((item.expected, item.given) for item in judged)
    return Confusion(labels, tuple(tuple(seen[row, column] for column in labels) for row in labels))


def _scores(confusion: Confusion) -> tuple[Score, ...]:
    """Each department against all others."""
    counts = confusion.counts
    return tuple(
        Score(label, counts[at][at], sum(row[at] for row in counts) - counts[at][at], sum(counts[at]) - counts[at][at])
        for at, label in enumerate(confusion.labels)
    )


def curve(judged: Sequence[Judged]) -> tuple[Point, ...]:
    """Risk against coverage: what each certainty would give if it were asked for, from the highest down."""
    inside = sum(item.gold.inside for item in judged) or 1
    points: list[Point] = []
    dispatched = wrong = kept = 0
    candidates = sorted((item for item in judged if item.candidate), key=lambda item: -item.decision.certainty)
    for item in candidates:
        dispatched, wrong, kept = dispatched + 1, wrong + (not item.right_lead), kept + item.gold.inside
        if points and points[-1].certainty == item.decision.certainty:
            points.pop()
        points.append(Point(item.decision.certainty, dispatched, wrong, kept / inside))
    return tuple(points)
