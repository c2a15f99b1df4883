"""A draft whose base has moved: what it changed is put onto the version in force, rule by rule, as far as nobody changed the same.

Three texts of each file meet: the base, ours (the draft's), theirs (the version in force's). A file is taken apart into its rules, by
id, its cases, and all else; what only one side changed is that side's. Of a rule that both changed, words that one side added or took
away are done to the other's text. What is left is a conflict, told in the words of the rules, and nothing is changed; where one side
is preferred, the words of the other are still taken along.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from service import prover, rulebook, ruletest
from service.db import Database
from service.engine import Engine
from service.prover import Proof
from service.rulebook import Mistake
from service.rulebook.edits import CannotEdit, Edit, apply
from service.rulebook.pieces import CASE, FIELD, HEAD, pieces
from service.rulelife.diff import Change, compare
from service.rulelife.draft import files_of
from service.rulelife.errors import MergeConflict
from service.rulelife.labels import SECTIONS
from service.ruletest import Report

WORDS = frozenset({"terms", "unless"})
VALUES = frozenset({"strength", "status"})
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Clash:
    """One thing that both sides changed, and what each did to it in words."""

    file: str
    what: str
    ours: str
    theirs: str


@dataclass(slots=True)
class Merged:
    """The files that come of it, and what could not be put together."""

    files: dict[str, str] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sides:
    """The three states of a pack."""

    base: Mapping[str, str]
    ours: Mapping[str, str]
    theirs: Mapping[str, str]


Prefer = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Way:
    """What is to be merged: the version from which a draft began, the one in force, and whose word counts where both changed the same."""

    base: int
    version: int
    prefer: Prefer | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What a pack was found to be after merging: nobody ever saw these files together before. No tests or proof where it has mistakes."""

    mistakes: list[Mistake]
    report: Report | None = None
    proof: Proof | None = None

    @property
    def sound(self) -> bool:
        return self.report is not None and self.report.passed and not (self.proof and self.proof.faults)


def joined(database: Database, pack: str, files: Mapping[str, str], way: Way) -> dict[str, str]:
    """The files of a draft with the version in force put under them; MergeConflict where both changed the same and nobody is preferred."""
    old, new = (files_of(database, pack, number) for number in (way.base, way.version))
    merged = merge(Sides(old, files, new), way.prefer)
    if merged.clashes and way.prefer is None:
        raise refused(merged.clashes, way)
    return merged.files


def examined(files: Mapping[str, str], *, prove: bool) -> Examined:
    """Check, test and prove. The proof takes longest, and may be left to later."""
    mistakes, ruleset = rulebook.examine(files)
    if ruleset is None:
        return Examined(mistakes)
    engine = Engine(ruleset)
    return Examined(mistakes, ruletest.run(engine, files), prover.prove(engine) if prove else None)


def merge(sides: Sides, prefer: Prefer | None = None) -> Merged:
    """Ours onto theirs; of what both changed, the one that is preferred (theirs without a word, but then the clashes tell)."""
    merged, told = Merged(), _Told(sides)
    for name in sorted({*sides.base, *sides.ours, *sides.theirs}):
        base, ours, theirs = (side.get(name) for side in (sides.base, sides.ours, sides.theirs))
        if ours in (base, theirs):
            chosen = theirs
        elif theirs == base:
            chosen = ours
        elif None in (base, ours, theirs):
            chosen = ours if prefer == "ours" else theirs
            merged.clashes.append(Clash(name, "整个文件", _fate(base, ours), _fate(base, theirs)))
        else:
            chosen = _file(name, (base or "", ours or "", theirs or ""), merged, told, prefer)
        if chosen is not None:
            merged.files[name] = chosen
    return merged


def _fate(base: str | None, side: str | None) -> str:
    return "删掉" if side is None else "新建" if base is None else "改过"


# One file -------------------------------------------------------------------------------------------------------------------------


def _file(name: str, texts: tuple[str, str, str], merged: Merged, told: "_Told", prefer: str | None) -> str:
    """The file that comes of three, theirs where it cannot be taken apart."""
    try:
        base, ours, theirs = (pieces(name, text) for text in texts)
    except CannotEdit:
        merged.clashes.append(Clash(name, "整个文件", "改过", "改过"))
        return texts[1] if prefer == "ours" else texts[2]
    found = dict(theirs)
    mend: list[Edit] = []
    for key in dict.fromkeys((*ours, *base)):
        old, mine, other = base.get(key), ours.get(key), theirs.get(key)
        if mine in (old, other):
            continue
        if other == old:
            _put(found, key, mine, list(ours))
        elif edits := told.edits(key):
            mend += edits
        else:
            merged.clashes.append(told.clash(name, key))
            if prefer == "ours":
                _put(found, key, mine, list(ours))
            mend += told.words(key, ours=prefer != "ours")
    whole = "".join(found.values())
    for edit in mend:
        try:
            whole = apply({name: whole}, edit)[name]
        except CannotEdit:
            merged.clashes.append(told.clash(name, edit.where))
    return whole


