"""`fenpai audit verify | export`: whether anything was touched, and the whole log for an auditor."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service import audit, usage
from service.audit import Mark
from service.commands.house import opened, vault_of
from service.commands.terminal import who
from service.errors import StartError

app = typer.Typer(cls=usage.Group, help="核查审计链，导出审计记录。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)


@app.command("verify", cls=usage.Command)
def verify(
    noted: Annotated[str, typer.Option("--noted", metavar="位置:摘要", help="以前核查时记下的链尾，用来发现链尾被截去")] = "",
    seals: Annotated[bool, typer.Option("--seals/--no-seals", help="是否也逐件试开加密的诉求人信息（要有数据密钥）")] = True,
) -> None:
    """核对整条审计链，以及每个案件、钥匙、规则版本是否与它相符；指出第一处不符。有不符时以 1 结束。"""
    with opened() as database:
        found = audit.verify(database, vault_of(database) if seals else None, _mark(noted))
    if found.broken is not None:
        print(f"第 {found.broken} 行不符：{found.why}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"审计链完整：{found.rows} 行，案件、钥匙、规则版本都与它相符。")
    print(f"链尾 {found.mark}（请另处存好，下次用 --noted 核对）")


@app.command("export", cls=usage.Command)
def export(
    target: Annotated[str, typer.Argument(metavar="[文件]", help="写到哪里，缺省为标准输出")] = "-",
    after: Annotated[int, typer.Option("--after", min=0, metavar="位置", help="只要此位置之后的")] = 0,
) -> None:
    """导出审计记录，一行一条 JSON；hash 是 SHA-256(prev_hash + row 的紧凑 JSON)。导出本身也记入审计。"""
    with opened() as database:
        with database.write() as conn:
            audit.note_export(conn, who(), what="audit", after=after)
        lines = audit.export(database, after)
        if target == "-":
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
        else:
            with Path(target).open("xb") as out:
                out.writelines(lines)


def _mark(noted: str) -> Mark | None:
    if not noted:
        return None
    mark = audit.mark_of(noted)
    if mark is None:
        raise StartError("--noted 应形如 1234:摘要，即以前核查时打印的链尾")
    return mark
