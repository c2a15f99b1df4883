"""`fenpai keys create | list | rotate | revoke`: API keys, for whoever may open the database."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.table import Table

from models.access import ADMIN, MAX_DAYS, OF_DEPARTMENT, KeyIn, RotateIn
from models.ruleset import RuleSet
from service import batch, db, keyring, rulebook, store, usage
from service.commands.terminal import who
from service.config import Settings
from service.db import Database
from service.errors import StartError
from service.show import at, listing, out
from service.store import KeyRow

app = typer.Typer(cls=usage.Group, help="发放、列出、更换、吊销接口钥匙。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)

Days = Annotated[int, typer.Option("--days", min=0, metavar="数", help="多少天后失效，0 为不失效")]
KeyId = Annotated[str, typer.Argument(metavar="编号", help="钥匙中两条下划线之间的部分，见 fenpai keys list")]


@app.command("create", cls=usage.Command)
def create(
    name: Annotated[str, typer.Option("--name", metavar="名称", help="谁用：系统或人的名称")],
    scopes: Annotated[
        list[str],
        typer.Option("--scope", metavar="权限", help="hotline、department:单位代码、viewer、rule_admin、approver、admin；可写多次"),
    ],
    days: Days = 365,
) -> None:
    """发一把钥匙。钥匙只显示这一次；第一把发出之后，所有请求都要带钥匙。"""
    try:
        given = KeyIn(name=name, scopes=tuple(scopes), days=days or None)
    except ValidationError as mistake:
        raise StartError("；".join(dict.fromkeys(_wrong(mistake, scopes)))) from None
    with opened() as database, database.write() as conn:
        _check_department(conn, given)
        first = not store.keys_revision(conn)
        made = keyring.create(conn, given.name, given.scopes, given.days, keyring.By(who()))
    time.sleep(keyring.LEASE if first else 0)
    _show(made)
    if first:
        print("这是第一把钥匙：从现在起，所有请求都要带钥匙（请求头 Authorization: Bearer 钥匙）。")
        if ADMIN not in given.scopes:
            print("注意：它不是管理员的。钥匙、审计等接口只有 admin 能用，请再发一把：fenpai keys create --name 管理员 --scope admin。")


@app.command("list", cls=usage.Command)
def show(as_json: Annotated[bool, typer.Option("--json", help="输出 JSON，一行一把")] = False) -> None:
    """列出全部钥匙，新的在前；不含钥匙本身。"""
    with opened() as database, database.read() as conn:
        rows = store.list_api_keys(conn)
    if as_json:
        for row in rows:
            print(orjson.dumps({name: getattr(row, name) for name in SHOWN}).decode())
        return
    out(_table(rows))


@app.command("rotate", cls=usage.Command)
def rotate(
    key_id: KeyId,
    hours: Annotated[float, typer.Option("--overlap", min=0, metavar="小时", help="旧钥匙还能用多少小时")] = 24,
    days: Days = 365,
) -> None:
    """换一把权限相同的新钥匙；旧的过一段时间才失效，好让各处换上新的。"""
    try:
        given = RotateIn(overlap_hours=hours, days=days or None)
    except ValidationError as mistake:
        raise StartError("；".join(batch.wording(mistake))) from None
    with opened() as database, database.write() as conn:
        made = keyring.rotate(conn, key_id, timedelta(hours=given.overlap_hours), given.days, keyring.By(who()))
    time.sleep(0 if hours else keyring.LEASE)
    _show(made)
    print(f"旧钥匙 {key_id} 还能用 {hours:g} 小时。")


@app.command("revoke", cls=usage.Command)
def revoke(key_id: KeyId) -> None:
    """立即吊销。命令结束时，任何一个副本都不再认这把钥匙。"""
    with opened() as database, database.write() as conn:
        row = keyring.revoke(conn, key_id, keyring.By(who()))
    time.sleep(keyring.LEASE)
    print(f"钥匙 {row.id}（{row.name}）已吊销，各副本都不再认它。")


def _wrong(mistake: ValidationError, scopes: list[str]) -> Iterator[str]:
    """What is wrong, in words; a scope by what was written."""
    for item in mistake.errors():
        place = item["loc"]
        if place[0] == "scopes" and len(place) > 1:
            yield f"没有 {scopes[int(place[1])][:60]} 这种权限，只能是 hotline、department:单位代码、viewer、rule_admin、approver、admin"
        elif item["type"] == "value_error":
            yield str(item["ctx"]["error"])
        else:
            yield {"name": "--name 应为 1 至 100 个字", "days": f"--days 应为 0 至 {MAX_DAYS}"}.get(str(place[0]), "写法有误")


def _check_department(conn: Any, given: KeyIn) -> None:
    """A department that the rules in force do not have would open nothing. Before the first start there are none in force."""
    wanted = next((scope.removeprefix(OF_DEPARTMENT) for scope in given.scopes if scope.startswith(OF_DEPARTMENT)), None)
    known = [unit.code for unit in _rules(conn).departments] if wanted else []
    if wanted and wanted not in known:
        raise StartError(f"没有 {wanted} 这个单位，只能是 {'、'.join(known)}。")


def _rules(conn: Any) -> RuleSet:
    """The rules in force, or before the first start those of the folder."""
    folder = rulebook.find_pack(Settings.from_env(os.environ).folder)
    shipped = rulebook.restore(rulebook.read_folder(folder), 0)
    row = store.active_ruleset(conn, shipped.pack)
    return rulebook.restore(store.ruleset_files(conn, row.pack, row.version), row.version) if row else shipped


SHOWN = ("id", "name", "scopes", "created_at", "created_by", "expires_at", "revoked_at", "replaced_by")


@contextmanager
def opened() -> Iterator[Database]:
    with closing(db.connect(Settings.from_env(os.environ).database_url)) as database:
        if db.revision(database) is None:
            db.upgrade(database)  # the first key may come before the first start
        db.check(database)
        yield database


def _show(made: keyring.Made) -> None:
    row = made.row
    print(f"钥匙：{made.key}")
    print("只显示这一次，请存入对方的密码库；库里只有它的摘要。")
    print(f"编号 {row.id}，{row.name}，权限 {'、'.join(row.scopes)}，{_end(row)}。")


def _end(row: KeyRow) -> str:
    return f"{at(row.expires_at)} 失效" if row.expires_at else "不失效"


def _table(rows: Sequence[KeyRow]) -> Table:
    table = listing("编号", "谁用", "权限", "发放", "发放人", "期限", "状态")
    for row in rows:
        created = at(row.created_at, "%Y-%m-%d")
        table.add_row(row.id, row.name, "、".join(row.scopes), created, row.created_by, _end(row), _state(row))
    return table


def _state(row: KeyRow) -> str:
    if row.revoked_at:
        return f"{at(row.revoked_at)} 已吊销"
    if not keyring.is_live(row, datetime.now(UTC)):
        return "已失效"
    return f"在用，已换为 {row.replaced_by}" if row.replaced_by else "在用"
