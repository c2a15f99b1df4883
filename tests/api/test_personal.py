"""Who complained: masked for all, in clear for a reason that is kept, and nowhere else: not in files, logs, metrics, lists, letters."""

import io
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import audit, db
from service.app import create_app
from service.masks import veiled
from tests.api.conftest import Orders, opened, settings_for
from tests.api.test_access import Keys, Paper, bearer, mint

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
        told = unmask(house, case, keys["department:gym_office"]).json()
        assert (told["name"], told["phone"], told["address"], told["content"]) == (NAME, PHONE, HOME, TEXT)
        events = {
            scope: house.get(f"/v1/cases/{case}/events", headers=bearer(keys[scope])).json()["events"][-1] for scope in ("admin", "viewer")
        }
        assert (events["admin"]["kind"], events["admin"]["actor"]) == ("audit.unmasked", "li")
        assert events["admin"]["data"]["reason"] == "回访核实退款"
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


class TestNothingLeaks:
    def test_into_files_logs_metrics_lists_and_problems(self, tmp_path: Path, order: Orders, paper: Paper) -> None:
        body = order(complainant=WHO, content="云溪区某篮球班不给退费，孩子没法上课。")
        with opened(create_app(settings_for(f"sqlite:///{tmp_path}/fenpai.db"))) as house:
            admin = mint(house, "admin")["key"]
            head = bearer(admin) | {"X-Fenpai-Actor": "li", "If-Match": '"1"'}
            url = "https://receiver.invalid/x"
            house.put("/v1/departments/gym_office/channel", json={"url": url}, headers=head).raise_for_status()
            case = house.post("/v1/cases", json=body, headers=head).raise_for_status().json()["id"]
            answers = [
                house.post("/v1/cases", json=body | {"title": "x"}, headers=head),
                house.post("/v1/cases", json=body | {"complainant": WHO | {"phone": "x" * 99}}, headers=head),
                house.post(
                    "/v1/cases", content=f'{{"complainant": "{NAME}{PHONE}'.encode(), headers=head | {"Content-Type": "application/json"}
                ),
                house.post("/v1/triage", json=body, headers=head),
                house.post(f"/v1/cases/{case}/supervise", json={"reason": "超期"}, headers=head),
            ]
            assert unmask(house, case, admin).json()["phone"] == PHONE
            answers += [house.post("/v1/session", json={"key": PHONE}), house.post("/v1/session", json={"key": f"fenpai_{NAME}_{HOME}"})]
            answers += [house.get(f"/v1/cases/export?format={form}", headers=head) for form in ("csv", "xlsx")]
            answers += [house.get(path, headers=head) for path in ("/v1/session", "/v1/audit", "/v1/audit/export")]
            of_it = [f"/v1/cases{path}" for path in ("", f"/{case}", f"/{case}/events", f"/{case}/clocks", f"/{case}/moves")]
            beside = ("/metrics", "/readyz", "/v1/changes", "/v1/deliveries", "/v1/keys", "/openapi.json", f"/v1/nowhere/{NAME}")
            answers += [house.get(path, headers=head) for path in (*of_it, *beside)]
            with closing(db.connect(f"sqlite:///{tmp_path}/fenpai.db")) as database:
                db.backup(database, tmp_path / "fenpai.db.backup")
            files = [path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("fenpai.db")]
        files += unzipped(answers)
        places = [answer.text for answer in answers] + [str(paper())] + [file.decode("utf-8", "ignore") for file in files]
        assert files
        assert len(paper()) >= len(answers)
        assert not [text[:200] for text in places if any(mark in text for mark in (NAME, PHONE, HOME))]


def unzipped(answers: list[Any]) -> list[bytes]:
    """What stands in the workbooks among these answers."""
    books = [zipfile.ZipFile(io.BytesIO(answer.content)) for answer in answers if answer.content.startswith(b"PK")]
    assert books
    return [book.read(name) for book in books for name in book.namelist()]


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
