"""References: every code that one file uses must be defined in another; what is not found gets the likely one as a hint."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from rapidfuzz import fuzz, process

from models.decision import Reason
from models.ruleset import ScopeCode
from service.rulebook.mistakes import Loc, Words
from service.rulebook.nodes import Node
from service.rulebook.pack import Pack
from service.rulebook.sheet import Sheet
from service.rulebook.wording import QUOTES, shortened


class Definition(NamedTuple):
    """Where the names of one sort are defined: files, pattern of the code (`key` where the code is the key), patterns of other names."""

    sort: str
    chinese: str
    file: str
    pattern: str
    key: bool = False
    names: tuple[str, ...] = ()


DEFINITIONS = (
    Definition("department", "单位", "departments.yaml", "departments.*", names=("name", "aliases.*")),
    Definition("category", "机构类别", "ruleset.yaml", "categories.*", key=True, names=("name",)),
    Definition("document", "文件", "clauses.yaml", "documents.*", key=True, names=("title", "number")),
    Definition("clause", "条款", "clauses.yaml", "clauses.*", key=True, names=("article",)),
    Definition("issue", "问题类型", "issues.yaml", "issues.*", key=True, names=("name",)),
    Definition("rule", "规则", "rules", "rules.*", names=("name",)),
    Definition("signal", "信号", "rules", "rules.*"),
)
CODE = {"department": "code", "rule": "id", "signal": "signal"}
"""Under which key the code stands, where it is no key itself."""

USES = {
    "ruleset.yaml": {
        "coordinator": "department",
        "escalation_clause": "clause",
        "dominant": "category",
        "categories.*.department": "department",
        "categories.*.clause": "clause",
        "identification.*": "rule",
        "returns.*.clause": "clause",
        "no_evidence.clause": "clause",
        "questions.*.answers.*.category": "category",
        "register.statuses.*.issue": "issue",
        "register.statuses.*.clause": "clause",
        "register.absent.issue": "issue",
        "register.absent.clause": "clause",
    },
    "departments.yaml": {"departments.*.clause": "clause"},
    "clocks.yaml": {
        "receipt.normal.clause": "clause",
        "receipt.urgent.clause": "clause",
        "receipt.emergency.clause": "clause",
        "hand_back.normal.clause": "clause",
        "hand_back.complex.clause": "clause",
        "handling.normal.clause": "clause",
        "handling.complex.clause": "clause",
        "follow_up.normal.clause": "clause",
        "extension.clause": "clause",
        "counting.next_day": "clause",
        "counting.close": "clause",
        "designation.clause": "clause",
    },
    "incidents.yaml": {
        "opening.issues.*": "issue",
        "informed.*.department": "department",
        "informed.*.clause": "clause",
    },
    "clauses.yaml": {"clauses.*.document": "document"},
    "issues.yaml": {
        "issues.*.assists.*.department": "department",
        "issues.*.assists.*.clause": "clause",
        "issues.*.assists.*.only.*": "category",
    },
    "rules": {
        "rules.*.category": "category",
        "rules.*.issue": "issue",
        "rules.*.clause": "clause",
        "rules.*.needs.*": "target",
        "rules.*.blocked_by.*": "target",
        "rules.*.assists.*": "department",
    },
    "cases": {
        "cases.*.lead": "department",
        "cases.*.assists.*": "department",
        "cases.*.category": "category",
        "cases.*.categories.*": "category",
        "cases.*.issues.*": "issue",
        "cases.*.hits.*": "rule",
        "cases.*.not.*": "rule",
        "cases.*.reason_code": "reason",
    },
}
"""Which values name what, by file (or group of files) and pattern."""


@dataclass(slots=True)
class Names:
    """The codes of one sort, each with the other names it goes by. `open`: their file could not be read whole, so nothing is unknown."""

    chinese: str
    where: str
    codes: dict[str, list[str]] = field(default_factory=dict)
    open: bool = False
    guesses: dict[str, str | None] = field(default_factory=dict)

    def likely(self, written: str) -> str | None:
        """The code that somebody meant. Guessing is slow where there are many codes, so it ends after a number of guesses."""
        if written not in self.guesses and len(self.guesses) < MOST_GUESSES:
            self.guesses[written] = self._guess(written.strip(QUOTES))
        return self.guesses.get(written)

    def _guess(self, written: str) -> str | None:
        """By another name of it, or by likeness."""
        for code, names in self.codes.items():
            if written in names:
                return f"{code}（{names[0]}）"
        found = process.extractOne(written, list(self.codes), scorer=fuzz.ratio, score_cutoff=60)
        if found:
            return str(found[0])
        labels = {name: code for code, names in self.codes.items() for name in names}
        alike = process.extractOne(written, list(labels), scorer=fuzz.ratio, score_cutoff=60)
        return f"{labels[alike[0]]}（{alike[0]}）" if alike else None

    def unknown(self, written: str) -> Words:
        guess = self.likely(written)
        few = len(self.codes) <= 8
        hint = (
            f"您是否想写 {guess}？"
            if guess
            else f"可以写：{'、'.join(self.codes)}"
            if few and self.codes
            else f"请先在{self.where}里写明，或改成已有的"
        )
        return "unknown_reference", f"没有{self.chinese} {shortened(written)}", hint


def gather(pack: Pack) -> dict[str, Names]:
    """Every name that the pack defines, by sort."""
    names = {definition.sort: _names(pack, definition) for definition in DEFINITIONS}
    names["scope"] = Names("范围", "规则", {code.value: [] for code in ScopeCode})
    names["reason"] = Names("理由代码", "程序", {code.value: [] for code in Reason})
    return names


def sheets_of(pack: Pack, group: str) -> list[Sheet]:
    """The sheets of a file name or group of files."""
    if group == "rules":
        return pack.rules()
    if group == "cases":
        return pack.cases()
    return [pack.sheets[group]] if group in pack.sheets else []


def _names(pack: Pack, definition: Definition) -> Names:
    sheets = sheets_of(pack, definition.file)
    where = f" {definition.file} " if definition.file != "rules" else "规则文件"
    names = Names(definition.chinese, where, open=not sheets or not all(sheet.whole for sheet in sheets))
    for sheet in sheets:
        for loc, node in sheet.walk(definition.pattern):
            code = str(loc[-1]) if definition.key else _text(node.child(CODE[definition.sort]))
            if code:
                names.codes.setdefault(code, []).extend(_labels(node, definition.names))
            elif not definition.key and definition.sort != "signal":
                names.open = True  # its code may be written wrongly, and told so there: all who name it would be told once more
    if definition.sort != "signal":
        names.open |= not names.codes
    return names


def _text(node: Node | None) -> str | None:
    return node.text if node else None


def _labels(node: Node, patterns: tuple[str, ...]) -> list[str]:
    return [found.text for pattern in patterns for _, found in node.walk(tuple(pattern.split("."))) if found.text]


def check_references(pack: Pack, names: dict[str, Names]) -> None:
    """Note every code that names nothing."""
    for group, uses in USES.items():
        for sheet in sheets_of(pack, group):
            for pattern, sort in uses.items():
                for loc, node in sheet.walk(pattern):
                    if node.text is not None:
                        _check_use(sheet, loc, node.text, sort, names)


def _check_use(sheet: Sheet, loc: Loc, written: str, sort: str, names: dict[str, Names]) -> None:
    if sort == "target":
        _check_target(sheet, loc, written, names)
    elif not names[sort].open and written not in names[sort].codes:
        sheet.say_better(loc, names[sort].unknown(written))


def _check_target(sheet: Sheet, loc: Loc, written: str, names: dict[str, Names]) -> None:
    """`needs` and `blocked_by` name a rule, or all rules that support `signal:…`, `scope:…`, `issue:…` or `category:…`."""
    kind, colon, code = written.replace("：", ":").partition(":")
    if "：" in written:
        sheet.report(loc, ("wide_colon", f"{shortened(written)} 里用了全角冒号", f"请写成 {kind}:{code}"))
    elif not colon:
        if written in names["signal"].codes and written not in names["rule"].codes:
            sheet.report(loc, ("unknown_reference", f"没有规则 {written}", f"您是否想写 signal:{written}？"))
        else:
            _check_use(sheet, loc, written, "rule", names)
    elif kind not in TARGETS:
        sheet.report(
            loc, ("unknown_reference", f"不认识 {shortened(written)}", "可以写规则编号，或 signal:、scope:、issue:、category: 加代码")
        )
    else:
        _check_use(sheet, loc, code, kind, names)


MOST_GUESSES = 100
MOST_CIRCLES = 20
"""Bounds, so that no pack keeps us busy: who has more is told of these first."""
TARGETS = ("signal", "scope", "issue", "category")


def check_twice(pack: Pack) -> None:
    """Note what is defined twice: rule ids and list names over all files, names of departments, codes of answers."""
    _once(_places(pack, "rules", "rules.*.id"), "规则编号")
    _once(_keys(pack, "rules", "lists.*"), "词语清单")
    _once(_places(pack, "departments.yaml", "departments.*.code"), "单位代码")
    _once(_places(pack, "departments.yaml", "departments.*.name", "departments.*.aliases.*"), "单位名称或别名")
    for sheet in sheets_of(pack, "ruleset.yaml"):
        for loc, _ in sheet.walk("questions.*"):
            pattern = f"{loc[0]}.{loc[1]}.answers.*.code"
            _once([(sheet, at, node, node.text or "") for at, node in sheet.walk(pattern)], "答案代码")


Found = tuple[Sheet, Loc, Node, str]


def _places(pack: Pack, group: str, *patterns: str) -> list[Found]:
    return [
        (sheet, loc, node, node.text)
        for sheet in sheets_of(pack, group)
        for pattern in patterns
        for loc, node in sheet.walk(pattern)
        if node.text
    ]


def _keys(pack: Pack, group: str, pattern: str) -> list[Found]:
    return [(sheet, loc, sheet.root.key_at(loc), str(loc[-1])) for sheet in sheets_of(pack, group) for loc, _ in sheet.walk(pattern)]


def _once(found: list[Found], chinese: str) -> None:
    first: dict[str, Found] = {}
    for here in found:
        sheet, loc, node, text = here
        before = first.setdefault(text, here)
        if before is not here:
            place = f"{before[0].name}:{before[2].line}"
            sheet.report(loc, ("duplicate", f"{chinese} {shortened(text)} 已经有了，在 {place}", "请改用另一个，或删掉一处"), at=node)


def check_circles(pack: Pack) -> None:
    """Note rules that wait for themselves by `needs` or `blocked_by`, in however many steps."""
    rules = {name: (sheet, loc, node) for sheet, loc, node, name in _ids(pack)}
    waits: dict[str, list[str]] = defaultdict(list)
    for name, (_, _, node) in rules.items():
        waits[name] += _targets(node)
        for kind in TARGETS:
            if code := _text(node.child(kind)):
                waits[f"{kind}:{code}"].append(name)
    for _ in range(MOST_CIRCLES):
        circle = _circle(waits)
        if circle is None:
            break
        start = min(name for name in circle if name in rules)
        way = circle[circle.index(start) :] + circle[: circle.index(start)] + [start]
        sheet, loc, _ = rules[start]
        sheet.report(loc, ("circle", f"规则互相等待，成了一圈：{' → '.join(way)}", "请从 needs 或 blocked_by 里去掉一处"))
        for name in circle:
            del waits[name]


def _ids(pack: Pack) -> Iterator[Found]:
    for sheet in pack.rules():
        for loc, node in sheet.walk("rules.*"):
            if name := _text(node.child("id")):
                yield sheet, loc, node, name


def _targets(node: Node) -> list[str]:
    return [text for key in ("needs", "blocked_by") if (child := node.child(key)) for text in child.texts()]


def _circle(waits: dict[str, list[str]]) -> list[str] | None:
    """Names that wait for each other in a circle, each for the next."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        return list(reversed(error.args[1][1:]))
    return None
