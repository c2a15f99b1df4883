"""The gate: which texts are read further. Most of what a hotline hears has no word of training in it, and need not even be folded."""

from collections.abc import Iterable, Mapping
from itertools import groupby, product

from daachorse import CharwiseDoubleArrayAhoCorasick

from models.complaint import Complaint

from .text import Reader, Reading, letter_cases

PIECE = 3
"""So many characters of a word with Latin letters are looked for, in every mixture of cases."""


class Gate:
    """Opens to a text that holds one of these words once it is folded, or of whose complaint more is known than its text.

    Folding costs as much as looking: a text as it was sent is looked through for signs, without one of which no word can come of folding.
    """

    def __init__(self, words: Iterable[str], reader: Reader) -> None:
        self._reader = reader
        sought = _least(words)
        cases = letter_cases()
        plain = frozenset(word for word in sought if cases.keys().isdisjoint(word))
        signs = _least({*plain, *(sign for word in sought for sign in _signs(word, cases)), *reader.moving})
        self._words = CharwiseDoubleArrayAhoCorasick(sought)
        self._signs = CharwiseDoubleArrayAhoCorasick(signs)
        self._plain = frozenset(number for number, sign in enumerate(signs) if sign in plain)

    def let_in(self, complaint: Complaint) -> Reading | None:
        """The reading of a complaint but for the aliases; None where it is not to be read further."""
        if complaint.institution or complaint.asserted_scope or complaint.register or complaint.answers:
            return self._reader.glance(complaint)
        try:
            signs = self._signs.find(f"{complaint.title}\n{complaint.content}" if complaint.title else complaint.content)
        except UnicodeEncodeError:  # half a character stands in it
            return self._folded(complaint)
        if not signs:
            return None
        sure = self._plain.issuperset([sign for _, _, sign in signs])
        return self._reader.glance(complaint) if sure else self._folded(complaint)

    def _folded(self, complaint: Complaint) -> Reading | None:
        reading = self._reader.glance(complaint)
        return reading if self._words.find(reading.text) else None


def _signs(word: str, cases: Mapping[str, str]) -> list[str]:
    """Of which one stands in a text that holds the word in whatever cases."""
    first = next((place for place, char in enumerate(word) if char in cases), None)
    if first is None:
        return [word]
    start = min(first, max(len(word) - PIECE, 0))
    return ["".join(chars) for chars in product(*(cases.get(char, char) for char in word[start : start + PIECE]))]


def _least(words: Iterable[str]) -> list[str]:
    """The words that hold no other of them: where any one stands, one of these does. A short list is looked for faster."""
    kept: list[str] = []
    for _, alike in groupby(sorted(words, key=len), key=len):
        shorter = CharwiseDoubleArrayAhoCorasick(kept) if kept else None
        kept += [word for word in alike if shorter is None or not shorter.find(word)]
    return kept
