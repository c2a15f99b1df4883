"""`fenpai deliveries list | replay`: what went out to departments' systems, and sending it once more."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.table import Table

from models.delivery import DeliveryState
from service import show, store, usage
from service.commands.house import opened
from service.db import Database
from service.errors import DeliveryNotFound, StartError
from service.masks import masked
from service.store import DeliveryRow

app = typer.Typer(cls=usage.Group, help="查看、重发送给各单位系统的消息。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)

ACTOR = "cli"
MOST = 100_000
STATES: dict[DeliveryState, str] = {"pending": "待送达", "done": "已送达", "dead": "已放弃"}

State = Annotated[DeliveryState | None, typer.Option(metavar="pending|done|dead", help="只看这种状态")]
Department = Annotated[str | None, typer.Option(metavar="单位", help="只看这个单位（代码）")]


@app.command("list", cls=usage.Command)
def show_deliveries(
    state: State = None,
    department: Department = None,
    case: Annotated[str | None, typer.Option(metavar="编号", help="只看这个案件")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="数", help="最多多少条")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON，一行一条")] = False,
) -> None:
    """列出送达，新的在前；最后说明还有多少待送达、多少已放弃。"""
    with opened() as database, database.read() as conn:
        rows = store.list_deliveries(conn, state=state, department=department, case_id=case, limit=limit)
        whole = store.outbox_state(conn)
    if as_json:
        for row in rows:
            print(orjson.dumps(asdict(row)).decode())
        return
    show.out(_table(rows))
    print(f"待送达 {whole.pending} 条，已放弃 {whole.dead} 条。")


@app.command("replay", cls=usage.Command)
def replay_deliveries(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[编号...]", help="送达编号（webhook-id）")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="重发全部已放弃的，先产生的先送")] = False,
    department: Department = None,
) -> None:
    """重发：消息与编号都不变，次数从头计。正在运行的 fenpai serve 或 fenpai work 随即送出。"""
    if bool(ids) == dead:
        raise StartError("请写明要重发的编号，或用 --dead 重发全部已放弃的")
    with opened() as database:
        chosen = list(ids) if ids else _dead(database, department)
        for id_ in chosen:
            _replay(database, id_)
    print(f"{len(chosen)} 条等待重发。")


def _dead(database: Database, department: str | None) -> Sequence[str]:
    with database.read() as conn:
        return list(store.dead_deliveries(conn, department, MOST))


def _replay(database: Database, id_: str) -> None:
    # Each by itself: a server that runs beside us on SQLite must not wait for all of them.
    with database.write() as conn:
        if store.replay_delivery(conn, id_, actor=ACTOR, at=store.now(conn)) is None:
            raise DeliveryNotFound(f"没有编号为 {masked(id_)} 的送达。")


def _table(rows: Sequence[DeliveryRow]) -> Table:
    table = show.listing("编号", "种类", "状态", "次数", "答复", "产生", "为什么没有送到", right=("次数",))
    for row in rows:
        at = show.at(row.created_at, "%m-%d %H:%M:%S")
        table.add_row(row.id, row.kind, STATES[row.state], str(row.attempts), str(row.status or ""), at, row.last_error or "")
    return table
