"""The log by API, and tables that are taken away: checked by administrators, each export a row of it; they run nothing and name nobody."""

import csv
import io
import time
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest
import python_calamine
from sqlalchemy import text
from starlette.testclient import TestClient

from service import audit, db
from service.api import casefile
from tests.api.conftest import Orders
from tests.api.test_access import Keys, bearer, code, mint

NAME, PHONE = "欧阳标记", "13900007788"
NASTY = ("=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1＋1", "'=1", '=HYPERLINK("http://x","点")')


@pytest.fixture(scope="module")
def keys(house: TestClient) -> Keys:
    admin = mint(house, "admin")["key"]
    scopes = ("hotline", "viewer", "department:gym_office", "department:stage_office")
    return {scope: mint(house, scope, admin)["key"] for scope in scopes} | {"admin": admin}


@pytest.fixture(scope="module")
def lived(house: TestClient, keys: Keys) -> str:
    """A house in which a case came in, was looked at, and somebody logged in; the id of the case."""
    body: dict[str, Any] = {
        "source_system": "hotline",
        "source_order_no": "A-1",
        "content": f"云溪区某篮球班不给退费，孩子{NAME}电话13611112222。",
    }
    body |= {"title": NASTY[0], "institution": "+某篮球馆", "complainant": {"name": NAME, "phone": PHONE, "address": "x 路"}}
    case = house.post("/v1/cases", json=body, headers=bearer(keys["hotline"])).raise_for_status().json()["id"]
    head = bearer(keys["admin"]) | {"X-Fenpai-Actor": "li"}
    house.post(f"/v1/cases/{case}/unmask", json={"reason": "回访核实"}, headers=head).raise_for_status()
    house.post("/v1/session", json={"key": keys["viewer"]}).raise_for_status()
    return str(case)


def rows(house: TestClient, keys: Keys, **query: Any) -> list[dict[str, Any]]:
    answer = house.get("/v1/audit", params=query, headers=bearer(keys["admin"])).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


