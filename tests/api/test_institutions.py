"""The register over HTTP: brought in, searched, exported, and heard by the next triage."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.register import Institution
from service import db, store
from service.app import create_app
from service.config import Settings
from service.store import Listed, RegisterChange
from tests.api.conftest import Orders, opened, settings_for
from tests.builders import NOON
from tests.register.conftest import csv, workbook

CSV = {"Content-Type": "text/csv"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
HEAD = "名称,简称/别名,类别,主管部门,办学许可证号,地址,街道,状态"
BALL = "鲸豆湾体育发展有限公司,鲸豆湾；鲸豆湾球馆,ball,云溪区球场办,球015,瑞荷路58号,瑞景街道,在办"
STAGE = "蔓汀舞台艺术有限公司,蔓汀,stage,,台007,柳岸里52号,北仓镇,注销"
FILE = csv(HEAD, BALL, STAGE)
SILENT = {"content": "孩子在那里上课，老师不好，不给退费。", "institution": "鲸豆湾"}


@pytest.fixture
def filled(api: TestClient) -> TestClient:
    assert bring_in(api, FILE).status_code == 200
    return api


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A house whose register is only looked at."""
    with opened(create_app(settings_for(f"sqlite:///{tmp_path_factory.mktemp('shown')}/fenpai.db"))) as client:
        assert bring_in(client, FILE).status_code == 200
        yield client


def bring_in(client: TestClient, data: bytes, headers: dict[str, str] = CSV, **how: Any) -> Any:
    return client.post("/v1/institutions/import", content=data, headers=headers, params=how)


