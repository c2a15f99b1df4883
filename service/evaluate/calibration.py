"""Calibration (校准): how much certainty makes a dispatch right as often as was promised, and what a certainty is worth."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from models.decision import Outcome
from models.ruleset import Calibration, RuleSet
from service.evaluate.chance import at_least
from service.evaluate.figures import Point, curve
from service.evaluate.gold import Judged

CONFIDENCE = 0.95
RULESET = "ruleset.yaml"


def without_threshold(ruleset: RuleSet) -> RuleSet:
    """The rule set as it would be if any certainty were enough: what is fitted must be seen."""
    head = ruleset.ruleset
    thresholds = head.thresholds.model_copy(update={"dispatch": 0})
    return ruleset.model_copy(update={"ruleset": head.model_copy(update={"thresholds": thresholds})})


def calibrate(judged: Sequence[Judged], promise: float, threshold: int, gold: str) -> Calibration:
    """Fit what `without_threshold` decided. Where the labels cannot certify the promise, the threshold in force stays."""
    points = curve(judged)
    found = certified(points, promise)
    point = found or _at(points, threshold)
    level = found.certainty if found else threshold
    right = point.dispatched - point.wrong if point else 0
    return Calibration(
        promise=promise,
        confidence=CONFIDENCE,
        certified=found is not None,
        threshold=level,
        n=len(judged),
        dispatched=point.dispatched if point else 0,
        right=right,
        bound=round_down(at_least(right, point.dispatched, CONFIDENCE)) if point else 0.0,
        coverage=round_down(_coverage(judged, level)),
        curve=tuple(worth(judged)),
        gold=gold,
    )


def certified(points: Sequence[Point], promise: float) -> Point | None:
    """The least certainty for which the exact bound keeps the promise.

    Thresholds are tried from the highest down, and the first that fails ends the search: whoever tries many and keeps the best that
    passes by luck has not 95% any more. Those with so few dispatches that no result could pass are no trial; how many there are
    depends on no label.
    """
    best = None
    for point in points:
        if at_least(point.dispatched, point.dispatched, CONFIDENCE) < promise:
            continue
        if at_least(point.dispatched - point.wrong, point.dispatched, CONFIDENCE) < promise:
            break
        best = point
    return best


def needed(promise: float) -> int:
    """How many dispatches without a single error would certify the promise."""
    count = 1
    while at_least(count, count, CONFIDENCE) < promise:
        count += 1
    return count


def _at(points: Sequence[Point], threshold: int) -> Point | None:
    held = [point for point in points if point.certainty >= threshold]
    return held[-1] if held else None


def _coverage(judged: Sequence[Judged], threshold: int) -> float:
    """Of the complaints that belong to exactly one department, those that are dispatched to it."""
    clear = [item for item in judged if item.gold.inside and item.gold.decision is Outcome.DISPATCH]
    sent = [item for item in clear if item.candidate and item.decision.certainty >= threshold and item.right_lead]
    return len(sent) / len(clear) if clear else 0.0


def round_down(share: float) -> float:
    """Four digits, never upwards: a promise is not rounded into being kept."""
    return int(share * 10_000) / 10_000


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring certainties that are worth the same."""

    start: int
    right: float
    count: float

    @property
    def share(self) -> float:
        return self.right / self.count

    def __add__(self, other: "Block") -> "Block":
        return Block(self.start, self.right + other.right, self.count + other.count)


def worth(judged: Iterable[Judged]) -> list[tuple[int, float]]:
    """From which certainty on a dispatch is right with which probability: a rising staircase.

    Each step is drawn half a case towards even odds, since thirty right ones in a row are no proof of 100%.
    """
    candidates = [(item.decision.certainty, item.right_lead) for item in judged if item.candidate]
    steps = rising(Block(certainty, right, 1) for certainty, right in sorted(candidates))
    shrunk = rising(Block(step.start, (step.right + 0.5) * step.count / (step.count + 1), step.count) for step in steps)
    return [(block.start, round(block.share, 4)) for block in shrunk]


def rising(blocks: Iterable[Block]) -> list[Block]:
    """Isotonic regression by pooling adjacent violators: the rising staircase nearest to what was seen, in order of certainty."""
    return reduce(_pooled, _tied(blocks), [])


def _tied(blocks: Iterable[Block]) -> list[Block]:
    ties: dict[int, Block] = {}
    for block in blocks:
        ties[block.start] = ties[block.start] + block if block.start in ties else block
    return [ties[start] for start in sorted(ties)]


def _pooled(stairs: list[Block], block: Block) -> list[Block]:
    while stairs and stairs[-1].share >= block.share:
        block = stairs.pop() + block
    return [*stairs, block]


# Into the pack ------------------------------------------------------------------------------------------------------------------
# By lines and not through a YAML writer: comments, order and quotes are the officials' own and stay as they wrote them.


def written(files: Mapping[str, str], calibration: Calibration) -> dict[str, str]:
    """The pack's files with the calibration and its threshold in ruleset.yaml, and nothing else changed."""
    text = files[RULESET]
    if calibration.certified:
        text = _with_threshold(text, calibration.threshold)
    return {**files, RULESET: _with_block(text, "calibration", _block(calibration))}


def _block(calibration: Calibration) -> str:
    """The calibration as YAML: numbers, booleans and one quoted text, which are the same in JSON."""
    curve_ = ", ".join(f"[{points}, {share}]" for points, share in calibration.curve)
    gold = calibration.gold.replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        "calibration: # 由 fenpai calibrate 写入，不要手改",
        *(f"  {name}: {getattr(calibration, name)}" for name in ("promise", "confidence")),
        f"  certified: {str(calibration.certified).lower()}",
        *(f"  {name}: {getattr(calibration, name)}" for name in ("threshold", "n", "dispatched", "right", "bound", "coverage")),
        f"  curve: [{curve_}]",
        f'  gold: "{gold}"',
    ]
    return "\n".join(lines) + "\n"


def _with_block(text: str, key: str, block: str) -> str:
    """Replace a block at the top level, or append it."""
    found = re.search(rf"^{key}:.*\n?(?:[ \t]+.*\n?|[ \t]*\n(?=[ \t]+\S))*", text, re.MULTILINE)
    if found:
        return text[: found.start()] + block + text[found.end() :]
    return text.rstrip("\n") + "\n\n" + block


def _with_threshold(text: str, threshold: int) -> str:
    """Set `dispatch` among the thresholds, whether they stand on one line or on several."""
    block = re.search(r"^thresholds:.*\n?(?:[ \t]+.*\n?|[ \t]*(?:#.*)?\n(?=[ \t]+\S))*", text, re.MULTILINE)
    if block is None:
        return text.rstrip("\n") + f"\n\nthresholds:\n  dispatch: {threshold}\n"
    changed, count = re.subn(r"(\bdispatch:\s*)\d+", rf"\g<1>{threshold}", block.group(), count=1)
    if not count and "{" in block.group():
        changed = re.sub(r"\s*\}", f", dispatch: {threshold}}}", block.group(), count=1)
    elif not count:
        changed = block.group().rstrip("\n") + f"\n  dispatch: {threshold}\n"
    return text[: block.start()] + changed + text[block.end() :]
