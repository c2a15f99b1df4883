"""`fenpai rules impact`: what a draft would do to past cases. Nobody waits for a database that is not asked."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from models.ruleset import RuleSet
from service import crew, impact, rulebook, show, usage
from service.commands.terminal import as_text
from service.engine import Engine
from service.impact import Impact, Pair

app = typer.Typer()


@app.command("impact", cls=usage.Command)
def impact_of(
    pack: Annotated[
        str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包]", help="规则包：名称或文件夹")
    ] = "beichen",
    cases: Annotated[str, typer.Option("--cases", metavar="文件", help="JSONL，可带 lead、decision 作为确认的结果；缺省为数据库")] = "",
    against: Annotated[str, typer.Option(metavar="规则包|版本", help="与什么比较；缺省为在用的版本")] = "",
    since: Annotated[datetime | None, typer.Option(metavar="日期", help="只重放此后受理的案件")] = None,
    flips: Annotated[int, typer.Option(min=0, metavar="数", help="列出多少件去向改变的案件")] = impact.MOST,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """发布之前，把以往的案件在在用的规则和草稿下各研判一遍：哪些改变去向、为什么，确认过的案件是更对还是更错。"""
    pair = _pair(pack, against)
    found = _of_file(Path(cases), pair) if cases else usage.brought("service.commands.house").replayed(pair, since)
    print(as_text(impact.as_json(found)) if as_json else impact.as_text(found, pair[1].ruleset, flips=flips))
    if found.breaks:
        raise typer.Exit(1)


def _pair(pack: str, against: str) -> Pair:
    """Both engines. The draft is examined by another process while the rules in force are made ready here."""
    files = rulebook.read_folder(rulebook.find_pack(pack))
    with crew.aside(partial(rulebook.check, files)) as mistakes:
        before = Engine(_side(against, pack))
        if any(mistake.severity == "error" for mistake in mistakes()):
            usage.brought("service.commands.house").draft_of(pack)  # refuses it in the words of all commands
    return before, Engine(rulebook.restore(files, 0))


def _side(against: str, pack: str) -> RuleSet:
    if against and not against.isdigit():
        return rulebook.restore(rulebook.read_folder(rulebook.find_pack(against)), 0)  # what it is compared with is not examined
    ruleset: RuleSet = usage.brought("service.commands.house").published(against, pack)
    return ruleset


def _of_file(path: Path, pair: Pair) -> Impact:
    with path.open("rb") as lines, show.progress("重放", None) as advance:
        return impact.run(impact.of_lines(lines), pair, fork=True, told=advance)
