"""Edits: small changes of a pack's text at the places that the nodes give, so that comments, order and line breaks stay as they were.

changed = apply(files, Edit("terms", "arts.dance", "街舞"))       # or CannotEdit

Each edit is read again afterwards: the file must say what it said before and the change, nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from service.rulebook.layout import kind_of
from service.rulebook.mistakes import Loc
from service.rulebook.nodes import Node
from service.rulebook.sheet import Sheet

Field = Literal["terms", "unless", "near", "list", "within", "strength", "status"]
WORDS = ("terms", "unless", "near", "list")
LONGEST_LINE = 110
PLAIN = re.compile(r"[\u3400-\u9fffA-Za-z0-9_+]+")
PLAIN_END = re.compile(r"[ \t]*(?:[,\]}\n]|[ \t]#|$)")


class CannotEdit(Exception):
    """规则文件的写法特殊，没有把握改得对."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: a word more in a rule's terms, exclusions or frame words or in a list (or one less, if `gone`).

    Or another value of a rule's field.
    """

    field: Field
    where: str
    value: str
    gone: bool = False


def apply(files: Mapping[str, str], edit: Edit) -> dict[str, str]:
    """The pack's files with one change."""
    name, loc = find(files, edit)
    written = files[name]
    text = written.removeprefix("\ufeff").replace("\r\n", "\n")
    sheet = Sheet(name, _kind(name), text)
    changed = _changed(text, sheet, loc, edit)
    if Sheet(name, _kind(name), changed).root.plain() != _expected(sheet, loc, edit):
        raise CannotEdit(f"{name}：{edit.where} 的 {edit.field} 写法特殊，没有把握改得对，请手改")
    if "\r\n" in written:
        changed = changed.replace("\n", "\r\n")
    return {**files, name: ("\ufeff" if written.startswith("\ufeff") else "") + changed}


def doubled(files: Mapping[str, str], edit: Edit) -> bool:
    """Whether an edit would add a word that stands there already."""
    if edit.gone or edit.field not in WORDS:
        return False
    name, loc = find(files, edit)
    node: Node | None = Sheet(name, _kind(name), files[name]).root.at(loc)
    for step in {"list": (), "near": ("near", "words")}.get(edit.field, (edit.field,)):
        node = node and node.child(step)
    return node is not None and any(item.text == edit.value for item in node.items or ())


def _changed(text: str, sheet: Sheet, loc: Loc, edit: Edit) -> str:
    if edit.gone:
        return _Text(text).without_word(sheet, loc, edit)
    return _Text(text).with_word(sheet, loc, edit) if edit.field in WORDS else _Text(text).with_value(sheet, loc, edit)


def find(files: Mapping[str, str], edit: Edit) -> tuple[str, Loc]:
    """The file and the way to the rule or list that an edit names."""
    seen: list[str] = []
    for name in sorted(files):
        if (kind := kind_of(name)) and edit.where.split(".")[0] in files[name]:
            sheet = Sheet(name, kind, files[name].removeprefix("\ufeff").replace("\r\n", "\n"))
            if edit.field == "list":
                for loc, _ in sheet.walk(f"lists.{edit.where}"):
                    return name, loc
            else:
                for loc, node in sheet.walk("rules.*"):
                    if (named := node.child("id")) and named.text == edit.where:
                        return name, loc
                    seen.append(named.text or "" if named else "")
    near = get_close_matches(edit.where, seen, n=1)
    raise CannotEdit(f"规则包里没有 {edit.where}{f'，是不是 {near[0]}' if near else ''}")


