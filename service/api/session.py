"""/v1/session: the console logs in by a key and is known by a cookie from then on. Who asks is told as whom, also who is nobody."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from models.session import SessionIn, SessionTold
from service.api import access, responses, told
from service.api.access import COOKIE
from service.api.bodies import read_json
from service.api.deps import Office, WholeOffice
from service.api.plain import Json, body_of, door, validated
from service.errors import AccessKeyRefused, ForeignPage, TooManyAttempts, TooManyGuesses, Unauthorized
from service.keyring import Caller

router = door("/v1/session", "登录")

MOST_BYTES = 10_000
NOBODY: dict[str, Any] = {"signed_in": False, "open": False, "name": None, "scopes": [], "department": None, "expires_at": None}


@router.get(
    "",
    summary="当前身份",
    response_model=SessionTold,
    response_description="以谁的身份在用；没有登录也是 200",
    responses=responses.problems(TooManyGuesses, *responses.READ),
)
async def get_session(request: Request, here: WholeOffice) -> Response:
    """有没有登录、能做什么。谁都可以问；问它不算操作，不会推迟自动退出。"""
    try:
        caller = await access.recognised(request.scope, is_use=False)
    except Unauthorized:
        answer = Json(NOBODY | _ways(here))
        if access.cookie(request.scope):
            _forget(answer, request.scope)
        return answer
    return Json(_told(caller, request.scope, here))


@router.post(
    "",
    summary="登录",
    response_model=SessionTold,
    response_description="已登录；答复带 Cookie",
    responses=responses.problems(AccessKeyRefused, ForeignPage, TooManyAttempts, *responses.BODY, *responses.WRITE),
    openapi_extra=body_of(SessionIn),
)
async def sign_in(request: Request, here: WholeOffice) -> Response:
    """用接口钥匙登录，之后浏览器凭 Cookie（HttpOnly、SameSite=Strict）使用各接口，权限与钥匙相同。

    钥匙失效、吊销，登录即刻作废；久不操作、时间太长也会退出。登录、退出和失败的登录都记入审计。
    """
    scope = request.scope
    if access.is_of_page(scope):
        access.check_page(scope)
    given = validated(SessionIn, await read_json(request, MOST_BYTES))
    token, session = await here.sessions.begin(given.key, access.address(scope), access.cookie(scope))
    scope[access.UNTIL] = session.until
    answer = Json(_told(session.caller, scope, here))
    answer.set_cookie(COOKIE, token, path="/", secure=is_https(scope), httponly=True, samesite="strict")
    return answer


@router.delete(
    "",
    status_code=204,
    summary="退出",
    response_description="已退出；没有登录也是 204",
    responses=responses.problems(ForeignPage, *responses.WRITE),
)
async def sign_out(request: Request, here: WholeOffice) -> Response:
    """退出登录，Cookie 在各副本立即作废。"""
    token = access.cookie(request.scope)
    if token:
        access.check_page(request.scope)
        await here.sessions.end(token, access.address(request.scope))
    answer = Response(status_code=204)
    _forget(answer, request.scope)
    return answer


def _told(caller: Caller, scope: Scope, here: Office) -> dict[str, Any]:
    is_open = caller.key is None
    until = scope.get(access.UNTIL) or (here.keyring.ends(caller.key) if caller.key else None)
    return {
        "signed_in": not is_open,
        "open": is_open,
        "name": caller.name or None,
        "scopes": sorted(caller.scopes),
        "department": caller.department,
        "expires_at": told.local(until) if until else None,
        **_ways(here),
    }


def _ways(here: Office) -> dict[str, bool]:
    """How one may log in, besides by a key."""
    return {"sign_on": here.sign_on is not None}


def _forget(answer: Response, scope: Scope) -> None:
    answer.delete_cookie(COOKIE, path="/", secure=is_https(scope), httponly=True, samesite="strict")


def is_https(scope: Scope) -> bool:
    """Whether the browser came by https, also where a proxy of ours took that off. Who lies about it spoils only their own cookie."""
    said: bytes = dict(scope["headers"]).get(b"x-forwarded-proto", b"")
    return scope["scheme"] == "https" or said.lower() == b"https"
