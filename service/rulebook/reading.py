"""Reading YAML: a text becomes nodes that know their place. Every value stays text; what rules do not need is refused."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml
from yaml import _yaml

from service.rulebook.mistakes import Loc, Words
from service.rulebook.nodes import Node
from service.rulebook.slips import Flaw, colon, conflicts, indentation, unreadable

Mark = yaml.Mark | _yaml.Mark
MAX_DEPTH = 20
EMPTY = ("", "~", "null")
"""Plain values that mean: nothing written here."""
EFFORT = 4_000_000
"""Characters that may be parsed to find further mistakes behind a first one; a bound, so that no text keeps us busy."""
ELSEWHERE = ("found unexpected end of stream", "could not find expected ':'")
"""Problems whose cause stands where the construct began, not where the parser gave up."""
BARE_BRACES = re.compile(r"[-\[,:]\s*(?P<term>\{[^{}:\"]*\}[^\s,\]}#]+)")
"""A term that begins with a `{list}` place and has no quotes around it: YAML takes the braces for its own."""
BLOCK = re.compile(r"(?:^|[:\-] +)[|>][+\-0-9]*\s*(?:#.*)?$")
BRACKETS = ("did not find expected ',' or ']'", "did not find expected ',' or '}'")
"""The same, unless both places stand in one line."""

SYNTAX = {
    "mapping values are not allowed in this context": (
        "colon",
        "这里的冒号放得不对",
        "一行只写一个「字段: 值」，值里有冒号时给整个值加引号；也请看看上一行是否少了冒号、缩进是否对齐",
    ),
    "did not find expected ',' or ']'": (
        "open_list",
        "方括号里的清单没有写对",
        '检查是否少了逗号或右方括号 ]；词语以 { 开头或含有冒号、井号时要加引号，例如 "{program}班"',
    ),
    "did not find expected ',' or '}'": (
        "open_braces",
        "花括号没有写对",
        '检查是否少了逗号或右花括号 }；词语以 { 开头时要加引号，例如 "{program}班"',
    ),
    "did not find expected key": (
        "indent",
        "这一行接不上前面的内容",
        "检查缩进是否与同级的行对齐、前面的引号是否成对、清单的每一行是否以「- 」开头",
    ),
    "did not find expected '-' indicator": (
        "indent",
        "这一行接不上前面的清单",
        '清单的每一行以「- 」开头并对齐；词语以 { 开头时要加引号，例如 - "{program}班"',
    ),
    "block sequence entries are not allowed in this context": ("dash", "「- 」不能写在这里", "清单要另起一行，每行一个「- 」"),
    "mapping keys are not allowed in this context": ("question", "问号不能写在这里", "以问号开头的内容请加引号"),
    "found unexpected end of stream": ("open_quote", "引号没有配对", "从这里开始的引号没有结束，请补上"),
    "found unexpected document indicator": ("open_quote", "引号没有配对", "从这里开始的引号没有结束，请补上"),
    "could not find expected ':'": ("no_colon", "这一行没有冒号", "字段要写成「字段: 值」；清单的一项要以「- 」开头"),
    "did not find expected node content": ("no_value", "这里缺少内容", "检查括号和引号是否成对、逗号是否多余"),
    "found unknown escape character": ("escape", "双引号里的反斜杠没有写对", "双引号里的反斜杠请写两个，或改用单引号"),
    "control characters are not allowed": ("invisible", "含有控制字符", "请删掉它"),
    "exceeded maximum nesting depth": ("too_deep", "层层嵌套太深", "检查是否多写了括号"),
    "did not find expected alphabetic or numeric character": ("anchor", "以 * 或 & 开头的内容没有写对", "给它加引号；词语里不需要通配符"),
}
OTHER = ("syntax", "不合 YAML 的写法", "给这个值加引号再试；或与旁边写对的行比较")


class Broken(NamedTuple):
    """Where the parser gave up and why."""

    flaw: Flaw
    line: int


@dataclass(slots=True)
class Reading:
    """A text as nodes. `whole` is False where a part could not be read: what it defines is then unknown."""

    root: Node | None
    whole: bool
    flaws: list[Flaw]


def _spot(mark: Mark | None) -> tuple[int, int]:
    """Line and column, from 0, of a mark of the parser."""
    return (mark.line, mark.column) if mark else (0, 0)


@dataclass(slots=True)
class _Draft:
    """The text while it is read: mended line by line, and the columns where a blank was put in."""

    lines: list[str]
    inserted: dict[int, int] = field(default_factory=dict)
    effort: int = EFFORT

    def place(self, mark: Mark | None) -> tuple[int, int]:
        """Line and column, from 1, in the text as it was written."""
        return self.at(*_spot(mark))

    def at(self, line: int, column: int) -> tuple[int, int]:
        """The same for a line and column that count from 0."""
        return line + 1, column + 1 - (column + 1 > self.inserted.get(line, column + 1))

    def compose(self) -> "_Composer":
        text = "\n".join(self.lines)
        self.effort -= len(text)
        return _Composer(self).read(text)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is not closed yet, and the key that waits for its value."""

    node: Node
    key: Node | None = None

    def step(self) -> str | int | None:
        """The key or number of the value that comes next; None where a key comes next."""
        if self.node.items is not None:
            return len(self.node.items)
        return self.key.text if self.key else None


