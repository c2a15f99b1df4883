"""Proposals: the smallest edits that mend most, one after the other, each tried on the real engine and pinned by a case."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from models.ruleset import Expectation, RuleSet
from service import rulebook
from service.engine import Engine
from service.repair.candidates import around, candidates, pairs, wish_of
from service.repair.scale import Keys, Scale, Worth
from service.repair.words import words_of
from service.repair.workshop import Candidate, Workshop
from service.rulebook.edits import CannotEdit, Edit, add_case, apply, cases_beside, find
from service.ruletest.bench import Bench, Ready
from service.ruletest.cases import case_line
from service.ruletest.report import samples
from service.ruletest.trial import Sample, faults, seen

MOST_WORDS = 150
MOST_TRIED = 8_000
"""Candidates that are tried in one round."""
MOST_VERIFIED = 6
"""Of the best, how many are tried on the real engine before a round gives up."""
MOST_OTHERS = 3
"""Other ways that a proposal names."""
CLAUSE = re.compile(r"[^。！？!?；;\n，,]+[。！？!?；;\n，,]*")
ADVANCE: Callable[[str], None] = lambda _: None  # noqa: E731 - the default says nothing


@dataclass(frozen=True, slots=True)
class Step:
    """One proposal: its edits, what it mends whole, the faults it lifts, other ways that do about the same, the case that pins it."""

    edits: tuple[Edit, ...]
    mended: tuple[Sample, ...]
    lifted: int
    others: tuple[tuple[Edit, ...], ...]
    pin: Expectation | None
    pinned_in: str


@dataclass(frozen=True, slots=True)
class Repair:
    """What is proposed: the steps, the pack before and after, what stays wrong; `confirmed` right cases were kept."""

    ruleset: RuleSet
    steps: tuple[Step, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    wrong: int
    unmended: tuple[Sample, ...]
    right_already: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Round:
    """The pack as it stands in one round, its real engine, and all cases weighed on it."""

    files: Mapping[str, str]
    ruleset: RuleSet
    engine: Engine
    scale: Scale


def repair(
    files: Mapping[str, str], wrong: Sequence[Sample], confirmed: Sequence[Sample], *, most: int = 5, tell: Callable[[str], None] = ADVANCE
) -> Repair:
    """Propose up to `most` edits. Right cases are the pack's own and the confirmed ones, as far as each is right now."""
    ruleset = rulebook.load(files)
    right = [*samples(ruleset), *confirmed]
    now = first = _round(files, ruleset, wrong, right)
    steps: list[Step] = []
    while now.scale.wrong and len(steps) < most:
        tell(f"第 {len(steps) + 1} 处，还有 {len(now.scale.wrong)} 件")
        found = _next(now, wrong, right)
        if found is None:
            break
        step, now = found
        steps.append(step)
    after = dict(now.files)
    for step in steps:
        if step.pin is not None:
            after = _pinned(after, step)
    left = tuple(wrong[place] for place in now.scale.wrong)
    already = len(wrong) - len(first.scale.wrong)
    kept = sum(1 for keys in first.scale.before[len(wrong) :] if not keys)
    return Repair(ruleset, tuple(steps), files, after, len(wrong), left, already, kept)


def _pinned(files: dict[str, str], step: Step) -> dict[str, str]:
    if step.pin is None:
        return files
    try:
        return add_case(files, step.pinned_in, case_line(step.pin))
    except CannotEdit:
        return files


def _round(files: Mapping[str, str], ruleset: RuleSet, wrong: Sequence[Sample], right: Sequence[Sample]) -> Round:
    engine = Engine(ruleset)
    return Round(files, ruleset, engine, Scale(Bench(engine), wrong, right))


def _next(now: Round, wrong: Sequence[Sample], right: Sequence[Sample]) -> tuple[Step, Round] | None:
    """The best candidate that keeps its promise on the real engine."""
    ranked = _ranked(now, wrong, right)
    for number, (candidate, worth) in enumerate(ranked[:MOST_VERIFIED]):
        after = _tried(now, candidate, wrong, right)
        if after is None:
            continue
        gains = [place for place in now.scale.wrong if not after.scale.before[place]]
        lifted = sum(len(now.scale.before[place]) - len(after.scale.before[place]) for place in now.scale.wrong)
        if lifted > 0:
            name = cases_beside(find(now.files, candidate.edits[0])[0])
            pin = _pin(now, after, gains or sorted(worth.mended) or now.scale.wrong, wrong)
            others = tuple(other.edits for other, value in ranked[number + 1 :] if len(value.mended) == len(worth.mended))[:MOST_OTHERS]
            return Step(candidate.edits, tuple(wrong[place] for place in gains), lifted, others, pin, name), after
    return None


def _tried(now: Round, candidate: Candidate, wrong: Sequence[Sample], right: Sequence[Sample]) -> Round | None:
    """The round after a candidate; None where it cannot be written, is refused by the check, or breaks a case."""
    files: Mapping[str, str] = now.files
    try:
        for edit in candidate.edits:
            files = apply(files, edit)
        after = _round(files, rulebook.load(files), wrong, right)
    except (CannotEdit, rulebook.PackError):
        return None
    worse = any(new - old for new, old in zip(after.scale.before, now.scale.before, strict=True))
    return None if worse else after


