"""`fenpai serve` as a process: it opens, closes without leaving anybody hanging, and says why it cannot open."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx2
import orjson
import pytest

from tests.api.conftest import KEY, PACK, Orders, eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def process(**environment: str) -> Iterator[subprocess.Popen[str]]:
    """`fenpai serve` with these settings; it is ended if the test did not."""
    settings = {"FENPAI_PACK": str(PACK), "FENPAI_DATA_KEY": KEY} | environment
    with subprocess.Popen(
        [sys.executable, "-m", "service", "serve"],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            yield server
        finally:
            if server.poll() is None:
                server.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
    return port


def ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


class TestClosing:
    def test_sends_home_who_waits_and_ends_well(self, sqlite_url: str, order: Orders) -> None:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        with process(FENPAI_DATABASE_URL=sqlite_url, FENPAI_PORT=str(port)) as server:
            eventually(lambda: ready(address))
            assert httpx2.post(f"{address}/v1/cases", json=order()).status_code == 201
            answers: list[httpx2.Response] = []
            poller = Thread(target=lambda: answers.append(httpx2.get(f"{address}/v1/changes?after=3&wait=60", timeout=70)))
            poller.start()
            eventually(lambda: "fenpai_pollers_waiting 1.0" in httpx2.get(f"{address}/metrics").text)
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            _, log = server.communicate(timeout=15)
            poller.join()
            assert (server.returncode, time.monotonic() - began < 10) == (0, True)
            assert answers[0].json() == {"changes": [], "next": 3}
        assert [line for line in map(orjson.loads, log.splitlines()) if line["level"] in {"error", "warning"}] == []


class TestOpening:
    def test_where_another_listens(self, sqlite_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = str(door.getsockname()[1])
            with process(FENPAI_DATABASE_URL=sqlite_url, FENPAI_PORT=port) as server:
                out, err = server.communicate(timeout=30)
        assert server.returncode == 2
        assert port in out + err
        assert "占用" in out + err
        assert "Traceback" not in out + err

    @pytest.mark.parametrize(
        ("environment", "says"),
        [
            ({"FENPAI_PACK": "nowhere"}, "nowhere"),
            ({"FENPAI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "数据库"),
            ({"FENPAI_DATABASE_URL": "sqlite:////nowhere/fenpai.db"}, "没有文件夹 /nowhere"),
            ({"FENPAI_DATA_KEY": "weak"}, "密钥"),
            ({"FENPAI_HOST": "0.0.0.0"}, "fenpai keys create"),  # noqa: S104
            ({"FENPAI_PROT": "1"}, "FENPAI_PORT"),
        ],
    )
    def test_with_wrong_settings_says_which(self, sqlite_url: str, environment: dict[str, str], says: str) -> None:
        with process(**({"FENPAI_DATABASE_URL": sqlite_url, "FENPAI_PORT": "0"} | environment)) as server:
            out, err = server.communicate(timeout=30)
        assert server.returncode == 2
        assert says in out + err
        assert "Traceback" not in out + err
