"""POST /v1/cases: an order becomes a case once, and its receipt never changes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from starlette.testclient import TestClient

from models.case import Receipt
from models.tables import cases, idempotency
from service import db
from service.app import create_app
from service.config import Settings
from tests.api.conftest import Orders, header, opened


def stored(settings: Settings) -> int:
    """How many cases the database holds."""
    database = db.connect(settings.database_url)
    with database.read() as conn:
        count: int = conn.execute(select(func.count()).select_from(cases)).scalar_one()
    database.close()
    return count


class TestNewOrder:
    def test_gets_a_receipt_with_the_decision_and_its_reasons(self, api: TestClient, order: Orders) -> None:
        answer = api.post("/v1/cases", json=order())
        assert answer.status_code == 201
        receipt = Receipt.model_validate_json(answer.content)
        assert answer.headers["location"] == f"/v1/cases/{receipt.id}"
        assert (receipt.status, receipt.triage.lead, receipt.triage.category) == ("dispatched", "gym_office", "ball")
        assert [assist.department for assist in receipt.triage.assists] == ["money_office"]
        assert {"ball.programs", "issue.refund"} <= {evidence.rule for evidence in receipt.triage.evidence}

    def test_names_the_version_of_the_rules_that_decided(self, api: TestClient, order: Orders) -> None:
        active = api.get("/v1/rulesets/active").json()
        ruleset = api.post("/v1/cases", json=order()).json()["triage"]["ruleset"]
        assert ruleset == {name: active[name] for name in ("pack", "version", "digest")}

    @pytest.mark.parametrize(
        ("content", "status"),
        [
            ("孩子的篮球班不退费。", "dispatched"),
            ("篮球班和舞蹈班一起关门了。", "escalated"),
            ("小区停水三天了。", "returned"),
        ],
    )
    def test_is_born_with_the_status_of_its_decision(self, desk: TestClient, order: Orders, content: str, status: str) -> None:
        assert desk.post("/v1/cases", json=order(title=None, content=content)).json()["status"] == status

    def test_is_received_when_the_hotline_says_so(self, api: TestClient, order: Orders) -> None:
        receipt = api.post("/v1/cases", json=order(received_at="2025-11-24T01:02:03.456Z")).json()
        assert receipt["received_at"] == "2025-11-24T09:02:03.456000+08:00"

    def test_is_received_now_when_the_hotline_does_not_say(self, api: TestClient, order: Orders) -> None:
        received = datetime.fromisoformat(api.post("/v1/cases", json=order()).json()["received_at"])
        assert received.utcoffset() == timedelta(hours=8)
        assert abs(datetime.now(received.tzinfo) - received) < timedelta(minutes=1)

    def test_can_be_read_at_once(self, api: TestClient, order: Orders) -> None:
        receipt = api.post("/v1/cases", json=order()).json()
        assert api.get(f"/v1/cases/{receipt['id']}").status_code == 200


class TestSameOrderAgain:
    def test_gives_the_same_receipt_byte_for_byte(self, api: TestClient, order: Orders) -> None:
        sent = order(received_at="2025-11-24T09:00:00+08:00", complainant={"name": "王某", "phone": "13812345678"})
        first, second = api.post("/v1/cases", json=sent), api.post("/v1/cases", json=sent)
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.content == second.content

    def test_is_the_same_however_its_json_is_written(self, api: TestClient, order: Orders) -> None:
        sent = order(extra={"b": 1, "a": [1, 2]}, answers={"y": "1", "x": "2"})
        first = api.post("/v1/cases", json=sent)
        turned = dict(reversed(sent.items())) | {
            "extra": {"a": [1, 2], "b": 1},
            "answers": {"x": "2", "y": "1"},
            "channel": "",
            "address": "  ",
        }
        second = api.post("/v1/cases", json=turned)
        assert (second.status_code, second.content) == (200, first.content)

    @pytest.mark.parametrize(
        "change",
        [
            {"content": "别的内容。"},
            {"complainant": {"phone": "13812345679"}},
            {"complainant": None},
            {"extra": {"a": 2}},
            {"is_repeat": True},
        ],
        ids=["content", "phone", "no complainant", "extra", "a mark"],
    )
    def test_with_other_content_is_refused_and_changes_nothing(self, api: TestClient, order: Orders, change: dict[str, Any]) -> None:
        sent = order(complainant={"phone": "13812345678"}, extra={"a": 1})
        receipt = api.post("/v1/cases", json=sent).json()
        before = api.get(f"/v1/cases/{receipt['id']}")
        changed = {name: value for name, value in (sent | change).items() if value is not None}
        answer = api.post("/v1/cases", json=changed)
        assert (answer.status_code, answer.json()["code"]) == (409, "order_conflict")
        assert receipt["id"] in answer.json()["detail"]
        assert api.get(f"/v1/cases/{receipt['id']}").content == before.content

    def test_with_the_number_of_another_system_is_another_case(self, api: TestClient, order: Orders) -> None:
        sent = order()
        first = api.post("/v1/cases", json=sent).json()
        other = api.post("/v1/cases", json=sent | {"source_system": "province"})
        assert other.status_code == 201
        assert other.json()["id"] != first["id"]

    def test_from_many_callers_at_once_makes_one_case(self, api: TestClient, order: Orders, settings: Settings) -> None:
        sent = order()
        with ThreadPoolExecutor(16) as callers:
            answers = list(callers.map(lambda _: api.post("/v1/cases", json=sent), range(32)))
        assert sorted(answer.status_code for answer in answers) == [200] * 31 + [201]
        assert len({answer.content for answer in answers}) == 1
        assert stored(settings) == 1

    def test_after_a_restart_gives_the_same_receipt(self, settings: Settings, order: Orders) -> None:
        sent = order()
        with opened(create_app(settings)) as first:
            receipt = first.post("/v1/cases", json=sent).content
        with opened(create_app(settings)) as second:
            assert second.post("/v1/cases", json=sent).content == receipt


class TestIdempotencyKey:
    def test_makes_a_retry_the_same_case(self, api: TestClient, order: Orders) -> None:
        sent, key = order(), {"Idempotency-Key": "retry-1"}
        first, second = api.post("/v1/cases", json=sent, headers=key), api.post("/v1/cases", json=sent, headers=key)
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.content == second.content

    def test_of_another_order_is_refused(self, api: TestClient, order: Orders, settings: Settings) -> None:
        key = {"Idempotency-Key": "once"}
        receipt = api.post("/v1/cases", json=order(), headers=key).json()
        answer = api.post("/v1/cases", json=order(), headers=key)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_conflict")
        assert receipt["id"] in answer.json()["detail"]
        assert stored(settings) == 1

    def test_of_one_system_is_free_for_another(self, api: TestClient, order: Orders) -> None:
        key = {"Idempotency-Key": "ours"}
        assert api.post("/v1/cases", json=order(), headers=key).status_code == 201
        assert api.post("/v1/cases", json=order(source_system="province"), headers=key).status_code == 201

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256, "钥匙".encode(), b"\x7f"])
    def test_must_be_visible_ascii(self, desk: TestClient, order: Orders, key: str | bytes) -> None:
        answer = desk.post("/v1/cases", json=order(), headers=header("Idempotency-Key", key))
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


class TestCommit:
    """The answer is sent after the commit, never before."""

    def test_that_fails_gives_503_or_500_and_no_case(self, api: TestClient, order: Orders, settings: Settings) -> None:
        writer = api.app.state.office.database.writer  # type: ignore[attr-defined]

        def broken(_conn: object) -> None:
            raise OSError("no space left on device")

        event.listen(writer, "commit", broken)
        answer = api.post("/v1/cases", json=order(), headers={"Idempotency-Key": "k"})
        event.remove(writer, "commit", broken)
        assert answer.status_code in {500, 503}
        assert answer.headers["content-type"] == "application/problem+json"
        assert "no space" not in answer.text
        assert stored(settings) == 0

    def test_that_failed_once_succeeds_when_sent_again(self, api: TestClient, order: Orders, settings: Settings) -> None:
        writer = api.app.state.office.database.writer  # type: ignore[attr-defined]
        sent = order()

        def broken(_conn: object) -> None:
            raise OSError

        event.listen(writer, "commit", broken)
        api.post("/v1/cases", json=sent)
        event.remove(writer, "commit", broken)
        assert api.post("/v1/cases", json=sent).status_code == 201
        assert stored(settings) == 1


class TestTooMany:
    def test_orders_at_once_get_503_and_when_to_try_again(self, api: TestClient, order: Orders, settings: Settings) -> None:
        writer = api.app.state.office.writer  # type: ignore[attr-defined]
        limit, writer._limit = writer._limit, 0
        answer = api.post("/v1/cases", json=order())
        writer._limit = limit
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "overloaded", "1")
        assert stored(settings) == 0


class TestComplainant:
    def test_is_nowhere_in_clear(self, api: TestClient, order: Orders, settings: Settings) -> None:
        secret = {"name": "欧阳某某", "phone": "13987654321", "address": "云溪区某路 8 号 3 门"}
        sent = order(complainant=secret)
        receipt = api.post("/v1/cases", json=sent, headers={"Idempotency-Key": "k"})
        told = [receipt.text]
        told += [api.get(path).text for path in ("/v1/cases", f"/v1/cases/{receipt.json()['id']}", "/v1/changes", "/metrics")]
        database = db.connect(settings.database_url)
        with database.read() as conn:
            told += [str(list(conn.execute(select(table)))) for table in (cases, idempotency)]
        database.close()
        assert not [value for value in secret.values() if value in "".join(told)]

    def test_is_kept(self, api: TestClient, order: Orders) -> None:
        with_, without = (api.post("/v1/cases", json=order(complainant=c)).json()["id"] for c in ({"phone": "13812345678"}, None))
        assert api.get(f"/v1/cases/{with_}").json()["has_complainant"] is True
        assert api.get(f"/v1/cases/{without}").json()["has_complainant"] is False
