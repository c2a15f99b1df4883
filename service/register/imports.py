"""Bringing a file into the register: read, checked against the rule set in force and what stands, written as one or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from ulid import ULID

from models.register import ImportQuery, ImportReport
from models.ruleset import RuleSet
from service import store
from service.engine.register import field_only
from service.engine.tokens import Cutter
from service.register.change import Plan, plan
from service.register.columns import HEADINGS, find_table
from service.register.drafts import Drafts, read_drafts
from service.register.errors import RegisterInvalid, RegisterUnreadable
from service.register.sheet import read_lines
from service.store import RegisterMark

SHOWN = 20
"""Most names in one remark."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An import as somebody wants it: the drafts, how, from which file, by whom."""

    drafts: Drafts
    how: ImportQuery
    source: str
    actor: str


def read_file(data: bytes, ruleset: RuleSet) -> Drafts:
    """The drafts in a CSV file or an Excel workbook."""
    table = find_table(read_lines(data))
    if table is None:
        raise RegisterUnreadable(f"没有找到“名称”一列。表头应有：{'、'.join(HEADINGS.values())}（次序不限，名称必有）。")
    if not table.lines:
        raise RegisterUnreadable("表头下面没有一行机构。")
    return read_drafts(table, ruleset)


def prepare(conn: Any, wanted: Wanted, now: datetime) -> tuple[RegisterMark, Plan]:
    """What the import would do to the register as it stands; RegisterInvalid tells all mistakes at once."""
    # The mark first: if somebody writes in between, it is too old, and the change is refused.
    mark = store.register_mark(conn)
    register = store.read_register(conn)
    made = plan(wanted.drafts, register, new_ids(now), replace_all=wanted.how.replace, source=wanted.source)
    faults = sorted((*wanted.drafts.faults, *made.faults), key=lambda fault: fault.line)
    if wanted.drafts.misread or (faults and not wanted.how.skip_errors):
        raise RegisterInvalid(rows=faults)
    if faults and wanted.how.replace:
        # Whoever is skipped would be taken out.
        raise RegisterInvalid("整册替换时不能跳过有错误的行，否则这些机构会从名录中消失。请先改好文件。", rows=faults)
    return mark, made


def write(conn: Any, wanted: Wanted, made: tuple[RegisterMark, Plan], now: datetime) -> RegisterMark | None:
    """Carry out what was prepared; None where the register has changed since."""
    mark, planned = made
    return store.write_register(conn, planned.change, mark.revision, actor=wanted.actor, at=now)


def report(wanted: Wanted, made: tuple[RegisterMark, Plan], after: RegisterMark, ruleset: RuleSet, cut: Cutter) -> ImportReport:
    """What was done, or would be."""
    mark, planned = made
    return ImportReport(
        revision=after.revision,
        rows=planned.added + planned.changed + planned.unchanged,
        added=planned.added,
        changed=planned.changed,
        unchanged=planned.unchanged,
        removed=len(planned.change.removed),
        total=len(planned.after),
        written=after != mark,
        skipped=[*wanted.drafts.faults, *planned.faults],
        remarks=_remarks(wanted.drafts, planned, ruleset, cut),
    )


def _remarks(drafts: Drafts, planned: Plan, ruleset: RuleSet, cut: Cutter) -> list[str]:
    remarks = [f"没有导入的列：{'、'.join(drafts.ignored)}。"] if drafts.ignored else []
    quiet = [f"“{alias}”（{row.name}）" for row, alias in field_only((listed.institution for listed in planned.change.put), ruleset, cut)]
    if quiet:
        more = f"等 {len(quiet)} 个" if len(quiet) > SHOWN else ""
        remarks.append(f"这些别名是常用词或通用词，只在“被反映机构”一栏中辨认，不在诉求文字中查找：{'、'.join(quiet[:SHOWN])}{more}。")
    return remarks


def new_ids(now: datetime) -> Iterator[str]:
    """Ids that rise one by one, so that institutions keep the order of their file."""
    first = int(ULID.from_datetime(now))
    return (str(ULID.from_int(first + number)) for number in count())
