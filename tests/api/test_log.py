"""The log tells how each request went, and nothing of what people wrote."""

import asyncio
import io
import logging
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import structlog

from service import log
from service.app import create_app
from service.config import Settings
from tests.api.conftest import Orders, opened, settings_for

Paper = Callable[[], list[dict[str, Any]]]


class TestRequests:
    def test_are_told_by_their_route(self, sqlite_url: str, paper: Paper) -> None:
        with opened(create_app(settings_for(sqlite_url))) as api:
            number = api.get("/v1/cases/01K?x=1").headers["x-request-id"]
        [line] = [line for line in paper() if line["event"] == "request"]
        told = {name: line[name] for name in ("request", "method", "route", "status", "code", "level")}
        assert told == {
            "request": number,
            "method": "GET",
            "route": "/v1/cases/{case_id}",
            "status": 404,
            "code": "case_not_found",
            "level": "info",
        }
        assert line["ms"] >= 0

    def test_name_the_case_that_they_are_about(self, sqlite_url: str, order: Orders, paper: Paper) -> None:
        with opened(create_app(settings_for(sqlite_url))) as api:
            case = api.post("/v1/cases", json=order()).json()["id"]
            api.get(f"/v1/cases/{case}/events")
            api.post(f"/v1/cases/{case}/accept", json={})
            api.get("/v1/cases/13812345678")
        told = [(line["route"], line.get("case")) for line in paper() if line["event"] == "request"]
        assert [about for _, about in told] == [case, case, case, None]

    def test_leave_nothing_of_a_complaint(self, settings: Settings, order: Orders, paper: Paper) -> None:
        secrets = ["秘密内容", "张某人", "13812345678", "某机构", "NO-SECRET"]
        sent = order(
            content="篮球班秘密内容",
            institution="某机构",
            source_order_no="NO-SECRET",
            complainant={"name": "张某人", "phone": "13812345678"},
        )
        with opened(create_app(settings)) as api:
            api.post("/v1/cases", json=sent, headers={"Idempotency-Key": "13812345678"})
            api.post("/v1/cases", json=sent | {"title": "秘密内容二"})
            api.post("/v1/cases", json=sent | {"content": ["秘密内容"]})
            api.post("/v1/cases/batch", content=orjson.dumps(sent) + b"\n{", headers={"Content-Type": "application/x-ndjson"})
            api.get("/v1/cases", params={"source_order_no": "NO-SECRET"})
            api.get("/v1/张某人/13812345678")
        written = "".join(str(line) for line in paper())
        assert not [secret for secret in secrets if secret in written]

    def test_of_watching_machines_are_told_only_when_they_fail(self, sqlite_url: str, paper: Paper) -> None:
        with opened(create_app(settings_for(sqlite_url))) as api:
            for path in ("/healthz", "/readyz", "/metrics"):
                api.get(path)
        assert {line["level"] for line in paper() if line["event"] == "request"} == {"debug"}


class TestMask:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("电话13812345678。", "电话138****78。"),
            ("tel:022-26801234", "tel:022****34"),
            ("120113198001011234", "120****34"),
            ("12011319800101123X", "120****3X"),
            ("01M87CD0XVVTTQ521BAG04GT4H", "01M87CD0XVVTTQ521BAG04GT4H"),
            ("2026-11-24 09:00", "2026-11-24 09:00"),
            ("1234567890123456789012", "1234567890123456789012"),
        ],
    )
    def test_hides_phones_and_identity_cards(self, text: str, masked: str) -> None:
        assert log.masked(text) == masked
        assert log.masked({"a": [text, {text: text}]}) == {"a": [masked, {masked: masked}]}

    def test_hides_numbers_that_are_no_text(self) -> None:
        assert log.masked(13812345678) == "138****78"
        assert log.masked(42) == 42

    def test_stands_before_every_line(self, paper: Paper) -> None:
        structlog.get_logger().warning("x", who={"phone": "13812345678"})
        assert paper()[0]["who"] == {"phone": "138****78"}


class TestErrors:
    def test_are_told_by_class_and_place_not_by_their_words(self, paper: Paper) -> None:
        structlog.get_logger().error("unexpected", exc_info=failure())
        [line] = paper()
        assert line["error"] == ["builtins.RuntimeError", "builtins.ValueError"]
        assert "test_log.py" in line["where"][0]
        assert "王某" not in str(line)

    def test_of_libraries_come_the_same_way(self, paper: Paper) -> None:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application 王某", exc_info=failure())
        logging.getLogger("sqlalchemy").warning("pool %s", "small")
        first, second = paper()
        assert (first["source"], first["error"][0], "王某" in str(first)) == ("uvicorn.error", "builtins.RuntimeError", False)
        assert (second["source"], second["level"], second["event"]) == ("sqlalchemy", "warning", "pool small")


def failure() -> Exception:
    """An exception that quotes what people wrote, and so does its cause."""
    with pytest.raises(RuntimeError) as raised:
        quote()
    return raised.value


def quote() -> None:
    try:
        int("王某住在某路")
    except ValueError as error:
        raise RuntimeError("王某") from error


class TestPaper:
    def test_keeps_lines_for_the_page_while_pages_are_turned(self) -> None:
        stream = io.BytesIO()
        paper = log.Paper(stream)

        async def write() -> tuple[bytes, bytes, bytes]:
            turning = asyncio.create_task(paper.turn())
            await asyncio.sleep(0)
            paper.info(b"1")
            at_once = stream.getvalue()
            paper.error(b"2")
            after_an_error = stream.getvalue()
            paper.info(b"3")
            turning.cancel()
            await asyncio.gather(turning, return_exceptions=True)
            return at_once, after_an_error, stream.getvalue()

        assert asyncio.run(write()) == (b"", b"1\n2\n", b"1\n2\n3\n")

    def test_is_written_at_once_when_nobody_turns_pages(self) -> None:
        stream = io.BytesIO()
        log.Paper(stream).info(b"1")
        assert stream.getvalue() == b"1\n"
