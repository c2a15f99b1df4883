"""Who may use which door: one table, from which the guard, the API's document and the matrix in CONTRIBUTING.md are made.

A door that the table does not name opens for administrators alone. As long as there is no key at all, whoever sits at this machine may
do everything (development, the demonstration); with the first key that ends, for good.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from models.access import ADMIN, APPROVER, DEPARTMENT, HOTLINE, RULE_ADMIN, SCOPE_NAMES, VIEWER
from models.moves import MOVES
from service.config import is_loopback
from service.errors import (
    AccessKeyMissing,
    AccessKeyRefused,
    FenpaiError,
    ForeignPage,
    ScopeMissing,
    SessionEnded,
    StorageUnavailable,
    TooManyGuesses,
    TooOften,
)
from service.keyring import OPEN, Caller, Keyring, Tokens

CALLER = "fenpai.caller"
"""Where the guard leaves in the scope who sends the request."""

UNTIL = "fenpai.until"
"""Where it is left when a session ends."""

BEARER = b"bearer "
COOKIE = "fenpai_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLLED = frozenset({"changes"})
"""What a page asks for by itself, over and over: that nobody has left the desk is not seen from it."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a door asks for: one of these scopes. `own`: a department meets only what is its own there."""

    scopes: frozenset[str]
    own: bool = False

    def cell(self, kind: str) -> str:
        """What a scope may do here, in one word of the matrix."""
        if self.scopes and kind not in self.scopes:
            return "—"
        return "本单位" if self.own and kind == DEPARTMENT else "可以"


def _need(*scopes: str, own: bool = False) -> Need:
    return Need(frozenset({*scopes, ADMIN}), own)


PUBLIC = Need(frozenset())
NOBODY_ELSE = _need()
ANY_KEY = _need(*SCOPE_NAMES)
_INTAKE = _need(HOTLINE)
_READERS = _need(HOTLINE, DEPARTMENT, VIEWER, own=True)
_MOVERS = _need(HOTLINE, DEPARTMENT, own=True)
_RULES = _need(RULE_ADMIN, APPROVER)
_AUTHORS = _need(RULE_ADMIN)

NEEDS: Mapping[str, Need] = {
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": _need(VIEWER),
    "triage": ANY_KEY,
    "receive_order": _INTAKE,
    "receive_batch": _INTAKE,
    "list_cases": _READERS,
    "count_cases": _READERS,
    "export_cases": _READERS,
    "get_case": _READERS,
    "case_events": _READERS,
    "case_clocks": _READERS,
    "similar_cases": _READERS,
    "changes": _READERS,
    "moves": _MOVERS,
    "unmask_case": _MOVERS,
    **{f"{row.move.replace('-', '_')}_case": _MOVERS for row in MOVES.values() if row.by_people},
    "stats": _READERS,
    "list_incidents": _READERS,
    "get_incident": _READERS,
    "list_duplicates": _READERS,
    "accept_duplicate": _MOVERS,
    "dismiss_duplicate": _MOVERS,
    "preview": ANY_KEY,
    "departments": ANY_KEY,
    "vocabulary": ANY_KEY,
    "list_channels": _need(DEPARTMENT, VIEWER, own=True),
    "put_channel": _need(DEPARTMENT, own=True),
    "get_channel": _need(DEPARTMENT, own=True),
    "delete_channel": _need(DEPARTMENT, own=True),
    "test_channel": _need(DEPARTMENT, own=True),
    "list_deliveries": _need(DEPARTMENT, VIEWER, own=True),
    "replay_delivery": _need(DEPARTMENT, own=True),
    "active_ruleset": ANY_KEY,
    "ruleset_schema": ANY_KEY,
    "list_versions": ANY_KEY,
    "get_version": ANY_KEY,
    "diff_versions": ANY_KEY,
    "export_version": ANY_KEY,
    "check_draft": _RULES,
    "test_draft": _RULES,
    "impact_of_draft": _RULES,
    "publish_draft": _AUTHORS,
    "activate_version": _RULES,
    **dict.fromkeys(
        (
            "list_drafts",
            "get_draft",
            "get_draft_file",
            "export_draft",
            "draft_check",
            "draft_rules",
            "draft_test",
            "draft_triage",
            "draft_diff",
        ),
        _RULES,
    ),
    **dict.fromkeys(("draft_impact", "draft_prove", "list_jobs", "get_job", "cancel_job"), _RULES),
    **dict.fromkeys(
        ("open_draft", "discard_draft", "put_draft_files", "put_draft_file", "delete_draft_file", "edit_draft", "draft_merge"), _AUTHORS
    ),
    **dict.fromkeys(("draft_ask", "draft_withdraw", "draft_publish"), _AUTHORS),
    **dict.fromkeys(("draft_approve", "draft_refuse"), _need(APPROVER)),
    "release_rule": _AUTHORS,
    **dict.fromkeys(("start_shadow", "stop_shadow"), _AUTHORS),
    "get_shadow": _RULES,
    "repair_ruleset": _RULES,
    "rules_ledger": _need(VIEWER, RULE_ADMIN, APPROVER),
    "rule_ledger": _need(VIEWER, RULE_ADMIN, APPROVER),
    "list_institutions": ANY_KEY,
    "get_institution": ANY_KEY,
    "export_institutions": ANY_KEY,
    "import_institutions": _need(RULE_ADMIN),
    "create_key": NOBODY_ELSE,
    "list_keys": NOBODY_ELSE,
    "rotate_key": NOBODY_ELSE,
    "revoke_key": NOBODY_ELSE,
    **dict.fromkeys(("list_audit", "verify_audit", "export_audit"), NOBODY_ELSE),
    **dict.fromkeys(("get_session", "sign_in", "sign_out", "begin_sign_on", "finish_sign_on"), PUBLIC),
}
"""By the name of the operation, which is the name of its function and its operationId."""