def add_case(files: Mapping[str, str], name: str, case: str) -> dict[str, str]:
    """The pack's files with one more case, written on one line, at the end of a file of cases that may be new."""
    text = files.get(name, "")
    if not text.strip():
        return {**files, name: f"cases:\n  - {case}\n"}
    sheet = Sheet(name, _kind(name), text)
    first = sheet.root.at(("cases", 0))
    lines = text.split("\n")
    before = lines[first.line - 1][: first.column - 1] if first.line <= len(lines) else ""
    if not re.fullmatch(r" *- +", before):
        raise CannotEdit(f"{name}：用例的写法特殊，没有把握添得对，请手添")
    return {**files, name: text.rstrip("\n") + f"\n{before}{case}\n"}


def cases_beside(name: str) -> str:
    """The file of cases beside a file of rules."""
    return name.removesuffix(".yaml") + ".test.yaml"


def _kind(name: str) -> Any:
    kind = kind_of(name)
    if kind is None:
        raise CannotEdit(f"规则包里没有 {name} 这种文件")
    return kind


def _expected(sheet: Sheet, loc: Loc, edit: Edit) -> Any:
    """What the file should say after the edit."""
    whole: Any = sheet.root.plain()
    target = whole
    for step in loc:
        target = target[step]
    if edit.gone:
        _list_of(target, edit).remove(edit.value)
    elif edit.field == "list":
        target.append(edit.value)
    elif edit.field == "near":
        target["near"]["words"].append(edit.value)
    elif edit.field == "within":
        target["near"]["within"] = edit.value
    elif edit.field in WORDS:
        target.setdefault(edit.field, []).append(edit.value)
    else:
        target[edit.field] = edit.value
    return whole


def _list_of(target: Any, edit: Edit) -> list[str]:
    """The words that an edit takes one from."""
    words: list[str] = target if edit.field == "list" else target["near"]["words"] if edit.field == "near" else target[edit.field]
    return words


def quoted(word: str) -> str:
    """A word as YAML reads it back: plain where it can be, quoted as in JSON otherwise."""
    return word if PLAIN.fullmatch(word) else json.dumps(word, ensure_ascii=False)


