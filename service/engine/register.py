"""Which institution of the register (名录) a complaint names: in the field for it, or in the text, also where it was misheard."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from daachorse import CharwiseDoubleArrayAhoCorasick
from rapidfuzz import fuzz

from models.complaint import ABSENT, Complaint, RegisterHit
from models.register import Institution
from models.ruleset import RuleSet

from .names import Ears, Names, brand
from .terms import PROGRAM, word_lists
from .text import LONGEST_QUOTE, Reader, Reading
from .tokens import Borders, Cutter, cutter

LONG = 4
"""A name of so many characters stands in a text by intent; a shorter one must be cut from its neighbours by jieba, too."""
LIKE = 85
"""How like, in percent, a long name must be that differs only in words which many names share."""
OTHERS = re.compile(
    r"小区|社区|公园|广场|花园|家园|公寓|大厦|大楼|号楼|村|路(?!上|演)|街(?!舞)|道(?![歉理具馆])|桥|小学|中学|大学(?!生)|幼儿园|医院|诊所|"
    r"超市|饭店|酒店|药店|地铁|[0-9一二三四五六七八九十]+(?:号楼|栋|号院|单元)|附近|旁|对面|对过|隔壁|楼上|楼下|后身|周边|一带"
)
"""After a name: it is a place's name, another house's, or only says where something is."""
NOT = re.compile(r"(?:[新小大]|不是|并非|不叫|而非|邻近|临近|靠近|毗邻|紧邻|挨着)$")
"""Before a name: part of a longer one, denied, or only a landmark."""
BEFORE = 2
"""The length of the longest of these."""
FUZZY = "fuzzy"
SURE, BARE, CORE, MISHEARD = 100, 98, 95, 90
"""How sure a match is: by the whole name or an alias, without place and legal form, without the kind of house, by ear."""


@dataclass(frozen=True, slots=True)
class Key:
    """One way of writing an institution's name. The first `own` characters are its alone; `score` is how sure a match by it is."""

    text: str
    row: Institution
    how: str
    score: int
    own: int
    telling: int


@dataclass(frozen=True, slots=True)
class Span:
    """A name that stands in a reading."""

    start: int
    end: int
    key: Key


