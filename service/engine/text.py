"""Reading a complaint: one folded text to search, and the way back from each of its places to the original words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import opencc
from daachorse import MATCH_KIND_LEFTMOST_LONGEST, CharwiseDoubleArrayAhoCorasick

from models.complaint import Complaint

INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufe0e\ufe0f\ufeff"
)
SEPARATOR = "\n"
FIELDS = ("institution", "title", "content")
LONGEST_QUOTE = 60
"""The most characters that a quote shows: blanks without width can stretch two characters over a whole letter."""


@cache
def _folding() -> dict[int, str]:
    """Single characters that read the same: full width letters, traditional forms (OpenCC's table, one by one)."""
    table = {code: chr(code - 0xFEE0).lower() for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
    table |= {0x3000: " ", 0xFF0B: "+", 0xFF03: "#"}
    table |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # half a character: the automaton takes whole ones only
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    plain = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    return table | {ord(old): new for old, new in zip(han, plain, strict=True) if old != new and len(new) == 1}


@cache
def letter_cases() -> dict[str, str]:
    """Every letter that others become in lower case, with these: k -> kK and the sign of Kelvin."""
    cases: dict[str, str] = {}
    for char in map(chr, range(0x1F000)):
        if (low := char.lower()) != char and len(low) == 1:
            cases[low] = cases.get(low, low) + char
    return cases


@dataclass(frozen=True, slots=True)
class Reading:
    """The folded text of a complaint: institution, title and content, a line break between them.

    `starts[i]` and `ends[i]` are the places in the unfolded text that folded character i came from; None where folding moved nothing.
    """

    text: str
    original: str
    title_at: int
    content_at: int
    starts: Sequence[int] | None
    ends: Sequence[int] | None
    quoted: tuple[str, ...]

    def place(self, start: int, end: int) -> tuple[str, int, int, str]:
        """Field, start and end in that field's original text, and the words there, for folded places start..end."""
        if self.starts is not None and self.ends is not None:
            start, end = self.starts[start], self.ends[end - 1]
        end = min(end, start + LONGEST_QUOTE)
        quote = self.original[start:end]
        if start >= self.content_at:
            return "content", start - self.content_at, end - self.content_at, quote
        if start >= self.title_at:
            return "title", start - self.title_at, end - self.title_at, quote
        return "institution", start, end, quote


class Reader:
    """Folds complaints. Holds the tables, so that they are made once for a rule set."""

    def __init__(self, aliases: Mapping[str, str], openers: Iterable[str]) -> None:
        self._table = _folding()
        self._foldable = re.compile("[" + re.escape("".join(map(chr, sorted(self._table)))) + INVISIBLE + "]")
        self._invisible = re.compile("[" + INVISIBLE + "]")
        self._plain = {chr(code): char for code, char in self._table.items()} | {char: char for char in INVISIBLE}
        self._aliases = {self._fold(alias): self._fold(meaning) for alias, meaning in aliases.items()}
        self._alias_words = sorted(self._aliases)
        self._alias_finder = CharwiseDoubleArrayAhoCorasick(self._alias_words, MATCH_KIND_LEFTMOST_LONGEST) if self._aliases else None
        folded = sorted(self._fold(opener) for opener in openers)
        self._opener = re.compile("【[^【】]{0,12}(?:" + "|".join(map(re.escape, folded)) + ")") if folded else None

    def _fold(self, text: str) -> str:
        return self._invisible.sub("", _lower(text).translate(self._table))

    def fold(self, text: str) -> str:
        """A term as it is searched for."""
        return self._fold(text)

    def fold_all(self, words: Sequence[str]) -> list[str]:
        """Many terms as `fold` gives them one by one, but in one go."""
        text = SEPARATOR.join(words)
        folded = self._fold(text).split(SEPARATOR)
        plain = len(folded) == len(words) and len(text.lower()) == len(text)
        return folded if plain else [self._fold(word) for word in words]

    @property
    def alias_words(self) -> tuple[str, ...]:
        """The aliases, folded: what `read` writes out and `glance` does not."""
        return tuple(self._alias_words)

    def read(self, complaint: Complaint) -> Reading:
        """The reading of a complaint: quoted old orders blanked out, every character folded, aliases written as what they mean."""
        return self.written_out(self.glance(complaint))

    @property
    def moving(self) -> frozenset[str]:
        """The whole characters without any of which folding changes nothing in a text but the case of its letters."""
        return frozenset(char for char in (*self._plain, "【") if not _is_half(char))

    def glance(self, complaint: Complaint) -> Reading:
        """The reading of a complaint but for the aliases."""
        fields = (complaint.institution, complaint.title, complaint.content)
        title_at = len(complaint.institution) + 1
        content_at = title_at + len(complaint.title) + 1
        text = original = SEPARATOR.join(fields)
        quoted: tuple[str, ...] = ()
        if self._opener is not None and "【" in text:
            text, quoted = self._without_quotes(fields)
        starts: list[int] | None = None
        ends: list[int] | None = None
        text = _lower(text)
        if self._foldable.search(text):
            text = self._foldable.sub(lambda found: self._plain[found[0]], text)  # few: quicker than translating all
            if self._invisible.search(text):
                starts = [place for place, char in enumerate(text) if char not in INVISIBLE]
                ends = [place + 1 for place in starts]
                text = self._invisible.sub("", text)
        return Reading(text, original, title_at, content_at, starts, ends, quoted)

    def written_out(self, reading: Reading) -> Reading:
        """The reading with each alias replaced by its meaning; every new character points at the whole alias."""
        text = reading.text
        found = self._alias_finder.find(text) if self._alias_finder is not None else ()
        if not found:
            return reading
        old_starts = reading.starts if reading.starts is not None else list(range(len(text)))
        old_ends = reading.ends if reading.ends is not None else list(range(1, len(text) + 1))
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, alias in found:
            meaning = self._aliases[self._alias_words[alias]]
            pieces += [text[done:start], meaning]
            starts += [*old_starts[done:start], *[old_starts[start]] * len(meaning)]
            ends += [*old_ends[done:start], *[old_ends[end - 1]] * len(meaning)]
            done = end
        pieces.append(text[done:])
        return replace(reading, text="".join(pieces), starts=[*starts, *old_starts[done:]], ends=[*ends, *old_ends[done:]])

    def _without_quotes(self, fields: Iterable[str]) -> tuple[str, tuple[str, ...]]:
        """Blank out blocks that quote an old order, so that its words do not decide this one; lengths stay."""
        quoted: list[str] = []
        kept: list[str] = []
        for field in fields:
            pieces, done = [], 0
            for start, end in self._quotes(field):
                pieces += [field[done:start], " " * (end - start)]
                quoted.append(field[start:end])
                done = end
            kept.append("".join([*pieces, field[done:]]))
        return SEPARATOR.join(kept), tuple(quoted)

    def _quotes(self, field: str) -> Iterator[tuple[int, int]]:
        """Start and end of each block that quotes an old order. One that is never closed, as in a title cut short, ends with its field."""
        folded = _lower(field).translate(self._table)
        end = 0
        while self._opener is not None and (opened := self._opener.search(folded, end)):
            end = _closing(folded, opened.start())
            yield opened.start(), end


def _lower(text: str) -> str:
    """Lower case, place for place: the few letters that grow when lowered (İ) stay as they are."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _is_half(char: str) -> bool:
    """Whether this is half a character, which the automaton does not take."""
    return "\ud800" <= char <= "\udfff"


def _closing(text: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`; the end of the text where none does."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "【") - (text[place] == "】")
        if depth == 0:
            return place + 1
    return len(text)
