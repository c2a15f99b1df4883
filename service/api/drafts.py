"""/v1/rulesets/drafts: drafts that several admins work on, each edit on the version that its maker has read. A draft never decides."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from models.drafts import (
    DraftOpenIn,
    DraftOpenQuery,
    Drafts,
    DraftsQuery,
    DraftTold,
    DraftWhole,
    EditIn,
    EditsIn,
)
from models.publication import DraftIn
from service import store
from service.api import etag, responses, told
from service.api.bodies import read_bytes, read_json
from service.api.deps import ByPerson, Office, WholeOffice
from service.api.packs import DRAFT, ZIPPED, body, draft_in, zip_of
from service.api.plain import Json, body_of, door, validated
from service.casework.errors import ActorMissing, ActorUnknown
from service.errors import (
    BodyEmpty,
    BodyNotUtf8,
    BodyTooSlow,
    FieldFault,
    Invalid,
    ParameterInvalid,
    RulesetNotFound,
    TooLarge,
    VersionMissing,
    VersionUnreadable,
    WrongMediaType,
)
from service.rulebook.edits import Edit
from service.rulelife import (
    DraftClosed,
    DraftFileNotFound,
    DraftNotFound,
    DraftsFull,
    DraftStale,
    EditRefused,
    kept,
)
from service.store import ApprovalRow, DraftRow

router = door("/v1/rulesets/drafts", "规则")

TEXT = (b"text/plain", b"text/yaml", b"application/yaml", b"application/x-yaml", b"text/x-yaml")
FILE_BYTES = 1_000_000

DraftId = Annotated[str, Path(description="草稿编号（ULID）")]
FileName = Annotated[str, Path(description="文件名，例如 categories/arts.yaml")]
Versions = Annotated[str | None, Header(alias="If-Match", description='读到的是第几稿，即 `ETag`，例如 `"3"`；此后有人改过则答复 412')]

WHO = (ActorMissing, ActorUnknown)
KNOWN = (*responses.READ, DraftNotFound)
CHANGE = (*WHO, DraftNotFound, VersionMissing, VersionUnreadable, DraftStale, DraftClosed, *responses.WRITE)
TAGGED = {"headers": responses.headers(ETag="第几稿", Cache_Control="每次都要再问")}


# Opening and reading ------------------------------------------------------------------------------------------------------------


@router.post(
    "",
    status_code=201,
    summary="开一个草稿",
    response_model=DraftWhole,
    response_description="已开",
    responses={201: TAGGED, **responses.problems(*DRAFT, *WHO, RulesetNotFound, DraftsFull, EditRefused)},
    openapi_extra=body(DraftOpenIn, DraftOpenQuery),
)
async def open_draft(request: Request, here: WholeOffice, actor: ByPerson) -> Response:
    """由在用的版本、某一版，或送来的文件（JSON 或 zip）开一个草稿。草稿可以有错误，几个人可以同时改；发布之前不影响研判。"""
    given = await draft_in(request, DraftOpenIn, DraftOpenQuery)
    pack, base = here.rules.row.pack, given.version or here.rules.row.version
    files = given.files if given.files is not None else await here.reads(store.ruleset_files, pack, base)
    new = kept.Beginning(pack, given.title, actor, base)
    row = await here.writer.submit(lambda conn: kept.open_draft(conn, new, files, now()))
    return whole(row, files, None, 201)


@router.get(
    "",
    summary="列出草稿",
    response_model=Drafts,
    response_description="草稿",
    responses=responses.problems(*responses.READ, ParameterInvalid),
)
async def list_drafts(query: Annotated[DraftsQuery, Query()], here: WholeOffice) -> Response:
    """在用规则包的草稿，最近改动的在前。"""
    pack = here.rules.row.pack
    rows = await here.reads(store.list_drafts, pack, query.state, query.limit)
    return Json({"pack": pack, "drafts": [draft_told(row) for row in rows]})


@router.get(
    "/{draft_id}",
    summary="查看一个草稿",
    response_model=DraftWhole,
    response_description="草稿",
    responses={200: TAGGED, 304: {"description": "仍是 If-None-Match 所说的那一稿"}, **responses.problems(*KNOWN)},
)
async def get_draft(draft_id: DraftId, here: WholeOffice, condition: etag.Condition = None) -> Response:
    """草稿的来历、文件名和最近一次审批请求。文件内容逐个读取，或整个导出。"""
    held, asked = await here.reads(_read_whole, here.rules.row.pack, draft_id)
    tag = f'"{held.row.version}"'
    return etag.unchanged(tag) if etag.holds(condition, tag) else whole(held.row, held.files, asked)


@router.delete(
    "/{draft_id}",
    summary="丢弃草稿",
    response_model=DraftTold,
    response_description="已丢弃",
    responses=responses.problems(*CHANGE),
)
async def discard_draft(draft_id: DraftId, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
    """结束一个不打算发布的草稿；记入审计链。"""
    named = versions_of(versions)
    row = await here.reads(kept.found, here.rules.row.pack, draft_id)
    ended = await here.writer.submit(lambda conn: kept.discard(conn, row, named, actor, now()))
    return Json(draft_told(ended))


# Files and edits ----------------------------------------------------------------------------------------------------------------


@router.put(
    "/{draft_id}/files",
    summary="换掉草稿的全部文件",
    response_model=DraftWhole,
    response_description="已保存",
    responses={200: TAGGED, **responses.problems(*DRAFT, *CHANGE, EditRefused)},
    openapi_extra=body(DraftIn),
)
async def put_draft_files(draft_id: DraftId, request: Request, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
    """用送来的文件（JSON 或 zip）换掉草稿的全部文件。"""
    named, given = versions_of(versions), await draft_in(request, DraftIn)
    return await _save(here, draft_id, named, actor, lambda _: given.files)


@router.get(
    "/{draft_id}/export",
    summary="导出草稿",
    response_class=Response,
    response_description="规则包的 zip",
    responses={200: ZIPPED, **responses.problems(*KNOWN)},
)
async def export_draft(draft_id: DraftId, here: WholeOffice) -> Response:
    """草稿的文件打成 zip，同一稿每次逐字节相同。"""
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    return zip_of(held.files, f"{held.row.pack}-{draft_id}")


@router.get(
    "/{draft_id}/files/{path:path}",
    summary="读草稿的一个文件",
    response_class=Response,
    response_description="文件内容，与保存时逐字相同",
    responses={200: TAGGED | {"content": {"text/plain": {"schema": {"type": "string"}}}}, **responses.problems(*KNOWN, DraftFileNotFound)},
)
async def get_draft_file(draft_id: DraftId, path: FileName, here: WholeOffice) -> Response:
    """一个文件的文字。"""
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    headers = etag.headers(f'"{held.row.version}"')
    return Response(kept.file_text(held.files, path), media_type="text/plain; charset=utf-8", headers=headers)


@router.put(
    "/{draft_id}/files/{path:path}",
    summary="写草稿的一个文件",
    response_model=DraftWhole,
    response_description="已保存",
    responses={
        200: TAGGED,
        **responses.problems(*CHANGE, BodyEmpty, BodyNotUtf8, BodyTooSlow, TooLarge, WrongMediaType, Invalid, EditRefused),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string", "description": "文件的文字"}}}}
    },
)
async def put_draft_file(
    draft_id: DraftId, path: FileName, request: Request, here: WholeOffice, actor: ByPerson, versions: Versions = None
) -> Response:
    """写一个新文件，或改写一个已有的；原样保存，有没有错误由检查来说。"""
    named = versions_of(versions)
    text = await _text(request, path)
    return await _save(here, draft_id, named, actor, lambda files: kept.with_file(files, path, text))


@router.delete(
    "/{draft_id}/files/{path:path}",
    summary="删草稿的一个文件",
    response_model=DraftWhole,
    response_description="已删除",
    responses={200: TAGGED, **responses.problems(*CHANGE, DraftFileNotFound)},
)
async def delete_draft_file(draft_id: DraftId, path: FileName, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
    """从草稿里删去一个文件。"""
    named = versions_of(versions)
    return await _save(here, draft_id, named, actor, lambda files: kept.without_file(files, path))


@router.post(
    "/{draft_id}/edits",
    summary="逐条修改规则",
    response_model=DraftWhole,
    response_description="已保存",
    responses={200: TAGGED, **responses.problems(*responses.BODY, *CHANGE, EditRefused)},
    openapi_extra=body_of(EditsIn),
)
async def edit_draft(draft_id: DraftId, request: Request, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
    """给一条规则增一个词、删一个词、改强度或状态；注释、次序、写法都保持原样。依次改，有一处改不了就都不改。"""
    named = versions_of(versions)
    given = validated(EditsIn, await read_json(request, here.settings.max_case_bytes))
    edits = [_edit(place, edit) for place, edit in enumerate(given.edits)]
    return await _save(here, draft_id, named, actor, lambda files: kept.edited(files, edits))


def _edit(place: int, given: EditIn) -> Edit:
    is_value = given.field in {"within", "strength", "status"}
    if is_value is not (given.op == "set"):
        what = "改值（set）" if is_value else "增（add）或删（remove）"
        raise Invalid(faults=[FieldFault(f"/edits/{place}/op", f"{given.field} 只能{what}", "bad_value")])
    return Edit(given.field, given.where, given.value, gone=given.op == "remove")


async def _save(
    here: Office, draft_id: str, versions: frozenset[int], actor: kept.Person, change: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> Response:
    """Change the files that the caller has read, and write them if nobody else has meanwhile."""
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    if held.row.version not in versions or held.row.state != "open":
        await here.writer.submit(lambda conn: kept.still(conn, held.row, versions))  # says what is in the way
    files = await here.workshop(lambda: change(held.files))
    row = await here.writer.submit(lambda conn: kept.save(conn, held, files, actor, now()))
    return whole(row, files, await here.reads(store.last_approval, draft_id))


async def _text(request: Request, name: str) -> str:
    raw = await read_bytes(request, TEXT, FILE_BYTES)
    if not raw:
        raise BodyEmpty("文件是空的；要删去文件请用 DELETE。")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BodyNotUtf8 from None
    if "\x00" in text:
        raise Invalid(faults=[FieldFault("", f"{name} 里有空字符（NUL），不是文本文件", "not_text")])
    return text


# Common -------------------------------------------------------------------------------------------------------------------------


def now() -> datetime:
    """What time it is for drafts."""
    return datetime.now(UTC)


def versions_of(condition: str | None) -> frozenset[int]:
    """The versions that If-Match names."""
    return etag.versions(condition, '请求头 If-Match 须写明读到的是第几稿（ETag），例如 If-Match: "3"。')


def _read_whole(conn: Any, pack: str, draft_id: str) -> tuple[kept.Held, ApprovalRow | None]:
    return kept.read(conn, pack, draft_id), store.last_approval(conn, draft_id)


def whole(
    row: DraftRow, files: Mapping[str, str], asked: ApprovalRow | None, status: int = 200, more: Mapping[str, Any] | None = None
) -> Response:
    """A draft with the names of its files and its approval, as an answer."""
    shown = draft_told(row) | {"files": sorted(files), "approval": _approval(row, asked) if asked else None, **(more or {})}
    return Json(shown, status, headers=etag.headers(f'"{row.version}"'))


def draft_told(row: DraftRow) -> dict[str, Any]:
    """A draft on the wire, without its files."""
    shown = {name: getattr(row, name) for name in DraftTold.model_fields}
    return shown | {"created_at": told.local(row.created_at), "updated_at": told.local(row.updated_at)}


def _approval(row: DraftRow, asked: ApprovalRow) -> dict[str, Any]:
    return {
        "state": asked.state,
        "current": asked.digest == row.digest,
        "digest": asked.digest,
        "asked_by": asked.asked_by,
        "asked_at": told.local(asked.asked_at),
        "note": asked.note,
        "decided_by": asked.decided_by,
        "decided_at": asked.decided_at and told.local(asked.decided_at),
        "reason": asked.reason,
    }
