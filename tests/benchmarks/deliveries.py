"""How many letters a second reach a receiver on this machine, beside what bare httpx does with the same bodies in the same run.

The receiver is a process of its own: uvicorn with three lines of ASGI, so that it is not what is measured.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
from cryptography.fernet import Fernet

from service import db, log, store
from service.channels import Channels, Letter, new_secret
from service.db import Database
from service.dispatcher import Dispatcher, Pace
from service.vault import Vault
from service.writer import Writer
from tests import postgres
from tests.outbox.conftest import Post

LETTERS, TOGETHER, ROUNDS = 2000, 32, 3

RECEIVER = """
import uvicorn, socket, sys
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
door = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{door.getsockname()[1]}/letters", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).run([door])
"""


@contextmanager
def receiver() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def rate(seconds: float, busy: float, count: int) -> str:
    return f"{count / seconds:>7,.0f}/s   {busy / count * 1e6:>6.0f} us of this process each"


async def by_bare_httpx(url: str, body: str) -> str:
    """The floor: one client with its pool, nothing signed, nothing claimed, nothing written down."""
    numbers = iter(range(LETTERS))
    async with httpx.AsyncClient(trust_env=False) as client:

        async def send() -> None:
            for _ in numbers:
                await client.post(url, content=body.encode(), headers={"Content-Type": "application/json"})

        began, busy = time.perf_counter(), time.process_time()
        await asyncio.gather(*(send() for _ in range(TOGETHER)))
        return rate(time.perf_counter() - began, time.process_time() - busy, LETTERS)


async def by_channels(url: str, body: str) -> str:
    """Signed, over lanes, without a database."""
    numbers, secret, channels = iter(range(LETTERS)), new_secret(), Channels(seconds=10, private=True)

    async def send() -> None:
        for number in numbers:
            await channels.send(Letter(f"id-{number}", url, secret, body))

    began, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(send() for _ in range(TOGETHER)))
    told = rate(time.perf_counter() - began, time.process_time() - busy, LETTERS)
    await channels.close()
    return told


async def by_the_dispatcher(database: Database, post: Post) -> tuple[float, float]:
    """Claimed, signed, sent, written down, from an outbox that is full until one that is empty."""
    writer, channels = Writer(database), Channels(seconds=10, private=True)
    writer.start()
    dispatcher = Dispatcher(database, writer, post.vault, channels, Pace())
    began, busy = time.perf_counter(), time.process_time()
    dispatcher.start()
    while waiting(database):  # noqa: ASYNC110 (the database tells no events)
        await asyncio.sleep(0.1)
    took, used = time.perf_counter() - began, time.process_time() - busy
    await dispatcher.stop()
    await channels.close()
    await writer.stop()
    return took, used


def waiting(database: Database) -> int:
    with database.read() as conn:
        return store.outbox_state(conn).pending


def measure(database: Database, url: str) -> None:
    db.upgrade(database)
    with ExitStack() as stack:
        post = Post(database, Vault([Fernet.generate_key().decode()]), stack)
        post.channel("culture_sports", url, new_secret())
        runs = []
        for _ in range(ROUNDS):
            for _ in range(LETTERS // 500):
                post.births(500)
            runs.append(asyncio.run(by_the_dispatcher(database, post)))
    took, used = (statistics.median(figures) for figures in zip(*runs, strict=True))
    say(f"  {database.dialect}: dispatcher {rate(took, used, LETTERS)}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    log.configure("error")
    sys.setswitchinterval(0.0005)  # as the server sets it
    body = '{"text":"' + "反映某艺术培训中心不退费。" * 60 + '"}'
    with receiver() as url, tempfile.TemporaryDirectory(prefix="fenpai-bench-") as folder:
        say(f"{LETTERS} letters, {TOGETHER} at a time, to a receiver on this machine; median of {ROUNDS}")
        say(f"  bare httpx, one pool: {asyncio.run(by_bare_httpx(url, body))}")
        say(f"  channels, signed:     {asyncio.run(by_channels(url, body))}")
        with closing(db.connect(f"sqlite:///{Path(folder) / 'bench.db'}")) as database:
            measure(database, url)
        with (
            postgres.server(careless=False) as server,
            postgres.database(server, f"fenpai_bench_{uuid4().hex[:8]}") as place,
            closing(db.connect(place)) as database,
        ):
            measure(database, url)


if __name__ == "__main__":
    main()
