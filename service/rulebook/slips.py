"""What breaks YAML unseen: full-width colons, missing blanks, tabs, full-width indentation, invisible characters, marks of a merge."""

import re
import unicodedata
from collections.abc import Container
from typing import NamedTuple

from service.rulebook.mistakes import Loc

UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
"""Control characters, lone surrogates and characters that nobody sees: they would hide in a term and keep it from ever matching."""
KEY = r"(?:- +)*(?P<key>[A-Za-z_][A-Za-z0-9_.\-]*)"
WIDE_COLON = re.compile(r"(?P<before>[ \t\u3000]*" + KEY + r"\s*)：(?P<blank>\s?)")
TIGHT_COLON = re.compile(r"(?P<before> *" + KEY + r"):(?=[^\s/])")
INDENT = re.compile(r"[^\S\n]*")
CONFLICT = re.compile(r"(?:<{7}|>{7})(?: |$)|={7}$")
"""What git leaves in a file where two people changed the same lines."""


class Flaw(NamedTuple):
    """A mistake in one text, before the file is known by name. Line and column count from 1."""

    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    loc: Loc = ()


def unreadable(text: str) -> list[Flaw]:
    """Every character that must not stand in a file of rules; one flaw a line."""
    flaws = []
    for number, line in enumerate(text.split("\n"), 1):
        if found := UNREADABLE.search(line):
            flaws.append(
                Flaw(number, found.start() + 1, "invisible", f"含有看不见的字符 {_called(found[0])}", "请删掉它，或把这一行重新输入")
            )
    return flaws


def conflicts(text: str) -> list[Flaw]:
    """The marks of a merge that nobody settled: where each begins, or what is left of one."""
    marks = [(number, found[0].strip()) for number, line in enumerate(text.split("\n"), 1) if (found := CONFLICT.match(line))]
    begun = [mark for mark in marks if mark[1].startswith("<")]
    hint = "两个人改了同一处，由 git 留下。请在 <<<<<<< 到 =======、======= 到 >>>>>>> 两份内容里选留一份，再删掉这三行标记"
    return [Flaw(number, 1, "conflict", f"这里有合并冲突的标记 {mark}", hint) for number, mark in begun or marks]


def _called(char: str) -> str:
    name = unicodedata.name(char, "控制字符" if ord(char) < 0xA0 else "")
    return f"U+{ord(char):04X} {name}".strip()


def indentation(line: str) -> tuple[int, str] | None:
    """The column (from 0) and the name of the first character in an indentation that is no blank."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    indent = INDENT.match(line)
    bad = next(((column, char) for column, char in enumerate(indent[0]) if char != " "), None) if indent else None
    return bad and (bad[0], {"\t": "Tab（制表符）", "\u3000": "全角空格"}.get(bad[1], f"特殊空格 {_called(bad[1])}"))


def colon(line: str, keys: Container[str], *, broken: bool) -> tuple[Flaw, str] | None:
    """A full-width colon, or one without a blank after it, behind a key: the flaw (line 0) and the line mended.

    `broken`: the text is no YAML, so that a full-width colon after any word is taken for the cause.
    """
    if (wide := WIDE_COLON.match(line)) and (broken or wide["key"] in keys):
        column = len(wide["before"]) + 1
        mended = wide["before"] + (":" if wide["blank"] else ": ") + line[column:]
        return Flaw(0, column, "wide_colon", f"{wide['key']} 后面用了全角冒号「：」", f"请改用半角冒号加一个空格：{wide['key']}: …"), mended
    if (tight := TIGHT_COLON.match(line)) and tight["key"] in keys:
        column = tight.end()
        hint = f"请在冒号后面加一个空格：{tight['key']}: …"
        return Flaw(0, column, "tight_colon", f"{tight['key']} 的冒号后面少了空格", hint), line[:column] + " " + line[column:]
    return None
