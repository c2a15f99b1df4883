"""The house as its callers meet it: over HTTP, on a database of its own, with the tiny pack in force."""

import asyncio
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from cryptography.fernet import Fernet
from fastapi import FastAPI
from starlette.testclient import TestClient

from service import log
from service.app import create_app
from service.config import Settings

PACK = Path(__file__).parents[1] / "packs" / "tiny"
KEY = Fernet.generate_key().decode()

_numbers = count(1)

Order = dict[str, Any]
Orders = Callable[..., Order]


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    log.configure("error")


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Once on each kind of database."""
    return settings_for(database_url)


def settings_for(url: str, **changes: Any) -> Settings:
    return Settings.from_env({"FENPAI_DATABASE_URL": url, "FENPAI_PACK": str(PACK), "FENPAI_DATA_KEY": KEY}, **changes)


@pytest.fixture
def api(settings: Settings) -> Iterator[TestClient]:
    """A house of its own for the test, once on each kind of database."""
    with opened(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One house for a whole file, on SQLite: for tests that leave nothing behind, or nothing that another meets."""
    with opened(create_app(settings_for(f"sqlite:///{tmp_path_factory.mktemp('desk')}/fenpai.db"))) as client:
        yield client


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a file's house."""
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
def house(place: Path) -> Iterator[TestClient]:
    """One house for a whole file, on SQLite, whose database file and keys the tests may look at."""
    with opened(create_app(settings_for(f"sqlite:///{place}/fenpai.db"))) as client:
        yield client


@contextmanager
def opened(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, "http://localhost", raise_server_exceptions=False, client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def order() -> Orders:
    """A work order with a number of its own; every field can be given another value, or left out by None."""

    def make(**changes: Any) -> Order:
        whole = {
            "source_system": "hotline",
            "source_order_no": f"NO-{next(_numbers)}",
            "title": "篮球班退费",
            "content": "云溪区某篮球班不给退费，孩子没法上课。",
        }
        return {name: value for name, value in (whole | changes).items() if value is not None}

    return make


@pytest.fixture
def paper() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log, as the lines that were written since the test began."""
    stream = io.BytesIO()
    log.configure("debug", stream)
    yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]
    log.configure("error")


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector of traces that keeps all that it is sent."""
    heard: list[bytes] = []

    class Hearing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hearing)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", heard
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def served(app: FastAPI, **how: Any) -> Iterator[str]:
    """The app behind a real server with real sockets; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=5, **how))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def eventually(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until it is true."""
    patience = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < patience
        time.sleep(0.02)


def header(name: str, value: str | bytes) -> dict[bytes, bytes]:
    """A header as bytes, so that it may hold anything."""
    return {name.encode(): value if isinstance(value, bytes) else value.encode()}


def lines(body: bytes) -> list[dict[str, Any]]:
    """The rows of an NDJSON body."""
    return [orjson.loads(line) for line in body.splitlines()]
