"""Token borders: where jieba cuts, with the words of the pack in its dictionary. Cut only where a hit asks."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Protocol

import jieba

try:
    from rjieba import Jieba as Rjieba
except ImportError:  # no wheel for this machine: jieba itself gives the same cut, slower
    Rjieba = None  # type: ignore[assignment, misc]  # stands for "not there"

OUTSIDE = re.compile(r"[^\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]")
"""What ends a block: jieba cuts each run of these characters by itself, so a block alone gives the same borders as the whole text."""

LEAST = 2
"""The least weight of a word that is added: what jieba and rjieba suggest for an unknown one differs by rounding, 1 or 2."""


class Cutter(Protocol):
    """Cuts a block of text into jieba's tokens, HMM off: only known words are joined, so that the cut can be explained."""

    def cut(self, block: str) -> list[str]:
        """The tokens of a block, in order; joined they are the block."""
        ...

    def weight(self, character: str) -> int:
        """How often people write a character: larger is more often."""
        ...


class Jieba:
    """jieba's own cut, by an own tokenizer, so that words added here do not leak into others."""

    def __init__(self, words: Iterable[str]) -> None:
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.initialize()
        self._tokenizer.total = sum(self._tokenizer.FREQ.values())  # jieba counts a word twice that stands in its dictionary twice
        for word in words:
            self._add(word)

    def _add(self, word: str) -> None:
        """Make the cut know a word. One that it knows and keeps whole stays as it is."""
        known = self._tokenizer.FREQ.get(word, 0)
        if known and self.cut(word) == [word]:
            return
        self._tokenizer.add_word(word, max(self._tokenizer.suggest_freq(word), LEAST))
        self._tokenizer.total -= known  # nor does the old weight stay in the sum

    def cut(self, block: str) -> list[str]:
        """The tokens of a block."""
        return list(self._tokenizer.cut(block, HMM=False))

    def weight(self, character: str) -> int:
        """The dictionary's own count."""
        return int(self._tokenizer.suggest_freq(character))


class FastJieba:
    """The same cut by rjieba, twenty times faster; tests hold the two equal."""

    def __init__(self, words: Iterable[str]) -> None:
        self._tokenizer = Rjieba()
        for word in words:
            if not (self._tokenizer.has_word(word) and self.cut(word) == [word]):
                self._tokenizer.add_word(word, max(self._tokenizer.suggest_freq(word), LEAST), "")

    def cut(self, block: str) -> list[str]:
        """The tokens of a block."""
        return list(self._tokenizer.cut(block, hmm=False))

    def weight(self, character: str) -> int:
        """The dictionary's own count."""
        return int(self._tokenizer.suggest_freq(character))


@lru_cache(maxsize=2)
def cutter(words: frozenset[str]) -> Cutter:
    """The fastest cutter that this machine has, knowing these words besides jieba's own.

    Versions of a pack mostly share their words, and a dictionary is large: the last two are kept, and nothing changes them.
    """
    return Jieba(sorted(words)) if Rjieba is None else FastJieba(sorted(words))


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
            while start > 0 and not OUTSIDE.match(text, start - 1):
                start -= 1
            closing = OUTSIDE.search(text, end)
            end = closing.start() if closing else len(text)
        return start, end, _borders(self._cutter.cut(text[start:end]))


def _borders(tokens: list[str]) -> frozenset[int]:
    """The places where a token begins or ends."""
    places, at = [0], 0
    for token in tokens:
        at += len(token)
        places.append(at)
    return frozenset(places)
