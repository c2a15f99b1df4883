"""Jieba's own cut: for machines without a wheel of rjieba, and what tests hold the fast one against. Slow to load, too."""

from collections.abc import Iterable

import jieba

LEAST = 2
"""The least weight of a word that is added: what jieba and rjieba suggest for an unknown one differs by rounding, 1 or 2."""


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
