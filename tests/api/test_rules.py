"""The rule set in force: published from the folder at first, followed when another becomes active, never left for a broken one."""

import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import db, rulebook, store
from service.app import create_app
from service.config import Settings
from service.errors import PackBroken, PackMissing, PackOther
from service.store import NewRuleset
from tests.api.conftest import PACK, Orders, eventually, opened, settings_for
from tests.packs.build import edited, tiny

Paper = Callable[[], list[dict[str, Any]]]


class TestDepartments:
    def test_are_told_with_their_duty_and_what_it_rests_on(self, desk: TestClient) -> None:
        departments = {told["code"]: told for told in desk.get("/v1/departments").json()["departments"]}
        gym = departments["gym_office"]
        assert (gym["name"], gym["aliases"], gym["categories"]) == ("云溪区球场办", ["球场办"], ["ball"])
        assert (gym["basis"]["id"], gym["basis"]["article"]) == ("order-2", "第二条")
        assert departments["money_office"]["basis"] is None

    def test_unchanged_are_not_sent_again(self, desk: TestClient) -> None:
        for path in ("/v1/departments", "/v1/rulesets/active"):
            tag = desk.get(path).headers["etag"]
            assert desk.get(path, headers={"If-None-Match": tag}).status_code == 304


class TestAnotherDistrict:
    def test_is_not_served_from_this_ones_database(self, tmp_path: Path) -> None:
        """Who mistypes FENPAI_PACK must not mix two districts' cases."""
        url = f"sqlite:///{tmp_path}/fenpai.db"
        with opened(create_app(settings_for(url))):
            pass
        other = settings_for(url).model_copy(update={"pack": "beichen"})
        with pytest.raises(PackOther, match="在用的是规则包 tiny"), opened(create_app(other)):
            pass


class TestActiveRuleset:
    def test_is_told_with_its_digest_and_counts(self, desk: TestClient) -> None:
        told = desk.get("/v1/rulesets/active").json()
        assert (told["pack"], told["version"], told["author"]) == ("tiny", 1, "system")
        assert told["digest"] == rulebook.digest(tiny())
        assert told["counts"]["departments"] == 4
        assert told["counts"]["rules"] == len(rulebook.load(tiny()).rules)

    def test_stays_what_the_database_says_whatever_the_folder_says(self, settings: Settings, tmp_path: Path, paper: Paper) -> None:
        with opened(create_app(settings)):
            pass
        shutil.copytree(PACK, tmp_path / "tiny")
        (tmp_path / "tiny" / "departments.yaml").write_text((PACK / "departments.yaml").read_text().replace("球场办", "球馆办"))
        with opened(create_app(settings.model_copy(update={"pack": str(tmp_path / "tiny")}))) as again:
            told = again.get("/v1/rulesets/active").json()
        assert (told["version"], told["digest"]) == (1, rulebook.digest(tiny()))
        assert [line["level"] for line in paper() if line["event"] == "folder_differs"] == ["warning"]

    def test_is_used_even_when_the_folder_is_broken(self, settings: Settings, tmp_path: Path, paper: Paper) -> None:
        with opened(create_app(settings)):
            pass
        (tmp_path / "tiny").mkdir()
        (tmp_path / "tiny" / "ruleset.yaml").write_text("pack: [")
        with opened(create_app(settings.model_copy(update={"pack": str(tmp_path / "tiny")}))) as again:
            assert again.get("/v1/rulesets/active").json()["version"] == 1
        assert [line["level"] for line in paper() if line["event"] == "folder_broken"] == ["warning"]


