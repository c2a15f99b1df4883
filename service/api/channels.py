"""A department's channel: where its own system takes letters; and a letter sent by way of trial."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response
from ulid import ULID

from models.delivery import ChannelIn, ChannelList, ChannelTold, TestAnswer
from service import channels, store
from service.api import responses, told
from service.api.access import caller
from service.api.bodies import read_json
from service.api.deps import Bound, Office, Reading, WholeOffice
from service.api.plain import Json, body_of, door, validated
from service.channels import Letter
from service.errors import ChannelNotFound, ChannelStale, DepartmentNotFound, OthersCases
from service.store import Channel
from service.store.letters import envelope

router = door("/v1/departments", "送达")
overview = door("/v1/channels", "送达")

Department = Annotated[str, Path(description="单位代码")]
ACTOR = "api"
MISSING = (DepartmentNotFound, ChannelNotFound, OthersCases)


@overview.get(
    "", summary="列出通道", response_model=ChannelList, response_description="已设置的通道", responses=responses.problems(*responses.READ)
)
async def list_channels(reads: Reading, reach: Bound) -> Response:
    """设置了通道的各个单位；没有列出的由本单位自己查询案件。单位的钥匙只看得到本单位的。密钥不显示。"""
    found = await reads(store.list_channels)
    return Json({"channels": [_told(channel) for channel in found if reach in {None, channel.department}]})


@router.put(
    "/{code}/channel",
    summary="设置通道",
    response_model=ChannelTold,
    response_description="通道已设置",
    responses=responses.problems(DepartmentNotFound, OthersCases, ChannelStale, *responses.BODY, *responses.WRITE),
    openapi_extra=body_of(ChannelIn),
)
async def put_channel(code: Department, request: Request, here: WholeOffice, reach: Bound) -> Response:
    """新的案件和案件的每个动作都会送到这里：POST，请求体为 CloudEvents 1.0（JSON），按 Standard Webhooks 签名，至少一次，同一案件内按次序。

    对方收下后须答复 2xx，并以 `webhook-id` 去重。不跟随重定向；答复 410 则停用通道。签名密钥由本服务加密保存，以后不再显示。
    本机与内网的地址须先设 FENPAI_ALLOW_PRIVATE_TARGETS=yes。停用期间积压的消息，重新启用后补送。
    """
    _check_department(code, here, reach)
    given = validated(ChannelIn, await read_json(request, here.settings.max_case_bytes))
    channels.check_url(given.url, private=here.settings.private_targets)
    if given.secret is not None:
        channels.check_secret(given.secret)
    fresh, by = channels.new_secret(), caller(request.scope).name or ACTOR
    channel, is_fresh = await here.writer.submit(lambda conn: _put(conn, code, given, fresh, here, by))
    here.dispatcher.wake()
    return Json(_told(channel, fresh if is_fresh else None))


def _put(conn: Any, code: str, given: ChannelIn, fresh: str, here: Office, by: str) -> tuple[Channel, bool]:
    store.take_head(conn)
    before = store.get_channel(conn, code)
    if given.seen is not None and (before is None or before.updated_at != given.seen):
        raise ChannelStale
    is_fresh = given.secret is None and before is None
    secret = before.secret if before and given.secret is None else here.vault.seal((given.secret or fresh).encode())
    now = store.now(conn)
    channel = Channel(
        department=code,
        url=given.url,
        secret=secret,
        active=given.active,
        trouble=None if given.active else "已由管理员停用",
        created_at=before.created_at if before else now,
        updated_at=now,
    )
    return store.put_channel(conn, channel, actor=by), is_fresh


@router.get(
    "/{code}/channel",
    summary="查看通道",
    response_model=ChannelTold,
    response_description="通道",
    responses=responses.problems(*MISSING, *responses.READ),
)
async def get_channel(code: Department, here: WholeOffice, reads: Reading, reach: Bound) -> Response:
    """单位的通道。密钥不再显示。"""
    return Json(_told(await _find(code, here, reads, reach)))


@router.delete(
    "/{code}/channel",
    summary="删除通道",
    response_model=ChannelTold,
    response_description="删除了的通道",
    responses=responses.problems(*MISSING, *responses.WRITE),
)
async def delete_channel(code: Department, request: Request, here: WholeOffice, reach: Bound) -> Response:
    """不再向这个单位送达。尚未送达的消息记为放弃，设置新通道之后可以重发。"""
    _check_department(code, here, reach)
    by = caller(request.scope).name or ACTOR
    gone = await here.writer.submit(lambda conn: store.remove_channel(conn, code, actor=by, at=store.now(conn)))
    if gone is None:
        raise ChannelNotFound
    return Json(_told(gone))


@router.post(
    "/{code}/channel/test",
    summary="试送",
    response_model=TestAnswer,
    response_description="试送的结果",
    responses=responses.problems(*MISSING, *responses.READ),
)
async def test_channel(code: Department, here: WholeOffice, reads: Reading, reach: Bound) -> Response:
    """立即送一条 `fenpai.test` 消息，签名与格式同真的一样，不含任何案件内容；答复对方说了什么。

    不重试，也不记入送达。停用的通道也可以试。
    """
    channel = await _find(code, here, reads, reach)
    id_ = f"test-{ULID()}"
    body = envelope(id_, "test", datetime.now(UTC), {"department": code, "text": "这是一条试送的消息，收下即可。"})
    answer = await here.channels.send(Letter(id_, channel.url, here.vault.unseal(channel.secret).decode(), body))
    shown = TestAnswer(
        taken=answer.taken,
        status=answer.status,
        trouble=answer.trouble,
        answer=answer.excerpt,
        milliseconds=round(answer.seconds * 1000, 1),
    )
    return Json(shown.model_dump())


def _check_department(code: str, here: Office, reach: str | None) -> None:
    if reach not in {None, code}:
        raise OthersCases("这把钥匙只能设置和查看本单位的通道。")
    if code not in here.casework.terms().departments:
        raise DepartmentNotFound(f"在用的规则集里没有 {code[:64]} 这个单位。")


async def _find(code: str, here: Office, reads: Reading, reach: str | None) -> Channel:
    _check_department(code, here, reach)
    channel = await reads(store.get_channel, code)
    if channel is None:
        raise ChannelNotFound(f"单位 {code} 没有设置通道。")
    return channel


def _told(channel: Channel, secret: str | None = None) -> dict[str, Any]:
    return {
        "department": channel.department,
        "url": channel.url,
        "active": channel.active,
        "trouble": channel.trouble,
        "created_at": told.local(channel.created_at),
        "updated_at": told.local(channel.updated_at),
        "secret": secret,
    }
