"""The doors' keys: all that an endpoint may ask for, typed. `Office` holds the things that are wired once, in app.py."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import unquote

from fastapi import Depends, Header
from starlette.requests import Request

from models.access import OF_DEPARTMENT
from service.active import ActiveRules
from service.api import access
from service.api.bell import Bell
from service.api.guesses import Guesses
from service.api.jobs import Jobs
from service.api.meters import Meters, Traces
from service.api.workshop import Workshop
from service.casework import ADMIN, HOTLINE, Actor, Casework
from service.casework.errors import ActorMissing, ActorUnknown
from service.channels import Channels
from service.config import Settings
from service.db import Database
from service.dispatcher import Dispatcher
from service.errors import ScopeMissing
from service.intake import Desk
from service.keyring import Caller, Keyring, Tokens
from service.register import ActiveRegister
from service.rulelife import kept
from service.sessions import Sessions
from service.shadow import Follower
from service.signon import SignOn
from service.throttle import Throttle
from service.vault import Vault
from service.warden import Warden
from service.watch import Watch
from service.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

MAX_NAME = 100
"""Longest name of one who acts, in characters."""

READERS = 8
"""Reads that run at the same time; more of them would only wait for the interpreter."""


class Reads:
    """Reads the database for endpoints: the store is synchronous, and the event loop must not wait for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="fenpai-read")

    async def __call__(self, ask: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call one of the store's functions with a connection to read from."""
        return await self.run(lambda: self._ask(ask, *args, **kwargs))

    async def run(self, work: Callable[[], T]) -> T:
        """Run anything that reads the database by itself."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _ask(self, ask: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._database.read() as conn:
            return ask(conn, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Office:
    """What stands behind the doors while the house is open."""

    settings: Settings
    database: Database
    writer: Writer
    rules: ActiveRules
    register: ActiveRegister
    desk: Desk
    reads: Reads
    bell: Bell
    meters: Meters
    casework: Casework
    vault: Vault
    channels: Channels
    dispatcher: Dispatcher
    workshop: Workshop
    jobs: Jobs
    keyring: Keyring
    tokens: Tokens | None
    sessions: Sessions
    sign_on: SignOn | None
    rates: Throttle | None
    guesses: Guesses
    traces: Traces | None
    warden: Warden
    follower: Follower
    watch: Watch | None


def office(request: Request) -> Office:
    """For the plain routes, which get no dependencies from FastAPI."""
    return cast(Office, request.app.state.office)


# async, though they wait for nothing: FastAPI would send a plain function to a thread.


async def _office(request: Request) -> Office:
    return office(request)


async def _rules(request: Request) -> ActiveRules:
    return office(request).rules


async def _reads(request: Request) -> Reads:
    return office(request).reads


async def _bell(request: Request) -> Bell:
    return office(request).bell


async def _actor(
    request: Request,
    name: Annotated[str | None, Header(alias="X-Fenpai-Actor", description="谁在操作；中文请用 UTF-8 或百分号编码")] = None,
    department: Annotated[
        str | None, Header(alias="X-Fenpai-Department", description="以哪个单位的身份：单位代码，或 hotline（热线）、admin（管理员）")
    ] = None,
) -> Actor:
    """Who acts. The key says for whom; the caller says which person, and which part where the key has several."""
    caller = access.caller(request.scope)
    who, code = written(name) or caller.name, written(department) or _only_part(caller)
    if caller.key is not None and code and code not in _parts(caller):
        raise ScopeMissing(f"这把钥匙不能以 {code[:MAX_NAME]} 的身份操作。")
    if len(who) > MAX_NAME:
        raise ActorMissing(f"请求头 X-Fenpai-Actor 太长：至多 {MAX_NAME} 个字，现有 {len(who)} 个。")
    if not who or not code:
        raise ActorMissing
    if caller.key is None and code not in {HOTLINE, ADMIN} and code not in office(request).casework.terms().departments:
        raise ActorUnknown(f"没有 {code[:MAX_NAME]} 这个单位；请写单位代码，或 hotline、admin。")
    return Actor(who, code, caller.key)


def _parts(caller: Caller) -> list[str]:
    """As whom a key may act."""
    return sorted(scope.removeprefix(OF_DEPARTMENT) for scope in caller.scopes)


def _only_part(caller: Caller) -> str:
    """As whom a key acts that does not say it: none where it could be several to a case."""
    if caller.key is None:
        return ""
    to_cases = [part for part in _parts(caller) if part in {HOTLINE, ADMIN, caller.department}]
    parts = to_cases or _parts(caller)[:1]
    return parts[0] if len(parts) == 1 else ""


async def _person(request: Request, actor: Annotated[Actor, Depends(_actor)]) -> kept.Person:
    """Who works on rules: the name, and the key that vouches for it."""
    return kept.Person(actor.name, access.caller(request.scope).key or "")


def key_of_caller(request: Request) -> str | None:
    """The key that vouches for whoever is named: the audit must not rest on a name that anybody can write."""
    return access.caller(request.scope).key


async def _reach(request: Request) -> str | None:
    """The department whose cases alone the caller may meet; None for those who may meet all."""
    return access.caller(request.scope).reach(office(request).casework.terms().coordinator)


async def _bound(request: Request) -> str | None:
    """The department whose own affairs alone the caller may change; None for administrators."""
    return access.caller(request.scope).bound(_FREE)


_FREE = frozenset({ADMIN})


def written(value: str | None) -> str:
    """A header as people mean it: bytes of UTF-8, or percent-encoded; nothing where it is neither or cannot be stored."""
    try:
        text = unquote((value or "").encode("latin-1").decode("utf-8"), errors="strict").strip()
    except UnicodeError:
        return ""
    return text if text.isprintable() else ""


WholeOffice = Annotated[Office, Depends(_office)]
Rules = Annotated[ActiveRules, Depends(_rules)]
Reading = Annotated[Reads, Depends(_reads)]
Waiting = Annotated[Bell, Depends(_bell)]
Acting = Annotated[Actor, Depends(_actor)]
Reach = Annotated[str | None, Depends(_reach)]
ByPerson = Annotated[kept.Person, Depends(_person)]
Bound = Annotated[str | None, Depends(_bound)]
