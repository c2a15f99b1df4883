"""The scale: what a change of the rules mends among the wrong cases, and what it breaks among all that are right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.engine.plan import Plan
from service.ruletest.bench import Bench, Ready
from service.ruletest.trial import Sample, Seen, faults

Keys = frozenset[tuple[str, tuple[str, ...]]]
"""What is wrong with a case: each fault's key and what it expected or must not have."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a change is worth: cases mended whole, single faults lifted, cases broken."""

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

    def with_patterns(self, patterns: Iterable[int]) -> list[int]:
        """The cases in which one of these patterns stands."""
        return sorted({place for pattern in patterns for place in self._places.get(pattern, ())})

    def weigh(self, plan: Plan, places: Iterable[int], *, opens: bool, at_least: int = 0) -> Worth | None:
        """What a changed plan is worth, by the cases that it can touch; None as soon as it is worth too little.

        `opens`: the change lets the gate in what it kept out.
        """
        mended, broken, lifted = set[int](), set[int](), 0
        for place in places:
            after = self._after(place, plan, opens=opens)
            before = self.before[place]
            if after - before:
                broken.add(place)
                if place not in self._wrong:
                    return None
            elif before and not after and place in self._wrong:
                mended.add(place)
            if place in self._wrong:
                lifted += len(before) - len(after)
        worth = Worth(frozenset(mended), lifted, frozenset(broken))
        return worth if lifted > at_least else None

    def _after(self, place: int, plan: Plan, *, opens: bool) -> Keys:
        ready = self.ready[place]
        judged = self.bench.judged(ready.complaint, ready.reading, plan)
        return _keys(ready.sample, replace(ready.came, fired=judged.fired) if ready.shut and not opens else judged)


def _keys(sample: Sample, came: Seen) -> Keys:
    """What is wrong with a case."""
    return frozenset((fault.key, fault.expected if fault.key != "not" else fault.got) for fault in faults(sample.case, came))
