"""`fenpai work`: letters and nothing else."""

import os

import typer

from service import usage
from service import work as dispatching
from service.config import Settings

app = typer.Typer()


@app.command(cls=usage.Command)
def work() -> None:
    """只送达，不提供接口：与任意多个 fenpai serve、fenpai work 共用一个 PostgreSQL。设置见环境变量 FENPAI_*。"""
    dispatching.work(Settings.from_env(os.environ), lambda: print("fenpai 正在送达。按 Ctrl-C 结束。", flush=True))
