"""`fenpai rules versions | publish | rollback | diff | export`: the commands by which versions of a rule set come and go."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from models.ruleset import RuleSet
from service import rulebook, rulelife, show, store, usage
from service.commands.house import AsJson, Author, Base, Folder, Note, code_of, draft_of, in_beijing, opened, published, refused
from service.commands.terminal import Pack, as_text
from service.config import Settings
from service.db import Database
from service.engine import Engine
from service.errors import RulesetNotFound
from service.rulelife import CasesFail, ConfirmedBreak, DraftBroken, Proposal, Ready, replay
from service.store import RulesetRow

app = typer.Typer()
cases = typer.Typer(cls=usage.Group, help="以往的案件。", rich_markup_mode=None)

# Looking ------------------------------------------------------------------------------------------------------------------------


@app.command("versions", cls=usage.Command)
def versions(as_json: AsJson = False, pack: Pack = "beichen") -> None:
    """列出已发布的各版本：谁、何时、为什么、由哪一版改来，哪一版在用。"""
    with opened() as database, database.read() as conn:
        rows = store.list_rulesets(conn, code_of(pack))
    if as_json:
        print(as_text([asdict(row) for row in rows]))
    else:
        show.out(_table(rows))


@app.command("diff", cls=usage.Command)
def diff(
    before: Annotated[str, typer.Argument(metavar="[从]", help="版本号，或规则包文件夹；缺省为在用的版本")] = "",
    after: Annotated[str, typer.Argument(metavar="[到]", help="版本号，或规则包文件夹；缺省为规则包文件夹")] = "",
    as_json: AsJson = False,
    pack: Pack = "beichen",
) -> None:
    """用规则的话说出两版之间改了什么：哪条规则增了哪些词、删了哪些词、强度从什么改成什么。只给一个文件夹，就是从在用的版本到它。"""
    if before and not after and not before.isdecimal():
        before, after = "", before
    sides = [_side(name, pack) for name in (before, after or pack)]
    changes = rulelife.compare(*sides)
    if as_json:
        print(as_text([asdict(change) | {"text": change.text} for change in changes]))
    else:
        print(rulelife.told(changes) or "规则没有变化（注释、写法、规则在哪个文件里不算）。")


@app.command("export", cls=usage.Command)
def export(
    version: Annotated[int, typer.Argument(min=1, metavar="版本", help="版本号")],
    target: Annotated[Path, typer.Argument(metavar="文件夹|文件.zip", help="写到哪里：新的或空的文件夹，或一个 .zip 文件")],
    pack: Pack = "beichen",
) -> None:
    """把一个版本的文件原样写出，成为一个可以由 git 保管、再次发布的文件夹。"""
    with opened() as database:
        files = rulelife.files_of(database, code_of(pack), version)
    if target.suffix == ".zip":
        with target.open("xb") as out:
            out.write(rulelife.packed(files))
    else:
        rulelife.write_folder(files, target)
    print(f"第 {version} 版的 {len(files)} 个文件已写到 {target}（摘要 {rulebook.digest(files)[:12]}）。")


@cases.command("replay", cls=usage.Command)
def replay_cases(
    since: Annotated[datetime | None, typer.Option(metavar="日期", help="只重算此后受理的案件")] = None,
    version: Annotated[int | None, typer.Option(min=1, metavar="版本", help="只重算由这一版研判的案件")] = None,
    as_json: AsJson = False,
    pack: Pack = "beichen",
) -> None:
    """用当时的诉求、当时的规则版本、当时的名录，把保存的研判逐件重算一遍，逐字比较。"""
    with opened() as database, database.read() as conn, show.progress("重算", store.count_cases(conn)) as advance:
        past = store.past_cases(conn, since=in_beijing(since), version=version)
        found = replay.replay(past, replay.Shelf(database, code_of(pack)), advance)
    print(as_text(asdict(found)) if as_json else replay.as_text(found))
    if not found.sound:
        raise typer.Exit(1)


# Publishing ---------------------------------------------------------------------------------------------------------------------


@app.command("publish", cls=usage.Command)
def publish(
    pack: Folder = "beichen",
    author: Author = "",
    note: Note = "",
    overrule: Annotated[str, typer.Option(metavar="理由", help="有用例未通过、或确认过的案件会出错而仍要发布的理由；记入审计链")] = "",
    base: Base = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="只检查、测试，不发布")] = False,
) -> None:
    """检查、测试规则包，都通过才发布为新版本并立即启用；各副本在两秒内换用。"""
    with opened() as database:
        ready = _prepared(database, pack, Proposal(author, note, base, overrule))
        print(f"检查、测试通过：{len(ready.report.results)} 个用例。" if ready.overruled is None else f"已放行：{ready.overruled}")
        changes = rulelife.compare(rulelife.read_version(database, ready.draft.ruleset.pack, ready.against), ready.draft.ruleset)
        print(rulelife.told(changes) or "规则没有变化，只改了注释或写法。")
        if dry:
            return
        with database.write() as conn:  # short, so it may be done beside a running service, on SQLite too
            row = rulelife.publish(conn, ready, datetime.now(UTC))
    print(f"已发布并启用第 {row.version} 版（摘要 {row.digest[:12]}）。撤回：fenpai rules rollback --author … --note …")


@app.command("rollback", cls=usage.Command)
def rollback(
    version: Annotated[int | None, typer.Argument(min=1, metavar="[版本]", help="启用哪一版；缺省为在用版本所由改来的那一版")] = None,
    author: Author = "",
    note: Note = "",
    base: Base = None,
    pack: Pack = "beichen",
) -> None:
    """启用一个已发布的版本：撤回到旧版，或再回到新版。"""
    code = code_of(pack)
    with opened() as database:
        wanted = version or _before(database, code)
        rulelife.read_version(database, code, wanted)
        with database.write() as conn:
            row = rulelife.activate(conn, code, wanted, Proposal(author, note, base), datetime.now(UTC))
    print(f"已启用第 {row.version} 版（摘要 {row.digest[:12]}，{row.author}：{row.note}）。")


def _prepared(database: Database, pack: str, proposal: Proposal) -> Ready:
    """The folder's draft, examined; what is wrong with it is printed, and ends the command with 1."""
    try:
        rulelife.signed(proposal)
        draft = draft_of(pack)
        against = rulelife.active_version(database, draft.ruleset.pack)
        pair = Engine(rulelife.read_version(database, draft.ruleset.pack, against)), draft.engine
        rulelife.something_new(draft, pair[0].ruleset)
        broken = rulelife.replay_confirmed(database, pair, fork=True).broken
        second = rulelife.needs_second(pair[0].ruleset, Settings.from_env(os.environ).second_person)
        return rulelife.prepare(draft, proposal, against, broken, second=second)
    except DraftBroken as broken:
        print("\n".join(fault.detail for fault in broken.faults))
        raise refused(broken) from broken
    except CasesFail as failed:
        print(failed.shown)
        raise refused(failed) from failed
    except ConfirmedBreak as broken:
        raise refused(broken) from broken


def _before(database: Database, pack: str) -> int:
    with database.read() as conn:
        row = store.active_ruleset(conn, pack)
    if row is None or row.parent is None:
        raise RulesetNotFound("在用的版本之前没有别的版本，请写明要启用哪一版（fenpai rules versions 列出各版本）。")
    return row.parent


def _side(name: str, pack: str) -> RuleSet:
    """One side of a comparison: a version by its number, the version in force, or a folder."""
    if name and not name.isdigit():
        return rulebook.restore(rulebook.read_folder(rulebook.find_pack(name)), 0)  # what it is compared with is not examined
    return published(name, pack)


def _table(rows: list[RulesetRow]) -> Table:
    table = show.listing("版本", "在用", "发布时间", "发布人", "说明", "由", "摘要", "放行", whole=("发布时间", "摘要"), right=("版本",))
    for row in rows:
        when = show.at(row.created_at)
        cells = [str(row.version), "●" if row.active else "", when, row.author, row.note, str(row.parent or ""), row.digest[:12]]
        table.add_row(*cells, row.overruled or "")
    return table
