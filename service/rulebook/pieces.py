"""Pieces: a file of a pack taken apart at its top fields, its rules and its cases, so that two versions of it can be put together."""

import re
from collections import Counter

from service.rulebook.edits import CannotEdit
from service.rulebook.layout import WORDS, kind_of
from service.rulebook.nodes import Node
from service.rulebook.sheet import Sheet

ITEM = re.compile(r" *- +")
HEAD, FIELD, CASE = "head:", "field:", "case:"
"""How the names begin of what is no rule: what stands before all, a top field, a case. A rule is named by its id."""


def pieces(name: str, text: str) -> dict[str, str]:
    """The pieces of a file by name, in their order; joined they are the file. CannotEdit where it is written otherwise than usual."""
    lines = text.splitlines(keepends=True)
    if "\r" in text or text.startswith("\ufeff") or "".join(lines) != text:
        raise CannotEdit(f"{name}：换行写法特殊")
    if name == WORDS:
        return _named([(FIELD + line.strip(), line) for line in lines])
    starts = _starts(name, text, lines)
    bounds = [*(start for start, _ in starts), len(lines)]
    parts = [(key, "".join(lines[start:end])) for (start, key), end in zip(starts, bounds[1:], strict=True)]
    return _named([(key if key != CASE else CASE + part.strip(), part) for key, part in parts])


def _starts(name: str, text: str, lines: list[str]) -> list[tuple[int, str]]:
    """Where each piece begins, counted from 0: with the comments right before it."""
    kind = kind_of(name)
    sheet = Sheet(name, kind, text) if kind else None
    if sheet is None or not sheet.whole or sheet.root.entries is None:
        raise CannotEdit(f"{name}：读不全")
    found: list[tuple[int, str]] = []
    for field, (key, value) in sheet.root.entries.items():
        found.append((_begin(key, lines, re.compile("")), FIELD + field))
        if field in ("rules", "cases"):
            found += [(_begin(item, lines, ITEM), _key(item, field)) for item in value.items or ()]
    places = [place for place, _ in found]
    if places != sorted(set(places)):
        raise CannotEdit(f"{name}：几项写在一行")
    return found if places[:1] == [0] else [(0, HEAD), *found]


def _begin(node: Node, lines: list[str], before: re.Pattern[str]) -> int:
    at = node.line - 1
    if not before.fullmatch(lines[at][: node.column - 1]):
        raise CannotEdit("写法特殊")
    while at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _key(item: Node, field: str) -> str:
    if field == "cases":
        return CASE
    named = item.child("id")
    if named is None or not named.text:
        raise CannotEdit("规则没有编号")
    return named.text


def _named(parts: list[tuple[str, str]]) -> dict[str, str]:
    """Each under a name of its own: of equal cases and lines the second is another one."""
    seen: Counter[str] = Counter()
    found: dict[str, str] = {}
    for key, part in parts:
        seen[key] += 1
        found[key if seen[key] == 1 else f"{key}#{seen[key]}"] = part
    return found
