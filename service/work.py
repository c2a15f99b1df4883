"""`fenpai work`: a dispatcher by itself, beside any number of servers and other dispatchers on the same PostgreSQL."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from service import db, dial, log, store
from service.api.meters import Meters
from service.channels import Channels
from service.config import Settings
from service.db import Database
from service.dispatcher import Dispatcher, Pace
from service.errands import errands
from service.errors import WorkRefused
from service.vault import Vault


def work(settings: Settings, begun: Callable[[], None] | None = None) -> None:
    """Deliver until told to stop; a StartError says why not."""
    paper = log.configure(settings.log_level)
    database = db.connect(settings.database_url)
    if database.dialect == "sqlite":
        raise WorkRefused
    try:
        asyncio.run(_work(settings, database, paper, begun))
    finally:
        database.close()


async def _work(settings: Settings, database: Database, paper: log.Paper, begun: Callable[[], None] | None) -> None:
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with _dispatching(settings, database), errands(paper.turn()):
        structlog.get_logger().info("working", database=database.dialect)
        if begun:
            begun()
        await end.wait()


@asynccontextmanager
async def _dispatching(settings: Settings, database: Database) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(db.prepare, database)
        vault = Vault.open(settings.keys, None)
        await asyncio.to_thread(_bind, database, vault)
        channels = Channels(seconds=settings.delivery_timeout, private=settings.private_targets)
        stack.push_async_callback(channels.close)
        meters = Meters()
        dispatcher = Dispatcher(database, None, vault, channels, Pace.of(settings), meters)
        meters.show_outbox(dispatcher)
        if settings.metrics_port is not None:
            pages = {"/metrics": lambda: (200, meters.text()), "/healthz": lambda: _health(dispatcher)}
            port = await stack.enter_async_context(dial.shown(settings.host, settings.metrics_port, pages))
            structlog.get_logger().info("dial", host=settings.host, port=port)
        dispatcher.start()
        stack.push_async_callback(dispatcher.stop)
        yield


def _health(dispatcher: Dispatcher) -> tuple[int, bytes]:
    return (200, b"ok\n") if dispatcher.trouble is None else (503, f"{dispatcher.trouble}\n".encode())


def _bind(database: Database, vault: Vault) -> None:
    with database.write() as conn:
        store.bind_data_key(conn, vault.fingerprints)