class _Composer:
    """Builds the tree from the parser's events."""

    def __init__(self, draft: _Draft) -> None:
        self.root: Node | None = None
        self.flaws: list[Flaw] = []
        self.broken: Broken | None = None
        self.quoted: set[int] = set()
        self._draft = draft
        self._stack: list[_Frame] = []
        self._documents = 0

    def read(self, text: str) -> "_Composer":
        try:
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                if not self._take(event):
                    break
        except yaml.YAMLError as error:
            self.broken = self._explained(error, text)
        return self

    def _take(self, event: yaml.Event) -> bool:
        """Take one event; False where reading ends early."""
        if isinstance(event, yaml.DocumentStartEvent):
            return self._open_document(event)
        if isinstance(event, yaml.AliasEvent):
            self._flaw(event, "alias", f"不能用 YAML 引用 *{event.anchor}", "请把内容写在这里；以 * 开头的词要加引号")
            self._put(self._node(event))
        elif isinstance(event, yaml.ScalarEvent):
            self._note_lines(event)
            self._refuse_marks(event)
            self._put(self._scalar(event))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._refuse_marks(event)
            return self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._put(self._stack.pop().node)
        return True

    def _open_document(self, event: yaml.DocumentStartEvent) -> bool:
        self._documents += 1
        if self._documents > 1:
            self._flaw(event, "second_document", "一个文件里只能有一份内容，这里又用 --- 开了一份", "请删掉 ---，或另存为一个文件")
            return False
        if event.version or event.tags:
            self._flaw(event, "directive", "不能用以 % 开头的 YAML 指令", "请删掉这一行")
        return True

    def _open(self, event: yaml.CollectionStartEvent) -> bool:
        node = self._node(event)
        if isinstance(event, yaml.MappingStartEvent):
            node.entries = {}
        else:
            node.items = []
        if len(self._stack) >= MAX_DEPTH:
            flaw = Flaw(node.line, node.column, *SYNTAX["exceeded maximum nesting depth"], self._loc())
            self.broken = Broken(flaw, node.line - 1)
            return False
        self._stack.append(_Frame(node))
        return True

    def _put(self, node: Node) -> None:
        """Set a finished value in its place: as root, item, key or value."""
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if frame.node.items is not None:
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._as_key(node)
        else:
            self._enter(frame, frame.key, node)

    def _as_key(self, node: Node) -> Node:
        if node.text is None:
            self.flaws.append(Flaw(node.line, node.column, "bad_key", "字段名须是一个词", "检查冒号前面的内容", self._loc()))
        elif node.text == "<<":
            self.flaws.append(Flaw(node.line, node.column, "merge_key", "不能用 YAML 合并键 <<", "请把内容写在这里", self._loc()))
        return node

    def _enter(self, frame: _Frame, key: Node, value: Node) -> None:
        frame.key = None
        entries = frame.node.entries
        if entries is None or key.text in (None, "<<"):
            return
        name = str(key.text)
        if name in entries:
            first = entries[name][0].line
            message = f"{name} 写了两次，第一次在第 {first} 行"
            self.flaws.append(Flaw(key.line, key.column, "twice", message, "请合并成一个", (*self._loc(), name)))
            return
        entries[name] = (key, value)

    def _loc(self) -> Loc:
        """The way to the innermost open mapping or list."""
        return tuple("" if (step := frame.step()) is None else step for frame in self._stack[:-1])

    def _here(self) -> Loc:
        """The way to the value that is being read."""
        if not self._stack:
            return ()
        step = self._stack[-1].step()
        return self._loc() if step is None else (*self._loc(), step)

    def _around(self) -> Loc:
        """The way to what is being read where an item of a list may be over: the list."""
        return self._loc() if self._stack and self._stack[-1].node.items is not None else self._here()

    def _node(self, event: yaml.Event) -> Node:
        return Node(*self._draft.place(event.start_mark))

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        node = self._node(event)
        node.text = None if not event.style and event.value in EMPTY else event.value
        return node

    def _note_lines(self, event: yaml.ScalarEvent) -> None:
        """Remember the lines that begin inside quotes or a block: what looks like a slip there is content."""
        if event.style:
            (first, _), (last, column) = _spot(event.start_mark), _spot(event.end_mark)
            self.quoted.update(range(first + 1, last + (column > 0)))

    def _refuse_marks(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._flaw(event, "anchor", f"不能用 YAML 锚点 &{event.anchor}", "请删掉它；以 & 开头的词要加引号")
        if event.tag is not None:
            self._flaw(
                event, "tag", f"不能用 YAML 类型标记 {event.tag.replace('tag:yaml.org,2002:', '!!')}", "请删掉它；以 ! 开头的词要加引号"
            )

    def _flaw(self, event: yaml.Event, code: str, message: str, hint: str) -> None:
        self.flaws.append(Flaw(*self._draft.place(event.start_mark), code, message, hint, self._here()))

    def _explained(self, error: yaml.YAMLError, text: str) -> Broken:
        """The parser's complaint in Chinese, at the place where the cause stands."""
        problem = str(getattr(error, "problem", ""))
        mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
        if opened and (problem in ELSEWHERE or (problem in BRACKETS and opened.line < _spot(mark)[0])):
            mark = opened
        lines = text.split("\n")
        line, column = _spot(mark)
        if line and not "".join(lines[line:]).strip():  # it looked for more behind the end of the text
            line = max((number for number, one in enumerate(lines) if one.strip()), default=0)
            column = len(lines[line])
        written = lines[line]
        if bare := BARE_BRACES.search(written):
            said = "braces", f"以 {{ 开头的词语要加引号：{bare['term']}", f'请写成 "{bare["term"]}"'
            return Broken(Flaw(*self._draft.at(line, bare.start("term")), *said, self._around()), line)
        explained = SYNTAX.get(problem) or _by_character(written[column : column + 1])
        return Broken(Flaw(*self._draft.at(line, column), *explained, self._around()), line)


def _by_character(char: str) -> Words:
    if char == "\t":
        return "tab", "用了 Tab（制表符）", "请改用空格"
    if char in tuple("@`%|>,]}"):
        return "start", f"内容不能以 {char} 开头", f"给它加引号，例如 '{char}…'"
    return OTHER


def read(text: str, keys: Container[str]) -> Reading:
    """A text as nodes, with all its flaws; `keys` are the field names that a file of this kind may have."""
    if flaws := unreadable(text) + conflicts(text):
        return Reading(None, whole=False, flaws=flaws)
    draft, found, whole = _Draft(text.split("\n")), list[Flaw](), True
    while True:
        composer = draft.compose()
        if slips := _mend(draft, composer, keys):
            found += slips
            if composer.broken and any(slip.code == "indentation" for slip in slips):
                return Reading(None, whole=False, flaws=found)
        elif composer.broken is None:
            return Reading(composer.root, whole, found + composer.flaws)
        else:
            found.append(composer.broken.flaw)
            whole = False
            if not _leave_out(draft, composer.broken):
                return Reading(None, whole, found)


def _mend(draft: _Draft, composer: _Composer, keys: Container[str]) -> list[Flaw]:
    """Mend the slips of a text in the draft, and tell them."""
    flaws = []
    for number in sorted(set(range(len(draft.lines))) - composer.quoted - _in_blocks(draft.lines)):
        line = draft.lines[number]
        if wrong := indentation(line):
            hint = "请改用半角空格，每级两个"
            flaws.append(Flaw(number + 1, wrong[0] + 1, "indentation", f"缩进里用了{wrong[1]}", hint))
            body = line.lstrip()
            line = draft.lines[number] = " " * (len(line) - len(body)) + body
        if slip := colon(line, keys, broken=composer.broken is not None):
            flaws.append(slip[0]._replace(line=number + 1))
            if len(slip[1]) > len(line):
                draft.inserted[number] = slip[0].column + 1
            draft.lines[number] = slip[1]
    return flaws


def _in_blocks(lines: list[str]) -> set[int]:
    """The lines of texts written under `|` or `>`: also where the parser did not get that far."""
    inside, opened = set[int](), -1
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if opened >= 0 and (indent > opened or not line.strip()):
            inside.add(number)
        else:
            opened = indent if BLOCK.search(line) else -1
    return inside


def _leave_out(draft: _Draft, broken: Broken) -> bool:
    """Blank out the smallest block around a syntax error that lets the parser get further; False where none does."""
    for start, end in _blocks(draft.lines, broken.line):
        if draft.effort <= 0:
            return False
        kept = draft.lines[start:end]
        draft.lines[start:end] = [_held(kept[0])] + [""] * (end - start - 1)
        after = draft.compose().broken
        if after is None or after.line >= end:
            return True
        draft.lines[start:end] = kept
    return False


def _held(line: str) -> str:
    """What stays of the first line of a block: the dash of a list, so that the numbers of its other items stay right."""
    body = line.lstrip(" ")
    return line[: len(line) - len(body)] + "-" if body.startswith("- ") else ""


def _blocks(lines: list[str], line: int) -> Iterator[tuple[int, int]]:
    """Blocks of lines around a line, from the inside out, by their indentation."""
    limit = None
    for start in range(min(line, len(lines) - 1), -1, -1):
        indent = _indent(lines[start])
        if indent is None or (limit is not None and indent >= limit):
            continue
        limit = indent
        yield (
            start,
            next((end for end in range(start + 1, len(lines)) if (_indent(lines[end]) or 0) <= indent and lines[end].strip()), len(lines)),
        )


def _indent(line: str) -> int | None:
    body = line.lstrip(" ")
    return len(line) - len(body) if body and not body.startswith("#") else None
