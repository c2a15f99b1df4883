"""From a text to its evidence: which rules fired, by which words, where, and how much each tells."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from models.ruleset import RulesetFile

from .plan import Plan, PlannedRule
from .text import Reading
from .tokens import Borders

STOP = re.compile(r"[。！？!?；;\n]")
"""A sentence ends here; a frame does not reach across."""
PAUSE = re.compile(r"[。！？!?；;\n，,、：:]")
"""A clause of a sentence ends here; a negation does not reach across."""
CLAUSE = re.compile(r"[。！？!?；;\n，,：:]")
"""As PAUSE, but what is listed with 、 is one clause: a negation after the list speaks of all of it."""

Span = tuple[int, int, int]
"""Start and end in the folded text, and the number of the pattern; of a negation (either way), how far it reaches."""
END = itemgetter(1)
FEW = 8
"""So many spans are looked at one by one sooner than searched."""
FARTHEST_NEGATION = 30
"""As models.ruleset.Negation bounds `within`."""


class Hit(NamedTuple):
    """One term that counts: its rule, its place, the points that it brings."""

    rule: PlannedRule
    pattern: int
    start: int
    end: int
    weight: int


@dataclass(slots=True)
class Met:
    """What stands in a text, by rule: terms, exclusions, frame words; and the negations, both ways. Each list in the order of ends."""

    terms: Mapping[int, list[Span]]
    unless: Mapping[int, list[Span]]
    near: Mapping[int, list[Span]]
    negations: list[Span]
    clearings: list[Span]
    head_length: int
    longest: int


def find(plan: Plan, reading: Reading, numbers: RulesetFile) -> list[Hit]:
    """The hits of a text, in the order of the plan."""
    met = _meet(plan, reading.text, numbers.zones.head_length)
    borders = Borders(plan.cutter, reading.text)
    fired: set[int] = set()
    on_trial: set[int] = set()
    hits: list[Hit] = []
    rules, terms = plan.rules, met.terms
    for order in sorted(terms):
        rule = rules[order]
        if rule.needs is not None or rule.blocked_by:
            known = fired | on_trial if rule.trial else fired
            if (rule.needs is not None and known.isdisjoint(rule.needs)) or not known.isdisjoint(rule.blocked_by):
                continue
        spans = _counting(rule, terms[order], met, reading, borders)
        if spans:
            (on_trial if rule.trial else fired).add(order)
            hits += _weigh(rule, spans, reading, numbers)
    return hits


def _meet(plan: Plan, text: str, head_length: int) -> Met:
    terms: dict[int, list[Span]] = defaultdict(list)
    unless: dict[int, list[Span]] = defaultdict(list)
    near: dict[int, list[Span]] = defaultdict(list)
    negations: list[Span] = []
    clearings: list[Span] = []
    roles = plan.roles
    for span in plan.finder.find_overlapping(text):
        role = roles[span[2]]
        for order in role.terms:
            terms[order].append(span)
        if role.is_only_term:
            continue
        for order in role.unless:
            unless[order].append(span)
        for order in role.near:
            near[order].append(span)
        if role.negates is not None and not _asks(text, span[0]):
            negations.append((span[0], span[1], role.negates))
        if role.clears is not None:
            clearings.append((span[0], span[1], role.clears))
    return Met(terms, unless, near, negations, clearings, head_length, plan.longest)


def _asks(text: str, start: int) -> bool:
    """Whether the negation at `start` stands between the halves of a question (能不能, 是不是, 有没有): that denies nothing."""
    return start > 0 and text[start - 1] == text[start + 1 : start + 2]


def _counting(rule: PlannedRule, spans: list[Span], met: Met, reading: Reading, borders: Borders) -> list[Span]:
    """Those of the met terms that are hits of their rule. One loop and plain conditions: every rule of every text comes through here."""
    text, longest, places, within = reading.text, met.longest, rule.places, rule.within
    unless, frames = met.unless.get(rule.order), met.near.get(rule.order)
    if within is not None and not frames:
        return []
    negated = rule.negatable and bool(met.negations)
    cleared = rule.negatable and bool(met.clearings)
    kept: list[Span] = []
    for span in spans:
        start, end, _ = span
        if (
            (places and places.isdisjoint(_places(reading, start, met.head_length)))
            or (unless and _excluded(start, end, unless, longest))
            or (negated and _negated(text, start, met))
            or (cleared and _cleared(text, end, met))
            or (within is not None and frames and not _framed(text, span, frames, within, longest))
            or not (rule.loose or borders.hold(start, end))  # last, since cutting costs most
        ):
            continue
        kept.append(span)
    return kept


def _ending(spans: Sequence[Span], first: int, last: int) -> Sequence[Span]:
    """All spans that end at `first` to `last`, of few all; whoever asks looks again.

    Without this, in a long text full of words each would be held against all others.
    """
    if len(spans) <= FEW:
        return spans
    return spans[bisect_left(spans, first, key=END) : bisect_right(spans, last, key=END)]


def _excluded(start: int, end: int, unless: Sequence[Span], longest: int) -> bool:
    """Whether an exclusion overlaps the hit."""
    for from_, to, _ in _ending(unless, start + 1, end + longest):  # noqa: SIM110 (a generator would cost more than the question)
        if from_ < end and start < to:
            return True
    return False


def _negated(text: str, start: int, met: Met) -> bool:
    """Whether a negation begins before `start` and reaches it; it may share characters with the hit (没有教 and 教英语)."""
    for from_, to, within in _ending(met.negations, start - FARTHEST_NEGATION, start + met.longest):
        if from_ < start <= to + within and not PAUSE.search(text, to, max(start, to)):
            return True
    return False


def _cleared(text: str, end: int, met: Met) -> bool:
    """Whether the hit ends before words that reach back to it."""
    for from_, _, within in _ending(met.clearings, end, end + FARTHEST_NEGATION + met.longest):
        if end <= from_ <= end + within and not CLAUSE.search(text, end, from_):
            return True
    return False


def _framed(text: str, span: Span, frames: Sequence[Span], within: int, longest: int) -> bool:
    """Whether a frame word stands at most `within` characters before or after the hit, in the same sentence."""
    start, end, _ = span
    for from_, to, _ in _ending(frames, start - within, end + within + longest):
        before = start - within <= to <= start and not STOP.search(text, to, start)
        if before or (end <= from_ <= end + within and not STOP.search(text, end, from_)):
            return True
    return False


def _places(reading: Reading, place: int, head_length: int) -> tuple[str, ...]:
    """The names of the places that hold this character."""
    if reading.starts is not None:
        place = reading.starts[place]
    if place >= reading.content_at:
        return ("content", "head") if place - reading.content_at < head_length else ("content",)
    return ("title",) if place >= reading.title_at else ("institution",)


def _weigh(rule: PlannedRule, spans: list[Span], reading: Reading, numbers: RulesetFile) -> list[Hit]:
    """One hit for each distinct term, at its best place; each further term of the same rule tells less."""
    points, repeat = rule.points, numbers.repeat
    if len(spans) == 1 and repeat:
        start, end, pattern = spans[0]
        return [Hit(rule, pattern, start, end, points * _zone(reading, start, numbers) * repeat[0] // 10_000)]
    best: dict[int, tuple[int, int, int, int]] = {}
    for start, end, pattern in spans:
        zone, known = _zone(reading, start, numbers), best.get(pattern)
        if known is None or zone > -known[0]:
            best[pattern] = (-zone, start, -end, pattern)
    return [
        Hit(rule, pattern, start, -end, points * -zone * share // 10_000)
        for (zone, start, end, pattern), share in zip(sorted(best.values()), repeat, strict=False)
    ]


def _zone(reading: Reading, place: int, numbers: RulesetFile) -> int:
    """How much a place counts, in percent."""
    zones = numbers.zones
    if reading.starts is not None:
        place = reading.starts[place]
    if place >= reading.content_at:
        return zones.head if place - reading.content_at < zones.head_length else zones.body
    return zones.title if place >= reading.title_at else zones.institution
