"""`fenpai rules ledger | release`: what people confirmed about the rules, and letting a rule out of quarantine, on the command line."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from models.ruleset import RuleSet
from service import ledger, rulelife, store, usage
from service.ledger import RuleUnknown, output, quarantine
from service.press import AsJson, Author, Note, Pack, as_text, code_of, opened
from service.rulelife import Proposal

app = typer.Typer()


@app.command("ledger", cls=usage.Command)
def show_ledger(
    rule: Annotated[str, typer.Argument(metavar="[规则编号]", help="哪条规则；缺省为总览")] = "",
    most: Annotated[int, typer.Option("--limit", min=0, max=500, metavar="数", help="最多列出多少条规则，或多少件判错的")] = 20,
    as_json: AsJson = False,
    pack: Pack = "beichen",
) -> None:
    """每条规则判对了多少：由退单的裁定、更正、指定承办、退回、办结汇总，附区间、逐词、逐月和判错的每一件。"""
    with opened() as database:
        code = code_of(pack)
        ruleset = rulelife.read_version(database, code, rulelife.active_version(database, code))
        with database.read() as conn:
            print(_overview(conn, ruleset, most, as_json=as_json) if not rule else _one(conn, ruleset, rule, most, as_json=as_json))


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
        ready = quarantine.prepare_release(database, ruleset, rule, Proposal(author, note))
        with database.write() as conn:
            row = quarantine.publish_release(conn, ready, rule, note, datetime.now(UTC))
    print(f"已恢复规则 {rule}，发布并启用第 {row.version} 版。")
