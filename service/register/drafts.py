"""Rows of a file become drafts of institutions, checked against the rule set in force; every mistake is told with its place."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import fuzz, process

from models.register import RowFault
from models.ruleset import RuleSet
from service.engine.names import Names
from service.register.columns import HEADINGS, Table
from service.register.sheet import Line

SEPARATORS = re.compile(r"[;；、,，|\n]")
"""Between aliases."""
GUARD = re.compile(r"^'(?='*[=+\-@＝＋－＠\t\r])")
"""What an export puts before a cell that a table program would take for a formula."""
WRAPPED = re.compile(r"[^\S\n]*\n\s*")
"""Where a long cell was broken into lines."""
LONGEST = {"name": 200, "aliases": 2000, "licence": 100, "address": 500, "street": 100, "status": 40}
LONGEST_ALIAS = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A sound row: its line and the fields that the file gives; what the file has no column for is not in it."""

    line: int
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.given["name"])


@dataclass(slots=True)
class Drafts:
    """What the rows of a file are good for."""

    sound: list[Draft] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    status: str = ""
    """That of a new institution where the file has no such column."""
    misread: bool = False
    """Whether a column may be meant that was not read: then no row can be trusted."""


def read_drafts(table: Table, ruleset: RuleSet) -> Drafts:
    """Every row checked by itself, then against the others."""
    clerk = _Clerk(ruleset)
    drafts = Drafts(faults=list(table.faults), ignored=table.ignored, status=clerk.usual_status, misread=bool(table.faults))
    for line in table.lines:
        faults = _Faults(line, table)
        given = clerk.read(line, table, faults)
        drafts.faults += faults.found
        if not faults.found:
            drafts.sound.append(Draft(line.number, given))
    drafts.faults += _doubles(drafts.sound)
    wrong = {fault.line for fault in drafts.faults}
    drafts.sound = [draft for draft in drafts.sound if draft.line not in wrong]
    drafts.faults.sort(key=lambda fault: fault.line)
    return drafts


class _Faults:
    """Collects what is wrong with one line."""

    def __init__(self, line: Line, table: Table) -> None:
        self._line = line
        self._table = table
        self.found: list[RowFault] = []

    def add(self, field: str, detail: str, hint: str) -> None:
        self.found.append(RowFault(line=self._line.number, column=self._table.heading(field), detail=detail, hint=hint))


