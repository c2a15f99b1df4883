"""From a text to its evidence: which rules fired, by which words, where, and how much each tells."""

import re
from dataclasses import dataclass

from models.ruleset import RulesetFile

from .plan import Plan, PlannedRule
from .text import Reading
from .tokens import Borders

STOP = re.compile(r"[。！？!?；;\n]")
"""A sentence ends here; a frame does not reach across."""
PAUSE = re.compile(r"[。！？!?；;\n，,、：:]")
"""A clause of a sentence ends here; a negation does not reach across."""

Span = tuple[int, int, int]
"""Start and end in the folded text, and the number of the pattern."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One term that counts: its rule, its place, the points that it brings."""

    rule: PlannedRule
    pattern: int
    start: int
    end: int
    weight: int


@dataclass(slots=True)
class Met:
    """What stands in a text, by rule: terms, exclusions, frame words; and the negations."""

    terms: dict[int, list[Span]]
    unless: dict[int, list[Span]]
    near: dict[int, list[Span]]
    negations: list[tuple[int, int, int]]
    head_length: int


def find(plan: Plan, reading: Reading, numbers: RulesetFile) -> list[Hit]:
    """The hits of a text, in the order of the plan."""
    met = _meet(plan, reading.text, numbers.zones.head_length)
    borders = Borders(plan.cutter, reading.text)
    fired: set[int] = set()
    hits: list[Hit] = []
    for order in sorted(met.terms):
        rule = plan.rules[order]
        if (rule.needs and fired.isdisjoint(rule.needs)) or not fired.isdisjoint(rule.blocked_by):
            continue
        spans = [span for span in met.terms[order] if _counts(rule, span, met, reading, borders)]
        if spans:
            fired.add(order)
            hits += _weigh(rule, spans, reading, numbers)
    return hits


def _meet(plan: Plan, text: str, head_length: int) -> Met:
    met = Met({}, {}, {}, [], head_length)
    roles = plan.roles
    for span in plan.finder.find_overlapping(text):
        role = roles[span[2]]
        for order in role.terms:
            met.terms.setdefault(order, []).append(span)
        for order in role.unless:
            met.unless.setdefault(order, []).append(span)
        for order in role.near:
            met.near.setdefault(order, []).append(span)
        if role.negates is not None:
            met.negations.append((span[0], span[1], role.negates))
    return met


def _counts(rule: PlannedRule, span: Span, met: Met, reading: Reading, borders: Borders) -> bool:
    """Whether a met term is a hit of its rule."""
    start, end, _ = span
    if rule.places and rule.places.isdisjoint(_places(reading, start, met.head_length)):
        return False
    if any(from_ < end and start < to for from_, to, _ in met.unless.get(rule.order, ())):
        return False
    if not rule.loose and not (borders.at(start, start) and borders.at(end, end - 1)):
        return False
    if rule.negatable and any(_negated(reading.text, negation, start) for negation in met.negations):
        return False
    return rule.within is None or any(_framed(reading.text, start, end, frame, rule.within) for frame in met.near.get(rule.order, ()))


def _negated(text: str, negation: tuple[int, int, int], start: int) -> bool:
    """Whether a negation begins before `start` and reaches it; it may share characters with the hit (没有教 and 教英语)."""
    from_, to, within = negation
    return from_ < start <= to + within and not PAUSE.search(text, to, max(start, to))


def _framed(text: str, start: int, end: int, frame: Span, within: int) -> bool:
    if frame[1] <= start:
        return start - frame[1] <= within and not STOP.search(text, frame[1], start)
    return 0 <= frame[0] - end <= within and not STOP.search(text, end, frame[0])


def _places(reading: Reading, place: int, head_length: int) -> tuple[str, ...]:
    """The names of the places that hold this character."""
    if reading.starts is not None:
        place = reading.starts[place]
    if place >= reading.content_at:
        return ("content", "head") if place - reading.content_at < head_length else ("content",)
    return ("title",) if place >= reading.title_at else ("institution",)


def _weigh(rule: PlannedRule, spans: list[Span], reading: Reading, numbers: RulesetFile) -> list[Hit]:
    """One hit for each distinct term, at its best place; each further term of the same rule tells less."""
    best: dict[int, tuple[int, int, int]] = {}
    for start, end, pattern in spans:
        zone = _zone(reading, start, numbers)
        if pattern not in best or zone > best[pattern][0]:
            best[pattern] = (zone, start, end)
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[1][1], -item[1][2]))
    return [
        Hit(rule, pattern, start, end, rule.points * zone * share // 10_000)
        for (pattern, (zone, start, end)), share in zip(ranked, numbers.repeat, strict=False)
    ]


def _zone(reading: Reading, place: int, numbers: RulesetFile) -> int:
    """How much a place counts, in percent."""
    zones = numbers.zones
    if reading.starts is not None:
        place = reading.starts[place]
    if place >= reading.content_at:
        return zones.head if place - reading.content_at < zones.head_length else zones.body
    return zones.title if place >= reading.title_at else zones.institution
