"""`fenpai rules repair`: the smallest edits that mend what went wrong."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service import repair, rulebook, show, usage
from service.commands.house import opened, vault_of
from service.commands.terminal import Pack, as_text
from service.errors import StartError

app = typer.Typer()


@app.command("repair", cls=usage.Command)
def repair_rules(
    wrong: Annotated[
        list[Path] | None, typer.Argument(metavar="[判错的文件...]", help="判错的诉求，JSONL，一行一件，写明应有的结果")
    ] = None,
    confirmed: Annotated[
        list[Path] | None, typer.Option(metavar="文件", help="已确认判对的诉求，JSONL；修改不得弄坏它们，可写多次")
    ] = None,
    labels: Annotated[str, typer.Option("--labels", metavar="字段", help="只看这些字段的结果，逗号分隔，如 decision,lead")] = "",
    most: Annotated[int, typer.Option("--most", min=1, max=20, metavar="数", help="至多提几处修改")] = 5,
    ledger: Annotated[bool, typer.Option("--from-ledger", help="另取台账里判错的，并守住台账里确认判对的")] = False,
    write: Annotated[bool, typer.Option("--write", help="把修改和用例写入规则包")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    pack: Pack = "beichen",
) -> None:
    """从判错的诉求提出最小的规则修改：改好最多，不弄坏已确认的；附 YAML 差异和守住它的用例。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    ruleset = rulebook.load(files)
    wanted = tuple(filter(None, labels.replace("，", ",").split(","))) or repair.LABELS
    if strange := sorted(set(wanted) - set(repair.LABELS)):
        raise StartError(f"没有 {'、'.join(strange)} 这个字段。可写：{'、'.join(repair.LABELS)}")
    if not wrong and not ledger:
        raise StartError("请给出判错的文件，或用 --from-ledger 取台账里判错的。")
    cases, right = repair.read(wrong or [], ruleset, wanted), repair.read(confirmed or [], ruleset, wanted)
    if ledger:
        with opened() as database, database.read() as conn:
            lessons = repair.from_ledger(conn, ruleset, vault_of(database))
        print(lessons.told, file=sys.stderr)
        cases, right = [*cases, *lessons.wrong], [*right, *lessons.right]
    with show.progress("试各种修改", None) as advance:
        mended = repair.repair(files, cases, right, most=most, tell=lambda _: advance(1))
    print(as_text(repair.as_json(mended)) if as_json else repair.text(mended))
    if ledger and mended.steps:
        _hold_against_all(mended)
    for name in sorted(name for name in mended.after if write and mended.after[name] != files.get(name)):
        (folder / name).write_text(mended.after[name], encoding="utf-8", newline="")
        print(f"已写入 {folder / name}", file=sys.stderr)
    if mended.unmended:
        raise typer.Exit(1)


def _hold_against_all(mended: repair.Repair) -> None:
    """Replay all confirmed cases, for only the newest of them were kept while edits were sought."""
    with opened() as database:
        broken = repair.still_broken(database, mended, fork=True)
    if broken:
        print(f"注意：另有 {len(broken)} 件确认判对的会变错：{'、'.join(broken[:10])}。请先看 fenpai rules impact。", file=sys.stderr)
        raise typer.Exit(1)
