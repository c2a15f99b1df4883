"""Token borders: where jieba cuts, with the words of the pack in its dictionary. Cut only where a hit asks."""

import re
from collections.abc import Iterable

import rjieba

OUTSIDE = re.compile(r"[^\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]")
"""What ends a block: jieba cuts each run of these characters by itself, so a block alone gives the same borders as the whole text."""


class Tokenizer:
    """jieba's dictionary and the pack's words; HMM off, so that only known words are joined and the cut can be explained."""

    def __init__(self, words: Iterable[str]) -> None:
        self._jieba = rjieba.Jieba()
        for word in words:
            self._jieba.add_word(word, self._jieba.suggest_freq(word), "n")

    def cut(self, text: str) -> list[str]:
        """The tokens of a text."""
        return list(self._jieba.cut(text, False))

    def borders(self, block: str) -> frozenset[int]:
        """The places in a block where a token begins or ends."""
        places, at = {0}, 0
        for token in self._jieba.cut(block, False):
            at += len(token)
            places.add(at)
        return frozenset(places)


class Borders:
    """The token borders of one text, block by block as they are asked for."""

    __slots__ = ("_blocks", "_text", "_tokenizer")

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self._tokenizer = tokenizer
        self._text = text
        self._blocks: list[tuple[int, int, frozenset[int]]] = []

    def at(self, place: int, towards: int) -> bool:
        """Whether a token begins or ends at `place`; `towards` is the place of a character inside the block that is meant."""
        for start, end, borders in self._blocks:
            if start <= towards < end:
                return place - start in borders
        return self._cut_around(place, towards)

    def _cut_around(self, place: int, inside: int) -> bool:
        text, start = self._text, inside
        while start > 0 and not OUTSIDE.match(text, start - 1):
            start -= 1
        closing = OUTSIDE.search(text, inside)
        end = max(closing.start() if closing else len(text), inside + 1)
        borders = self._tokenizer.borders(text[start:end])
        self._blocks.append((start, end, borders))
        return place - start in borders
