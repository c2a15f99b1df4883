"""Limits, each tried by somebody who goes beyond it: how often, how slowly, how much of a head, twice the same key, from tomorrow."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
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
GUESSES = 12
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


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """Behind a proxy of ours at 10.9.8.7, with a key."""
    url = f"sqlite:///{tmp_path_factory.mktemp('guesses')}/fenpai.db"
    with opened(create_app(settings_for(url, trusted_proxies="10.9.8.7, fd00::/8", wrong_keys=GUESSES))) as client:
        yield client, mint(client, "admin")["key"]


class TestWrongKeys:
    def test_are_answered_no_more_after_some_while_right_ones_are(self, gate: tuple[TestClient, str]) -> None:
        client, key = at(gate, "127.0.2.1")
        wrong = [client.get("/v1/cases", headers=bearer(f"fenpai_aaaaaaaaaa_{number}")) for number in range(GUESSES + 3)]
        assert [answer.status_code for answer in wrong] == [401] * GUESSES + [429] * 3
        assert (code(wrong[-1]), 1 <= int(wrong[-1].headers["retry-after"]) <= 60) == ("too_many_guesses", True)
        assert client.get("/v1/session", headers=bearer("x")).status_code == 429
        assert client.get("/v1/cases", headers=bearer(key)).status_code == 200
        new = mint(client, "viewer", key)["key"]
        assert client.get("/v1/cases", headers=bearer(new)).status_code == 200
        told = client.get("/v1/audit?kind=key.guessed", headers=bearer(key)).json()["rows"]
        assert [row["data"]["address"] for row in told] == ["127.0.2.1"]
        metrics = client.get("/metrics", headers=bearer(key)).text
        assert 'fenpai_refused_keys_total{outcome="limited"} 4.0' in metrics
        assert at(gate, "127.0.2.2")[0].get("/v1/cases", headers=bearer("x")).status_code == 401

    def test_are_counted_by_where_a_proxy_of_ours_says(self, gate: tuple[TestClient, str]) -> None:
        proxy, key = at(gate, "10.9.8.7")
        for _ in range(GUESSES):
            proxy.get("/v1/cases", headers=bearer("x") | {"X-Forwarded-For": "1.2.3.4, 203.0.113.5"})
        other, same = ({"X-Forwarded-For": f"6.6.6.6, 203.0.113.{last}"} for last in (6, 5))
        assert proxy.get("/v1/cases", headers=bearer("x") | other).status_code == 401
        assert proxy.get("/v1/cases", headers=bearer("x") | same).status_code == 429
        assert proxy.get("/v1/cases", headers=bearer(key) | same).status_code == 200

    def test_are_not_counted_by_what_anybody_else_says(self, gate: tuple[TestClient, str]) -> None:
        """Whoever is not our proxy cannot be somebody else, nor bring anything but an address into the audit."""
        liar, key = at(gate, "127.0.2.3")
        for number in range(GUESSES):
            liar.get("/v1/cases", headers=bearer("x") | {"X-Forwarded-For": f"198.51.100.{number}"})
        assert liar.get("/v1/cases", headers=bearer("x") | {"X-Forwarded-For": "198.51.100.250"}).status_code == 429
        proxy, _ = at(gate, "fd00::1")
        proxy.post("/v1/session", json={"key": "x"}, headers={"X-Forwarded-For": "<b>\x07not an address"})
        row = proxy.get("/v1/audit?kind=session.refused&limit=1", headers=bearer(key)).json()["rows"][0]
        assert row["data"]["address"] == "-"


def at(gate: tuple[TestClient, str], address: str) -> tuple[TestClient, str]:
    """The same house from another address."""
    client = TestClient(gate[0].app, "http://localhost", client=(address, 50000), raise_server_exceptions=False)
    client.portal = gate[0].portal
    return client, gate[1]


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


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
BODY = orjson.dumps({"content": "云溪区某篮球班不给退费"})


class TestAHead:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET /healthz HTTP/1.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 2000 + b"\r\n",
            b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        ],
        ids=["no host", "two hosts", "two hosts of old", "100 KB at once", "CONNECT"],
    )
    def test_that_is_not_fit_is_refused(self, address: tuple[str, int], head: bytes) -> None:
        assert b" 400 " in trickled(address, head, b"")

    @pytest.mark.parametrize("cut", [0, 200])
    def test_that_offers_another_protocol_is_answered_in_this_one(self, address: tuple[str, int], cut: int) -> None:
        """As Java's client sends each first request: nothing of its body is lost, nor what comes after it on the same line."""
        length = b"Content-Length: %d\r\n\r\n" % len(BODY)
        first = b"POST /v1/triage HTTP/1.1\r\nHost: localhost\r\n" + OFFER + b"Content-Type: application/json\r\n" + length + BODY
        with closing(socket.create_connection(address)) as line:
            line.settimeout(20)
            for whole in (first, HEALTH, first.replace(b"h2c", b"websocket")):
                line.sendall(whole[:cut])
                time.sleep(0.01 if cut else 0)
                line.sendall(whole[cut:])
                answer = HTTPResponse(line)
                answer.begin()
                assert (answer.status, answer.read() != b"") == (200, True)


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