class Finder:
    """Finds the ways of writing, or of sounding, wherever they stand in a text."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        patterns = sorted(keys)
        self._keys = tuple(keys[pattern] for pattern in patterns)
        self._automaton = CharwiseDoubleArrayAhoCorasick(patterns) if patterns else None

    def find(self, text: str) -> list[Span]:
        """All of them, also those that overlap."""
        if self._automaton is None:
            return []
        return [Span(start, end, self._keys[number]) for start, end, number in self._automaton.find_overlapping(text)]


class Register:
    """The institutions, made ready for looking up. Never changed, safe to share between threads; the same complaint finds the same."""

    def __init__(self, rows: Iterable[Institution], names: Names, cut: Cutter) -> None:
        self.rows = tuple(rows)
        self._names = names
        self._cutter = cut
        self._ears = Ears(cut.weight)
        self._written = _unambiguous((key.text, key) for row in self.rows for key in _ways(row, names))
        self._heard = _unambiguous((self._ears.sound(text), key) for text, key in self._written.items())
        self._alike: dict[str, list[Key]] = {}
        for text, key in self._written.items():
            self._alike.setdefault(text[:2], []).append(key)
        standing = {text: key for text, key in self._written.items() if _stands_alone(key, cut)}
        self._finder = Finder(self._misheard_ways(standing) | standing)

    @classmethod
    def of(cls, rows: Iterable[Institution], ruleset: RuleSet | None = None, cut: Cutter | None = None) -> "Register":
        """Compile. Places, programs and quoted blocks come from the rule set; the cutter of an engine may be shared."""
        return cls(rows, names_of(ruleset), cut or cutter(frozenset()))

    def look_up(self, complaint: Complaint) -> Complaint:
        """The complaint, with what the register knows of the institution that it names."""
        hit = self.find(complaint)
        return replace(complaint, register=hit) if hit else complaint

    def find(self, complaint: Complaint) -> RegisterHit | None:
        """The institution that a complaint names, in the field for it before all; a hit, too, that says that the field's is not listed."""
        if not self.rows:
            return None
        named = complaint.institution.strip()
        if named and (key := self._called(named)):
            return _in_field(key, complaint)
        reading = self._names.reader.read(complaint)
        spans = self._spans(reading.text, complaint.street)
        inside = bool(spans) and spans[0].end < reading.title_at
        if named and not inside and (key := self._misheard(named, complaint.street) or self._mistyped(named)):
            return _in_field(key, complaint)
        if named and not inside and self._names.is_proper(named):
            # If the text tells of the one in the field, then whoever else it names is not the one meant.
            told = self._names.core(named)[:LONG] in reading.text[reading.title_at :]
            return _in_text(spans[0], reading) if spans and not told else _absent(complaint)
        return _in_text(spans[0], reading) if spans else None

    # In the field ----------------------------------------------------------------------------------------------------------------

    def _called(self, name: str) -> Key | None:
        """The one whose name this is, in one of the ways of writing it."""
        names = self._names
        ways = (names.whole, names.plain, names.bare, names.core)
        return next((key for way in ways if (key := self._written.get(way(name)))), None)

    def _misheard(self, name: str, street: str) -> Key | None:
        """The one whose name sounds like this."""
        for written in (self._names.plain(name), self._names.bare(name)):
            key = self._heard.get(self._ears.sound(written))
            if key is not None and self._is_slip(written, key, street):
                return replace(key, how=FUZZY, score=round(fuzz.ratio(written, key.text)))
        return None

    def _is_slip(self, written: str, key: Key, street: str) -> bool:
        """Whether the characters that differ can be slips. Those of words that many names share are not looked at."""
        slips = [(one, meant) for one, meant in zip(written[: key.own], key.text, strict=False) if one != meant]
        return all(one in self._ears.instead(meant) for one, meant in slips) and _agrees(len(slips), key, street)

    def _mistyped(self, name: str) -> Key | None:
        """The only one of whom this is a long name with a slip behind what is its own."""
        written = self._names.bare(name)
        found: dict[str, Key] = {}
        for key in self._alike.get(written[:2], ()):
            score = fuzz.ratio(written, key.text, score_cutoff=LIKE)
            if score and min(len(written), len(key.text)) > LONG and self._same_own(written, key):
                found.setdefault(key.row.id, replace(key, how=FUZZY, score=round(score)))
        return next(iter(found.values())) if len(found) == 1 else None

    def _same_own(self, written: str, key: Key) -> bool:
        """Whether the parts of a name that tell it from others are the same: what is its own, and what it teaches."""
        return written[: key.own] == key.text[: key.own] and self._names.taught(written) == self._names.taught(key.text)

    # In the text -----------------------------------------------------------------------------------------------------------------

    def _misheard_ways(self, standing: Mapping[str, Key]) -> dict[str, Key]:
        """Each name with each slip that it could have; a longer name of which the shorter is a part is found by that one."""
        ways: list[tuple[str, Key]] = []
        for text, key in standing.items():
            if len(text) > 2 and not any(len(part) > 2 and part in standing for part in _parts(text)):
                slip = replace(key, how=FUZZY, score=MISHEARD)
                ways += [(way, slip) for way in self._slips(text, key.own) if self._is_odd(way)]
        return _unambiguous(ways)

    def _slips(self, text: str, own: int) -> Iterator[str]:
        for place in range(own):
            for other in self._ears.instead(text[place]):
                yield text[:place] + other + text[place + 1 :]

    def _is_odd(self, text: str) -> bool:
        """Whether a text holds this by a slip only: not if it is short and has a word in it that people use."""
        return len(text) >= LONG or len(self._cutter.cut(text)) == len(text)

    def _spans(self, text: str, street: str) -> list[Span]:
        """Where names stand, in order, of two that begin alike the longer first; those with a slip only where there are no others."""
        found = self._finder.find(text)
        if not found:
            return []
        borders = Borders(self._cutter, text)
        right = [span for span in found if span.key.how != FUZZY and self._is_meant(span, text, borders)]
        if not right:
            right = [span for span in found if _agrees(1, span.key, street) and self._is_meant(span, text, borders)]
        return sorted(right, key=lambda span: (span.start, -span.end))

    def _is_meant(self, span: Span, text: str, borders: Borders) -> bool:
        """Whether the name means the institution: no landmark, no part of a longer name, and where short, no accident."""
        start, end, key = span.start, span.end, span.key
        if NOT.search(text, max(start - BEFORE, 0), start) or OTHERS.match(text, end):
            return False
        if len(key.text) >= LONG:
            return True
        cut_out = borders.at(start, start) and borders.at(end, end - 1)
        return cut_out and (len(key.text) > 2 or not self._ears.is_common(key.text) or self._names.goes_on(text, end))


