"""`fenpai triage`: one complaint with its reasons, or a file of them on all cores."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from models.complaint import Complaint, ComplaintIn
from models.decision import Outcome
from service import batch, show, usage
from service.commands.terminal import Pack, as_text, engine_of, written
from service.config import Settings
from service.engine.register import Register
from service.errors import StartError

MOST_MISTAKES = 50
"""More mistakes than this are counted, not printed; all stand in the output."""

app = typer.Typer()


@app.command(cls=usage.Command)
def triage(
    what: Annotated[str | None, typer.Argument(metavar="[文字|文件|-]", help="一段诉求，或一个 JSONL 文件，或 -（标准输入）")] = None,
    source: Annotated[str, typer.Option("--input", "-i", metavar="文件", help="JSONL 文件，一行一件")] = "",
    target: Annotated[str, typer.Option("--output", "-o", metavar="文件", help="结果写到哪里，缺省为标准输出")] = "-",
    title: Annotated[str, typer.Option(metavar="文字", help="标题（研判一段文字时）")] = "",
    institution: Annotated[str, typer.Option(metavar="文字", help="被反映机构（研判一段文字时）")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="研判一段文字时，输出 JSON")] = False,
    processes: Annotated[int, typer.Option("--processes", "-j", min=0, metavar="数", help="进程数，0 为全部核心")] = 0,
    names: Annotated[Path | None, typer.Option("--register", metavar="文件", help="机构名录，CSV 或 .xlsx")] = None,
    pack: Pack = "beichen",
) -> None:
    """研判一段诉求并说明理由；或逐行研判一个 JSONL 文件。"""
    if what is not None and _is_file(what):
        source = what
    elif what is None and not source and not sys.stdin.isatty():
        source = "-"
    if source:
        _many(source, target, partial(_judge, pack, names), processes)
    elif what is not None:
        _one({"content": what, "title": title, "institution": institution}, partial(_judge, pack, names), as_json=as_json)
    else:
        raise StartError("没有要研判的内容。例：fenpai triage '孩子学舞蹈，机构不退费'；或 fenpai triage --input 诉求.jsonl")


def _is_file(what: str) -> bool:
    """Whether the argument names a file. What looks like a file name is one, so that a slip in it is not judged as a complaint."""
    return what == "-" or _size(what) is not None or re.fullmatch(r"[^\s，。]+\.(jsonl?|ndjson|txt|csv)", what) is not None


def _judge(pack: str, names: Path | None) -> batch.Judge:
    engine = engine_of(pack)
    if names is None:
        return batch.Judge(engine)
    rows = usage.brought("service.register").from_file(names, engine.ruleset, Settings.from_env(os.environ).max_register_bytes)
    return batch.Judge(engine, Register.of(rows, engine.ruleset, engine.plan.cutter))


def _one(given: dict[str, str], who: Callable[[], batch.Judge], *, as_json: bool) -> None:
    try:
        ComplaintIn.model_validate(given)
    except ValidationError as mistake:
        raise StartError("；".join(batch.wording(mistake))) from None
    complaint = Complaint(**given)  # type: ignore[arg-type]
    judge = who()
    decision = judge.triage(complaint)
    if as_json:
        print(as_text(batch.answer(decision)))
    else:
        show.say(Console(), complaint, decision, judge.engine.ruleset)


def _many(source: str, target: str, who: Callable[[], batch.Judge], processes: int) -> None:
    with _opened(source) as lines, written(target) as out, show.progress("研判", _size(source)) as advance:
        judge = who()
        began = time.perf_counter()
        whole = batch.run(lines, out, judge, processes or None, lambda part: advance(part.read))
    _report(whole, time.perf_counter() - began)
    if whole.mistakes:
        raise typer.Exit(1)


def _report(whole: batch.Part, seconds: float) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for mistake in whole.mistakes[:MOST_MISTAKES]:
        console.print(f"第 {mistake.line} 行：{mistake.message}", style="red", markup=False)
    if len(whole.mistakes) > MOST_MISTAKES:
        console.print(f"……另有 {len(whole.mistakes) - MOST_MISTAKES} 行有误，见输出中的 error")
    count = whole.decisions.total() + len(whole.mistakes)
    parts = [f"{show.OUTCOMES[outcome]} {whole.decisions[outcome]}" for outcome in Outcome] + [f"有误 {len(whole.mistakes)}"]
    console.print(f"共 {count} 件：{'，'.join(parts)}。用时 {seconds:.2f} 秒，每秒 {count / max(seconds, 1e-9):,.0f} 件")


def _size(source: str) -> int | None:
    """The length of a file; None where there is no such file, also where the name is too long to be one."""
    try:
        return Path(source).stat().st_size if Path(source).is_file() else None
    except (OSError, ValueError):
        return None


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as lines:
        yield lines
