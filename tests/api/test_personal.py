"""Who complained: masked for all, in clear for a reason that is kept, and nowhere else (test_leaks goes through every door)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import audit, db
from service.masks import veiled
from tests.api.conftest import Orders, eventually
from tests.api.test_access import Keys, bearer, mint
from tests.packs.build import edited

NAME, PHONE, HOME = "欧阳标记", "13900007788", "标记胡同七号院"
WHO = {"name": NAME, "phone": PHONE, "address": HOME}
CARD, PLATE = "110101199003077758", "津A·12F45"
TEXT = f"云溪区某篮球班不给退费，孩子{NAME}没法上课。电话13611112222，身份证{CARD}，车牌{PLATE}，工单编号13700001111。"
SCOPES = ("hotline", "viewer", "department:gym_office", "department:money_office", "admin")


@pytest.fixture(scope="module")
def keys(house: TestClient) -> Keys:
    admin = mint(house, "admin")["key"]
    return {scope: mint(house, scope, admin)["key"] for scope in SCOPES} | {"admin": admin}


@pytest.fixture
def sent(house: TestClient, keys: Keys, order: Orders) -> Callable[..., str]:
    def send(**changes: Any) -> str:
        body = order(content=TEXT, complainant=WHO, extra={"来电": PHONE, "号": 13600001111}, **changes)
        return str(house.post("/v1/cases", json=body, headers=bearer(keys["hotline"])).raise_for_status().json()["id"])

    return send


def unmask(house: TestClient, case: str, key: str, reason: str = "回访核实退款") -> Any:
    return house.post(f"/v1/cases/{case}/unmask", json={"reason": reason}, headers=bearer(key) | {"X-Fenpai-Actor": "li"})


class TestACase:
    def test_shows_who_complained_masked(self, house: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        case = sent()
        for scope in SCOPES:
            shown = house.get(f"/v1/cases/{case}", headers=bearer(keys[scope])).json()
            assert shown["complainant"] == {"name": "欧**", "phone": "139****7788", "address": "标记胡***"}

    def test_hides_numbers_in_its_texts_from_those_who_need_not_know(self, house: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        case = sent()
        for scope in ("viewer", "department:gym_office"):
            shown = house.get(f"/v1/cases/{case}", headers=bearer(keys[scope])).json()
            assert len(shown["content"]) == len(TEXT)
            assert "工单编号13700001111" in shown["content"]
            assert "extra" not in shown["details"]
            assert not [mark for mark in (NAME, "13611112222", CARD, PLATE, PHONE) if mark in str(shown)]
        assert house.get(f"/v1/cases/{case}", headers=bearer(keys["hotline"])).json()["content"] == TEXT

    def test_that_is_confidential_or_a_report_shows_nobody(self, house: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        for case in (sent(is_confidential=True), sent(demand_type="举报")):
            gym = keys["department:gym_office"]
            assert house.get(f"/v1/cases/{case}", headers=bearer(gym)).json()["complainant"] is None
            assert unmask(house, case, gym).json()["code"] == "identity_kept"
            assert unmask(house, case, keys["hotline"]).json()["name"] == NAME


class TestUnmasking:
    def test_is_told_for_a_reason_that_is_kept(self, house: TestClient, keys: Keys, sent: Callable[..., str], place: Path) -> None:
        case = sent()
        told = unmask(house, case, keys["department:gym_office"], f"回访{NAME}（{PHONE}）核实退款").json()
        assert (told["name"], told["phone"], told["address"], told["content"]) == (NAME, PHONE, HOME, TEXT)
        events = {
            scope: house.get(f"/v1/cases/{case}/events", headers=bearer(keys[scope])).json()["events"][-1] for scope in ("admin", "viewer")
        }
        assert (events["admin"]["kind"], events["admin"]["actor"]) == ("audit.unmasked", "li")
        assert events["admin"]["data"]["reason"] == "回访欧**（1**）核实退款"
        assert events["admin"]["data"]["key"] == keys["department:gym_office"].split("_")[1]
        assert events["viewer"]["data"] == {}
        opened_again = db.connect(f"sqlite:///{place}/fenpai.db")
        assert audit.verify(opened_again).broken is None
        opened_again.close()

    def test_is_for_the_lead_and_with_a_reason(self, house: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        case = sent()
        assert unmask(house, case, keys["department:money_office"]).status_code in {403, 404}
        assert unmask(house, case, keys["viewer"]).json()["code"] == "scope_missing"
        short = unmask(house, case, keys["hotline"], "看看")
        assert (short.status_code, short.json()["errors"][0]["detail"]) == (422, "至少 4 个字")
        for empty in ("....", "\u200b\u200b\u200b\u200b", "啊啊啊啊啊", "— — — —"):
            assert unmask(house, case, keys["hotline"], empty).json()["errors"][0]["detail"] == "请用文字写明为什么要看"


class TestARuleAdmin:
    def test_sees_what_a_draft_would_change_and_not_who_complained(self, house: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        case, admin = sent(), bearer(mint(house, "rule_admin", keys["admin"])["key"]) | {"X-Fenpai-Actor": "wang"}
        assert house.get(f"/v1/cases/{case}", headers=admin).status_code == 403
        files = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [足球, 网球]")
        draft = house.post("/v1/rulesets/drafts", json={"title": "x", "files": files}, headers=admin).json()["id"]
        begun = house.post(f"/v1/rulesets/drafts/{draft}/impact", headers=admin).headers["Location"]
        eventually(lambda: house.get(begun, headers=admin).json()["state"] == "done")
        for told in (house.post("/v1/rulesets/impact", json={"files": files}, headers=admin), house.get(begun, headers=admin)):
            assert case in told.text
            assert [mark for mark in (NAME, "13611112222", CARD, PLATE) if mark in told.text] == []
        assert NAME in house.get(begun, headers=bearer(keys["admin"])).text


class TestVeiling:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("电话13812345678。", "电话138****5678。"),
            ("１３８１２３４５６７８", "１３８****５６７８"),
            ("022-26391234", "022*****1234"),
            ("身份证号码：110101199003077757", "身份证号码：110*************57"),
            (CARD, "110*************58"),
            ("津A12345和津AD12345", "津A*****和津A******"),
        ],
    )
    def test_hides_what_is_a_persons_sign_for_sign(self, text: str, shown: str) -> None:
        assert veiled(text) == shown
        assert len(veiled(text)) == len(text)

    @pytest.mark.parametrize(
        "text",
        ["110101199003077757", "20261124000017", "工单编号：13812345678", "12012345678", "138123456789", "欠费1380元", "2026-11-24 13:00"],
    )
    def test_spares_what_is_not(self, text: str) -> None:
        assert veiled(text) == text
