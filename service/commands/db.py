"""`fenpai db upgrade | rekey`: the schema of the database, and the key that seals what is personal in it."""

import os
from contextlib import closing

import orjson
import typer

from service import db, store, usage
from service.commands.house import vault_of
from service.commands.terminal import who
from service.config import Settings
from service.store import NewEvent

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


@app.command("rekey", cls=usage.Command)
def rekey_database() -> None:
    """换数据密钥：把诉求人信息和通道密钥都用最新的密钥重新加密，之后旧密钥可以丢弃。

    先让各副本的 FENPAI_DATA_KEY（或密钥文件，一行一把）同时有新旧两把，新的在前，重启；再运行本命令；最后去掉旧的。中断后再运行一次即可。
    """
    settings = Settings.from_env(os.environ)
    with closing(db.connect(settings.database_url)) as database:
        db.check(database)
        vault = vault_of(database)
        count, after, more = 0, "", True
        while more:  # stretch by stretch: a server that runs beside us must not wait for all of them
            with database.write() as conn:
                after, done = store.renew_seals(conn, vault.renew, after)
            count, more = count + done, bool(after)
        with database.write() as conn:
            secrets = store.renew_secrets(conn, vault.renew)
            store.note_data_key(conn, vault.fingerprints[0])
            told = orjson.dumps({"cases": count, "channels": secrets, "key": vault.fingerprints[0][:12]}).decode()
            store.append_events(conn, [NewEvent(at=store.now(conn), kind="audit.rekeyed", actor=who(), data=told)])
    print(f"已用最新的密钥重新加密：诉求人 {count} 件，通道 {secrets} 个。旧密钥可以去掉了。")