class TestImport:
    @pytest.mark.parametrize(
        ("data", "headers"),
        [
            (FILE, CSV),
            (FILE.decode().encode("gb18030"), {"Content-Type": "text/csv; charset=gbk"}),
            (FILE, {"Content-Type": "application/vnd.ms-excel"}),
            (workbook(*(row.split(",") for row in (HEAD, BALL, STAGE))), XLSX),
        ],
    )
    def test_takes_csv_and_excel(self, api: TestClient, data: bytes, headers: dict[str, str]) -> None:
        answer = bring_in(api, data, headers).json()
        assert (answer["added"], answer["total"], answer["written"], answer["revision"]) == (2, 2, True, 1)
        assert [row["licence"] for row in api.get("/v1/institutions").json()["institutions"]] == ["球015", "台007"]

    def test_tells_every_mistake_and_writes_nothing(self, api: TestClient) -> None:
        answer = bring_in(api, csv(HEAD, BALL, "甲乙学校,丙,chess,,,,,"))
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        problem = answer.json()
        assert problem["code"] == "register_invalid"
        assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [
            ("/3/简称~1别名", "bad_value"),
            ("/3/类别", "bad_value"),
        ]
        assert problem["errors"][1]["detail"].startswith("第 3 行，类别：没有“chess”这个类别。")
        assert api.get("/v1/institutions").json()["institutions"] == []

    def test_tells_at_most_a_thousand(self, api: TestClient) -> None:
        problem = bring_in(api, csv("名称,类别", *(f"第{number}学校,x" for number in range(1200)))).json()
        assert len(problem["errors"]) == 1000
        assert "1200 处错误" in problem["detail"]

    def test_a_dry_run_writes_nothing(self, api: TestClient) -> None:
        answer = bring_in(api, FILE, dry_run="true").json()
        assert (answer["added"], answer["written"]) == (2, False)
        assert api.get("/v1/institutions").json()["revision"] == 0

    def test_replaces_on_demand(self, filled: TestClient) -> None:
        answer = bring_in(filled, csv(HEAD, STAGE), replace="true").json()
        assert (answer["removed"], answer["unchanged"], answer["total"]) == (1, 1, 1)

    def test_skips_mistakes_on_demand(self, api: TestClient) -> None:
        answer = bring_in(api, csv(HEAD, BALL, "甲乙学校,,chess,,,,,"), skip_errors="true").json()
        assert (answer["added"], [fault["line"] for fault in answer["skipped"]]) == (1, [3])

    def test_is_told_in_the_feed_with_the_name_of_the_file(self, api: TestClient) -> None:
        bring_in(api, FILE, CSV | {"X-File-Name": "%E5%90%8D%E5%BD%95.csv"})
        last = api.get("/v1/changes").json()["changes"][-1]
        assert last["kind"] == "register.changed"
        assert (last["data"]["added"], last["data"]["source"]) == (2, "名录.csv")

    @pytest.mark.parametrize(
        ("data", "headers", "status", "code"),
        [
            (b"", CSV, 400, "body_empty"),
            (b"  \n", CSV, 400, "body_empty"),
            (FILE, {"Content-Type": "application/json"}, 415, "wrong_media_type"),
            (csv("a,b", "1,2"), CSV, 400, "register_unreadable"),
            (b"PK\x03\x04broken", XLSX, 400, "register_unreadable"),
            (b"x" * 10_000_001, CSV, 413, "too_large"),
        ],
    )
    def test_refuses_what_is_no_register(self, shown: TestClient, data: bytes, headers: dict[str, str], status: int, code: str) -> None:
        answer = bring_in(shown, data, headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_refuses_a_mistyped_way(self, shown: TestClient) -> None:
        assert bring_in(shown, FILE, dryrun="true").json()["code"] == "parameter_invalid"


class TestSearch:
    @pytest.mark.parametrize("q", ["鲸豆湾", "鯨豆", "球０１５", "瑞荷路", "瑞景街道", "球馆"])
    def test_finds_by_all_that_is_known_however_it_is_written(self, shown: TestClient, q: str) -> None:
        [row] = shown.get("/v1/institutions", params={"q": q}).json()["institutions"]
        assert row["name"] == "鲸豆湾体育发展有限公司"
        assert (row["category"], row["department"], row["status"]) == ("ball", "gym_office", "在办")

    @pytest.mark.parametrize(("query", "count"), [({"category": "stage"}, 1), ({"status": "注销"}, 1), ({"q": "100%"}, 0), ({}, 2)])
    def test_keeps_to_what_is_asked(self, shown: TestClient, query: dict[str, str], count: int) -> None:
        assert len(shown.get("/v1/institutions", params=query).json()["institutions"]) == count

    def test_goes_through_pages(self, shown: TestClient) -> None:
        first = shown.get("/v1/institutions", params={"limit": 1}).json()
        second = shown.get("/v1/institutions", params={"limit": 1, "cursor": first["next"]}).json()
        assert [page["institutions"][0]["licence"] for page in (first, second)] == ["球015", "台007"]
        assert second["next"] is None

    @pytest.mark.parametrize("cursor", ["x", "W10", "5", "é"])
    def test_refuses_a_cursor_that_is_none(self, shown: TestClient, cursor: str) -> None:
        assert shown.get("/v1/institutions", params={"cursor": cursor}).json()["code"] == "cursor_invalid"

    def test_refuses_a_cursor_of_another_list(self, shown: TestClient) -> None:
        cursor = shown.get("/v1/institutions", params={"limit": 1}).json()["next"]
        answer = shown.get("/v1/institutions", params={"limit": 1, "cursor": cursor, "q": "蔓"})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")

    def test_refuses_a_category_that_does_not_exist(self, shown: TestClient) -> None:
        [fault] = shown.get("/v1/institutions", params={"category": "chess"}).json()["errors"]
        assert (fault["pointer"], fault["code"]) == ("/category", "unknown_code")

    def test_whoever_holds_the_newest_gets_no_body(self, filled: TestClient) -> None:
        tag = filled.get("/v1/institutions").headers["etag"]
        assert filled.get("/v1/institutions", headers={"If-None-Match": tag}).status_code == 304
        bring_in(filled, csv("名称,状态", "蔓汀舞台艺术有限公司,在办"))
        assert filled.get("/v1/institutions", headers={"If-None-Match": tag}).status_code == 200

    def test_one_by_its_id(self, shown: TestClient) -> None:
        row = shown.get("/v1/institutions").json()["institutions"][0]
        assert shown.get(f"/v1/institutions/{row['id']}").json() == row
        assert shown.get("/v1/institutions/nobody").json()["code"] == "institution_not_found"


class TestExport:
    def test_comes_in_again_without_a_change(self, filled: TestClient) -> None:
        answer = filled.get("/v1/institutions/export")
        assert answer.headers["content-type"].startswith("text/csv")
        assert "attachment" in answer.headers["content-disposition"]
        assert answer.content.startswith(b"\xef\xbb\xbf")
        assert bring_in(filled, answer.content, replace="true").json()["unchanged"] == 2


class TestInForce:
    def test_the_next_triage_knows_of_it(self, api: TestClient) -> None:
        assert api.post("/v1/triage", json=SILENT).json()["register"] is None
        bring_in(api, FILE)
        decision = api.post("/v1/triage", json=SILENT).json()
        assert (decision["reason_code"], decision["lead"]) == ("register", "gym_office")
        assert (decision["register"]["name"], decision["register"]["how"]) == ("鲸豆湾体育发展有限公司", "alias")

    def test_a_case_keeps_what_the_register_said_when_it_came(self, filled: TestClient, order: Orders) -> None:
        receipt = filled.post("/v1/cases", json=order(**SILENT)).json()
        bring_in(filled, csv("名称", "别的学校"), replace="true")
        kept = filled.get(f"/v1/cases/{receipt['id']}").json()["triage"]
        assert kept == receipt["triage"]
        assert kept["register"]["licence"] == "球015"
        assert filled.post("/v1/triage", json=SILENT).json()["register"]["how"] == "absent"

    def test_what_others_write_is_followed(self, api: TestClient, settings: Settings) -> None:
        row = Institution(id="01A", name="鲸豆湾体育发展有限公司", aliases=("鲸豆湾",), category="ball")
        with closing(db.connect(settings.database_url)) as database, database.write() as conn:
            assert store.write_register(conn, RegisterChange((Listed(row, row.name),), (), {}), 0, actor="replica", at=NOON)
        deadline = time.monotonic() + 20
        while api.post("/v1/triage", json=SILENT).json()["register"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def test_is_counted(self, shown: TestClient) -> None:
        text = shown.get("/metrics").text
        assert "fenpai_register_institutions 2.0" in text
        assert "fenpai_register_revision 1.0" in text
        assert "fenpai_register_trouble 0.0" in text
