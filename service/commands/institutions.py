"""`fenpai institutions import | export | search`: the register."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from models.register import ImportQuery, RowFault
from service import register, show, usage
from service.commands.terminal import written
from service.config import Settings

app = typer.Typer(cls=usage.Group, help="导入、导出、查询机构名录。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)


@app.command("import", cls=usage.Command)
def import_institutions(
    file: Annotated[Path, typer.Argument(metavar="文件", help="CSV（UTF-8 或 GBK）或 .xlsx，表头用中文")],
    replace: Annotated[bool, typer.Option("--replace", help="文件就是整个名录，其中没有的机构从名录中去掉")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入")] = False,
    skip: Annotated[bool, typer.Option("--skip-errors", help="跳过有错误的行，导入其余各行")] = False,
) -> None:
    """把文件导入机构名录。有错误时逐处列出行、列和改法，一行也不导入。"""
    settings = Settings.from_env(os.environ)
    how = ImportQuery(replace=replace, dry_run=dry, skip_errors=skip)
    with register.opened(settings, first=not dry) as counter:
        try:
            done = counter.bring_in(file, how, settings.max_register_bytes)
        except register.RegisterInvalid as wrong:
            _tell(wrong.rows)
            print(f"{file}：{wrong.detail}", file=sys.stderr)
            raise typer.Exit(1) from None
    _tell(done.skipped)
    for remark in done.remarks:
        print(remark)
    counts = f"新增 {done.added}，修改 {done.changed}，没有变化 {done.unchanged}，去掉 {done.removed}；名录共 {done.total} 家"
    print(f"{'只检查，没有写入' if dry else f'名录第 {done.revision} 版'}：{counts}。")
    if done.skipped:
        raise typer.Exit(1)


def _tell(faults: Sequence[RowFault]) -> None:
    for fault in faults:
        print(fault, file=sys.stderr)


@app.command("export", cls=usage.Command)
def export_institutions(file: Annotated[str, typer.Argument(metavar="[文件]", help="写到哪里，缺省为标准输出")] = "-") -> None:
    """把机构名录写成 CSV，Excel 可直接打开，改后可再导入。"""
    with register.opened(Settings.from_env(os.environ)) as counter:
        content = counter.export()
    with written(file) as out:
        out.write(content)


@app.command("search", cls=usage.Command)
def search_institutions(
    words: Annotated[str, typer.Argument(metavar="[文字]", help="名称、别名、许可证号、地址中含有的文字")] = "",
    category: Annotated[str | None, typer.Option(metavar="代码", help="机构类别代码")] = None,
    status: Annotated[str | None, typer.Option(metavar="状态", help="状态")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=20_000, metavar="数", help="最多列出多少家")] = 50,
) -> None:
    """查询机构名录。"""
    with register.opened(Settings.from_env(os.environ)) as counter:
        found = counter.search(words, category, status, most)
    if not found:
        print("没有找到。")
        raise typer.Exit(1)
    show.out(show.institutions(found, counter.ruleset))
