"""`fenpai retention apply`: what has been kept long enough is struck out; first it is only counted."""

import os
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated

import orjson
import typer
from rich import box
from rich.table import Table

from models.retention import RetentionClass
from service import db, retention, rulelife, show, usage
from service.commands.house import code_of
from service.commands.terminal import Pack, who
from service.config import Settings
from service.db import Database
from service.errors import StartError
from service.retention import YEARS, Line

app = typer.Typer(cls=usage.Group, help="保存期限：清除已到期的案件内容。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)


@app.command("apply", cls=usage.Command)
def apply(
    yes: Annotated[bool, typer.Option("--yes", help="真的清除；不写则只清点")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="清点结果输出 JSON")] = False,
    pack: Pack = "beichen",
) -> None:
    """按规则包 retention.yaml 清除归档已满保存期限的案件：诉求人、原文、所写的文字都不再保留，类别、去向、时限和审计链仍在。

    先不带 --yes 看一遍各类各有多少、多少到期。清除不能撤销；备份里的仍在，备份也须按期销毁。SQLite 须先停下 fenpai serve。
    """
    with closing(db.connect(Settings.from_env(os.environ).database_url)) as database:
        db.check(database)
        lines = _plan(database, pack)
        if as_json:
            print(orjson.dumps([_told(line) for line in lines]).decode())
        else:
            show.out(_table(lines))
        ripe = sum(len(line.ripe) for line in lines)
        if not yes:
            print(f"以上只是清点，{ripe} 件已到期。确认后加 --yes 清除。" if not as_json else "", end="" if as_json else "\n")
            return
        with db.write_lock(database), show.progress("清除", ripe) as more:
            count = retention.apply(database, lines, who(), more)
            db.scrub(database)
    print(f"已清除 {count} 件（含并入其中的），每件都记入审计链。")


def _plan(database: Database, pack: str) -> list[Line]:
    code = code_of(pack)
    ruleset = rulelife.read_version(database, code, rulelife.active_version(database, code))
    if ruleset.retention is None:
        raise StartError(f"规则包 {code} 在用的版本没有 retention.yaml，什么也不清除。写法见随附的规则包。")
    with database.read() as conn:
        return retention.plan(conn, ruleset.retention.classes, datetime.now(UTC))


def _told(line: Line) -> dict[str, object]:
    kind = line.kind
    return {"class": kind.id if kind else None, "months": kind.months if kind else None, "ages": line.ages, "ripe": len(line.ripe)}


def _table(lines: list[Line]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), title="已归档、尚未清除的案件")
    for name in ("类别", "保存", *_spans(), "已到期", "依据"):
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(*_named(line.kind), *map(str, line.ages), str(len(line.ripe)), line.kind.basis if line.kind else "不清除")
    return table


def _named(kind: RetentionClass | None) -> tuple[str, str]:
    return (kind.name, f"{kind.months} 个月") if kind else ("不属于任何一类", "—")


def _spans() -> list[str]:
    inner = [f"{low}—{high} 年" for low, high in pairwise(YEARS)]
    return [f"{YEARS[0]} 年内", *inner, f"{YEARS[-1]} 年以上"]
