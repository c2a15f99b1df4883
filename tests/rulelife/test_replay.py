"""The past, decided again: bit for bit, over versions long replaced; what differs is named."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import db
from tests.packs.build import edited
from tests.rulelife.conftest import BADMINTON, Fenpai

SIGNED = {"author": "王科长", "note": "收羽毛球"}


@pytest.fixture
def past(house: TestClient) -> list[dict[str, Any]]:
    """Cases of two versions, one with all that a hotline may tell."""
    texts = ["孩子的足球班不退费。", "孩子的羽毛球班不退费。", "路灯坏了。"]
    told = [sent(house, number, content=text) for number, text in enumerate(texts)]
    assert house.post("/v1/rulesets", json={"files": edited(*BADMINTON), **SIGNED}).status_code == 201
    whole = {
        "institution": "云溪区某球馆",
        "asserted_scope": True,
        "answers": {"category": "ball"},
        "street": "河街",
        "demand_type": "投诉",
    }
    return [*told, *(sent(house, 10 + number, content=text, **whole) for number, text in enumerate(texts))]


def sent(house: TestClient, number: int, **order: Any) -> dict[str, Any]:
    answer = house.post("/v1/cases", json={"source_system": "hotline", "source_order_no": str(number), "title": " 求助 ", **order})
    receipt: dict[str, Any] = answer.json()
    assert answer.status_code == 201
    return receipt


@pytest.fixture
def change(database_url: str) -> Callable[[str], None]:
    """Change the database behind everybody's back."""

    def done(statement: str) -> None:
        database = db.connect(database_url)
        with database.write() as conn:
            conn.exec_driver_sql(statement)
        database.close()

    return done


class TestReplay:
    def test_of_two_versions_comes_out_bit_for_bit(self, fenpai: Fenpai, past: list[dict[str, Any]]) -> None:
        assert {receipt["triage"]["ruleset"]["version"] for receipt in past} == {1, 2}
        ended = fenpai("cases", "replay")
        assert (ended.code, ended.out.strip()) == (0, "重算 6 件：逐字一致 6 件。")

    def test_of_one_version_reads_only_its_cases(self, fenpai: Fenpai, past: list[dict[str, Any]]) -> None:
        assert fenpai("cases", "replay", "--version", "1", "--json").answer["cases"] == len(past) // 2
        assert fenpai("cases", "replay", "--since", "2100-01-01", "--json").answer["cases"] == 0

    @pytest.mark.usefixtures("past")
    def test_of_a_day_begins_at_midnight_in_beijing(self, fenpai: Fenpai, change: Callable[[str], None]) -> None:
        change("UPDATE cases SET created_at = '2026-11-23T16:00:00.000000Z'")
        assert fenpai("cases", "replay", "--since", "2026-11-24", "--json").answer["cases"] == 6
        assert fenpai("cases", "replay", "--since", "2026-11-25", "--json").answer["cases"] == 0
        assert "应是北京时间的日期" in fenpai("cases", "replay", "--since", "昨天").err

    def test_names_a_decision_that_was_tampered_with(
        self, fenpai: Fenpai, past: list[dict[str, Any]], change: Callable[[str], None]
    ) -> None:
        change("UPDATE cases SET triage = replace(triage, 'gym_office', 'stage_office') WHERE source_order_no = '0'")
        ended = fenpai("cases", "replay")
        assert ended.code == 1
        assert f"{past[0]['id']}（第 1 版）：保存的研判与重算的不同：lead" in ended.out

    @pytest.mark.usefixtures("past")
    def test_names_a_complaint_that_was_tampered_with(self, fenpai: Fenpai, change: Callable[[str], None]) -> None:
        change("UPDATE cases SET content = '孩子的舞蹈班不退费。' WHERE source_order_no = '0'")
        assert fenpai("cases", "replay").code == 1

    @pytest.mark.usefixtures("past")
    def test_names_another_engine_but_blames_nobody(self, fenpai: Fenpai, change: Callable[[str], None]) -> None:
        change("""UPDATE cases SET triage = replace(triage, '"engine":"', '"engine":"0.') WHERE source_order_no = '0'""")
        ended = fenpai("cases", "replay")
        assert (ended.code, "当时的引擎是第 0." in ended.out, "引擎版本已变 1 件" in ended.out) == (0, True, True)

    def test_names_a_version_that_is_gone(self, fenpai: Fenpai, past: list[dict[str, Any]], change: Callable[[str], None]) -> None:
        change("DELETE FROM rulesets WHERE version = 1")
        ended = fenpai("cases", "replay")
        assert (ended.code, f"规则版本读不了 {len(past) // 2} 件" in ended.out) == (1, True)
