"""What is looked for in a case: the institution by register, name and address, as it sounds; and what the case tells. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson

from models.complaint import Complaint
from models.incidents import IncidentsFile
from models.ruleset import RuleSet
from service.engine import Engine
from service.engine.names import Ears
from service.engine.register import names_of
from service.incidents.likeness import bands
from service.store import CaseRow, Mark

SURE_BY_SOUND = 3
"""Names of so many characters are compared by their sound; shorter ones by their letters."""
BLANKS = re.compile(r"[\W_]+")
HOUSE = re.compile(r"\d+[号弄栋座室层]")
"""An address without a number is no place but a quarter."""

REGISTER, NAME, ADDRESS, MUTE, BAND, OUTSIDE = "register", "name", "address", "mute", "band", "outside"
"""Kinds of marks. MUTE marks a case that names no institution where it should; its text may. OUTSIDE is the name in a case that was
returned: it is looked for by people, and counts for no incident."""


@dataclass(frozen=True, slots=True)
class Traits:
    """A case as others are compared with it. `sound` is its text by ear; only a new one has its `bands`, which take longest to make."""

    case_id: str
    received_at: datetime
    institution: str
    register: str | None
    name: str | None
    address: str | None
    issues: frozenset[str]
    text: str
    sound: str
    words: frozenset[str]
    bands: tuple[str, ...] = ()

    def signs(self) -> list[tuple[str, str]]:
        """What tells the institution."""
        known = ((REGISTER, self.register), (NAME, self.name), (ADDRESS, self.address))
        return [(kind, mark) for kind, mark in known if mark is not None]

    def marks(self) -> Iterator[Mark]:
        """All by which others will find this case."""
        told = [*self.signs(), *((BAND, band) for band in self.bands)]
        if self.name is None:
            told.append((MUTE, ""))
        return (Mark(kind=kind, mark=mark, received_at=self.received_at, case_id=self.case_id) for kind, mark in told)

    def mentions(self, name: str) -> bool:
        """Whether the text of a case without a name holds this one."""
        return self.name is None and len(name) >= SURE_BY_SOUND and name in self.sound

    def is_about(self, other: "Traits") -> bool:
        """Whether both are about one institution."""
        if self.register and other.register:
            return self.register == other.register
        if self.name and other.name:
            return self.name == other.name
        told = (self.name and other.mentions(self.name)) or (other.name and self.mentions(other.name))
        return bool(told) or (self.address is not None and self.address == other.address)


class Kin:
    """Reads the traits of cases by one rule set."""

    def __init__(self, engine: Engine) -> None:
        self.ruleset: RuleSet = engine.ruleset
        self.file: IncidentsFile = engine.ruleset.incidents or IncidentsFile()
        self.weight = engine.plan.cutter.weight
        self._cut = engine.plan.cutter.cut
        self._names = names_of(engine.ruleset)
        self._ears = Ears(self.weight)
        self.heard: dict[str, str] = {}

    def traits(self, row: CaseRow) -> Traits:
        hit = orjson.loads(row.triage).get("register") or {}
        institution = hit.get("name") or row.institution
        reading = self._names.reader.read(Complaint(title=row.title, content=row.content))
        text = _closed_up(reading.text)
        return Traits(
            case_id=row.id,
            received_at=row.received_at,
            institution=institution,
            register=hit.get("id") or None,
            name=self.name_mark(institution) or self.name_mark(row.institution),
            address=self._address(row.address),
            issues=frozenset(orjson.loads(row.issues)),
            text=text,
            sound=self._ears.sound(text),
            words=frozenset(self._words(reading.text)),
        )

    def of_new(self, row: CaseRow) -> Traits:
        """The traits of a case that is to be marked."""
        traits = self.traits(row)
        return replace(traits, bands=bands(traits.text))

    def name_mark(self, institution: str) -> str | None:
        """What an institution alone is called, as it is marked; None of what is nobody's name, like 某英语培训班."""
        name = self._names.own(institution)
        return self._called(name) if name else None

    def of_outside(self, row: CaseRow) -> list[Mark]:
        """The mark of a case that was returned."""
        mark = self.name_mark(row.institution)
        return [Mark(kind=OUTSIDE, mark=mark, received_at=row.received_at, case_id=row.id)] if mark else []

    def sound(self, title: str, content: str) -> str:
        """How a text sounds."""
        return self._ears.sound(_closed_up(self._names.reader.read(Complaint(title=title, content=content)).text))

    def counts(self, traits: Traits) -> bool:
        """Whether a case is of those that an incident is made of."""
        wanted = self.file.opening.issues if self.file.opening else ()
        return not wanted or not traits.issues or not traits.issues.isdisjoint(wanted)

    @property
    def reach(self) -> timedelta:
        """How far apart two cases of one incident can be."""
        return timedelta(hours=self.file.opening.hours if self.file.opening else 0)

    def _called(self, name: str) -> str:
        return self._ears.sound(name) if len(name) >= SURE_BY_SOUND else name

    def _address(self, address: str) -> str | None:
        folded = BLANKS.sub("", self._names.whole(address))
        return folded[-60:] if HOUSE.search(folded) else None

    def _words(self, text: str) -> Iterator[str]:
        for block in BLANKS.split(text):
            yield from (word for word in self._cut(block) if len(word) > 1 or word.isdigit())


def signs_of(kin: Kin, institution: str, register: str | None) -> tuple[tuple[str, str], ...]:
    """The marks that cases of an institution bear, of which its entry in the register may be known."""
    mark = kin.name_mark(institution)
    named = [(NAME, mark), (OUTSIDE, mark)] if mark else []
    return (*named, *([(REGISTER, register)] if register else []))


def _closed_up(text: str) -> str:
    return BLANKS.sub("", text)
