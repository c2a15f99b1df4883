"""Token borders: where jieba cuts, with the words of the pack in its dictionary. Cut only where a hit asks."""

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from typing import Protocol

try:
    from .rjieba_cut import FastJieba as Fastest
except ImportError:  # no wheel for this machine: jieba itself gives the same cut, slower
    from .jieba_cut import Jieba as Fastest  # type: ignore[assignment]  # both are Cutters

OUTSIDE = re.compile(r"[^\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]")
"""What ends a block: jieba cuts each run of these characters by itself, so a block alone gives the same borders as the whole text."""
LAST_OUTSIDE = re.compile(rf"(?s:.*){OUTSIDE.pattern}")
SHORT = 32
"""Few blocks are longer."""


class Cutter(Protocol):
    """Cuts a block of text into jieba's tokens, HMM off: only known words are joined, so that the cut can be explained."""

    def cut(self, block: str) -> list[str]:
        """The tokens of a block, in order; joined they are the block."""
        ...

    def weight(self, character: str) -> int:
        """How often people write a character: larger is more often."""
        ...


@lru_cache(maxsize=2)
def cutter(words: frozenset[str]) -> Cutter:
    """The fastest cutter that this machine has, knowing these words besides jieba's own.

    Versions of a pack mostly share their words, and a dictionary is large: the last two are kept, and nothing changes them.
    """
    return Fastest(sorted(words))


Block = tuple[int, int, frozenset[int]]
"""Start and end of a stretch of text that jieba cuts by itself, and the borders in it, counted from its start."""
START = itemgetter(0)


class Borders:
    """The token borders of one text, block by block as they are asked for."""

    __slots__ = ("_blocks", "_cutter", "_held", "_text")

    def __init__(self, cutter: Cutter, text: str) -> None:
        self._cutter = cutter
        self._text = text
        self._blocks: list[Block] = []
        self._held: dict[tuple[int, int], bool] = {}

    def hold(self, start: int, end: int) -> bool:
        """Whether a token begins at `start` and one ends at `end`; remembered, for many rules ask about one place."""
        held = self._held.get((start, end))
        if held is None:
            held = self._held[start, end] = self.at(start, start) and self.at(end, end - 1)
        return held

    def at(self, place: int, towards: int) -> bool:
        """Whether a token begins or ends at `place`; `towards` is the place of a character inside the block that is meant."""
        before = bisect_right(self._blocks, towards, key=START)
        if before == 0 or self._blocks[before - 1][1] <= towards:
            self._blocks.insert(before, self._cut_around(towards))
            before += 1
        start, _, borders = self._blocks[before - 1]
        return place - start in borders

    def _cut_around(self, inside: int) -> Block:
        text, start, end = self._text, inside, inside + 1
        if not OUTSIDE.match(text, inside):
            start = _block_start(text, inside)
            closing = OUTSIDE.search(text, end)
            end = closing.start() if closing else len(text)
        return start, end, _borders(self._cutter.cut(text[start:end]))


def _block_start(text: str, inside: int) -> int:
    """Where the block begins in which a character is: looked for from near to far, since blocks are short."""
    reach = SHORT
    while (floor := max(inside - reach, 0)) > 0:
        if before := LAST_OUTSIDE.match(text, floor, inside):
            return before.end()
        reach *= 8
    before = LAST_OUTSIDE.match(text, 0, inside)
    return before.end() if before else 0


def _borders(tokens: list[str]) -> frozenset[int]:
    """The places where a token begins or ends."""
    return frozenset(accumulate(map(len, tokens), initial=0))
