"""What people confirmed about cases is enough to propose the term that a pack lacks, over HTTP and on the command line."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import log
from tests.api.conftest import eventually
from tests.packs.build import edited
from tests.rulelife.conftest import Fenpai, complete, fenpai, house, move, written

__all__ = ["fenpai", "house"]

ROBBED = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球, 网球]")
WANG = {"X-Fenpai-Actor": "wang", "X-Fenpai-Department": "admin"}
NAME, PHONE = "欧阳标记", "13611112222"
TEXTS = (f"给孩子{NAME}{PHONE}报的足球班不退费", f"小区里{NAME}的足球课太贵{PHONE}")


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    log.configure("error")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack that has never heard of 足球."""
    return written(tmp_path / "tiny", ROBBED)


def received(house: TestClient, number: int, text: str) -> str:
    order = {"source_system": "hotline", "source_order_no": str(number), "content": text, "complainant": {"name": NAME, "phone": PHONE}}
    return str(house.post("/v1/cases", json=order).json()["id"])


def repaired(house: TestClient) -> dict[str, Any]:
    """What a repair from the ledger proposes, once its job is done."""
    begun = house.post("/v1/rulesets/repair", json={"from_ledger": True}, headers=WANG)
    assert (begun.status_code, begun.json()["kind"], begun.json()["draft"]) == (202, "repair", None)
    eventually(lambda: house.get(begun.headers["Location"]).json()["state"] == "done")
    result: dict[str, Any] = house.get(begun.headers["Location"]).json()["result"]
    return result


def test_a_lost_term_comes_back_from_the_cases_that_officers_mended(house: TestClient, fenpai: Fenpai) -> None:
    for number, text in enumerate(TEXTS):
        case_id = received(house, number, text)  # returned: the rules see nothing
        move(house, case_id, "re-dispatch", "hotline", lead="gym_office", reason="是球类")
        complete(house, case_id)
    complete(house, received(house, 10, "孩子的篮球班不退费。"))

    told = repaired(house)
    assert (told["wrong"], told["unmended"], told["broken"]) == (2, 0, [])
    assert told["steps"][0]["edits"] == [{"field": "terms", "where": "ball.programs", "value": "足球"}]
    assert "+    terms: [篮球, 网球, 足球]" in told["diff"]
    assert "足球" in told["files"]["categories/ball.yaml"]
    assert told["steps"][0]["test"]["file"] == "categories/ball.test.yaml"
    assert [mark for mark in (NAME, PHONE) if mark in str(told)] == []  # the case that pins it may be read by all
    assert len(house.get("/v1/rulesets").json()["versions"]) == 1

    ended = fenpai("rules", "repair", "--from-ledger", "--write")
    assert (ended.code, "ball.programs 的 terms 加「足球」" in ended.out) == (0, True)
    assert [mark for mark in (NAME, PHONE) if mark in ended.out] == []
    assert "台账：判错的 2 件，确认判对的 1 件" in ended.err
    assert fenpai("rules", "test").code == 0
    assert fenpai("rules", "impact", "--json").answer["confirmed"]["mends"] == 2


def test_what_is_wanted_must_be_said_rightly(house: TestClient) -> None:
    assert house.post("/v1/rulesets/repair", json={}, headers=WANG).status_code == 422
    given = {"wrong": [{"text": "足球班"}, {"text": "足球班", "lead": "nobody"}]}
    wrong = house.post("/v1/rulesets/repair", json=given, headers=WANG).json()
    assert [fault["pointer"] for fault in wrong["errors"]] == ["/wrong/0", "/wrong/1"]


def test_without_cases_there_is_nothing_to_mend(house: TestClient, fenpai: Fenpai) -> None:
    assert repaired(house)["steps"] == []
    assert fenpai("rules", "repair").code == 2
