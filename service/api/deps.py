"""The doors' keys: all that an endpoint may ask for, typed. `Office` holds the things that are wired once, in app.py."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import unquote

from fastapi import Depends, Header
from starlette.requests import Request

from service.active import ActiveRules
from service.api.bell import Bell
from service.api.jobs import Jobs
from service.api.meters import Meters
from service.api.workshop import Workshop
from service.casework import ADMIN, HOTLINE, Actor, Casework
from service.casework.errors import ActorMissing, ActorUnknown
from service.channels import Channels
from service.config import Settings
from service.db import Database
from service.dispatcher import Dispatcher
from service.intake import Desk
from service.register import ActiveRegister
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
    warden: Warden
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
    """Who acts. Until there are API keys the caller's word is taken for it; keys will replace it here and nowhere else."""
    who, code = _text(name), _text(department)
    if not 1 <= len(who) <= MAX_NAME or not code:
        raise ActorMissing
    if code not in {HOTLINE, ADMIN} and code not in office(request).casework.terms().departments:
        raise ActorUnknown(f"没有 {code[:MAX_NAME]} 这个单位；请写单位代码，或 hotline、admin。")
    return Actor(who, code)


def _text(value: str | None) -> str:
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
