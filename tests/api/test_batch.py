"""POST /v1/cases/batch: row by row, one bad row harms no other, and both directions flow at once."""

import http.client
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest
from starlette.testclient import TestClient

from models.case import BatchRow
from service.app import create_app
from service.config import Settings
from tests.api.conftest import Order, Orders, lines, opened, served, settings_for

NDJSON = {"Content-Type": "application/x-ndjson"}


def sent(client: TestClient, *rows: Order | bytes, end: bytes = b"\n") -> list[dict[str, Any]]:
    """The results of a batch, each checked to have its documented shape."""
    body = end.join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows) + end
    answer = client.post("/v1/cases/batch", content=body, headers=NDJSON)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    for row in answer.content.splitlines():
        BatchRow.model_validate_json(row)
    return lines(answer.content)


def told(results: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(row["line"], row["status"]) for row in results]


class TestRows:
    def test_are_answered_in_their_order_with_their_receipts(self, api: TestClient, order: Orders) -> None:
        rows = [order() for _ in range(300)]
        results = sent(api, *rows)
        assert told(results) == [(number, 201) for number in range(1, 301)]
        assert [row["receipt"]["source_order_no"] for row in results] == [row["source_order_no"] for row in rows]

    def test_get_the_receipt_that_each_alone_would_get(self, api: TestClient, order: Orders) -> None:
        row = order(complainant={"phone": "13812345678"})
        [result] = sent(api, row)
        alone = api.post("/v1/cases", json=row)
        assert (alone.status_code, alone.json()) == (200, result["receipt"])

    def test_that_are_bad_harm_no_other(self, api: TestClient, order: Orders) -> None:
        good = [order() for _ in range(4)]
        results = sent(
            api,
            good[0],
            b'{"content": ',
            good[1],
            "编码".encode("gbk"),
            order(content=""),
            good[2],
            good[0] | {"content": "别的"},
            b"[]",
            good[3],
        )
        assert [row["status"] for row in results] == [201, 400, 201, 400, 422, 201, 409, 422, 201]
        codes = [row["problem"]["code"] for row in results if "problem" in row]
        assert codes == ["json_broken", "body_not_utf8", "invalid", "order_conflict", "invalid"]
        assert len(api.get("/v1/cases").json()["cases"]) == 4

    def test_that_are_twice_in_a_batch_are_one_case(self, api: TestClient, order: Orders) -> None:
        row = order()
        first, second = sent(api, row, row)
        assert {first["status"], second["status"]} == {200, 201}
        assert first["receipt"] == second["receipt"]

    def test_sent_again_as_a_whole_give_the_same_receipts(self, api: TestClient, order: Orders) -> None:
        rows = [order() for _ in range(20)]
        first, second = sent(api, *rows), sent(api, *rows)
        assert [row["receipt"] for row in first] == [row["receipt"] for row in second]
        assert {row["status"] for row in second} == {200}

    def test_are_committed_in_groups(self, desk: TestClient, order: Orders) -> None:
        def groups() -> float:
            return float(metric(desk, "fenpai_writer_group_cases_count"))

        before = groups()
        sent(desk, *[order() for _ in range(500)])
        assert groups() - before < 250

    def test_blank_ones_are_passed_over_but_counted(self, desk: TestClient, order: Orders) -> None:
        assert told(sent(desk, b"", order(), b"  ", b"\r", order())) == [(2, 201), (5, 201)]

    def test_may_end_as_on_windows_and_begin_with_its_mark(self, desk: TestClient, order: Orders) -> None:
        first, second = order(), order()
        assert told(sent(desk, b"\xef\xbb\xbf" + orjson.dumps(first), second, end=b"\r\n")) == [(1, 201), (2, 201)]

    def test_the_last_needs_no_line_end(self, desk: TestClient, order: Orders) -> None:
        answer = desk.post("/v1/cases/batch", content=orjson.dumps(order()), headers=NDJSON)
        assert told(lines(answer.content)) == [(1, 201)]

    def test_may_come_in_any_pieces(self, desk: TestClient, order: Orders) -> None:
        body = b"\n".join(orjson.dumps(order(content="篮球班" * 50)) for _ in range(5))

        def pieces() -> Iterator[bytes]:
            yield from (body[start : start + 7] for start in range(0, len(body), 7))

        answer = desk.post("/v1/cases/batch", content=pieces(), headers=NDJSON)
        assert told(lines(answer.content)) == [(number, 201) for number in range(1, 6)]

    def test_that_are_too_long_are_refused_without_being_kept(self, desk: TestClient, order: Orders) -> None:
        results = sent(desk, order(), b'{"content": "' + b"x" * 3_000_000 + b'"}', order(), b"y" * 1_000_001)
        assert told(results) == [(1, 201), (2, 413), (3, 201), (4, 413)]


