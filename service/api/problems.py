"""Every error of the API as one JSON shape: `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ExceptionHandler, Scope

from service.api.faults import parameters
from service.errors import BodyTooSlow, Fault, FenpaiError, Invalid, MethodNotAllowed, Refusal, RouteNotFound, TooLarge

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "fenpai.request_id"
"""Where the porter leaves the request's number in the scope."""
ERROR = "fenpai.error"
"""Where the porter finds what went wrong, for the log."""
NOTE = "fenpai.note"
"""Where an endpoint leaves what else should stand in the log."""


def as_problem(error: FenpaiError, instance: str | None) -> dict[str, Any]:
    """The problem as it is sent. Where the detail is for the log alone, the class speaks outside."""
    detail = error.detail if error.frank else (type(error).__doc__ or "").strip()
    return {
        "type": f"urn:fenpai:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": detail,
        "instance": instance,
        "errors": error.faults if isinstance(error, Invalid) else [],
        **error.members,
    }


def answer(error: FenpaiError, scope: Scope, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The response that tells of this error; `more` are extension members."""
    scope[ERROR] = error
    body = orjson.dumps(as_problem(error, scope.get(REQUEST_ID)) | more)
    return Response(body, error.status, {**_headers(error), **(headers or {})}, MEDIA_TYPE)


def _headers(error: FenpaiError) -> dict[str, str]:
    if error.retry_after is not None:
        return {**error.headers, "Retry-After": str(error.retry_after)}
    # The rest of a body that nobody reads must not be taken for the next request.
    return {**error.headers, "Connection": "close"} if isinstance(error, TooLarge | BodyTooSlow) else dict(error.headers)


def handle_problems(app: FastAPI) -> None:
    """Let the app answer each error with a problem."""
    # Starlette calls each with its own kind only; its types know no better than Exception.
    app.add_exception_handler(FenpaiError, cast(ExceptionHandler, _ours))
    app.add_exception_handler(HTTPException, cast(ExceptionHandler, _http))
    app.add_exception_handler(RequestValidationError, cast(ExceptionHandler, _parameters))
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: FenpaiError) -> Response:
    return answer(error, request.scope)


async def _unexpected(request: Request, _error: Exception) -> Response:
    return answer(Fault(), request.scope)


async def _parameters(request: Request, error: RequestValidationError) -> Response:
    return answer(parameters(error.errors()), request.scope)


async def _http(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return answer(RouteNotFound(), request.scope)
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods(request)))
        return answer(MethodNotAllowed(f"这个地址不接受 {request.method}，可用的方法：{allowed}。"), request.scope, {"Allow": allowed})
    return answer(Fault() if error.status_code >= 500 else Refusal(), request.scope, error.headers)


def _methods(request: Request) -> set[str]:
    """What can be done at this path; the router's own header names the methods of the first route only."""
    path = request.scope["path"]
    met = [route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path)]
    exact = [route for route in met if route.path == path]  # "/v1/cases/batch" is not the case called batch
    return {method for route in exact or met for method in route.methods or ()}