class _Text:
    """A file's text, changed at lines and columns."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def with_word(self, sheet: Sheet, loc: Loc, edit: Edit) -> str:
        """A word more in a list."""
        node = sheet.root.at(loc)
        words = node if edit.field == "list" else self._words(node, edit)
        if words is None:
            return self._with_key(node, f"{edit.field}: [{quoted(edit.value)}]")
        if not words.items:
            raise CannotEdit(f"{sheet.name}：{edit.where} 的 {edit.field} 是空的，请手改")
        last = words.items[-1]
        if self._at(words) == "[":
            return self._after(last, quoted(edit.value))
        before = self.lines[last.line - 1][: last.column - 1]
        self.lines.insert(last.line, before + quoted(edit.value))
        return "\n".join(self.lines)

    def without_word(self, sheet: Sheet, loc: Loc, edit: Edit) -> str:
        """A word less in a list, which must not be the last one."""
        node = sheet.root.at(loc)
        words = node if edit.field == "list" else self._words(node, edit)
        if words is None or edit.value not in words.texts():
            raise CannotEdit(f"{edit.where} 的 {edit.field} 里没有 {edit.value}")
        items = words.items or []
        place = words.texts().index(edit.value)
        if len(items) == 1:
            raise CannotEdit(f"{edit.value} 是 {edit.where} 的 {edit.field} 里唯一的词；请删掉整条规则或整个字段")
        if self._at(words) != "[":
            del self.lines[items[place].line - 1]
        elif place + 1 < len(items):
            self._cut_before(items[place], items[place + 1])
        else:
            self._cut_behind(items[place - 1], items[place])
        return "\n".join(self.lines)

    def _cut_before(self, item: Node, following: Node) -> None:
        """Cut an item and the comma behind it; the line too, where it held nothing else."""
        line = self.lines[item.line - 1]
        before = line[: item.column - 1]
        if following.line == item.line:
            self.lines[item.line - 1] = before + line[following.column - 1 :]
            return
        rest = line[self._end(item) :].lstrip().removeprefix(",")
        if before.strip() or rest.strip():
            self.lines[item.line - 1] = (before.rstrip() if not rest.strip() else before) + rest
        else:
            del self.lines[item.line - 1]

    def _cut_behind(self, previous: Node, item: Node) -> None:
        """Cut the last item and the comma before it."""
        line, end = self.lines[item.line - 1], self._end(item)
        if previous.line == item.line:
            self.lines[item.line - 1] = line[: self._end(previous)] + line[end:]
            return
        before = self.lines[previous.line - 1]
        stop = self._end(previous)
        self.lines[previous.line - 1] = before[:stop] + before[stop:].replace(",", "", 1)
        rest = line[: item.column - 1] + line[end:]
        self.lines[item.line - 1] = rest.replace(",", "", 1) if rest.lstrip().startswith(",") else rest

    def _words(self, rule: Node, edit: Edit) -> Node | None:
        if edit.field != "near":
            return rule.child(edit.field)
        near = rule.child("near")
        words = near.child("words") if near else None
        if words is None:
            raise CannotEdit(f"{edit.where} 没有 near")
        return words

    def _after(self, last: Node, word: str) -> str:
        """Append to a list in brackets; on a new line where the line would get too long."""
        line = self.lines[last.line - 1]
        end = self._end(last)
        wide = len(line) + len(word) + 2 > LONGEST_LINE
        indent = line[: len(line) - len(line.lstrip())]
        opened = "[" in line[: last.column - 1]
        more = f",\n{indent}{'  ' if opened else ''}{word}" if wide else f", {word}"
        self.lines[last.line - 1] = line[:end] + more + line[end:]
        return "\n".join(self.lines)

    def with_value(self, sheet: Sheet, loc: Loc, edit: Edit) -> str:
        """Another value of a field that holds one."""
        rule = sheet.root.at(loc)
        near = rule.child("near")
        holder = near if edit.field == "within" else rule
        if holder is None:
            raise CannotEdit(f"{edit.where} 没有 near")
        value = holder.child(edit.field)
        if value is None:
            return self._with_key(holder, f"{edit.field}: {edit.value}")
        line = self.lines[value.line - 1]
        self.lines[value.line - 1] = line[: value.column - 1] + edit.value + line[self._end(value) :]
        return "\n".join(self.lines)

    def _with_key(self, holder: Node, written: str) -> str:
        """A key more in a mapping: behind its brace, or on a line of its own before the key that follows `terms`, or before any."""
        if self._at(holder) == "{":
            self._insert(holder.line, holder.column, written + ", ")
            return "\n".join(self.lines)
        keys = [key for key, _ in (holder.entries or {}).values()]
        names = [key.text for key in keys]
        behind = names.index("terms") + 1 if "terms" in names else len(keys) - 1
        spots = [*keys[behind:], *reversed(keys[:behind])]
        for key in spots:
            if not self.lines[key.line - 1][: key.column - 1].strip():
                self.lines.insert(key.line - 1, " " * (key.column - 1) + written)
                return "\n".join(self.lines)
        raise CannotEdit(f"没有地方写 {written}")

    def _insert(self, line: int, column: int, written: str) -> None:
        old = self.lines[line - 1]
        self.lines[line - 1] = old[:column] + written + old[column:]

    def _at(self, node: Node) -> str:
        return self.lines[node.line - 1][node.column - 1 : node.column]

    def _end(self, node: Node) -> int:
        """Where a scalar ends in its line."""
        line, start = self.lines[node.line - 1], node.column - 1
        if line[start] == '"':
            found = re.compile(r'"(?:[^"\\]|\\.)*"').match(line, start)
        elif line[start] == "'":
            found = re.compile(r"'(?:[^']|'')*'").match(line, start)
        else:
            closing = PLAIN_END.search(line, start)
            return closing.start() if closing else len(line)
        if found is None:
            raise CannotEdit("引号跨行，请手改")
        return found.end()
