"""Additions: a new rule written at the end of a file's rules, in the manner of those before it; comments and order stay.

changed = add_rule(files, "categories/arts.yaml", {"id": "arts.handpan", "terms": ["手碟"], ...})     # or CannotEdit
"""

import re
from collections.abc import Mapping
from typing import Any

from service.rulebook.edits import CannotEdit, quoted
from service.rulebook.layout import kind_of
from service.rulebook.sheet import Sheet

SAFE = re.compile(r"[a-z][a-z0-9_.-]*")
"""Codes and numbers that need no quotes; what YAML would take for something else is quoted by `quoted`."""


def homes(files: Mapping[str, str], prefix: str) -> list[str]:
    """The files whose rules have ids that begin so."""
    found = []
    for name in sorted(files):
        if (kind := kind_of(name)) and "rules" in kind.model.model_fields:
            sheet = Sheet(name, kind, _unix(files[name]))
            ids = [node.text or "" for _, node in sheet.walk("rules.*.id")]
            if any(one.startswith(prefix) for one in ids):
                found.append(name)
    return found


def add_rule(files: Mapping[str, str], name: str, rule: Mapping[str, Any]) -> dict[str, str]:
    """The pack's files with one more rule at the end of the rules of a file."""
    kind = kind_of(name)
    if kind is None or "rules" not in kind.model.model_fields:
        raise CannotEdit(f"{name} 不是写规则的文件")
    if name not in files:
        return {**files, name: "\n".join(["rules:", *_lines("  - ", rule)]) + "\n"}
    written = files[name]
    text = _unix(written)
    sheet = Sheet(name, kind, text)
    changed = _inserted(sheet, text, rule)
    expected = sheet.root.plain()
    expected["rules"].append(_plain(rule))
    if Sheet(name, kind, changed).root.plain() != expected:
        raise CannotEdit(f"{name} 的写法特殊，没有把握添得对，请手添")
    return {**files, name: changed.replace("\n", "\r\n") if "\r\n" in written else changed}


def _inserted(sheet: Sheet, text: str, rule: Mapping[str, Any]) -> str:
    first = sheet.root.at(("rules", 0))
    lines = text.split("\n")
    before = lines[first.line - 1][: first.column - 1] if first.line <= len(lines) else ""
    if not re.fullmatch(r" *- +", before):
        raise CannotEdit(f"{sheet.name} 里没有规则，或写法特殊，没有把握添得对，请手添")
    end = _end(sheet, lines)
    space = [""] if any(not line.strip() for line in lines[first.line - 1 : end]) else []
    return "\n".join([*lines[:end], *space, *_lines(before, rule), *lines[end:]])


def _end(sheet: Sheet, lines: list[str]) -> int:
    """Behind which line the rules end: before the next key with its comments, without blank lines."""
    keys = [key.line for key, _ in (sheet.root.entries or {}).values()]
    mine = sheet.root.key_at(("rules",)).line
    end = min([line - 1 for line in keys if line > mine], default=len(lines))
    while end > mine and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end


def _lines(before: str, rule: Mapping[str, Any]) -> list[str]:
    indent = " " * len(before)
    return [(indent if place else before) + f"{key}: {_written(value)}" for place, (key, value) in enumerate(rule.items())]


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    return str(value) if SAFE.fullmatch(str(value)) else quoted(str(value))


def _plain(value: Any) -> Any:
    """The value as a node gives it: texts all the way down."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else str(value)


def _unix(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")