def need_of(name: str) -> Need:
    return NEEDS.get(name, NOBODY_ELSE)


# The guard --------------------------------------------------------------------------------------------------------------------------


def guard(app: FastAPI) -> None:
    """Put the guard before every door that is not open to all. The doors outlive an app: who stands there already is enough."""
    for route in app.routes:
        if isinstance(route, APIRoute) and need_of(route.name) is not PUBLIC and not isinstance(route.app, _Guard):
            route.app = _Guard(route.app, need_of(route.name), is_use=route.name not in POLLED)


class _Guard:
    """Stands before a door, and lets in whom the table names."""

    def __init__(self, door: ASGIApp, need: Need, *, is_use: bool) -> None:
        self._door, self._need, self._is_use = door, need, is_use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope[CALLER] = await recognised(scope, is_use=self._is_use)
        _check_rate(scope, caller)
        if self._need.scopes.isdisjoint(caller.kinds):
            raise _missing(self._need)
        await self._door(scope, receive, send)


def _check_rate(scope: Scope, caller: Caller) -> None:
    rates = scope["app"].state.office.rates
    if caller.key is not None and rates is not None and not rates.note(caller.key):
        raise TooOften(rates.wait(caller.key))


async def recognised(scope: Scope, *, is_use: bool) -> Caller:
    """Who sends this request: by a key, or by the cookie of a session. Wrong keys are counted."""
    try:
        return await _found(scope, is_use=is_use)
    except AccessKeyRefused:
        await scope["app"].state.office.guesses.note(address(scope))
        raise


async def _found(scope: Scope, *, is_use: bool) -> Caller:
    ring: Keyring = scope["app"].state.office.keyring
    key = _shown(scope)
    # What is held is good for a moment, and then the question costs a few microseconds; else the database is asked.
    found = ring.find(key) if key and ring.locked and ring.fresh else None
    tokens: Tokens | None = scope["app"].state.office.tokens
    if found is None and tokens is not None and key.count(".") == 2:
        return tokens.read(key)
    return found or await _identified(ring, scope, key, is_use=is_use)


def caller(scope: Scope) -> Caller:
    """Who sends this request; the guard has let them in."""
    found: Caller = scope[CALLER]
    return found


def _shown(scope: Scope) -> str:
    """The key that a request shows; empty if it shows none."""
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == BEARER:
            return str(value[7:].strip(), "latin-1")
    return ""


async def _identified(ring: Keyring, scope: Scope, key: str, *, is_use: bool) -> Caller:
    if not ring.fresh:
        await _look(ring)
    if not ring.locked and scope["app"].state.office.tokens is None:
        return _neighbour(scope)
    if not key and (token := cookie(scope)):
        return await _by_cookie(scope, token, is_use=is_use)
    if not key:
        raise AccessKeyMissing
    found = await ring.identify(key)
    if found is None:
        raise AccessKeyRefused
    return found


async def _look(ring: Keyring) -> None:
    try:
        await ring.look()
    except StorageUnavailable:
        if ring.locked:  # nobody can say which keys were revoked
            raise


