"""`fenpai incidents list | show` and `fenpai duplicates`: which cases belong together, for officials at a terminal."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import orjson
import typer
from rich.table import Table

from models.case import Status
from models.incidents import ProposalState
from models.moves import STATUS_NAMES
from service import store, usage
from service.commands.house import names_of, opened
from service.errors import CaseNotFound
from service.show import at, listing, out
from service.store import CaseRow, IncidentRow, ProposalRow

app = typer.Typer(cls=usage.Group, help="查看群体事件。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)
alone = typer.Typer()

BASES = {"text": "文字相近", "story": "同一机构，内容相近"}

Limit = Annotated[int, typer.Option(min=1, max=10_000, metavar="数", help="最多多少条")]


@app.command("list", cls=usage.Command)
def show_incidents(
    department: Annotated[str | None, typer.Option(metavar="单位", help="只看这个单位主办或协办的（代码）")] = None,
    limit: Limit = 50,
) -> None:
    """列出群体事件，新立的在前。"""
    with opened() as database, database.read() as conn:
        rows, names = store.list_incidents(conn, department=department, limit=limit), names_of(database)
    out(_incidents(rows, names))


@app.command("show", cls=usage.Command)
def show_incident(case: Annotated[str, typer.Argument(metavar="编号", help="群体事件的案件编号")]) -> None:
    """列出并入一件群体事件的案件。"""
    with opened() as database, database.read() as conn:
        incident = store.get_incident(conn, case)
        if incident is None:
            raise CaseNotFound(f"没有编号为 {case[:64]} 的群体事件。")
        rows, names = store.cases_by_id(conn, store.members(conn, case)), names_of(database)
    out(_incidents([incident], names))
    out(_cases(sorted(rows.values(), key=lambda row: row.received_at)))


@alone.command("duplicates", cls=usage.Command)
def show_duplicates(
    state: Annotated[ProposalState, typer.Option(metavar="pending|accepted|dismissed", help="待定、已并单、不是重复")] = "pending",
    limit: Limit = 50,
) -> None:
    """列出疑似重复的案件，后来的在前；是否并单由接口 /v1/duplicates 决定。"""
    with opened() as database, database.read() as conn:
        rows = store.list_proposals(conn, state=state, limit=limit)
    out(_proposals(rows))


def _incidents(rows: Sequence[IncidentRow], names: Mapping[str, str]) -> Table:
    table = listing("编号", "机构", "件数", "状态", "主办", "立案")
    for row in rows:
        lead = names.get(row.case.lead or "", row.case.lead or "")
        table.add_row(row.case.id, row.institution, str(row.members), STATUS_NAMES[Status(row.case.status)], lead, at(row.opened_at))
    return table


def _cases(rows: Sequence[CaseRow]) -> Table:
    table = listing("编号", "工单", "受理", "标题")
    for row in rows:
        table.add_row(row.id, row.source_order_no, at(row.received_at), row.title)
    return table


def _proposals(rows: Sequence[ProposalRow]) -> Table:
    table = listing("后来的", "先来的", "相近", "依据", "共有的词语", whole=("后来的", "先来的"))
    for row in rows:
        table.add_row(row.case_id, row.other_id, f"{row.score}%", BASES[row.basis], "、".join(orjson.loads(row.words)))
    return table
