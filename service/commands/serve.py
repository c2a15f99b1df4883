"""`fenpai serve | openapi`: the service itself."""

import os
from typing import Annotated

import typer

from service import app as house
from service import usage
from service.commands.terminal import serving
from service.config import Settings

app = typer.Typer()


@app.command(cls=usage.Command)
def serve(
    host: Annotated[str | None, typer.Option(metavar="地址", help="监听地址，缺省 FENPAI_HOST 或 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(metavar="端口", help="监听端口，缺省 FENPAI_PORT 或 8360")] = None,
) -> None:
    """提供 HTTP 接口，直到被停止。设置见环境变量 FENPAI_*。"""
    house.serve(Settings.from_env(os.environ, host=host, port=port), serving)


@app.command(cls=usage.Command)
def openapi() -> None:
    """输出接口的 OpenAPI 文档（YAML）。"""
    print(house.openapi(), end="")