class TestBatch:
    @pytest.mark.parametrize("body", [b"", b"\n \r\n\n"])
    def test_without_a_row_is_refused(self, desk: TestClient, body: bytes) -> None:
        answer = desk.post("/v1/cases/batch", content=body, headers=NDJSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_empty")

    def test_of_plain_json_is_refused(self, desk: TestClient, order: Orders) -> None:
        answer = desk.post("/v1/cases/batch", json=[order()])
        assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")
        assert "application/x-ndjson" in answer.json()["detail"]

    def test_beyond_its_limit_is_refused_by_its_length(self, small: TestClient, order: Orders) -> None:
        answer = small.post("/v1/cases/batch", content=b"\n".join(orjson.dumps(order()) for _ in range(100)), headers=NDJSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_waits_for_a_full_writer_instead_of_failing(self, api: TestClient, order: Orders) -> None:
        writer = api.app.state.office.writer  # type: ignore[attr-defined]
        limit, writer._limit = writer._limit, 2
        results = sent(api, *[order() for _ in range(100)])
        writer._limit = limit
        assert {row["status"] for row in results} == {201}


class TestFlow:
    """Through a real server, where the two directions are really at work at once."""

    def test_results_come_while_rows_are_still_being_sent(self, settings: Settings, order: Orders) -> None:
        with served(create_app(settings)) as address:
            line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
            line.putrequest("POST", "/v1/cases/batch")
            line.putheader("Content-Type", "application/x-ndjson")
            line.putheader("Transfer-Encoding", "chunked")
            line.endheaders()
            results = None
            for number in range(1, 4):
                line.send(_chunk(orjson.dumps(order()) + b"\n"))
                results = results or line.getresponse()
                assert orjson.loads(results.readline())["line"] == number
            line.send(b"0\r\n\r\n")
            assert results is not None
            assert results.read() == b""
            line.close()

    def test_a_caller_who_reads_only_at_the_end_is_not_locked_out(self, sqlite_url: str, order: Orders) -> None:
        """The results are larger than all socket buffers together."""
        rows = b"".join(orjson.dumps(order()) + b"\n" for _ in range(6000))
        with served(create_app(settings_for(sqlite_url))) as address:
            answer = httpx2.post(f"{address}/v1/cases/batch", content=rows, headers=NDJSON, timeout=60)
        assert len(answer.content) > 7_000_000
        assert told(lines(answer.content)) == [(number, 201) for number in range(1, 6001)]

    def test_a_batch_that_hides_its_length_keeps_the_rows_up_to_the_limit(self, sqlite_url: str, order: Orders) -> None:
        rows = [orjson.dumps(order(content="篮球班" * 1000)) + b"\n" for _ in range(100)]
        with served(create_app(settings_for(sqlite_url, max_batch_bytes=500_000))) as address:
            answer = httpx2.post(f"{address}/v1/cases/batch", content=iter(rows), headers=NDJSON, timeout=30)
        *kept, last = told(lines(answer.content))
        assert kept == [(number, 201) for number in range(1, len(kept) + 1)]
        assert (len(kept) > 10, last) == (True, (0, 413))

    def test_others_are_served_meanwhile(self, sqlite_url: str, order: Orders) -> None:
        rows = b"".join(orjson.dumps(order()) + b"\n" for _ in range(3000))
        with served(create_app(settings_for(sqlite_url))) as address, httpx2.Client(base_url=address, timeout=30) as other:
            batch = threading.Thread(target=lambda: httpx2.post(f"{address}/v1/cases/batch", content=rows, headers=NDJSON, timeout=60))
            batch.start()
            slowest = max(other.post("/v1/cases", json=order()).elapsed.total_seconds() for _ in range(20))
            batch.join()
        assert slowest < 2

    def test_a_caller_who_hangs_up_leaves_whole_cases(
        self, sqlite_url: str, order: Orders, paper: Callable[[], list[dict[str, Any]]]
    ) -> None:
        app = create_app(settings_for(sqlite_url))
        with served(app) as address:
            line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
            line.putrequest("POST", "/v1/cases/batch")
            line.putheader("Content-Type", "application/x-ndjson")
            line.putheader("Content-Length", "1000000")
            line.endheaders()
            line.send(b"".join(orjson.dumps(order()) + b"\n" for _ in range(50)) + b'{"half')
            line.close()
        with opened(create_app(settings_for(sqlite_url))) as client:
            cases = client.get("/v1/cases?limit=500").json()["cases"]
            received = [change for change in client.get("/v1/changes?limit=1000").json()["changes"] if change["kind"] == "case.received"]
        assert len(cases) == len(received) <= 50
        [note] = [line for line in paper() if line.get("route") == "/v1/cases/batch"]
        assert (note["level"], note["status"], note["rows"]) == ("info", 499, {"201": len(cases)})


@pytest.fixture
def small(sqlite_url: str) -> Iterator[TestClient]:
    """A house with a low limit for batches."""
    with opened(create_app(settings_for(sqlite_url, max_batch_bytes=10_000))) as client:
        yield client


def metric(client: TestClient, name: str) -> str:
    """One line of /metrics."""
    return next(line.split()[1] for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} "))


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