class TestAnotherVersion:
    def test_decides_within_two_seconds_of_its_activation(self, api: TestClient, settings: Settings) -> None:
        asked = {"content": "孩子的羽毛球班不退费。"}
        assert api.post("/v1/triage", json=asked).json()["decision"] == "return"
        published(settings, edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球, 足球, 网球, 羽毛球]"))
        follows(api, version=2)
        decision = api.post("/v1/triage", json=asked).json()
        assert (decision["lead"], decision["ruleset"]["version"]) == ("gym_office", 2)

    def test_can_be_taken_back(self, api: TestClient, settings: Settings) -> None:
        published(settings, edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球]"))
        follows(api, version=2)
        activated(settings, 1)
        follows(api, version=1)

    def test_that_is_broken_is_never_used_but_told_of_everywhere(self, api: TestClient, settings: Settings, paper: Paper) -> None:
        published(settings, tiny() | {"departments.yaml": "departments: []"})
        troubled(api)
        ready = api.get("/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["ruleset"]["version"]) == (200, "degraded", 1)
        assert re.search("第 2 版.*departments.yaml", next(check["detail"] for check in ready.json()["checks"] if not check["ok"]))
        assert api.post("/v1/triage", json={"content": "孩子的篮球班不退费。"}).json()["ruleset"]["version"] == 1
        time.sleep(2.2)
        assert len([line for line in paper() if line["event"] == "ruleset_trouble"]) == 1

    def test_that_is_sound_ends_the_trouble(self, api: TestClient, settings: Settings) -> None:
        published(settings, tiny() | {"departments.yaml": "departments: []"})
        troubled(api)
        activated(settings, 1)
        eventually(lambda: api.get("/readyz").json()["status"] == "ready")
        assert "fenpai_ruleset_trouble 0.0" in api.get("/metrics").text

    def test_changes_no_receipt_of_the_past(self, api: TestClient, settings: Settings, order: Orders) -> None:
        sent = order()
        receipt = api.post("/v1/cases", json=sent).content
        published(settings, edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [足球]"))
        follows(api, version=2)
        assert api.post("/v1/cases", json=sent).content == receipt

    def test_fails_no_request_while_it_comes_into_force(self, api: TestClient, settings: Settings) -> None:
        published(settings, edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球]"))
        seen: set[int] = set()
        until = time.monotonic() + 20
        while seen != {1, 2}:
            assert time.monotonic() < until
            answer = api.post("/v1/triage", json={"content": "孩子的篮球班不退费。"})
            assert (answer.status_code, answer.json()["lead"]) == (200, "gym_office")
            seen.add(answer.json()["ruleset"]["version"])


class TestReplicas:
    def test_that_decide_otherwise_than_the_rest_are_told_of(self, postgres_url: str) -> None:
        settings, past = settings_for(postgres_url), datetime.now(UTC) - timedelta(minutes=1)
        with opened(create_app(settings)) as api, closing(db.connect(postgres_url)) as database:
            with database.write() as conn:
                first = store.active_ruleset(conn, "tiny")
                new = NewRuleset(pack="tiny", digest="a" * 64, files=tiny() | {"words.txt": "球棒\n"}, author="officer", created_at=past)
                row = store.publish_ruleset(conn, new)
                store.activate_ruleset(conn, "tiny", row.version, actor="officer", at=past)
            follows(api, version=2)
            assert replicas(api) == (True, "1 个副本")
            assert first is not None
            with database.write() as conn:
                store.note_replica(conn, "STRAGGLER", first)
            assert replicas(api) == (False, "2 个副本")
            assert api.get("/readyz").json()["status"] == "degraded"
            assert [one["version"] for one in api.get("/v1/rulesets/active").json()["replicas"]] == [2, 1]


def replicas(api: TestClient) -> tuple[bool, str]:
    """What /readyz says of the replicas: whether they agree, and how many there are."""
    check = next(check for check in api.get("/readyz").json()["checks"] if check["name"] == "replicas")
    return check["ok"], check["detail"].partition("：")[0]


class TestFirstStart:
    @pytest.mark.parametrize("pack", ["nowhere", "/nowhere/tiny"])
    def test_without_the_folder_says_which_is_missing(self, settings: Settings, pack: str) -> None:
        with pytest.raises(PackMissing, match=f"^找不到规则包 {pack}"), TestClient(create_app(settings.model_copy(update={"pack": pack}))):
            pass

    def test_with_a_broken_folder_says_what_is_wrong_and_where(self, settings: Settings, tmp_path: Path) -> None:
        shutil.copytree(PACK, tmp_path / "tiny")
        (tmp_path / "tiny" / "departments.yaml").write_text("departments: []\n")
        app = create_app(settings.model_copy(update={"pack": str(tmp_path / "tiny")}))
        with pytest.raises(PackBroken, match=r"departments\.yaml:1:") as refusal, TestClient(app):
            pass
        assert str(tmp_path) in refusal.value.detail
        assert "提醒" not in refusal.value.detail
        assert "规则包里缺少" not in refusal.value.detail, "the other files are there"

    def test_leaves_no_half_published_rule_set(self, settings: Settings) -> None:
        with pytest.raises(PackMissing), TestClient(create_app(settings.model_copy(update={"pack": "nowhere"}))):
            pass
        with opened(create_app(settings)) as client:
            assert client.get("/v1/rulesets/active").json()["version"] == 1


def published(settings: Settings, files: Mapping[str, str]) -> None:
    """Another process publishes these files and makes them active."""
    new = NewRuleset(pack="tiny", digest=rulebook.digest(files), files=files, author="officer", created_at=datetime.now(UTC))
    database = db.connect(settings.database_url)
    with database.write() as conn:
        row = store.publish_ruleset(conn, new)
        store.activate_ruleset(conn, row.pack, row.version, actor="officer", at=new.created_at)
    database.close()


def activated(settings: Settings, version: int) -> None:
    database = db.connect(settings.database_url)
    with database.write() as conn:
        store.activate_ruleset(conn, "tiny", version, actor="officer", at=datetime.now(UTC))
    database.close()


def follows(api: TestClient, version: int) -> None:
    eventually(lambda: api.get("/v1/rulesets/active").json()["version"] == version)


def troubled(api: TestClient) -> None:
    eventually(lambda: "fenpai_ruleset_trouble 1.0" in api.get("/metrics").text)
