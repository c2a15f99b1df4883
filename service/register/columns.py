"""The columns of a register file: found by their names, in any order; those that are not known are told."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from models.register import RowFault
from service.register.sheet import Line

NAMES = {
    "name": ("名称", "机构名称", "单位名称", "培训机构名称"),
    "aliases": ("简称/别名", "简称", "别名", "简称别名", "简称、别名"),
    "category": ("类别", "机构类别", "培训类别"),
    "department": ("主管部门", "主管单位", "业务主管部门"),
    "licence": ("办学许可证号", "许可证号", "许可证编号", "办学许可证编号"),
    "address": ("地址", "办学地址", "机构地址"),
    "street": ("街道", "镇街", "街镇", "所属街道", "所属镇街"),
    "status": ("状态", "办学状态", "机构状态", "许可状态"),
}
"""For each field what its column may be called; the first is the name we write."""
FIELDS = {spelling: field for field, spellings in NAMES.items() for spelling in spellings}
HEADINGS = {field: spellings[0] for field, spellings in NAMES.items()}
SEARCHED = 20
"""Lines among which the heading is looked for: above it may stand a title."""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with its heading understood: the place of each field, the lines below, what is wrong and what is not read."""

    places: dict[str, int]
    headings: tuple[str, ...]
    lines: Sequence[Line]
    faults: tuple[RowFault, ...]
    ignored: tuple[str, ...]

    def heading(self, field: str) -> str:
        """What the file calls a field; nothing for what belongs to the whole line."""
        return self.headings[self.places[field]] if field in self.places else HEADINGS.get(field, "")


def find_table(sheets: Sequence[Sequence[Line]]) -> Table | None:
    """The first table that has a column of names, on any sheet."""
    for lines in sheets:
        for number, line in enumerate(lines[:SEARCHED]):
            if any(FIELDS.get(_heading(cell)) == "name" for cell in line.cells):
                return _table(line, lines[number + 1 :])
    return None


def _table(head: Line, lines: Sequence[Line]) -> Table:
    places: dict[str, int] = {}
    faults: list[RowFault] = []
    unknown: list[str] = []
    for place, cell in enumerate(head.cells):
        field = FIELDS.get(_heading(cell))
        if field is None:
            unknown += [cell] if cell else []
        elif field in places:
            faults.append(_fault(head, cell, f"这一列与“{head.cells[places[field]]}”一列都是{HEADINGS[field]}", "请去掉一列"))
        else:
            places[field] = place
    slips = [(cell, meant) for cell in unknown if (meant := _meant(cell, places))]
    faults += [_fault(head, cell, "没有这一列", f"是不是“{meant}”？请改列名；不要这一列时请删去") for cell, meant in slips]
    return Table(places, head.cells, lines, tuple(faults), tuple(unknown))


def _heading(cell: str) -> str:
    return "".join(cell.split()).replace("／", "/").lstrip("*＊")


def _meant(cell: str, places: dict[str, int]) -> str | None:
    """The column that is missing and is called nearly like this one."""
    near = (spelling for spelling, field in FIELDS.items() if field not in places and Levenshtein.distance(spelling, _heading(cell)) == 1)
    return next(near, None) if len(_heading(cell)) > 1 else None


def _fault(line: Line, column: str, detail: str, hint: str) -> RowFault:
    return RowFault(line=line.number, column=column, detail=detail, hint=hint)
