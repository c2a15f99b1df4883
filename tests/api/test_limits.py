"""Limits, each tried by somebody who goes beyond it: how often, how slowly, how much of a head, twice the same key, from tomorrow."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import time_machine
from starlette.testclient import TestClient

from service import impatience
from service.api import bodies
from service.app import create_app
from service.impatience import Impatient
from tests.api.conftest import Orders, lines, opened, served, settings_for
from tests.api.test_access import bearer, code, mint

RATE = 20
JSON = {"Content-Type": "application/json"}


class TestHowOften:
    def test_a_key_may_ask_is_limited_for_it_alone(self, tmp_path: Path) -> None:
        with opened(create_app(settings_for(f"sqlite:///{tmp_path}/fenpai.db", rate=RATE))) as house:
            admin = mint(house, "admin")["key"]
            one, other = (bearer(mint(house, "viewer", admin)["key"]) for _ in range(2))
            answers = [house.get("/v1/departments", headers=one) for _ in range(RATE + 5)]
            assert [answer.status_code for answer in answers] == [200] * RATE + [429] * 5
            assert (code(answers[-1]), 1 <= int(answers[-1].headers["retry-after"]) <= 120) == ("rate_limited", True)
            assert house.get("/v1/departments", headers=other).status_code == 200
            assert house.get("/healthz").status_code == 200
            with time_machine.travel(datetime.now(UTC) + timedelta(minutes=3)):
                assert house.get("/v1/departments", headers=one).status_code == 200


class TestAKeyGivenTwice:
    @pytest.mark.parametrize(
        "body",
        [
            '{"content": "a", "content": "b"}',
            '{"content": "a", "c\\u006fntent": "b"}',
            '{"content": "a", "answers": {"x": "1", "x": "2"}}',
        ],
    )
    def test_is_refused_and_not_repeated(self, desk: TestClient, body: str) -> None:
        answer = desk.post("/v1/triage", content=body, headers=JSON)
        assert (answer.status_code, code(answer), "answers" in answer.text) == (400, "duplicate_key", False)

    def test_in_a_row_of_a_batch_spoils_that_row_alone(self, desk: TestClient, order: Orders) -> None:
        good = orjson.dumps(order())
        rows = good + b"\n" + good[:-1] + b', "content": "x"}\n'
        answer = desk.post("/v1/cases/batch", content=rows, headers={"Content-Type": "application/x-ndjson"})
        assert [row["status"] for row in lines(answer.content)] == [201, 400]

    def test_in_what_the_hotline_adds_is_refused_too(self, desk: TestClient, order: Orders) -> None:
        body = orjson.dumps(order())[:-1] + b', "extra": {"deep": [{"k": 1, "k": 2}]}}'
        assert code(desk.post("/v1/cases", content=body, headers=JSON)) == "duplicate_key"


class TestAnOrderFromTheFuture:
    def test_is_refused_beyond_what_clocks_may_differ(self, desk: TestClient, order: Orders) -> None:
        now = datetime.now(UTC)
        for ahead, status in ((timedelta(minutes=50), 201), (timedelta(hours=8), 422), (timedelta(days=4000), 422)):
            answer = desk.post("/v1/cases", json=order(received_at=(now + ahead).isoformat()))
            assert answer.status_code == status, ahead
            if status == 422:
                assert answer.json()["errors"][0]["pointer"] == "/received_at"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A server with real sockets and little patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(impatience, "HEAD_SECONDS", 0.3)
        patch.setattr(bodies, "WHOLE_SECONDS", 0.5)
        app = create_app(settings_for(f"sqlite:///{tmp_path_factory.mktemp('slow')}/fenpai.db"))
        with served(app, http=Impatient, ws="none") as url:
            yield "127.0.0.1", int(url.rpartition(":")[2])


POST = b"POST /v1/triage HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


class TestHowSlowly:
    @pytest.mark.parametrize("head", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "])
    def test_a_head_may_come_is_limited(self, address: tuple[str, int], head: bytes) -> None:
        assert trickled(address, head, b"") == b""

    def test_a_second_head_on_the_same_line_has_no_more_time(self, address: tuple[str, int]) -> None:
        first = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        assert trickled(address, first + b"GET /healthz HTTP/1.1\r\nX-A: ", b"a").startswith(b"HTTP/1.1 200")

    def test_a_body_may_trickle_is_limited(self, address: tuple[str, int]) -> None:
        assert trickled(address, POST + b'{"content": "', b"a").startswith(b"HTTP/1.1 408")

    def test_a_head_without_end_is_cut_off(self, address: tuple[str, int]) -> None:
        assert b" 400 " in trickled(address, b"GET /healthz HTTP/1.1\r\n", b"X-A: " + b"a" * 8000 + b"\r\n", pause=0.001)

    def test_others_are_served_meanwhile(self, address: tuple[str, int]) -> None:
        waiting = [socket.create_connection(address) for _ in range(50)]
        try:
            for line in waiting:
                line.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
            assert trickled(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"").startswith(b"HTTP/1.1 200")
        finally:
            for line in waiting:
                line.close()


def trickled(address: tuple[str, int], head: bytes, more: bytes, pause: float = 0.05) -> bytes:
    """What comes back to somebody who sends this, and goes on with so little at a time, until the line is cut."""
    heard, patience = bytearray(), time.monotonic() + 20
    with closing(socket.create_connection(address)) as line:
        line.sendall(head)
        line.settimeout(pause)
        while time.monotonic() < patience:
            try:
                piece = line.recv(65_536)
                if not piece:
                    return bytes(heard)
                heard += piece
            except TimeoutError:
                pass
            except OSError:
                return bytes(heard)
            try:
                line.sendall(more)
            except OSError:
                more = b""
    raise AssertionError("the line was never cut")
