"""Sense: settings and cases that are sound value by value and still make none together."""

from collections.abc import Iterator

from models.clocks import CalendarFile
from models.ruleset import ScopeCode, Strength
from service.rulebook.mistakes import Loc
from service.rulebook.nodes import Node
from service.rulebook.pack import Pack
from service.rulebook.references import sheets_of
from service.rulebook.sheet import Sheet
from service.rulebook.wording import shortened

INPUTS = frozenset({"text", "title", "institution", "address", "asserted_scope", "each", "why"})
"""What a case says about the complaint; everything else is an expectation."""


def check_sense(pack: Pack) -> None:
    """Note what is missing in ruleset.yaml for the rules there are, and cases that test nothing."""
    for sheet in sheets_of(pack, "ruleset.yaml"):
        _check_points(sheet)
        _check_returns(sheet, pack)
    for sheet in pack.sheets.values():
        if sheet.kind.model is CalendarFile:
            _check_year(sheet)
    seen: dict[tuple[str, ...], str] = {}
    for sheet in pack.cases():
        for loc, case in sheet.walk("cases.*"):
            _check_case(sheet, loc, case, seen)


def _check_year(sheet: Sheet) -> None:
    """The file of a year must hold that year, or two files could tell different things about one."""
    year = sheet.root.child("year")
    named = sheet.name.rpartition("/")[2].removesuffix(".yaml")
    if year is not None and year.text is not None and year.text != named:
        sheet.report(("year",), ("wrong_year", f"文件名是 {named}，里面写的是 {shortened(year.text)} 年", "请让文件名与年份一致"))


def _check_points(sheet: Sheet) -> None:
    points = sheet.root.child("points")
    if points is None or points.entries is None:
        return
    lost = [strength.value for strength in Strength if points.child(strength.value) is None]
    if lost:
        sheet.report(
            ("points",), ("missing", f"points 里缺少 {'、'.join(lost)}", "请写明三种强度的分值，例如 {strong: 12, medium: 6, weak: 3}")
        )
        return
    numbers = [node.text for strength in Strength if (node := points.child(strength.value))]
    values = [int(text) for text in numbers if text and text.isdecimal()]
    if len(values) == len(numbers) and values != sorted(values, reverse=True):
        sheet.warn(("points",), ("points_order", "分值没有从强到弱递减", "请检查 strong、medium、weak 的分值"))


def _check_returns(sheet: Sheet, pack: Pack) -> None:
    returns = sheet.root.child("returns")
    if returns is None or returns.entries is None:
        return
    if ScopeCode.IN.value in returns.entries:
        at = sheet.root.key_at(("returns", ScopeCode.IN.value))
        sheet.report(("returns", ScopeCode.IN.value), ("useless_return", "in 表示属于校外培训，不会退回", "请删掉这一段"), at=at)
    for code, rule in sorted(_reasons_to_return(pack)):
        if code not in returns.entries:
            said = "missing", f"returns 里缺少 {code}：规则 {rule} 会以此退回", f"请补上 {code}: {{reason: …, suggest: …}}"
            sheet.report(("returns",), said, at=sheet.root.key_at(("returns",)))


def _reasons_to_return(pack: Pack) -> Iterator[tuple[str, str]]:
    """Every scope for which rules send complaints back, with the first of these rules."""
    told = {ScopeCode.IN.value}
    for sheet in pack.rules():
        for loc, node in sheet.walk("rules.*.scope"):
            if node.text in {code.value for code in ScopeCode} - told:
                told.add(node.text)
                yield node.text, sheet.rule_at(loc)


def _check_case(sheet: Sheet, loc: Loc, case: Node, seen: dict[tuple[str, ...], str]) -> None:
    if case.entries is None:
        return
    if INPUTS.issuperset(case.entries):
        sheet.report(loc, ("tests_nothing", "这个用例没有写期望的结果", "请至少写 decision、lead、category、issues、hits 或 not 之一"))
    said = tuple(node.text or "" if (node := case.child(key)) else "" for key in sorted(INPUTS - {"why"}))
    said += tuple(_listed(case, "each"))
    place = f"{sheet.name}:{case.line}"
    if seen.setdefault(said, place) != place:
        sheet.warn(loc, ("duplicate_case", f"与 {seen[said]} 的用例文字相同", "请合并成一个"))
    both = set(_listed(case, "hits")) & set(_listed(case, "not"))
    for rule in sorted(both):
        sheet.report(loc, ("contradiction", f"{shortened(rule)} 既写在 hits 里又写在 not 里", "请删掉一处"))


def _listed(case: Node, key: str) -> list[str]:
    child = case.child(key)
    return child.texts() if child else []
