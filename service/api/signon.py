"""/v1/session/oidc: the console's log-in by the district's own sign-on. Our page asks where to go; the browser comes back with a code."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.session import SignOnIn, SignOnTold
from service.api import access, responses
from service.api.bodies import read_json
from service.api.deps import Office, WholeOffice
from service.api.plain import Json, body_of, door, validated
from service.api.problems import ERROR
from service.api.session import MOST_BYTES, is_https
from service.errors import FenpaiError, ForeignPage, ParameterInvalid, SignOnMissing, SignOnRefused, SignOnUnavailable, TooManyAttempts
from service.signon import CALLBACK, MINUTES, Returned, SignOn

router = door("/v1/session/oidc", "登录")

COOKIE = "fenpai_sign_on"
PATH = CALLBACK.rpartition("/")[0]

LOOK = """body{font:16px/1.7 system-ui,sans-serif;max-width:26em;margin:12vh auto;padding:0 16px;color:#1f2937;background:#f4f6fa}
h1{font-size:22px;font-weight:400}a{color:#1f4e8f}"""
POLICY = (
    f"default-src 'none'; img-src 'self'; style-src 'sha256-{b64encode(sha256(LOOK.encode()).digest()).decode()}'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The page's look stands in it and nothing else may: known by its digest."""
PAGE = f"""<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="/console/mark.svg"><title>分派：{{title}}</title><style>{LOOK.replace("{", "{{").replace("}", "}}")}</style>
<main><h1>{{title}}</h1><p>{{detail}}</p><p><a href="/console/">回到登录页</a></p></main></html>"""


@router.post(
    "",
    summary="用单位账号登录",
    response_model=SignOnTold,
    response_description="统一身份认证的登录页；答复带一次登录用的 Cookie",
    responses=responses.problems(SignOnMissing, SignOnUnavailable, ForeignPage, TooManyAttempts, *responses.BODY, *responses.WRITE),
    openapi_extra=body_of(SignOnIn),
)
async def begin_sign_on(request: Request, here: WholeOffice) -> Response:
    """开始一次登录：浏览器转到统一身份认证（OIDC，授权码加 PKCE），登录之后转回 `callback`。

    十分钟内有效，只能用一次，只在这个浏览器里有效。
    """
    access.check_page(request.scope)
    given, sign_on = validated(SignOnIn, await read_json(request, MOST_BYTES)), _configured(here)
    location, cookie = await sign_on.begin(given.back_to, access.address(request.scope), access.cookie(request.scope))
    answer = Json({"location": location})
    # Lax: the browser must show it when the sign-on sends it back, which is a step from another site.
    answer.set_cookie(COOKIE, cookie, MINUTES * 60, path=PATH, secure=sign_on.is_https, httponly=True, samesite="lax")
    return answer


@router.get(
    "/callback",
    status_code=303,
    summary="单位账号登录之后转回这里",
    response_class=RedirectResponse,
    response_description="已登录，转回控制台；答复带 Cookie",
    responses=responses.problems(SignOnMissing, SignOnRefused, SignOnUnavailable, ParameterInvalid, TooManyAttempts, *responses.WRITE),
)
async def finish_sign_on(
    request: Request,
    here: WholeOffice,
    code: Annotated[str, Query(max_length=4_000, description="授权码")] = "",
    state: Annotated[str, Query(max_length=200, description="开始登录时给出的 state")] = "",
    iss: Annotated[str | None, Query(max_length=500, description="签发方（RFC 9207）")] = None,
    error: Annotated[str, Query(max_length=200, description="统一身份认证给出的错误")] = "",
) -> Response:
    """由统一身份认证转来，不是给程序用的。没有登录成功时，浏览器看到说明原因的页面，程序得到同样内容的 JSON。"""
    try:
        sign_on = _configured(here)
        shown = request.cookies.get(COOKIE, "")
        token, _, back_to = await sign_on.finish(Returned(code, state, iss, error), shown, access.address(request.scope))
    except FenpaiError as refused:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        request.scope[ERROR] = refused
        return _forgotten(_page(refused))
    answer = RedirectResponse(back_to, status_code=303)
    answer.set_cookie(access.COOKIE, token, path="/", secure=sign_on.is_https or is_https(request.scope), httponly=True, samesite="strict")
    return _forgotten(answer)


def _configured(here: Office) -> SignOn:
    if here.sign_on is None:
        raise SignOnMissing
    return here.sign_on


def _page(refused: FenpaiError) -> Response:
    headers = {"Content-Security-Policy": POLICY}
    headers |= {"Retry-After": str(refused.retry_after)} if refused.retry_after is not None else {}
    detail = refused.detail if refused.frank else (type(refused).__doc__ or "").strip()
    return HTMLResponse(PAGE.format(title=escape(refused.title), detail=escape(detail)), refused.status, headers)


def _forgotten(answer: Response) -> Response:
    answer.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")
    return answer
