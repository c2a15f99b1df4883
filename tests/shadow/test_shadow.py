"""A draft runs beside the version in force: every new case is decided once more, and where it would go elsewhere is told."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service import db, log, store
from service.app import create_app
from service.config import Settings
from service.shadow import Follower, follower
from service.writer import Writer
from tests.api.conftest import KEY, eventually, opened
from tests.packs.build import edited, tiny
from tests.rulelife.conftest import BADMINTON, Fenpai, edit, fenpai, house, pack

__all__ = ["fenpai", "house", "pack"]

BY = {"author": "王科长", "note": "收羽毛球"}
TEXTS = ("孩子的羽毛球班不退费。电话13912345678。", "孩子的足球班不退费。", "孩子的篮球班不退费。", "路灯坏了。")


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    log.configure("error")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followers look often, and no lease keeps two of them apart: only that a step counts once."""
    monkeypatch.setattr(follower, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(follower, "LEASE", timedelta(0))


def receive(house: TestClient, first: int = 0, texts: tuple[str, ...] = TEXTS) -> list[str]:
    orders = [{"source_system": "hotline", "source_order_no": str(first + n), "content": text} for n, text in enumerate(texts)]
    return [str(house.post("/v1/cases", json=order).json()["id"]) for order in orders]


def seen(house: TestClient) -> int:
    return int(house.get("/v1/rulesets/shadow").json()["cases"])


def test_a_shadow_tells_where_it_would_decide_otherwise_and_decides_nothing(house: TestClient, fenpai: Fenpai, pack: Path) -> None:
    assert house.get("/v1/rulesets/shadow").status_code == 204
    receive(house)  # before it began: no matter of its
    started = house.post("/v1/rulesets/shadow", json={"files": edited(*BADMINTON), **BY})
    assert (started.status_code, started.json()["running"], started.json()["origin"]) == (201, True, "files")
    again = house.post("/v1/rulesets/shadow", json={"version": 1, **BY})
    assert (again.status_code, again.json()["code"]) == (409, "shadow_running")

    comes, goes, *_ = receive(house, 10)
    eventually(lambda: seen(house) == 4)
    told = house.get("/v1/rulesets/shadow").json()
    assert (told["agreed"], told["agreement"], told["running"]) == (2, 0.5, True)
    assert 0 < told["low"] < 0.5 < told["high"] < 1
    newest, oldest = told["disagreements"]
    assert (oldest["case_id"], oldest["was"]["decision"], oldest["would"]["lead"]) == (comes, "return", "gym_office")
    assert (newest["case_id"], newest["was"]["lead"], newest["would"]["decision"]) == (goes, "gym_office", "return")
    assert "ball.programs「羽毛球」" in oldest["gained"]
    assert "13912345678" not in oldest["text"]
    assert house.get(f"/v1/cases/{comes}").json()["decision"] == "return"  # by the version in force

    ended = fenpai("rules", "shadow", "show")
    assert "一致率 50.0%" in ended.out
    assert f"{comes}  退回热线 → 分派（云溪区球场办）" in ended.out
    assert fenpai("rules", "shadow", "stop", "--author", "王科长", "--note", "看够了").code == 0
    receive(house, 20)
    edit(pack, *BADMINTON)
    assert fenpai("rules", "shadow", "start", "--author", "王科长", "--note", "再看").code == 0
    receive(house, 30)
    eventually(lambda: seen(house) == 4)
    stopped = house.post("/v1/rulesets/shadow/stop", json=BY)
    assert (stopped.status_code, stopped.json()["stopped_by"]) == (200, "王科长")
    assert house.post("/v1/rulesets/shadow/stop", json=BY).json()["code"] == "shadow_missing"
    kinds = [change["kind"] for change in house.get("/v1/changes?limit=1000").json()["changes"] if "shadow" in change["kind"]]
    assert kinds == ["rules.shadow_started", "rules.shadow_stopped"] * 2


def test_a_draft_with_mistakes_or_without_a_reason_does_not_run(house: TestClient) -> None:
    assert house.post("/v1/rulesets/shadow", json={"files": {"words.txt": ""}, **BY}).json()["code"] == "draft_broken"
    assert house.post("/v1/rulesets/shadow", json={"files": edited(*BADMINTON)}).json()["code"] == "author_missing"
    assert house.post("/v1/rulesets/shadow", json={"files": tiny(), **BY}).json()["code"] == "nothing_new"
    assert house.post("/v1/rulesets/shadow", json={"draft": "0" * 26, **BY}).json()["code"] == "draft_not_found"
    assert house.post("/v1/rulesets/shadow", json=BY).status_code == 422


def test_a_restart_goes_on_where_it_was_and_several_replicas_count_each_case_once(database_url: str, pack: Path) -> None:
    settings = Settings.from_env({"FENPAI_DATABASE_URL": database_url, "FENPAI_PACK": str(pack), "FENPAI_DATA_KEY": KEY})
    with opened(create_app(settings)) as first:
        first.post("/v1/rulesets/shadow", json={"files": edited(*BADMINTON), **BY})
        receive(first)
        eventually(lambda: seen(first) == 4)
    with opened(create_app(settings)) as second:
        receive(second, 10)
        eventually(lambda: seen(second) == 8)
        second.post("/v1/rulesets/shadow/stop", json=BY)
        second.post("/v1/rulesets/shadow", json={"files": edited(*BADMINTON), **BY})
        second.app.state.office.follower.close()  # type: ignore[attr-defined]
        receive(second, 100, TEXTS * 5)
    asyncio.run(_race(database_url))
    database = db.connect(database_url)
    with database.read() as conn:
        row = store.last_shadow(conn, "tiny")
        assert row is not None
        assert (row.cases, row.agreed, len(store.shadow_cases_of(conn, row.id, 100))) == (20, 10, 10)
    database.close()


async def _race(url: str) -> None:
    """Two replicas at once, each getting at the other's work."""
    database = db.connect(url)
    writer = Writer(database)
    writer.start()
    both = [Follower(database, writer, lambda: "tiny", store.now) for _ in range(2)]
    for _ in range(6):
        await asyncio.gather(*(each.step() for each in both))
    for each in both:
        each.close()
    await writer.stop()
    database.close()
