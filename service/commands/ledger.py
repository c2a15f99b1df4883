"""`fenpai rules ledger | release | shadow`: what people confirmed about rules, and drafts beside the version in force."""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from ulid import ULID

from models.ruleset import RuleSet
from service import ledger, rulebook, rulelife, shadow, show, store, usage
from service.commands.house import AsJson, Author, Note, code_of, opened
from service.commands.terminal import Pack, as_text
from service.config import Settings
from service.ledger import RuleUnknown, output, quarantine
from service.rulelife import Proposal
from service.shadow import output as beside_output

app = typer.Typer()
beside = typer.Typer(cls=usage.Group, help="让一个草稿在新案上影子运行：跟着研判，不作决定。", rich_markup_mode=None)
beside.callback(invoke_without_command=True)(usage.help_alone)
app.add_typer(beside, name="shadow")


@app.command("ledger", cls=usage.Command)
def show_ledger(
    rule: Annotated[str, typer.Argument(metavar="[规则编号]", help="哪条规则；缺省为总览")] = "",
    most: Annotated[int, typer.Option("--limit", min=0, max=500, metavar="数", help="最多列出多少条规则，或多少件判错的")] = 20,
    again: Annotated[bool, typer.Option("--recount", help="从事件重新算一遍，与账上核对，不符时以 1 结束")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="与 --recount 同用：按重算的结果改正台账（先停服务）")] = False,
    as_json: AsJson = False,
    pack: Pack = "beichen",
) -> None:
    """每条规则判对了多少：由退单的裁定、更正、指定承办、退回、办结汇总，附区间、逐词、逐月和判错的每一件。"""
    if again:
        _recount(mend=mend)
        return
    with opened() as database:
        code = code_of(pack)
        ruleset = rulelife.read_version(database, code, rulelife.active_version(database, code))
        with database.read() as conn:
            print(_overview(conn, ruleset, most, as_json=as_json) if not rule else _one(conn, ruleset, rule, most, as_json=as_json))


def _recount(*, mend: bool) -> None:
    """Hold the books against the events; ends with 1 where they differ and are not set right."""
    with opened() as database, database.write() if mend else database.read() as conn, show.progress("重算", None) as advance:
        found = ledger.recount(conn, mend=mend, told=advance)
    left = f"；{found.left_out} 件原文已按期清除，没有重算" if found.left_out else ""
    if found.sound:
        print(f"台账与事件相符：{found.cases} 件办理过的案件，{len(found.accounts)} 个账目{left}。")
        return
    print(f"台账与事件不符：{len(found.otherwise)} 件案件的结论，{len(found.wrong_accounts)} 个账目{left}。{'已改正。' if mend else ''}")
    if not mend:
        raise typer.Exit(1)


def _overview(conn: Any, ruleset: RuleSet, most: int, *, as_json: bool) -> str:
    found = ledger.overview(conn, ruleset)
    quarantines = store.list_quarantines(conn, ruleset.pack)
    return as_text([output.head_json(head) for head in found]) if as_json else output.overview_text(found, quarantines, most)


def _one(conn: Any, ruleset: RuleSet, rule: str, most: int, *, as_json: bool) -> str:
    found = ledger.ledger_of(conn, ruleset, rule, most)
    if found is None:
        raise RuleUnknown(f"在用的规则集和台账里都没有规则 {rule}。")
    return as_text(output.ledger_json(found)) if as_json else output.ledger_text(found, ruleset)


@app.command("release", cls=usage.Command)
def release(
    rule: Annotated[str, typer.Argument(metavar="规则编号", help="停用待查的规则")],
    author: Author = "",
    note: Note = "",
    pack: Pack = "beichen",
) -> None:
    """恢复一条被台账停用待查的规则：发布一个它重新计分的版本，此后重新计数。"""
    with opened() as database:
        code = code_of(pack)
        ruleset = rulelife.read_version(database, code, rulelife.active_version(database, code))
        second = Settings.from_env(os.environ).second_person
        ready = quarantine.prepare_release(database, ruleset, rule, Proposal(author, note), second)
        with database.write() as conn:
            row = quarantine.publish_release(conn, ready, rule, note, datetime.now(UTC))
    print(f"已恢复规则 {rule}，发布并启用第 {row.version} 版。")


@beside.command("start", cls=usage.Command)
def start_shadow(
    draft: Annotated[
        str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包|版本]", help="规则包文件夹，或已发布的版本号")
    ] = "beichen",
    kept: Annotated[str, typer.Option("--draft", metavar="编号", help="服务里保存的草稿")] = "",
    author: Author = "",
    note: Note = "",
    pack: Pack = "beichen",
) -> None:
    """从下一件新案起，让草稿跟着在用的版本各研判一遍，记下不同的；一次一个，重启后接着来。"""
    with opened() as database:
        code = code_of(pack)
        if kept:
            chosen = shadow.choose(database, code, kept=kept)
        elif draft.isdigit():
            chosen = shadow.choose(database, code, version=int(draft))
        else:
            chosen = shadow.choose(database, code, files=rulebook.read_folder(rulebook.find_pack(draft)))
        now = datetime.now(UTC)
        with database.write() as conn:
            row = shadow.start(conn, str(ULID.from_datetime(now)), chosen, Proposal(author, note), now)
    print(f"已开始影子运行（摘要 {row.digest[:12]}）。查看：fenpai rules shadow show")


@beside.command("stop", cls=usage.Command)
def stop_shadow(author: Author = "", note: Note = "", pack: Pack = "beichen") -> None:
    """停止影子运行。"""
    with opened() as database, database.write() as conn:
        row = shadow.stop(conn, code_of(pack), Proposal(author, note), datetime.now(UTC))
    print(f"已停止影子运行：{row.cases} 件新案，{row.agreed} 件去向相同。")


@beside.command("show", cls=usage.Command)
def show_shadow(
    most: Annotated[int, typer.Option("--limit", min=0, max=500, metavar="数", help="最多列出多少件不同的")] = 20,
    as_json: AsJson = False,
    pack: Pack = "beichen",
) -> None:
    """影子运行的一致率和区间，以及不同的每一件：原来怎样、草稿会怎样、为什么。"""
    with opened() as database:
        code = code_of(pack)
        ruleset = rulelife.read_version(database, code, rulelife.active_version(database, code))
        with database.read() as conn:
            told = shadow.told(conn, code, most)
    print(as_text(beside_output.as_json(told)) if as_json else beside_output.as_text(told, ruleset))
