"""The ledger as admins meet it: over HTTP and on the command line, on both databases."""

from typing import Any

from starlette.testclient import TestClient

from tests.rulelife.conftest import Fenpai, complete, fenpai, house, move, pack

__all__ = ["fenpai", "house", "pack"]


def received(house: TestClient, number: int, text: str) -> str:
    answer = house.post("/v1/cases", json={"source_system": "hotline", "source_order_no": str(number), "content": text})
    return str(answer.json()["id"])


def history(house: TestClient) -> tuple[str, str]:
    """A case that its department completed, and one that it handed back rightly: it was about a stage class."""
    done, wrong = (received(house, number, "孩子的篮球班不退费。电话13912345678。") for number in (1, 2))
    complete(house, done)
    move(house, wrong, "hand-back", "gym_office", reason_code="not_ours", text="是舞蹈", clause="order-3", suggested="stage_office")
    move(house, wrong, "uphold", "hotline")
    move(house, wrong, "reclassify", "admin", lead="stage_office", category="stage", reason="是舞蹈")
    return done, wrong


def test_ledger_tells_how_often_a_rule_was_right_and_where_it_was_wrong(house: TestClient, fenpai: Fenpai) -> None:
    _, wrong = history(house)
    told = house.get("/v1/rules/ball.programs/ledger").json()
    assert (told["name"], told["n"], told["rights"], told["wrongs"], told["precision"]) == ("球类项目", 2, 1, 1, 0.5)
    assert 0 < told["low"] < 0.5 < told["high"] < 1
    assert (told["handed_back"], told["upheld"], told["rejected"]) == (1, 1, 0)
    assert [(term["term"], term["n"]) for term in told["terms"]] == [("篮球", 2)]
    assert sum(month["n"] for month in told["months"]) == 2
    [case] = told["wrong"]
    assert (case["case_id"], case["said"], case["lead"]) == (wrong, "category:ball", "gym_office")
    assert (case["right"]["lead"], case["right"]["category"], case["by"]) == ("stage_office", "stage", "reclassified")
    assert "13912345678" not in case["text"]

    overview = house.get("/v1/rules/ledger").json()["rules"]
    assert overview[0]["rule"] == "ball.programs"
    assert {rule["rule"] for rule in overview} >= {"ball.programs", "stage.programs", "scope.training"}
    assert house.get("/v1/rules/ball.handball/ledger").json()["code"] == "rule_unknown"

    ended = fenpai("rules", "ledger", "ball.programs")
    assert (ended.code, "50.0%（1/2，95% 区间" in ended.out, wrong in ended.out) == (0, True, True)
    assert "云溪区舞台办 stage" in ended.out
    assert "ball.programs（球类项目）：50.0%" in fenpai("rules", "ledger").out
    assert fenpai("rules", "ledger", "ball.programs", "--json").answer["wrongs"] == 1
    assert fenpai("rules", "ledger", "ball.handball").code == 2
    assert "台账与事件相符：2 件办理过的案件" in fenpai("rules", "ledger", "--recount").out


def test_who_complained_is_not_told_to_those_who_only_look_at_rules(house: TestClient) -> None:
    order = {
        "source_system": "hotline",
        "source_order_no": "1",
        "content": "孩子的篮球班不退费，张晓明反映。",
        "complainant": {"name": "张晓明"},
    }
    case_id = str(house.post("/v1/cases", json=order).json()["id"])
    move(house, case_id, "reclassify", "admin", lead="stage_office", reason="是舞蹈")
    admin = key(house, "admin")
    told = [_asked(house, who) for who in (admin, key(house, "viewer", admin))]
    texts = [whole["wrong"][0]["text"] for whole in told]
    assert ["张晓明" in text for text in texts] == [True, False]
    assert "篮球班" in texts[1]


def key(house: TestClient, scope: str, by: str = "") -> str:
    answer = house.post("/v1/keys", json={"name": scope, "scopes": [scope]}, headers={"Authorization": f"Bearer {by}"} if by else {})
    return str(answer.json()["key"])


def _asked(house: TestClient, who: str) -> dict[str, Any]:
    whole: dict[str, Any] = house.get("/v1/rules/ball.programs/ledger", headers={"Authorization": f"Bearer {who}"}).json()
    return whole