def _ranked(now: Round, wrong: Sequence[Sample], right: Sequence[Sample]) -> list[tuple[Candidate, Worth]]:
    """The best candidates that mend something and break nothing, best first: as many as are looked at."""
    bench, scale = now.scale.bench, now.scale
    cases = [scale.ready[place] for place in scale.wrong]
    words = words_of(bench.plan, cases, scale.ready[len(wrong) :], MOST_WORDS)
    phrases = {phrase for ready in cases for phrase in _misleading(now, ready)}
    shop = Workshop(now.ruleset, sorted({*(word.text for word in words), *phrases}))
    weighed = Scale(shop.bench, wrong, right)
    singles = _weighed(shop, weighed, dict.fromkeys(each for ready in cases for each in candidates(ready, bench, now.ruleset, words)))
    found = _keeping(shop, weighed, singles)
    if not any(worth.mended for _, worth in found):
        paired = _weighed(shop, weighed, dict.fromkeys(each for ready in cases for each in pairs(ready, now.ruleset, words)))
        found = _keeping(shop, weighed, [*singles, *paired])
    return found


def _keeping(shop: Workshop, scale: Scale, found: Iterable[tuple[Candidate, Worth]]) -> list[tuple[Candidate, Worth]]:
    """The first that break no right case, best first. This is asked last, and of few: it costs a hundred times what a gain costs."""
    kept = (item for item in sorted(found, key=_rank) if scale.keeps(shop.effect(item[0])))
    return _plainest(list(islice(kept, MOST_VERIFIED + MOST_OTHERS)))


def _plainest(ranked: list[tuple[Candidate, Worth]]) -> list[tuple[Candidate, Worth]]:
    """Where the head of the best word, a name by itself, does the same for the wrong cases and breaks nothing, it comes first.

    These few callers all said 少儿羽毛球; the next will say 羽毛球, and an official would have to mend again.
    """
    plainer = [item for item in ranked[1:] if _stands_in(item, ranked[0])]
    first = min(plainer, key=lambda item: sum(len(edit.value) for edit in item[0].edits), default=None)
    return ranked if first is None else [first, *(item for item in ranked if item is not first)]


def _stands_in(item: tuple[Candidate, Worth], best: tuple[Candidate, Worth]) -> bool:
    """Whether an edit adds to the same rules the heads of the best one's words, likely names that mend as much: 羽毛球 of 少儿羽毛球."""
    (one, worth), (other, most) = item, best
    if one.likely < 0 or (worth.mended, worth.lifted) != (most.mended, most.lifted) or len(one.edits) != len(other.edits):
        return False
    pairs_of = zip(one.edits, other.edits, strict=True)
    return all(a.field == b.field == "terms" and a.where == b.where and b.value.endswith(a.value) for a, b in pairs_of)


def _misleading(now: Round, ready: Ready) -> Iterator[str]:
    """Longer words around the hits that misled."""
    less = wish_of(ready, now.ruleset).less
    for hit in ready.hits:
        if hit.rule.supports in less:
            yield from (phrase for _, phrase in around(ready, now.scale.bench, hit))


def _rank(item: tuple[Candidate, Worth]) -> tuple[object, ...]:
    candidate, worth = item
    words = "".join(edit.value for edit in candidate.edits)
    return -len(worth.mended), -worth.lifted, candidate.size, -candidate.likely, len(words), [edit.where for edit in candidate.edits], words


def _weighed(shop: Workshop, scale: Scale, found: Iterable[Candidate]) -> list[tuple[Candidate, Worth]]:
    """What candidates are worth to the wrong cases.

    Words that are hardly names are not proposed for the sake of one case: any word would mend one.
    """
    ranked = []
    for candidate in islice(found, MOST_TRIED):
        worth = scale.gain(shop.effect(candidate))
        if worth is not None and not worth.broken and (len(worth.mended) > 1 or candidate.likely >= 0):
            ranked.append((candidate, worth))
    return ranked


# The case that pins a step ------------------------------------------------------------------------------------------------------


def _pin(before: Round, after: Round, places: Iterable[int], wrong: Sequence[Sample]) -> Expectation | None:
    """The shortest passage of a mended case that came out wrongly before and comes out rightly now."""
    best: Expectation | None = None
    for place in places:
        lifted = before.scale.before[place] - after.scale.before[place]
        if lifted and (found := _shortest(before, after, wrong[place].case, lifted, after.scale.before[place])):
            best = found if best is None or len(found.text) < len(best.text) else best
    return best


def _shortest(before: Round, after: Round, case: Expectation, lifted: Keys, still: Keys) -> Expectation | None:
    """A case cut down to as few clauses as show the change, and to what it gets right."""
    held = ({key for key, _ in lifted} | {"decision", "lead"}) - {key for key, _ in still}
    said = {"text": case.text, "title": case.title, "institution": case.institution, "asserted_scope": case.asserted_scope}
    whole = Expectation.model_validate({**said, **{key: value for key in held if (value := getattr(case, key, None))}})
    for text in (*_passages(case.text), case.text):
        for bare in ({"title": "", "institution": ""}, {}):
            shorter = whole.model_copy(update={"text": text, **bare})
            if _faults(before, shorter) and not _faults(after, shorter):
                return shorter
    return None


def _passages(text: str) -> Iterator[str]:
    """One clause, two, three, and four in a row; the shortest first."""
    clauses = CLAUSE.findall(text)
    runs = {"".join(clauses[at : at + size]) for size in range(1, 5) for at in range(len(clauses) - size + 1)}
    return iter(sorted((run.strip().rstrip("，,；;。") for run in runs), key=lambda run: (len(run), run)))


def _faults(now: Round, case: Expectation) -> bool:
    sample = Sample("", 0, 0, case)
    complaint = sample.complaint()
    return bool(faults(case, seen(now.engine.triage(complaint), {hit.rule.id for hit in now.engine.hits(complaint)})))