class _Clerk:
    """Knows the codes and names of the rule set."""

    def __init__(self, ruleset: RuleSet) -> None:
        head = ruleset.ruleset
        self._categories = {name: code for code, category in head.categories.items() for name in (code, category.name)}
        self._kinds = {code: f"{code}（{category.name}）" for code, category in head.categories.items()}
        self._lead = {code: category.department for code, category in head.categories.items()}
        self._departments = {name: unit.code for unit in ruleset.departments for name in (unit.code, unit.name, *unit.aliases)}
        self._names = {unit.code: unit.name for unit in ruleset.departments}
        self._statuses = tuple(head.register_points.statuses)

    @property
    def usual_status(self) -> str:
        """The first that the pack names."""
        return next(iter(self._statuses), "")

    def read(self, line: Line, table: Table, faults: _Faults) -> dict[str, Any]:
        """The fields of a line; what is wrong goes into `faults`."""
        cells = {field: _cell(line, place, field) for field, place in table.places.items()}
        self._check_sizes(cells, line, table, faults)
        given: dict[str, Any] = {name: cells[name] for name in ("name", "licence", "address", "street") if name in cells}
        if "aliases" in cells:
            given["aliases"] = self._aliases(cells["aliases"], cells["name"], faults)
        if "status" in cells:
            given["status"] = self._status(cells["status"], faults)
        if "category" in cells or "department" in cells:
            given |= self._charge(cells, faults)
        return given

    def _check_sizes(self, cells: Mapping[str, str], line: Line, table: Table, faults: _Faults) -> None:
        if not cells["name"]:
            faults.add("name", "没有名称", "请填登记的全称；不要这一行时请删去")
        elif len(cells["name"]) < 2:
            faults.add("name", f"“{cells['name']}”太短", "请填登记的全称")
        for name, most in LONGEST.items():
            if len(cells.get(name, "")) > most:
                faults.add(name, f"有 {len(cells[name])} 个字", f"不能超过 {most} 个字，请检查是否串了列")
        if any(line.cells[len(table.headings) :]):
            faults.add("", f"比表头多出 {len(line.cells) - len(table.headings)} 格", "请检查是否多了逗号；含逗号的文字要加双引号")

    def _aliases(self, cell: str, name: str, faults: _Faults) -> tuple[str, ...]:
        aliases = tuple(alias for alias in dict.fromkeys(part.strip() for part in SEPARATORS.split(cell)) if alias and alias != name)
        for alias in aliases:
            if len(alias) < 2:
                faults.add("aliases", f"别名“{alias}”只有一个字", "一个字无法辨认机构，请去掉")
            elif len(alias) > LONGEST_ALIAS:
                faults.add("aliases", f"别名“{alias[:20]}……”太长", "几个别名之间请用分号（；）隔开")
        return aliases

    def _status(self, cell: str, faults: _Faults) -> str:
        if not self._statuses or cell in self._statuses:
            return cell
        if not cell:
            return self.usual_status
        faults.add("status", f"没有“{_short(cell)}”这个状态", f"可以写：{'、'.join(self._statuses)}")
        return cell

    def _charge(self, cells: Mapping[str, str], faults: _Faults) -> dict[str, str | None]:
        """Category and department; the one that is left open follows from the other where it can."""
        category = self._code("category", cells.get("category", ""), self._categories, faults)
        department = self._code("department", cells.get("department", ""), self._departments, faults)
        lead = self._lead.get(category or "")
        if lead is not None and department is not None and department != lead:
            told = f"{self._names[department]}不是“{cells['category']}”的主管部门"
            faults.add("department", told, f"应为 {self._names[lead]}；或改类别")
        return {"category": category, "department": department or lead}

    def _code(self, field: str, cell: str, known: Mapping[str, str], faults: _Faults) -> str | None:
        if not cell or cell in known:
            return known.get(cell)
        guess = process.extractOne(cell, list(known), scorer=fuzz.ratio, score_cutoff=60)
        names = self._kinds.values() if field == "category" else self._names.values()
        hint = f"是不是“{guess[0]}”？" if guess else f"可以写：{'、'.join(names)}"
        faults.add(field, f"没有“{_short(cell)}”这个{HEADINGS[field]}", hint)
        return None


def _cell(line: Line, place: int, field: str) -> str:
    cell = GUARD.sub("", line.cells[place] if place < len(line.cells) else "")
    return cell if field == "aliases" else WRAPPED.sub("", cell)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "……"


# Against one another --------------------------------------------------------------------------------------------------------------


def _doubles(drafts: Iterable[Draft]) -> Iterator[RowFault]:
    """Names, aliases and licence numbers that stand twice in the file; each is told at its second place."""
    names = Names()
    first: dict[tuple[str, str], Draft] = {}
    for draft in drafts:
        for sort, column, text in written(draft.given, names):
            other = first.setdefault((sort, text), draft)
            if other is not draft:
                yield doubled(draft.line, column, f"第 {other.line} 行“{other.name}”", text, sort)


def written(given: Mapping[str, Any], names: Names) -> Iterator[tuple[str, str, str]]:
    """What must be one institution's alone: the sort, the column, the text as it is compared."""
    yield "name", "name", names.whole(given["name"])
    own = {names.whole(given["name"])}
    for alias in given.get("aliases", ()):
        text = names.whole(alias)
        if text not in own:
            own.add(text)
            yield "name", "aliases", text
    if given.get("licence"):
        yield "licence", "licence", names.whole(given["licence"])


def doubled(line: int, column: str, owner: str, text: str, sort: str) -> RowFault:
    """A mistake: this is another's already."""
    what = "许可证号" if sort == "licence" else "名称或别名"
    hint = "请核对许可证号" if sort == "licence" else "同一家机构请合并为一行；两家机构请去掉其中一家的这个别名"
    return RowFault(line=line, column=HEADINGS[column], detail=f"“{_short(text)}”已是{owner}的{what}", hint=hint)
