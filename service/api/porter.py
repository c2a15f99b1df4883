"""The porter: gives each request its number, notes how it went, and answers what nobody else caught."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from time import perf_counter

import structlog
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import CALLER
from service.api.problems import ERROR, NOTE, REQUEST_ID, answer
from service.errors import Fault, FenpaiError, RouteNotFound

SANE = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
"""A number that a caller may choose."""

CASE = re.compile("[0-9A-Z]{26}")

LETTERS = str.maketrans("0123456789", "ghjkmnpqrs")
"""Numbers of our own have no digits: none of them looks like a telephone to the log's last guard."""

CHANCE = random.Random()  # noqa: S311 (the number must be rare, not secret; asking the system for it would cost a thread switch)

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; logged only when they fail."""

NUL = "\0"
"""Nothing is called so, and PostgreSQL takes no question with it."""

GUARDS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer. There is no CORS: no page of another origin may read an answer."""
NOT_KEPT = (b"cache-control", b"no-store")
POLICY = b"content-security-policy"
STRICT = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
PAGE = (POLICY, b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
DOCS = (POLICY, PAGE[1] + b"; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'")
"""What an answer may make a browser do: nothing; a page of ours only what it brings itself; /docs begins its viewer by a script within."""

GONE = 499
"""In logs and metrics: the caller hung up before the answer."""


class Porter:
    """Stands around the whole app, and shows those who come most often the short way.

    `doors` are plain routes by method and path: they need nothing of what FastAPI and Starlette build around a route, and
    going through all of it takes a tenth of the time of receiving an order.
    """

    def __init__(self, house: ASGIApp, doors: Mapping[tuple[str, str], APIRoute]) -> None:
        self._house = house
        self._doors = doors
        self._log = structlog.get_logger().bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._house(scope, receive, send)
            return
        began = perf_counter()
        number = scope[REQUEST_ID] = _number(scope)
        marks = [(b"x-request-id", number.encode()), *GUARDS]
        status = 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                message["headers"] = [*given, *marks, *_besides(scope["path"], given)]
            await send(message)

        try:
            await self._show_in(scope, receive, marked)
        except ClientDisconnect:
            status = GONE
        except Exception as error:  # noqa: BLE001 (the edge: the caller gets a problem, the log gets the place)
            self._log.error("unexpected", request=number, exc_info=error)
            if not status:  # otherwise the server cuts the answer off, which tells the caller enough
                await answer(Fault(), scope)(scope, receive, marked)
        finally:
            self._note(scope, status, perf_counter() - began)

    async def _show_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        if NUL in scope["path"]:
            await answer(RouteNotFound(), scope)(scope, receive, send)
            return
        door = self._doors.get((scope["method"], scope["path"]))
        if door is None:
            await self._house(scope, receive, send)
            return
        scope["route"] = door
        try:
            await door.app(scope, receive, send)
        except FenpaiError as error:
            await answer(error, scope)(scope, receive, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "-")
        office = scope["app"].state.office
        office.meters.request(scope["method"], route, status, seconds)
        if office.traces is not None and route not in QUIET:
            office.traces.request(scope["method"], route, status, seconds, _facts(scope))
        level = "debug" if route in QUIET and status < 400 else "info" if status < 500 else "error"
        getattr(self._log, level)(
            "request",
            request=scope[REQUEST_ID],
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            **({"key": scope[CALLER].key} if CALLER in scope else {}),
            **_what(scope.get(ERROR)),
            **_case(scope),
            **scope.get(NOTE, {}),
        )


def _besides(path: str, given: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """What else belongs to an answer that does not say it itself."""
    said = dict(given)
    if b"cache-control" not in said:
        yield NOT_KEPT
    if POLICY not in said:
        html = said.get(b"content-type", b"").startswith(b"text/html")
        yield (DOCS if path.startswith("/docs") else PAGE) if html else STRICT


def _facts(scope: Scope) -> dict[str, str]:
    """What a trace is told besides: codes and numbers."""
    facts = {"request": scope[REQUEST_ID]}
    if (error := scope.get(ERROR)) is not None:
        facts["code"] = error.code
    parent = dict(scope["headers"]).get(b"traceparent")
    return facts | ({"traceparent": parent.decode("latin-1")} if parent else {})


def _number(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE.fullmatch(value):
            return str(value, "ascii")
    return f"{CHANCE.getrandbits(64):016x}".translate(LETTERS)


def _case(scope: Scope) -> dict[str, str]:
    """Which case it was about; not what else somebody may have put in its place."""
    case_id = scope.get("path_params", {}).get("case_id", "")
    return {"case": case_id} if CASE.fullmatch(case_id) else {}


def _what(error: FenpaiError | None) -> dict[str, object]:
    """What went wrong. The detail of a refusal may quote the caller; that of a fault is ours."""
    if error is None:
        return {}
    return {"code": error.code, "detail": error.detail} if isinstance(error, Fault) else {"code": error.code}
