"""Batches: work orders as JSON lines in, decisions as JSON lines out, in the same order, on all cores."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import partial
from typing import IO, Any

import orjson
from pydantic import ValidationError

from models.complaint import Complaint, ComplaintIn
from models.decision import Decision
from models.register import Institution
from models.ruleset import RuleSet
from service.crew import share
from service.engine import Engine
from service.engine.register import Register

PART_BYTES = 1 << 18
"""How much one process takes at a time: large enough that handing over costs nothing, small enough that the bar moves."""
READ = ("title", "content", "institution", "address", "street", "demand_type", "asserted_scope", "answers")
"""The fields of a line that triage reads; a line may carry anything else."""
ANSWERED = tuple(item.name for item in fields(Decision) if item.name != "categories")
WRONG = {
    "missing": "没有 content（或 text）",
    "string_type": "应是文字",
    "string_unicode": "含有不完整的字符，请按 UTF-8 重新编码",
    "string_too_short": "不能为空",
    "string_too_long": "太长，最多 {max_length} 字",
    "enum": "应是咨询、求助、投诉、举报、建议、表扬之一",
    "bool_type": "应是 true 或 false",
    "bool_parsing": "应是 true 或 false",
    "dict_type": "应是对象",
    "too_long": "最多 {max_length} 项",
}
"""What a mistaken field is told, by pydantic's name of the mistake; messages of our own validators are Chinese already."""


class LineWrong(ValueError):
    """这一行无法研判。"""

    def __init__(self, message: str, name: object = None) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that could not be judged: its number, counted from 1, and why."""

    line: int
    message: str


@dataclass(slots=True)
class Part:
    """What came of some lines: output, mistakes, and counts by decision; parts add up to a whole batch."""

    output: bytes = b""
    read: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    decisions: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Part") -> None:
        """Add the counts of another part, not its output."""
        self.read += other.read
        self.mistakes += other.mistakes
        self.decisions += other.decisions


def parse(line: bytes) -> tuple[Any, Complaint]:
    """The id of a line and the complaint in it; LineWrong says why there is none."""
    row, complaint = read(line)
    return row.get("id"), complaint


def read(line: bytes) -> tuple[dict[str, Any], Complaint]:
    """A line as an object, and the complaint in it. Texts stay as sent, so that evidence points into them."""
    row = _object(line)
    given = {key: row[key] for key in READ if row.get(key) is not None}
    if "content" not in given and row.get("text") is not None:
        given["content"] = row["text"]
    try:
        ComplaintIn.model_validate(given)
    except ValidationError as mistake:
        raise LineWrong("；".join(wording(mistake)), row.get("id")) from None
    return row, Complaint(**given)


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as mistake:
        raise LineWrong(_unreadable(line, mistake)) from None
    if not isinstance(row, dict):
        raise LineWrong("应是一个 JSON 对象：{...}")
    return row


def _unreadable(line: bytes, mistake: orjson.JSONDecodeError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "不是 UTF-8 编码，请把文件另存为 UTF-8"
    return f"不是合法的 JSON（第 {mistake.colno} 个字符附近）"


def wording(mistake: ValidationError) -> Iterator[str]:
    """Each mistake of a work order in Chinese: the field and what is wrong with it."""
    for item in mistake.errors():
        place = ".".join(map(str, item["loc"]))
        if item["type"] == "value_error":
            yield f"{place} {item['ctx']['error']}"
        else:
            yield f"{place} {WRONG.get(item['type'], '格式有误').format(**item.get('ctx', {}))}"


def answer(decision: Decision) -> dict[str, Any]:
    """A decision as a line of output: all that the API answers, and the categories by code alone."""
    whole: dict[str, Any] = {name: getattr(decision, name) for name in ANSWERED}
    whole["categories"] = [category.code for category in decision.categories]
    return whole


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judges: an engine, and the register that it is told of, where there is one."""

    engine: Engine
    register: Register | None = None

    def triage(self, complaint: Complaint) -> Decision:
        return self.engine.triage(self.register.look_up(complaint) if self.register else complaint)


Portion = tuple[int, list[bytes]]
"""Some lines, and the number of the first."""


def judge(who: Judge, portion: Portion) -> Part:
    """Judge some lines. Blank lines are passed over."""
    first, lines = portion
    part, output = Part(), []
    for number, line in enumerate(lines, first):
        part.read += len(line)
        if line.isspace() or not line:
            continue
        try:
            name, complaint = parse(line)
        except LineWrong as wrong:
            part.mistakes.append(Mistake(number, str(wrong)))
            row: dict[str, Any] = {"line": number, "error": str(wrong)} | ({} if wrong.name is None else {"id": wrong.name})
        else:
            decision = who.triage(complaint)
            part.decisions[decision.decision.value] += 1
            row = {"line": number} if name is None else {"id": name}
            row |= answer(decision)
        output.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    part.output = b"".join(output)
    return part


def run(
    source: IO[bytes], target: IO[bytes], who: Judge, processes: int | None = None, told: Callable[[Part], None] = lambda _: None
) -> Part:
    """Judge a file into another; `told` hears of each part as it is written. The sum of all parts comes back."""
    whole = Part()
    anew = partial(_anew, who.engine.ruleset, who.register.rows if who.register else ())
    for part in share(judge, _portions(source), who, anew, processes or 0):
        target.write(part.output)
        whole.add(part)
        told(part)
    return whole


def _portions(source: IO[bytes]) -> Iterator[Portion]:
    """The lines in handy parts, each with the number of its first line. A byte order mark before the first is no part of it."""
    number = 1
    while lines := source.readlines(PART_BYTES):
        if number == 1:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        yield number, lines
        number += len(lines)


def _anew(ruleset: RuleSet, rows: tuple[Institution, ...]) -> Judge:
    engine = Engine(ruleset)
    return Judge(engine, Register.of(rows, ruleset, engine.plan.cutter) if rows else None)
