"""`fenpai demo`: a client of a server in a process of its own; it needs none of the house itself, and so begins at once."""

import os
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from service import demo, rulebook, show, usage
from service.commands.terminal import serving
from service.config import Settings

app = typer.Typer()


@app.command("demo", cls=usage.Command)
def demonstrate(
    stay: Annotated[bool, typer.Option("--serve", help="打印结果后继续提供服务")] = False,
    file: Annotated[str, typer.Option("--database", metavar="文件", help="演示用的 SQLite 文件")] = "fenpai-demo.db",
) -> None:
    """启动真的服务，经接口送入示例工单，打印每件的研判与依据。"""
    settings = Settings.from_env(os.environ, database_url=f"sqlite:///{file}")
    folder = rulebook.find_pack(settings.folder)
    lines = demo.orders(folder)
    console = Console()
    with demo.serving(settings) as (client, server):
        listed = demo.bring_register(client, folder)
        with show.progress("送入示例工单", len(lines)) as advance:
            sent = demo.send(client, lines, advance)
        known = demo.names(client)
        console.print(demo.decisions(sent, known), demo.totals(sent, known))
        if listed:
            print(f"研判前已导入示例名录：{listed} 家机构（fenpai institutions 可导入、导出、查询）。")
        if known.digest != rulebook.digest(rulebook.read_folder(folder)):
            print(f"注意：{folder} 改过了，{file} 里还是原来的规则。要看新规则的结果，请删掉 {file} 再来一次。")
        if stay:
            serving(str(client.base_url))
            with suppress(KeyboardInterrupt):
                server.wait()
    if not all(item.taken for item in sent):
        raise typer.Exit(1)
