"""Real processes: servers and dispatchers killed in the midst of it. Every letter arrives at least once, in order, and none is lost."""

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from service.vault import Vault
from tests.api.conftest import KEY, PACK
from tests.outbox.conftest import Post
from tests.outbox.receiver import Got, Receiver, faulty, in_order

ROOT = Path(__file__).parents[2]
LEAD = "gym_office"

pytestmark = pytest.mark.timeout(300)


@contextmanager
def process(command: str, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`fenpai serve` or `fenpai work`, and the line it prints when it has begun."""
    settings = {
        "DATABASE_URL": url,
        "PACK": str(PACK),
        "DATA_KEY": KEY,
        "PORT": "0",
        "LOG_LEVEL": "error",
        "ALLOW_PRIVATE_TARGETS": "yes",
        "DELIVERY_TIMEOUT": "5",  # on a busy machine a receiver is slow, and one that seems in trouble is left alone for long
        "DELIVERY_PAUSE": "0.05",
        "DELIVERY_MARGIN": "3",  # what a killed one had claimed is waited for by the others
        "DELIVERY_ATTEMPTS": "100",
    }
    environment = os.environ | {f"FENPAI_{name}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "service", command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline()
        finally:
            running.kill()


def told(what: str, letters: int, sendings: list[Got]) -> None:
    arrived = Counter(got.id for got in sendings if 0 < got.status < 300)
    twice = sum(count - 1 for count in arrived.values())
    line = f"{what}: {letters} letters, {len(arrived)} arrived, {twice} again, {len(sendings) - arrived.total()} refused, 0 lost, in order"
    print(line)  # noqa: T201 (the counts are the finding)


class TestADispatcherKilled:
    def test_in_the_midst_of_it_loses_nothing_and_keeps_the_order(self, postgres_url: str, postgres_post: Post) -> None:
        """Two run, now one and now the other is killed; what it had claimed is sent by the other when the lease ends."""
        post = postgres_post
        post.vault = Vault([KEY])
        receiver = post.receiver(faulty)
        for _ in range(2):
            with process("work", postgres_url) as (one, _line), process("work", postgres_url) as (two, _also):
                killer = threading.Timer(random.uniform(0.2, 1), random.choice([one, two]).kill)  # noqa: S311 (any will do)
                killer.start()
                cases = post.births(50)
                for case in cases * 3:
                    post.move(case)
                killer.join()
        with process("work", postgres_url):
            receiver.wait(lambda: not post.deliveries(state="pending"), 200)
        assert {row.state for row in post.deliveries()} == {"done"}
        assert len({got.id for got in receiver.taken}) == 400
        assert in_order(receiver.taken)
        assert receiver.forged == 0
        told("dispatchers killed 4 times, postgresql", 400, receiver.got)


class TestAServerKilled:
    def test_under_load_delivers_every_case_that_was_told(self, database_url: str) -> None:
        with ExitStack() as closing:
            receiver = closing.enter_context(Receiver(faulty).open())
            cases: list[str] = []
            for life in range(3):
                cases += one_life(database_url, receiver, life)
            assert len(cases) > 30
            with process("serve", database_url) as (_, line):
                wait_until_all_is_out(line, receiver)
        arrived = {got.data["case_id"] for got in receiver.taken if got.data["version"] == 1}
        assert set(cases) <= arrived
        assert in_order(receiver.taken)
        assert receiver.forged == 0
        letters = len({got.id for got in receiver.got})
        assert letters == len({got.id for got in receiver.taken})
        told(f"server killed 3 times under load, {database_url.partition(':')[0]}, {len(cases)} cases told", letters, receiver.got)


def one_life(url: str, receiver: Receiver, life: int) -> list[str]:
    """The cases that a server told, and moved on, before it was killed in the midst of it."""
    taken: list[str] = []
    with process("serve", url) as (server, line), httpx.Client(base_url=address(line), timeout=10, trust_env=False) as client:
        channel = {"url": receiver.url, "secret": receiver.secret}
        client.put(f"/v1/departments/{LEAD}/channel", json=channel).raise_for_status()
        killer = threading.Timer(random.uniform(1, 2.5), server.kill)  # noqa: S311 (any moment will do)
        killer.start()
        with ThreadPoolExecutor(8) as callers:
            for n in range(8):
                callers.submit(call, client, f"{life}-{n}", taken)
        killer.join()
    return taken


def call(client: httpx.Client, name: str, taken: list[str]) -> None:
    who = {"X-Fenpai-Actor": "Li", "X-Fenpai-Department": LEAD}
    try:
        for number in range(100_000):
            order = {"source_system": "hotline", "source_order_no": f"{name}-{number}", "title": "退费", "content": "某篮球班不给退费。"}
            answer = client.post("/v1/cases", json=order)
            if answer.status_code == 201:
                case = answer.json()["id"]
                taken.append(case)
                client.post(f"/v1/cases/{case}/accept", headers=who | {"If-Match": '"1"'})
                client.post(f"/v1/cases/{case}/urge", json={}, headers={**who, "X-Fenpai-Department": "admin", "If-Match": '"2"'})
    except httpx.TransportError:
        return  # killed


def wait_until_all_is_out(line: str, receiver: Receiver) -> None:
    with httpx.Client(base_url=address(line), timeout=10, trust_env=False) as client:

        def is_out() -> bool:
            time.sleep(0.2)
            return not client.get("/v1/deliveries?state=pending&limit=1").json()["deliveries"]

        receiver.wait(is_out, 120)
        assert client.get("/v1/deliveries?state=dead").json()["deliveries"] == []


def address(line: str) -> str:
    return line.partition("：")[2].partition("（")[0]


class TestADispatcherThatIsAskedToStop:
    def test_ends_by_itself_and_leaves_no_claim_behind(
        self, postgres_url: str, postgres_post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And while it works, it says how much."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        monkeypatch.setenv("FENPAI_METRICS_PORT", str(port))
        post = postgres_post
        post.vault = Vault([KEY])
        receiver = post.receiver()
        post.births(300)
        with process("work", postgres_url) as (running, _):
            receiver.wait(lambda: len(receiver.got) > 20)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                assert client.get("/healthz").text == "ok\n"
                assert 'fenpai_deliveries_total{outcome="sent"}' in client.get("/metrics").text
                assert client.get("/v1/cases").status_code == 404
            running.terminate()
            assert running.wait(20) == 0
        with post.database.read() as conn:
            assert conn.exec_driver_sql("SELECT count(*) FROM outbox WHERE lease_until IS NOT NULL").scalar_one() == 0
        waiting = len(post.deliveries(state="pending"))
        assert waiting + len({got.id for got in receiver.taken}) == 300
