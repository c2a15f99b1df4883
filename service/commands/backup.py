"""`fenpai backup`: a copy of the database while it is in use, checked before it is called one."""

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from service import audit, db, usage
from service.commands.terminal import who
from service.config import Settings
from service.errors import BackupElsewhere, BackupUnsound, StartError

app = typer.Typer()


@app.command("backup", cls=usage.Command)
def backup(
    target: Annotated[Path, typer.Argument(metavar="文件", help="备份到哪里；不覆盖已有的文件")],
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="是否核对备份里的整条审计链")] = True,
) -> None:
    """备份 SQLite 数据库，不必停下服务；备份出来的逐页检查、核对审计链之后才算数。备份本身记入审计。

    密钥文件 fenpai.key（或 FENPAI_DATA_KEY）不在备份里，须另处存好：没有它，诉求人信息打不开。
    恢复：停下服务，把备份放回原处（删去旁边的 -wal、-shm），密钥也放回，再启动。PostgreSQL 请用 pg_dump 和 pg_restore。
    """
    if target.exists():
        raise StartError(f"{target} 已经有了，没有覆盖。请换一个文件名。")
    with closing(db.connect(Settings.from_env(os.environ).database_url)) as database:
        if database.path is None:
            raise BackupElsewhere
        db.check(database)
        with database.write() as conn:
            audit.note_export(conn, who(), what="backup")
        db.backup(database, target)
    if verify:
        _verify(target)
    print(f"已备份到 {target}（{target.stat().st_size:,} 字节）{'，审计链完整' if verify else ''}。密钥不在其中，请另处存好。")


def _verify(target: Path) -> None:
    with closing(db.connect(f"sqlite:///{target.absolute()}")) as copy:
        found = audit.verify(copy)
    if found.broken is not None:
        raise BackupUnsound(f"备份的审计链第 {found.broken} 行不符：{found.why}。备份留在 {target}，请先查明数据库。")