def _neighbour(scope: Scope) -> Caller:
    """Whoever comes while there is no key: from this machine, by its own name, and not on behalf of another or of a foreign page."""
    headers = dict(scope["headers"])
    client = scope.get("client")
    host = headers.get(b"host", b"").decode("latin-1")
    sent_on = any(name in headers for name in (b"forwarded", b"x-forwarded-for", b"via"))
    foreign = headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}
    if client is None or not is_loopback(client[0]) or not is_loopback(_name(host)) or sent_on or foreign:
        raise AccessKeyMissing("还没有接口钥匙，只接受来自本机的请求。请在本机用 fenpai keys create 发一把钥匙。")
    return OPEN


# Cookies ----------------------------------------------------------------------------------------------------------------------------


def cookie(scope: Scope) -> str:
    """The cookie of a session that a request shows; empty if it shows none."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.split(b";"):
                label, _, token = part.strip().partition(b"=")
                if label == COOKIE.encode():
                    return str(token, "latin-1")
    return ""


def address(scope: Scope) -> str:
    """Where a request comes from: an address and nothing else, for it goes into the audit."""
    with suppress(ValueError, TypeError):
        return str(ip_address(scope["client"][0]))
    return "-"


async def _by_cookie(scope: Scope, token: str, *, is_use: bool) -> Caller:
    session = await scope["app"].state.office.sessions.find(token, is_use=is_use)
    if scope["method"] not in SAFE:
        check_page(scope)  # a browser adds the cookie whoever's page it is that asks
    scope[UNTIL] = session.until
    caller: Caller = session.caller
    return caller


def is_of_page(scope: Scope) -> bool:
    """Whether a browser says from which page a request comes."""
    return any(name in {b"sec-fetch-site", b"origin"} for name, _ in scope["headers"])


def check_page(scope: Scope) -> None:
    """Only pages of our own may change anything; which page asks is said by the browser and cannot be forged by a page."""
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if (site != b"same-origin") if site is not None else not _is_of(headers.get(b"origin", b""), headers.get(b"host", b"")):
        raise ForeignPage


def _is_of(origin: bytes, host: bytes) -> bool:
    """Whether an origin is the host that is asked. A proxy may have taken https off, so the scheme tells no more than the usual port."""
    scheme, _, place = origin.lower().partition(b"://")
    port = {b"http": b":80", b"https": b":443"}.get(scheme)
    return port is not None and bool(place) and place.removesuffix(port) == host.lower().removesuffix(port)


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _missing(need: Need) -> ScopeMissing:
    wanted = [kind for kind in SCOPE_NAMES if kind in need.scopes]
    refused = ScopeMissing(f"这个接口要用有以下权限之一的钥匙：{'、'.join(f'{kind}（{SCOPE_NAMES[kind]}）' for kind in wanted)}。")
    refused.headers = {"WWW-Authenticate": f'Bearer realm="fenpai", error="insufficient_scope", scope="{" ".join(wanted)}"'}
    return refused


# The same table, told ---------------------------------------------------------------------------------------------------------------

SCHEME = {
    "ApiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "接口钥匙：`Authorization: Bearer 钥匙`，由管理员发放。还没有任何钥匙时，本机的请求可以不带",
    },
    "Session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "管理台登录后的 Cookie，权限与登录所用的钥匙相同；改动数据的请求须由本服务自己的页面发出",
    },
}


def refusals(name: str, method: str) -> tuple[type[FenpaiError], ...]:
    """The errors by which the guard answers for a door."""
    if need_of(name) is PUBLIC:
        return ()
    of_cookies = (SessionEnded,) if method in SAFE else (SessionEnded, ForeignPage)
    return (AccessKeyMissing, AccessKeyRefused, ScopeMissing, StorageUnavailable, TooOften, TooManyGuesses, *of_cookies)


def matrix(routes: Iterable[object]) -> str:
    """Every endpoint against every scope, as it stands in CONTRIBUTING.md. Moves share one line."""
    head = ("接口", "不带钥匙", *(f"`{kind}` {name}" for kind, name in SCOPE_NAMES.items()))
    rows = dict.fromkeys(_line(route) for route in routes if isinstance(route, APIRoute))
    lines = [head, tuple("---" for _ in head), *sorted(rows, key=lambda row: row[0].split()[1])]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _line(route: APIRoute) -> tuple[str, ...]:
    need = need_of(route.name)
    move = f"{route.path.rpartition('/')[0]}/{{move}}" if route.name in _MOVE_NAMES else route.path
    keyless = "可以" if need is PUBLIC else "—"
    return (f"`{' '.join(sorted(route.methods or ()))} {move}`", keyless, *(need.cell(kind) for kind in SCOPE_NAMES))


_MOVE_NAMES = frozenset(f"{row.move.replace('-', '_')}_case" for row in MOVES.values() if row.by_people)
