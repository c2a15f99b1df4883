"""words.txt: a word a line for the tokeniser, a number of how frequent it is if need be, # for remarks."""

from dataclasses import dataclass

from service.rulebook.layout import WORDS
from service.rulebook.mistakes import Mistake, Severity
from service.rulebook.mistakes import Words as Said
from service.rulebook.sheet import MAX_SIZE
from service.rulebook.slips import unreadable

MAX_WORD = 20


@dataclass(slots=True)
class WordList:
    """The words of a pack, and what is wrong with their file."""

    words: tuple[str, ...]
    mistakes: list[Mistake]


def read_words(text: str) -> WordList:
    """The words of the file, in its order."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SIZE:
        return WordList((), [_mistake(1, 1, ("too_large", f"文件太大，超过 {MAX_SIZE // 1_000_000} MB", "请删减"))])
    mistakes = [_mistake(flaw.line, flaw.column, (flaw.code, flaw.message, flaw.hint)) for flaw in unreadable(text)]
    if mistakes:
        return WordList((), mistakes)
    first: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        parts = line.partition("#")[0].split()
        if not parts:
            continue
        if wrong := _wrong(parts):
            mistakes.append(_mistake(number, line.index(parts[0]) + 1, wrong))
        elif parts[0] in first:
            said = "duplicate", f"{parts[0]} 写了两次，第一次在第 {first[parts[0]]} 行", "请删掉一个"
            mistakes.append(_mistake(number, line.index(parts[0]) + 1, said, severity="warning"))
        else:
            first[parts[0]] = number
    return WordList(tuple(first), mistakes)


def _wrong(parts: list[str]) -> Said | None:
    if len(parts[0]) > MAX_WORD:
        return "too_long", f"词太长：至多 {MAX_WORD} 个字", "一行只写一个词"
    if any(mark in parts[0] for mark in "，、；,;"):
        return "separator", f"{parts[0]} 里有顿号或逗号", "一行只写一个词"
    if len(parts) > 2 or (len(parts) == 2 and not (parts[1].isdecimal() and parts[1].isascii() and int(parts[1]) > 0)):
        return "words_line", "一行只能写一个词，后面可以加一个空格和一个词频数字", "其余的请另起一行；备注写在 # 后面"
    return None


def _mistake(line: int, column: int, said: Said, *, severity: Severity = "error") -> Mistake:
    return Mistake(WORDS, line, column, "", "", *said, severity=severity)