def field_only(rows: Iterable[Institution], ruleset: RuleSet, cut: Cutter) -> Iterator[tuple[Institution, str]]:
    """The aliases that are looked for in the institution's field alone: words that people use, or that thousands of names share."""
    names = names_of(ruleset)
    for row in rows:
        keys = {key.text: key for key in _ways(row, names) if key.score == SURE}
        yield from ((row, alias) for alias in row.aliases if (key := keys.get(names.whole(alias))) and not _stands_alone(key, cut))


# The ways of writing a name -------------------------------------------------------------------------------------------------------


def names_of(ruleset: RuleSet | None) -> Names:
    if ruleset is None:
        return Names()
    head = ruleset.ruleset
    programs = word_lists(ruleset.rules, ruleset.lists).get(PROGRAM, ())
    return Names((*head.district, *head.register_points.places), programs, Reader({}, head.quoted))


def _ways(row: Institution, names: Names) -> Iterator[Key]:
    """Every way, the surest first."""
    all_names = (row.name, *row.aliases)
    bare = [names.bare(name) for name in all_names]
    own = _own(bare, names)
    ways = [
        ("exact", SURE, [names.whole(row.name)]),
        ("alias", SURE, [names.whole(alias) for alias in row.aliases]),
        ("alias", BARE, [*map(names.plain, all_names), *bare]),
        ("alias", CORE, [names.core(name) for name in all_names]),
    ]
    for how, score, texts in ways:
        for text in texts:
            telling = len(names.telling(text))
            if len(text) > 1 and (telling > 1 or score == SURE):
                yield Key(text, row, how, score, len(own) if text.startswith(own) else len(text), telling)


def _stands_alone(key: Key, cut: Cutter) -> bool:
    """Whether a text that holds these characters means this institution: not if they are a word that people use anyway."""
    sure = key.score == SURE or (key.score == BARE and len(key.text) >= LONG)
    return sure and key.telling > 1 and len(cut.cut(key.text)) > 1


def _own(bare: list[str], names: Names) -> str:
    """What an institution is called before all that others are called, too."""
    common = brand(bare[0], bare[1:])
    telling = names.telling(common)
    return telling if len(telling) > 1 and common.startswith(telling) else common


def _unambiguous(named: Iterable[tuple[str, Key]]) -> dict[str, Key]:
    """The surest key for each text; none where two institutions have an equal right to it."""
    found: dict[str, Key] = {}
    disputed: set[tuple[str, int]] = set()
    for text, key in sorted(named, key=lambda item: -item[1].score):
        first = found.setdefault(text, key)
        if first.row.id != key.row.id and first.score == key.score:
            disputed.add((text, key.score))
    return {text: key for text, key in found.items() if (text, key.score) not in disputed}


def _parts(text: str) -> Iterator[str]:
    """Everything that stands in a text, but not the text itself."""
    return (text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1) if end - start < len(text))


def _agrees(slips: int, key: Key, street: str) -> bool:
    """Whether so many slips are to be believed: the street must not differ, and must agree for more than one, or in a short name."""
    if slips and street and key.row.street:
        return street == key.row.street
    return slips == 0 or (slips == 1 and key.telling > 2)


# What is answered -----------------------------------------------------------------------------------------------------------------


def _in_field(key: Key, complaint: Complaint) -> RegisterHit:
    quote = complaint.institution[:LONGEST_QUOTE]
    return _hit(key, "institution", 0, len(quote), quote)


def _in_text(span: Span, reading: Reading) -> RegisterHit:
    return _hit(span.key, *reading.place(span.start, span.end))


def _hit(key: Key, field: str, start: int, end: int, quote: str) -> RegisterHit:
    row = key.row
    place = {"field": field, "start": start, "end": end, "quote": quote}
    licence = {"id": row.id, "category": row.category, "department": row.department, "licence": row.licence, "status": row.status}
    return RegisterHit(name=row.name, how=key.how, score=key.score, **place, **licence)  # type: ignore[arg-type]


def _absent(complaint: Complaint) -> RegisterHit:
    quote = complaint.institution[:LONGEST_QUOTE]
    return RegisterHit(quote.strip(), None, "", ABSENT, 0, quote, "institution", 0, len(quote))
