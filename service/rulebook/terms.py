"""Terms: what may stand in a list of words, and what looks like a word but would never be met."""

import re
from collections.abc import Callable

from service.engine.terms import PLACE
from service.rulebook.mistakes import Loc, Words
from service.rulebook.nodes import Node
from service.rulebook.pack import Pack
from service.rulebook.sheet import Sheet
from service.rulebook.wording import QUOTES, shortened

WORDS_OF_RULES = ("rules.*.terms.*", "rules.*.unless.*", "rules.*.near.words.*")
WORDS_IN_RULES = (*WORDS_OF_RULES, "lists.*.*")
LISTS_IN_RULES = ("rules.*.terms", "rules.*.unless", "rules.*.near.words", "lists.*")
PATTERNISH = re.compile(r"[\\|^$*\[\]]|\.\+|\(\?")
ODD = re.compile(r"[\s。！？!?（）()《》“”‘’【】…]")
"""What callers rarely write where an official would; in an exclusion it is meant."""
SEPARATORS = re.compile(r"[，、；;,\n]+")

Fold = Callable[[str], str]


def check_terms(pack: Pack, fold: Fold) -> None:
    """Note every word of the rules that is useless, doubtful or written twice."""
    for sheet in pack.rules():
        for pattern in WORDS_IN_RULES:
            for loc, node in sheet.walk(pattern):
                _check_word(sheet, loc, node)
        for pattern in LISTS_IN_RULES:
            for loc, node in sheet.walk(pattern):
                _check_doubles(sheet, loc, node, fold)


def _check_word(sheet: Sheet, loc: Loc, node: Node) -> None:
    word = (node.text or "").strip()
    if not word:
        return
    if wrong := _wrong(word, template=loc[0] == "rules"):
        sheet.report(loc, wrong)
    elif "unless" not in loc and (odd := _odd(word, short="terms" in loc and not _loose(sheet, loc))):
        sheet.warn(loc, odd)


def _loose(sheet: Sheet, loc: Loc) -> bool:
    loose = sheet.root.at(loc[:2]).child("loose")
    return loose is not None and loose.text == "true"


def _wrong(word: str, *, template: bool) -> Words | None:
    """What makes a word useless."""
    if word[0] in QUOTES and word[-1] in QUOTES:
        return (
            "wide_quotes",
            f"{shortened(word)} 带着全角引号，引号会被当作词语的一部分",
            f"请改用半角引号，或不加引号：{word.strip(QUOTES)}",
        )
    if PATTERNISH.search(PLACE.sub("", word)):
        return "pattern_term", f"{shortened(word)} 像是正则表达式或通配符", "词语按原样查找，不能用通配符；请把各种写法逐个列出"
    parts = [part for part in SEPARATORS.split(word) if part]
    if len(parts) > 1:
        return (
            "separator",
            f"{shortened(word)} 里有顿号、逗号或分号，会被当作一个词",
            f"请拆成 {len(parts)} 项：{' | '.join(map(shortened, parts))}",
        )
    rest = PLACE.sub("", word) if template else word
    if "{" in rest or "}" in rest:
        return (
            ("braces", f"{shortened(word)} 的花括号不成对", '请写成 "{清单名}"')
            if template
            else (
                "braces",
                f"{shortened(word)} 里不能用 {{清单}}",
                "清单里只能写明词语；请逐个列出",
            )
        )
    return None


def _odd(word: str, *, short: bool) -> Words | None:
    """What makes a word doubtful."""
    if found := ODD.search(PLACE.sub("", word)):
        if found[0].isspace():
            hint = "两个词请用逗号隔开，一个词请去掉空格；确实要这样写的不必改"
            return "punctuation", f"{shortened(word)} 里有空格，会被当作一个词，只有来话里也这样写才会命中", hint
        return "punctuation", f"{shortened(word)} 里有「{found[0]}」，只有来话里也这样写才会命中", "请去掉它，或确认就是要这样写"
    if short and len(word) == 1:
        return "one_character", f"{word} 只有一个字，容易误中", "请写成完整的词，或用 near 限定语境"
    return None


def _check_doubles(sheet: Sheet, loc: Loc, node: Node, fold: Fold) -> None:
    """Note words that a list holds twice, also where they differ in width, case or traditional form only."""
    first: dict[str, tuple[str, int]] = {}
    for step, child in node.children():
        if word := (child.text or "").strip():
            known = first.get(fold(word))
            if known is None:
                first[fold(word)] = (word, child.line)
            else:
                before, line = known
                said = "写了两次" if before == word else f"与 {shortened(before)} 读来是同一个词"
                sheet.warn((*loc, step), ("duplicate_term", f"{shortened(word)} {said}，第一次在第 {line} 行", "请删掉一个"))
