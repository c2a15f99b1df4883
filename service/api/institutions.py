"""The register (名录): searched, brought in from a file, written out."""

import asyncio
import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import unquote

import orjson
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from models.register import ImportQuery, ImportReport, Institution, InstitutionPage, InstitutionQuery, InstitutionTold
from service import register, store
from service.api import etag, responses
from service.api.bodies import read_bytes
from service.api.deps import Office, Reading, Rules, WholeOffice
from service.api.plain import Json, door
from service.engine.names import Names
from service.errors import (
    BodyEmpty,
    BodyTooSlow,
    CursorInvalid,
    FenpaiError,
    FieldFault,
    Overloaded,
    ParameterInvalid,
    TooLarge,
    WrongMediaType,
)
from service.register import InstitutionNotFound, RegisterInvalid, RegisterUnreadable, Wanted

router = door("/v1/institutions", "名录")

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ACCEPTED = (CSV.encode(), XLSX.encode(), b"application/vnd.ms-excel", b"application/octet-stream")
"""The last two are what browsers say of such files on Windows."""
TRIES = 3
"""How often an import is prepared anew because the register has changed meanwhile."""

InstitutionId = Annotated[str, Path(description="机构编号（ULID）")]


@router.get(
    "",
    summary="查询名录",
    response_model=InstitutionPage,
    response_description="一页机构",
    responses={
        200: {"headers": responses.headers(ETag="名录的版本", Cache_Control="每次都要再问")},
        304: {"description": "名录仍是 If-None-Match 所说的版本"},
        **responses.problems(ParameterInvalid, CursorInvalid, *responses.READ),
    },
)
async def list_institutions(
    query: Annotated[InstitutionQuery, Query()], reads: Reading, rules: Rules, condition: etag.Condition = None
) -> Response:
    """按文字、类别、状态查询名录。文字在名称、别名、许可证号、地址、街道中查找，不分全角半角、繁体简体、大小写。"""
    _check_category(query, rules.engine.ruleset.ruleset.categories)
    after = _unpacked(query)
    mark, rows = await reads(_page, query, after)
    tag = f'W/"register-{mark.revision}"'
    if etag.holds(condition, tag):
        return etag.unchanged(tag)
    shown = rows[: query.limit]
    body = {
        "institutions": [_told(row) for row in shown],
        "next": _packed(shown[-1].id, query) if len(rows) > len(shown) else None,
        "revision": mark.revision,
    }
    return Json(body, headers=etag.headers(tag))


def _page(conn: Any, query: InstitutionQuery, after: str) -> tuple[store.RegisterMark, list[Institution]]:
    mark = store.register_mark(conn)
    search = Names().reader.fold(query.q) if query.q else ""
    rows = store.list_institutions(conn, search=search, category=query.category, status=query.status, after=after, limit=query.limit + 1)
    return mark, rows


def _check_category(query: InstitutionQuery, known: dict[str, Any]) -> None:
    if query.category is not None and query.category not in known:
        told = f"没有 {query.category} 这个代码，只能是 {'、'.join(known)}"
        raise ParameterInvalid(faults=[FieldFault("/category", told, "unknown_code")])


@router.get(
    "/export",
    summary="导出名录",
    response_class=Response,
    response_description="CSV 文件，UTF-8（带 BOM），Excel 可直接打开",
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}}, "headers": responses.headers(Content_Disposition="文件名")},
        **responses.problems(*responses.READ),
    },
)
async def export_institutions(reads: Reading, rules: Rules) -> Response:
    """整个名录，列与导入相同，可改后再导入。以 =、+、-、@ 开头的单元格前加 '，以免表格软件当作公式执行；导入时去掉。"""
    rows = await reads(store.read_register)
    content = register.as_csv(rows, rules.engine.ruleset)
    return Response(content, media_type=CSV, headers={"Content-Disposition": 'attachment; filename="institutions.csv"'})


@router.post(
    "/import",
    summary="导入名录",
    response_model=ImportReport,
    response_description="导入的结果",
    responses=responses.problems(
        BodyEmpty, RegisterUnreadable, BodyTooSlow, TooLarge, WrongMediaType, RegisterInvalid, ParameterInvalid, *responses.WRITE
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {CSV: {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}},
        },
        "parameters": [
            {
                "name": "X-File-Name",
                "in": "header",
                "required": False,
                "description": "文件名（百分号编码），记入变更流",
                "schema": {"type": "string", "maxLength": 300},
            }
        ],
    },
)
async def import_institutions(request: Request, query: Annotated[ImportQuery, Query()], here: WholeOffice) -> Response:
    """请求体是 CSV（UTF-8 或 GBK）或 Excel（.xlsx）文件，表头用中文。

    列：名称、简称/别名、类别、主管部门、办学许可证号、地址、街道、状态；次序不限，名称必有，文件中没有的列不改动。
    已在名录中的机构按名称或许可证号认出并更新，其余新增。类别、主管部门、状态按在用的规则集检查。
    有错误时一行也不导入，errors 逐处写明行、列、错在哪里、怎样改。导入后各副本在两秒内换用。
    """
    data = await read_bytes(request, ACCEPTED, here.settings.max_register_bytes)
    if not data.strip():
        raise BodyEmpty("请求体是空的，请把文件内容放在请求体中。")
    ruleset = here.rules.engine.ruleset
    drafts = await asyncio.to_thread(register.read_file, data, ruleset)
    wanted = Wanted(drafts, query, unquote(request.headers.get("x-file-name", ""))[:100], "api")
    return Json((await _bring_in(here, wanted)).model_dump())


async def _bring_in(here: Office, wanted: Wanted) -> ImportReport:
    for _ in range(TRIES):
        now = datetime.now(UTC)
        made = await here.reads(register.prepare, wanted, now)
        after = made[0]
        if not wanted.how.dry_run:
            written = await here.writer.submit(partial(register.write, wanted=wanted, made=made, now=now))
            if written is None:
                continue
            after = written
            with suppress(FenpaiError):  # it is written, whatever happens now; the watch will come by
                await here.register.follow()
        engine = here.rules.engine
        return await asyncio.to_thread(register.report, wanted, made, after, engine.ruleset, engine.plan.cutter)
    raise Overloaded("名录正由别人修改，请稍后再导入。")


@router.get(
    "/{institution_id}",
    summary="查看一家机构",
    response_model=InstitutionTold,
    response_description="机构",
    responses=responses.problems(InstitutionNotFound, *responses.READ),
)
async def get_institution(institution_id: InstitutionId, reads: Reading) -> Response:
    """名录中的一家机构。"""
    row = await reads(store.get_institution, institution_id)
    if row is None:
        raise InstitutionNotFound(f"名录中没有编号为 {institution_id[:64]} 的机构。")
    return Json(_told(row))


def _told(row: Institution) -> dict[str, Any]:
    return {field: getattr(row, field) for field in InstitutionTold.model_fields}


# Cursors: opaque, and good only for the list that gave them ------------------------------------------------------------------------


def _packed(last: str, query: InstitutionQuery) -> str:
    return urlsafe_b64encode(orjson.dumps([_mark(query), last])).decode().rstrip("=")


def _unpacked(query: InstitutionQuery) -> str:
    if query.cursor is None:
        return ""
    with suppress(binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError):
        match orjson.loads(urlsafe_b64decode(query.cursor.encode("ascii") + b"=" * (-len(query.cursor) % 4))):
            case [mark, str(last)] if mark == _mark(query):
                return last
    raise CursorInvalid


def _mark(query: InstitutionQuery) -> str:
    return sha256(query.model_dump_json(exclude={"cursor", "limit"}).encode()).hexdigest()[:8]
