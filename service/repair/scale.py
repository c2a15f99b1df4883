"""The scale: what a change of the rules mends among the wrong cases, and what it breaks among all that are right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.repair.workshop import Effect
from service.ruletest.bench import Bench, Ready
from service.ruletest.trial import Sample, Seen, faults

Keys = frozenset[tuple[str, tuple[str, ...]]]
"""What is wrong with a case: each fault's key and what it expected or must not have."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a change is worth: wrong cases mended whole, single faults lifted, wrong cases made wrong in another way."""

    mended: frozenset[int]
    lifted: int
    broken: frozenset[int]


class Scale:
    """Wrong cases and right ones, read once, weighed under any changed plan."""

    def __init__(self, bench: Bench, wrong: Sequence[Sample], right: Sequence[Sample]) -> None:
        self.bench = bench
        self.samples = (*wrong, *right)
        self.ready: list[Ready] = [bench.ready(sample) for sample in self.samples]
        self.before: list[Keys] = [_keys(ready.sample, ready.came) for ready in self.ready]
        self._wrong = range(len(wrong))
        self._places: dict[int, list[int]] = {}
        for place, ready in enumerate(self.ready):
            for pattern in ready.patterns:
                self._places.setdefault(pattern, []).append(place)

    @property
    def wrong(self) -> list[int]:
        """The cases that are to be mended: those among the wrong that are wrong now."""
        return [place for place in self._wrong if self.before[place]]

    def gain(self, effect: Effect) -> Worth | None:
        """What a change is worth to the wrong cases that it can touch; None where it lifts nothing."""
        mended, broken, lifted = set[int](), set[int](), 0
        for place in self._touched(effect, right=False):
            after, before = self._after(place, effect), self.before[place]
            if after - before:
                broken.add(place)
            elif before and not after:
                mended.add(place)
            lifted += len(before) - len(after)
        return Worth(frozenset(mended), lifted, frozenset(broken)) if lifted > 0 else None

    def keeps(self, effect: Effect) -> bool:
        """Whether a change leaves every right case right. Dear: a common word touches hundreds."""
        return all(self._after(place, effect) <= self.before[place] for place in self._touched(effect, right=True))

    def _touched(self, effect: Effect, *, right: bool) -> list[int]:
        """The cases on one side in which a changed pattern stands."""
        places = {place for pattern in effect.touched for place in self._places.get(pattern, ())}
        return sorted(place for place in places if (place not in self._wrong) is right)

    def _after(self, place: int, effect: Effect) -> Keys:
        ready = self.ready[place]
        judged = self.bench.judged(ready.complaint, ready.reading, effect.plan)
        return _keys(ready.sample, replace(ready.came, fired=judged.fired) if ready.shut and not effect.opens else judged)


def _keys(sample: Sample, came: Seen) -> Keys:
    """What is wrong with a case."""
    return frozenset((fault.key, fault.expected if fault.key != "not" else fault.got) for fault in faults(sample.case, came))
