"""/v1/rulesets/shadow: a draft runs beside the version in force on live cases, and decides nothing."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response
from ulid import ULID

from models.shadow import ShadowIn, ShadowQuery, ShadowStopIn, ShadowTold, ShadowWhole
from service import shadow
from service.api import access, responses, told, veil
from service.api.bodies import read_json
from service.api.deps import WholeOffice, key_of_caller
from service.api.packs import MOST_BYTES
from service.api.plain import Json, body_of, door, validated
from service.errors import ParameterInvalid, RulesetNotFound
from service.rulelife import AuthorMissing, DraftBroken, DraftNotFound, NothingNew, PackMismatch, Proposal
from service.shadow import ShadowMissing, ShadowRunning, output

router = door("/v1/rulesets/shadow", "规则")

MOMENTS = ("started_at", "stopped_at")
REFUSED = (AuthorMissing, DraftBroken, DraftNotFound, RulesetNotFound, PackMismatch, NothingNew, ShadowRunning)


@router.get(
    "",
    summary="查看影子运行",
    response_model=ShadowWhole,
    response_description="一致率与不同的案件",
    responses={204: {"description": "还没有草稿影子运行过"}, **responses.problems(ParameterInvalid, *responses.READ)},
)
async def get_shadow(asked: Annotated[ShadowQuery, Query()], request: Request, here: WholeOffice) -> Response:
    """正在影子运行的草稿（没有则为最近一次的）与在用版本的一致率、区间，以及不同的每一件：两种研判和为什么。"""
    try:
        found = await here.reads(shadow.told, here.rules.row.pack, asked.limit)
    except ShadowMissing:
        return Response(status_code=204)
    whole = output.as_json(found)
    for shown, (*_, sealed) in zip(whole["disagreements"], found.cases, strict=True):
        shown["text"] = veil.discreet(shown["text"], sealed, here.vault, access.caller(request.scope))
    return Json(_local(whole))


@router.post(
    "",
    status_code=201,
    summary="开始影子运行",
    response_model=ShadowTold,
    response_description="已开始",
    responses=responses.problems(*responses.BODY, *responses.WRITE, *REFUSED),
    openapi_extra=body_of(ShadowIn),
)
async def start_shadow(request: Request, here: WholeOffice) -> Response:
    """从下一件新案起，让一个草稿跟着各研判一遍，不作决定；在受理之后另做，不耽误受理。一次只能有一个，重启后接着来。"""
    given = validated(ShadowIn, await read_json(request, MOST_BYTES))
    by, pack = Proposal(given.author, given.note, key=key_of_caller(request)), here.rules.row.pack
    chosen = await here.workshop(lambda: shadow.choose(here.database, pack, files=given.files, version=given.version, kept=given.draft))
    now = datetime.now(UTC)
    row = await here.writer.submit(lambda conn: shadow.start(conn, str(ULID.from_datetime(now)), chosen, by, now))
    return Json(_local(output.head_json(row)), 201)


@router.post(
    "/stop",
    summary="停止影子运行",
    response_model=ShadowTold,
    response_description="已停止",
    responses=responses.problems(*responses.BODY, *responses.WRITE, AuthorMissing, ShadowMissing),
    openapi_extra=body_of(ShadowStopIn),
)
async def stop_shadow(request: Request, here: WholeOffice) -> Response:
    """停止影子运行；已有的结果留着可看。"""
    given = validated(ShadowStopIn, await read_json(request, here.settings.max_case_bytes))
    by, pack = Proposal(given.author, given.note, key=key_of_caller(request)), here.rules.row.pack
    row = await here.writer.submit(lambda conn: shadow.stop(conn, pack, by, datetime.now(UTC)))
    return Json(_local(output.head_json(row)))


def _local(whole: dict[str, Any]) -> dict[str, Any]:
    return whole | {name: whole[name] and told.local(whole[name]) for name in MOMENTS}