class TestTheLog:
    def test_tells_the_newest_first_page_by_page(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert lived
        whole, pages, before = rows(house, keys, limit=500), [], None
        while True:
            page = house.get("/v1/audit?limit=3" + (f"&before={before}" if before else ""), headers=bearer(keys["admin"])).json()
            pages += page["rows"]
            if (before := page["next"]) is None:
                break
        assert pages == whole
        assert [row["seq"] for row in whole] == list(range(len(whole), 0, -1))

    @pytest.mark.parametrize(
        ("query", "kinds"),
        [
            ({"kind": "audit.unmasked"}, {"audit.unmasked"}),
            ({"kind": "key."}, {"key.created"}),
            ({"kind": "case.received"}, {"case.received"}),
            ({"kind": "session."}, {"session.opened"}),
            ({"actor": "li"}, {"audit.unmasked"}),
            ({"kind": "k_y."}, set()),
            ({"at_to": "2020-01-01T00:00:00Z"}, set()),
            ({"at_from": "2020-01-01T00:00:00+08:00", "kind": "audit."}, {"audit.unmasked"}),
        ],
    )
    def test_is_asked_for_what_one_seeks(self, house: TestClient, keys: Keys, lived: str, query: dict[str, str], kinds: set[str]) -> None:
        assert lived
        assert {row["kind"] for row in rows(house, keys, **query)} == kinds

    def test_names_the_key_and_the_case(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert {row["kind"] for row in rows(house, keys, case_id=lived)} >= {"case.received", "audit.unmasked"}
        admin = keys["admin"].split("_")[1]
        assert {row["data"]["key"] for row in rows(house, keys, key=admin)} == {admin}

    def test_is_for_administrators_alone(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert lived
        for scope in ("hotline", "viewer", "department:gym_office"):
            for path in ("/v1/audit", "/v1/audit/export"):
                assert code(house.get(path, headers=bearer(keys[scope]))) == "scope_missing"


class TestChecking:
    def test_goes_over_the_whole_chain_and_says_its_mark(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert lived
        result = checked(house, keys, {})
        assert (result["broken"], result["rows"] > 5, result["why"]) == (None, True, "")
        assert checked(house, keys, {"noted": result["mark"]})["broken"] is None
        seq = result["mark"].partition(":")[0]
        assert checked(house, keys, {"noted": f"{seq}:{'0' * 64}"})["broken"] == int(seq)
        cut = checked(house, keys, {"noted": f"999999:{'0' * 64}"})
        assert "截去" in cut["why"]

    def test_names_what_was_touched(self, house: TestClient, keys: Keys, lived: str, place: Path) -> None:
        database = db.connect(f"sqlite:///{place}/fenpai.db")
        [birth] = rows(house, keys, kind="case.received")
        for after, before in (("x", ""), ("", "x")):
            with database.write() as conn:
                conn.execute(text("UPDATE cases SET street = :after WHERE id = :id"), {"after": after or None, "id": lived})
            found = checked(house, keys, {})
            assert found["broken"] == (birth["seq"] if after else None), before
        database.close()


def checked(house: TestClient, keys: Keys, body: dict[str, Any]) -> dict[str, Any]:
    begun = house.post("/v1/audit/verify", json=body, headers=bearer(keys["admin"]))
    assert begun.status_code == 202
    patience = time.monotonic() + 30
    while (job := house.get(begun.headers["location"], headers=bearer(keys["admin"])).json())["state"] in {"waiting", "running"}:
        assert time.monotonic() < patience
        time.sleep(0.05)
    result: dict[str, Any] = job["result"]
    return result


class TestTakingTheLogAway:
    def test_gives_what_anybody_can_check_and_is_its_last_row(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert lived
        answer = house.get("/v1/audit/export", headers=bearer(keys["admin"]))
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        previous = "0" * 64
        for line in lines:
            previous = audit.row_hash(previous, line["row"])
            assert line["hash"] == previous
        assert (lines[-1]["row"][2], orjson.loads(lines[-1]["row"][5])["what"]) == ("audit.exported", "audit")
        assert "attachment" in answer.headers["content-disposition"]
        assert not [mark for mark in (NAME, PHONE, *keys.values()) if mark in answer.text]


class TestATableOfCases:
    def test_holds_what_was_asked_for_and_nobodys_name_or_number(self, house: TestClient, keys: Keys, lived: str) -> None:
        for scope in ("admin", "hotline", "viewer", "department:gym_office"):
            [row] = table(house, keys, scope, source_order_no="A-1")
            assert (row["案件编号"], row["工单编号"], row["状态"]) == (lived, "A-1", "已派单")
            assert not [mark for mark in (NAME, PHONE, "13611112222") if mark in str(row)]

    def test_runs_nothing(self, house: TestClient, keys: Keys, order: Orders) -> None:
        for mark in NASTY:
            house.post("/v1/cases", json=order(title=mark, street="云溪"), headers=bearer(keys["hotline"])).raise_for_status()
        shown = table(house, keys, "admin")
        assert all(row["标题"][:1] not in "=+-@＝＋－＠\t" or row["标题"][:1] == "'" for row in shown if row["标题"])
        sheet = xlsx(house, keys, "admin")
        titles = {row[sheet[0].index("标题")] for row in sheet[1:]}
        assert {mark.strip() for mark in NASTY} <= titles  # texts, as they came: a cell that is a text runs nothing
        assert b"<f>" not in sheet_xml(house, keys)

    def test_shows_a_department_its_own_alone(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert lived
        assert table(house, keys, "department:stage_office") == []
        answer = house.get("/v1/cases/export?department=gym_office", headers=bearer(keys["department:stage_office"]))
        assert code(answer) == "others_cases"

    def test_is_told_in_the_audit(self, house: TestClient, keys: Keys, lived: str) -> None:
        assert lived
        table(house, keys, "viewer", source_order_no="A-1")
        told = rows(house, keys, kind="audit.exported")[0]
        assert (told["actor"], told["data"]["what"], told["data"]["rows"]) == ("持有viewer", "cases", 1)
        assert told["data"]["filters"] == {"source_order_no": "A-1"}

    def test_too_long_for_a_sheet_is_refused(self, house: TestClient, keys: Keys, monkeypatch: pytest.MonkeyPatch, lived: str) -> None:
        assert lived
        monkeypatch.setattr(casefile, "MOST", 0)
        assert code(house.get("/v1/cases/export", headers=bearer(keys["admin"]))) == "too_much"


def table(house: TestClient, keys: Keys, scope: str, **query: Any) -> list[dict[str, str]]:
    answer = house.get("/v1/cases/export", params={"format": "csv", **query}, headers=bearer(keys[scope])).raise_for_status()
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def xlsx(house: TestClient, keys: Keys, scope: str) -> list[list[Any]]:
    answer = house.get("/v1/cases/export", headers=bearer(keys[scope])).raise_for_status()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return book.get_sheet_by_index(0).to_python()


def sheet_xml(house: TestClient, keys: Keys) -> bytes:
    answer = house.get("/v1/cases/export", headers=bearer(keys["admin"]))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return book.read("xl/worksheets/sheet1.xml")