def _put(found: dict[str, str], key: str, text: str | None, order: list[str]) -> None:
    """One piece as ours has it: gone, in the place where it stands, or new behind what it follows in ours."""
    if text is None:
        found.pop(key, None)
    elif key in found:
        found[key] = text
    else:
        before = [known for known in order[: order.index(key)] if known in found]
        items = list(found.items())
        place = [known for known, _ in items].index(before[-1]) + 1 if before else 0
        if place and not items[place - 1][1].endswith("\n"):
            items[place - 1] = (items[place - 1][0], items[place - 1][1] + "\n")
        items.insert(place, (key, text))
        found.clear()
        found.update(items)


# In words -------------------------------------------------------------------------------------------------------------------------


class _Told:
    """What each side changed, in words of the rules, made when the first rule is asked for."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._changes: tuple[dict[str, list[Change]], dict[str, list[Change]]] | None = None

    def edits(self, key: str) -> list[Edit]:
        """Our changes of a rule as edits; none where they are not words or values that theirs left alone."""
        ours, theirs = (changes.get(key, []) for changes in self._both())
        touched = {change.field for change in theirs}
        edits: list[Edit] = []
        for change in ours:
            if change.field in WORDS and (change.added or change.removed):
                edits += _words(change)
            elif change.field in VALUES and change.field not in touched:
                edits.append(Edit(change.field, key, str(change.after)))  # type: ignore[arg-type]
            else:
                return []
        return edits

    def words(self, key: str, *, ours: bool) -> list[Edit]:
        """The words that one side added to a rule or took away, whatever else it changed."""
        changes = self._both()[0 if ours else 1].get(key, [])
        return [edit for change in changes if change.field in WORDS for edit in _words(change)]

    def clash(self, file: str, key: str) -> Clash:
        ours, theirs = ("；".join(change.text for change in changes.get(key, [])) for changes in self._both())
        return Clash(file, _what(key), ours or "改过", theirs or "改过")

    def _both(self) -> tuple[dict[str, list[Change]], dict[str, list[Change]]]:
        if self._changes is None:
            try:
                base, ours, theirs = (rulebook.restore(side, 0) for side in (self._sides.base, self._sides.ours, self._sides.theirs))
            except rulebook.PackError:  # a draft may have mistakes: then nobody can say it in words
                self._changes = {}, {}
            else:
                self._changes = _by_rule(compare(base, ours)), _by_rule(compare(base, theirs))
        return self._changes


def _words(change: Change) -> list[Edit]:
    added = [Edit(change.field, change.key, word) for word in change.added]  # type: ignore[arg-type]  # one of WORDS
    return added + [Edit(change.field, change.key, word, gone=True) for word in change.removed]  # type: ignore[arg-type]


def _what(key: str) -> str:
    """A piece, as an official calls it."""
    if key.startswith(CASE):
        return SECTIONS["cases"]
    if key.startswith((FIELD, HEAD)):
        return f"“{key.partition(':')[2]}” 一段" if key != HEAD else "文件开头"
    return f"{SECTIONS['rules']} {key}"


def _by_rule(changes: list[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        if change.section == "rules":
            found.setdefault(change.key, []).append(change)
    return found


def refused(clashes: list[Clash], way: Way) -> MergeConflict:
    """Nothing was put together: what both changed, in words."""
    lines = [f"{clash.file} 的{clash.what}：草稿{clash.ours}，第 {way.version} 版{clash.theirs}" for clash in clashes]
    more = f"；……共 {len(lines)} 处" if len(lines) > SHOWN else ""
    refusal = MergeConflict(
        f"从第 {way.base} 版以来，草稿和在用的第 {way.version} 版有 {len(lines)} 处改了同一个地方，没有合并，草稿没有变："
        f"{'；'.join(lines[:SHOWN])}{more}。请商定这些地方以草稿为准还是以在用的版本为准，再合并一次；其余各处两方的改动都会保留。"
    )
    refusal.members = {"conflicts": [asdict(clash) for clash in clashes]}
    return refusal
