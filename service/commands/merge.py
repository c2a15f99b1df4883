"""`fenpai rules merge`: a draft, in a folder or in the database, takes in the version in force, and is examined at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service import prover, rulebook, rulelife, ruletest, usage
from service.commands.drafts import held_in, named
from service.commands.house import Author, Folder, code_of, opened
from service.db import Database
from service.errors import StartError
from service.rulelife import MergeConflict, NothingNew, kept
from service.rulelife.merge import Examined, Prefer, Way, examined, joined

app = typer.Typer()

SHOWN = 20


class Word(StrEnum):
    """Whose word counts where both changed the same."""

    DRAFT = "草稿"
    ACTIVE = "在用"


PREFER: dict[Word | None, Prefer | None] = {None: None, Word.DRAFT: "ours", Word.ACTIVE: "theirs"}


@app.command("merge", cls=usage.Command)
def merge(
    folder: Folder = "beichen",
    base: Annotated[int, typer.Option(min=0, metavar="版本", help="文件夹是从哪一版改来的；fenpai rules versions 列出各版")] = 0,
    draft: Annotated[str, typer.Option(metavar="草稿", help="合并存在数据库里的这个草稿，而不是文件夹")] = "",
    word: Annotated[
        Word | None, typer.Option("--keep", metavar="草稿|在用", help="两方改了同一处时以谁为准；不写则说明是哪些，不合并")
    ] = None,
    author: Author = "",
    quick: Annotated[bool, typer.Option("--no-prove", help="合并之后不查证（查证要几十秒）")] = False,
) -> None:
    """把在用的版本合并进草稿：只有一方改过的照改过的，一方增删的词语都保留；随即检查、测试、查证。"""
    with opened() as database:
        code = code_of(folder)
        version = rulelife.active_version(database, code)
        try:
            files = (
                _stored(database, code, draft, version, PREFER[word], named(author))
                if draft
                else _folder(database, code, folder, Way(base, version, PREFER[word]))
            )
        except MergeConflict as conflict:
            print(f"{conflict.detail}\n以草稿为准：加 --keep 草稿；以在用的版本为准：加 --keep 在用。")
            raise typer.Exit(1) from conflict
        before = rulelife.read_version(database, code, version)
    found = examined(files, prove=not quick)
    if found.report is not None:
        print(rulelife.told(rulelife.compare(before, found.report.ruleset)) or f"合并之后与第 {version} 版没有不同。")
    _say(found)
    if not found.sound:
        raise typer.Exit(1)


def _folder(database: Database, pack: str, name: str, way: Way) -> dict[str, str]:
    """The files of a folder after merging; what changed is written."""
    if not way.base:
        raise StartError("请用 --base 写明这个文件夹是从哪一版改来的；fenpai rules versions 列出各版。")
    if way.base == way.version:
        raise NothingNew(f"文件夹依据的就是在用的第 {way.version} 版，不必合并。")
    place = rulebook.find_pack(name)
    before = rulebook.read_folder(place)
    files = joined(database, pack, before, way)
    _write(place, before, files)
    changed = sorted(name for name in {*before, *files} if before.get(name) != files.get(name))
    print(f"第 {way.version} 版已合并进 {place}，改动了 {len(changed)} 个文件{'：' if changed else ''}{'、'.join(changed[:SHOWN])}。")
    return files


def _write(place: Path, before: Mapping[str, str], files: Mapping[str, str]) -> None:
    for name in before.keys() - files.keys():
        (place / name).unlink()
    for name, text in files.items():
        if before.get(name) != text:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8", newline="")


def _stored(database: Database, pack: str, number: str, version: int, prefer: Prefer | None, who: str) -> dict[str, str]:
    """The files of a stored draft after merging; from now on it is based on the version in force."""
    held = held_in(database, pack, number)
    if held.row.base in (None, version):
        raise NothingNew(f"草稿依据的就是在用的第 {version} 版，不必合并。" if held.row.base else "草稿没有写明依据哪一版，无从合并。")
    files = joined(database, pack, held.files, Way(held.row.base, version, prefer))
    with database.write() as conn:
        row = kept.rebase(conn, held, files, version, kept.Person(who), datetime.now(UTC))
    print(f"第 {version} 版已合并进草稿 {row.id}，现在是第 {row.version} 稿（摘要 {row.digest[:12]}）。")
    return files


def _say(found: Examined) -> None:
    errors = [mistake for mistake in found.mistakes if mistake.severity == "error"]
    print(*(str(mistake) for mistake in errors), f"检查：{len(errors)} 处错误，{len(found.mistakes) - len(errors)} 处提醒。", sep="\n")
    if found.report is None:
        print("有错误，没有测试和查证。改好之后：fenpai rules check，fenpai rules test，fenpai rules prove。")
        return
    print(f"测试：{ruletest.text(found.report)}")
    print("没有查证。" if found.proof is None else f"查证：\n{prover.text(found.proof)}")
