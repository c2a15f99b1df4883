"""/healthz, /readyz, /metrics, /docs: what machines and newcomers look at first."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from service import db
from service.api.health import Readiness
from service.app import create_app
from service.config import Settings
from service.errors import DatabaseInUse, DatabaseTooNew, DatabaseUnreachable, DatabaseUrlInvalid, DataKeyInvalid, DataKeyMismatch
from tests.api.conftest import Orders, opened, settings_for


class TestAlive:
    def test_as_long_as_the_process_answers(self, desk: TestClient) -> None:
        assert desk.get("/healthz").json()["status"] == "ok"


class TestReady:
    def test_when_all_is_well(self, api: TestClient) -> None:
        told = Readiness.model_validate_json(api.get("/readyz").content)
        assert told.status == "ready"
        assert [check.name for check in told.checks if check.ok] == [
            "database",
            "migrations",
            "writer",
            "ruleset",
            "replicas",
            "deliveries",
        ]
        assert told.ruleset.digest == api.get("/v1/rulesets/active").json()["digest"]

    def test_not_without_a_database(self, api: TestClient, settings: Settings) -> None:
        broken(settings)
        answer = api.get("/readyz")
        told = answer.json()
        assert (answer.status_code, told["code"], answer.headers["retry-after"]) == (503, "unready", "5")
        assert [check["name"] for check in told["checks"] if not check["ok"]]
        assert told["detail"] == "；".join(check["detail"] for check in told["checks"] if not check["ok"])
        assert api.get("/healthz").status_code == 200

    def test_not_on_a_schema_of_a_newer_program(self, api: TestClient, settings: Settings) -> None:
        renumber(settings, "9999")
        told = api.get("/readyz").json()
        assert [check["name"] for check in told["checks"] if not check["ok"]] == ["migrations"]
        assert "9999" in told["detail"]


class TestDatabaseAway:
    def test_orders_get_503_and_when_to_try_again(self, api: TestClient, settings: Settings, order: Orders) -> None:
        broken(settings)
        answer = api.post("/v1/cases", json=order())
        assert answer.status_code in {500, 503}
        assert answer.headers["content-type"] == "application/problem+json"
        assert not re.search(r"sql|table|localhost|/", answer.json()["detail"], re.IGNORECASE)

    def test_triage_goes_on(self, api: TestClient, settings: Settings) -> None:
        broken(settings)
        assert api.post("/v1/triage", json={"content": "孩子的篮球班不退费。"}).json()["lead"] == "gym_office"


class TestStart:
    """What keeps the house from opening is said in Chinese, with the place."""

    @pytest.mark.parametrize("url", ["mysql://x/y", "nothing", "sqlite://", "sqlite:///:memory:"])
    def test_on_no_database_of_ours(self, url: str) -> None:
        with pytest.raises(DatabaseUrlInvalid), TestClient(create_app(settings_for(url))):
            pass

    def test_on_a_postgresql_that_is_not_there(self) -> None:
        with (
            pytest.raises(DatabaseUnreachable, match="数据库"),
            TestClient(create_app(settings_for("postgresql://nobody@127.0.0.1:1/none"))),
        ):
            pass

    def test_in_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        app = create_app(settings_for(f"sqlite:///{tmp_path}/no/fenpai.db"))
        with pytest.raises(DatabaseUnreachable, match=str(tmp_path)), TestClient(app):
            pass

    def test_beside_another_writer(self, sqlite_url: str) -> None:
        with (
            opened(create_app(settings_for(sqlite_url))),
            pytest.raises(DatabaseInUse, match="PostgreSQL"),
            TestClient(create_app(settings_for(sqlite_url))),
        ):
            pass

    def test_on_a_database_of_a_newer_program(self, settings: Settings) -> None:
        renumber(settings, "9999")
        with pytest.raises(DatabaseTooNew, match="9999"), TestClient(create_app(settings)):
            pass

    def test_with_a_key_that_is_none(self, sqlite_url: str) -> None:
        with pytest.raises(DataKeyInvalid) as refusal, TestClient(create_app(settings_for(sqlite_url, data_key="password"))):
            pass
        assert "password" not in refusal.value.detail

    def test_with_another_key_than_the_database_was_written_with(self, settings: Settings) -> None:
        with opened(create_app(settings)):
            pass
        other = settings_for(settings.database_url, data_key="x5mcCkcZxBbnmhRoJMsZl4G8fG8eyXVwKpYp7yzu2vo=")
        with pytest.raises(DataKeyMismatch), TestClient(create_app(other)):
            pass


class TestMetrics:
    def test_count_requests_by_route_and_decisions_by_code(self, api: TestClient, order: Orders) -> None:
        sent = order()
        receipt = api.post("/v1/cases", json=sent).json()
        api.post("/v1/cases", json=sent)
        api.get(f"/v1/cases/{receipt['id']}")
        api.get("/v1/cases/none")
        told = api.get("/metrics").text
        assert 'fenpai_requests_total{method="POST",route="/v1/cases",status="201"} 1.0' in told
        assert 'fenpai_requests_total{method="POST",route="/v1/cases",status="200"} 1.0' in told
        assert 'fenpai_requests_total{method="GET",route="/v1/cases/{case_id}",status="404"} 1.0' in told
        assert 'fenpai_decisions_total{decision="dispatch",reason_code="clear"} 1.0' in told
        assert "fenpai_triage_seconds_count 2.0" in told
        assert "fenpai_writer_group_cases_sum 2.0" in told
        assert "fenpai_writer_waiting 0.0" in told
        assert re.search(r'fenpai_ruleset_info\{.*digest="[0-9a-f]{64}".*pack="tiny",version="1".*\} 1.0', told)

    def test_do_not_grow_with_what_callers_invent(self, desk: TestClient) -> None:
        desk.get("/healthz")
        before = len(desk.get("/metrics").text.splitlines())
        for number in range(30):
            desk.request(f"M{number}", "/healthz")
            desk.get(f"/{number}")
        assert len(desk.get("/metrics").text.splitlines()) < before + 60


class TestDocs:
    def test_need_nothing_from_outside(self, desk: TestClient) -> None:
        page = desk.get("/docs").text
        assert "https://" not in page
        for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
            assert desk.get(path).status_code == 200, path

    def test_are_in_chinese(self, desk: TestClient) -> None:
        document = desk.get("/openapi.json").json()
        assert document["info"]["title"] == "分派 fenpai"


def broken(settings: Settings) -> None:
    """A table is taken away under the running house."""
    database = db.connect(settings.database_url)
    with database.writer.begin() as conn:
        conn.execute(text("DROP TABLE heads"))
    database.close()


def renumber(settings: Settings, number: str) -> None:
    database = db.connect(settings.database_url)
    with database.writer.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
    database.close()
