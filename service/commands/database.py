"""`fenpai db upgrade`: the schema of the database."""

import os
from contextlib import closing

import typer

from service import db, usage
from service.config import Settings

app = typer.Typer(cls=usage.Group, help="管理数据库。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)


@app.command("upgrade", cls=usage.Command)
def upgrade_database() -> None:
    """把数据库结构升级到本程序所需的版本；新库则建表。"""
    with closing(db.connect(Settings.from_env(os.environ).database_url)) as opened:
        before = db.revision(opened)
        db.upgrade(opened)
        after = db.revision(opened)
    print(f"数据库已是最新（{after}）。" if before == after else f"数据库已升级：{before or '空'} -> {after}。")
