"""`fenpai serve | work | demo | openapi`: the service itself."""

import os
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from service import app as house
from service import demo, rulebook, show, usage
from service import work as dispatching
from service.config import Settings

app = typer.Typer()


@app.command(cls=usage.Command)
def serve(
    host: Annotated[str | None, typer.Option(metavar="地址", help="监听地址，缺省 FENPAI_HOST 或 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(metavar="端口", help="监听端口，缺省 FENPAI_PORT 或 8360")] = None,
) -> None:
    """提供 HTTP 接口，直到被停止。设置见环境变量 FENPAI_*。"""
    house.serve(Settings.from_env(os.environ, host=host, port=port), _serving)


def _serving(address: str, locked: bool = True) -> None:
    print(f"fenpai 正在提供服务：{address}（控制台 {address}/console/，接口说明 {address}/docs）。按 Ctrl-C 结束。", flush=True)
    if not locked:
        print("还没有接口钥匙：只接受本机的请求，且不问是谁。发第一把钥匙：fenpai keys create --name 管理员 --scope admin", flush=True)


@app.command(cls=usage.Command)
def work() -> None:
    """只送达，不提供接口：与任意多个 fenpai serve、fenpai work 共用一个 PostgreSQL。设置见环境变量 FENPAI_*。"""
    dispatching.work(Settings.from_env(os.environ), lambda: print("fenpai 正在送达。按 Ctrl-C 结束。", flush=True))


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
            _serving(str(client.base_url))
            with suppress(KeyboardInterrupt):
                server.wait()
    if not all(item.taken for item in sent):
        raise typer.Exit(1)


@app.command(cls=usage.Command)
def openapi() -> None:
    """输出接口的 OpenAPI 文档（YAML）。"""
    print(house.openapi(), end="")
