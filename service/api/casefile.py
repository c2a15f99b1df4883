"""GET /v1/cases/export: cases as a table for office programs, without those who complained, and never more than fits a sheet."""

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, cast

import orjson
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from models.case import CaseExportQuery, CaseQuery, Status
from models.decision import Outcome, Urgency
from models.moves import STATUS_NAMES
from models.ruleset import RuleSet
from service import audit, store
from service.api import responses, veil
from service.api.access import caller
from service.api.audit import doer
from service.api.cases import check_codes, filters_of, own
from service.api.deps import Office, Reach, WholeOffice
from service.api.plain import door
from service.api.told import CHINA
from service.casework import at_a_glance
from service.errors import OthersCases, ParameterInvalid, TooMuch
from service.keyring import Caller
from service.sheets import SHEETS
from service.show import OUTCOMES, URGENCIES
from service.store import CaseRow, Cursor, Filters

router = door("/v1/cases", "案件")

PAGE = 500
MOST = 50_000
IN_MEMORY = 5_000_000
CHUNK = 65_536

OUTSIDER = Caller("", "", frozenset(), None)
"""Files wander: whoever asks for one, its texts are masked as for somebody who need not know who complained."""

HEADINGS = (
    "工单编号", "来源系统", "受理时间", "状态", "研判结果", "主办单位", "协办单位", "机构类别", "问题类型", "紧急程度", "诉求类型",
    "街道", "标题", "诉求内容", "机构名称", "地址", "办理期限", "督办", "派单次数", "案件编号",
)  # fmt: skip


@router.get(
    "/export",
    summary="导出案件",
    response_class=StreamingResponse,
    response_description="表格",
    responses={
        200: {
            "content": {media: {"schema": {"type": "string", "format": "binary"}} for _, media in SHEETS.values()},
            "headers": responses.headers(Content_Disposition="文件名"),
        },
        **responses.problems(ParameterInvalid, OthersCases, TooMuch, *responses.WRITE),
    },
)
async def export_cases(query: Annotated[CaseExportQuery, Query()], request: Request, here: WholeOffice, reach: Reach) -> Response:
    """符合条件的案件，一件一行，新受理的在前；条件与查询案件相同，至多 50000 件。

    表中没有诉求人，文中的电话、身份证号、车牌一律遮盖。以 =、+、-、@ 开头的单元格不会被当作公式。每次导出记入审计。
    """
    asked = own(CaseQuery(**query.model_dump(exclude={"format"})), reach)
    await check_codes(asked, here.rules.engine, here.reads)
    file = cast("IO[bytes]", SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 (closed behind the answer)
    try:
        rows = await _write(file, query, asked, here)
        asks, what = caller(request.scope), asked.model_dump(mode="json", exclude_defaults=True)
        note = partial(audit.note_export, actor=doer(asks), what="cases", format=query.format, filters=what, rows=rows, key=asks.key)
        event = await here.writer.submit(note)
    except BaseException:
        file.close()
        raise
    here.bell.ring(event.seq)
    file.seek(0)
    name = {"Content-Disposition": f'attachment; filename="cases-{event.at.astimezone(CHINA):%Y%m%d}-{rows}.{query.format}"'}
    return StreamingResponse(_pieces(file), media_type=SHEETS[query.format][1], headers=name)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with closing(file):
        while data := file.read(CHUNK):
            yield data


async def _write(file: IO[bytes], query: CaseExportQuery, asked: CaseQuery, here: Office) -> int:
    """Page by page, so that others get their turn between two; how many they were."""
    filters = filters_of(asked, here)
    sheet, rows, place, more = SHEETS[query.format][0](file, HEADINGS), 0, None, True
    try:
        while more:
            count, place = await here.reads.run(partial(_page, here, sheet, filters, place))
            rows, more = rows + count, place is not None
            if rows > MOST:
                raise TooMuch(f"符合条件的案件超过 {MOST} 件，请缩小范围（例如按月导出）。")
    finally:
        await here.reads.run(sheet.close)  # also where nobody will see it: a workbook keeps files of its own
    return rows


def _page(here: Office, sheet: Any, filters: Filters, place: Cursor | None) -> tuple[int, Cursor | None]:
    with here.database.read() as conn:
        page = store.list_cases(conn, filters, limit=PAGE, cursor=place)
    ruleset = here.rules.engine.ruleset
    sheet.write(_cells(case, ruleset, here) for case in page.cases)
    return len(page.cases), page.next


def _cells(case: CaseRow, ruleset: RuleSet, here: Office) -> list[str]:
    names = {unit.code: unit.name for unit in ruleset.departments}
    kinds = {code: category.name for code, category in ruleset.ruleset.categories.items()}
    glance, urgency = at_a_glance(case), Urgency(case.urgency)
    texts = {name: getattr(case, name) for name in ("title", "content", "institution", "address")}
    shown = veil.veil(texts, case, here.vault, OUTSIDER)
    issues = [ruleset.issues[code].name if code in ruleset.issues else code for code in orjson.loads(case.issues)]
    assists = [names.get(part.department, part.department) for part in case.departments if part.role == "assist"]
    return [
        case.source_order_no,
        case.source_system,
        _time(case.received_at),
        STATUS_NAMES[Status(case.status)],
        OUTCOMES[Outcome(case.decision)],
        names.get(case.lead or "", case.lead or ""),
        "、".join(assists),
        kinds.get(case.category or "", case.category or ""),
        "、".join(issues),
        URGENCIES[urgency],
        case.demand_type or "",
        case.street or "",
        shown["title"],
        shown["content"],
        shown["institution"],
        shown["address"],
        _time(datetime.fromisoformat(glance["due"]) if glance["due"] else None),
        "是" if glance["supervised"] else "",
        str(case.hops),
        case.id,
    ]


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}" if moment else ""
