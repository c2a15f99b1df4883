"""A rule that falls below its floor decides nothing any more, until somebody lets it out; whatever it decided can be made again."""

import asyncio
from pathlib import Path

import orjson
import pytest
from starlette.testclient import TestClient

from models.complaint import Complaint
from service import active, db, store, warden
from service.app import create_app
from service.config import Settings
from service.engine import Engine
from service.ledger.quarantine import fallen
from service.rulebook import load
from service.rulelife import BaseMoved, NothingNew
from service.warden import Warden
from service.writer import Writer
from tests.api.conftest import KEY, eventually, opened
from tests.packs.build import edited, tiny
from tests.rulelife.conftest import Fenpai, fenpai, house, move, written

__all__ = ["fenpai", "house"]

FLOOR = ("ruleset.yaml", "pack: tiny\n", "pack: tiny\nfloor: {precision: 60, cases: 6, confidence: 95}\n")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack with a floor."""
    return written(tmp_path / "tiny", edited(*FLOOR))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "LOOK_SECONDS", 0.05)


def wrong(house: TestClient, first: int, count: int) -> list[str]:
    """Cases that the gym office hands back rightly."""
    found = []
    for number in range(first, first + count):
        order = {"source_system": "hotline", "source_order_no": str(number), "content": "孩子的篮球班不退费。"}
        case_id = str(house.post("/v1/cases", json=order).json()["id"])
        said = {"reason_code": "not_ours", "text": "不是", "clause": "order-3", "suggested": "stage_office"}
        move(house, case_id, "hand-back", "gym_office", **said)
        move(house, case_id, "uphold", "hotline")
        found.append(case_id)
    return found


def status(house: TestClient, rule: str) -> str:
    return str(house.get(f"/v1/rules/{rule}/ledger").json()["status"])


def test_a_rule_below_its_floor_is_quarantined_told_and_let_out_again(house: TestClient, fenpai: Fenpai, database_url: str) -> None:
    cases = wrong(house, 0, 5)
    assert status(house, "ball.programs") == "active"  # five may be chance
    cases += wrong(house, 5, 1)
    eventually(lambda: status(house, "ball.programs") == "quarantined")

    version = house.get("/v1/rulesets").json()["versions"][0]
    assert (version["version"], version["author"], version["active"]) == (2, "system", True)
    assert "规则 ball.programs 在 6 件经人确认的案件中判对 0 件" in version["note"]
    [told] = [change for change in house.get("/v1/changes?limit=1000").json()["changes"] if change["kind"] == "rules.quarantined"]
    assert (told["actor"], told["data"]["rules"][0]["rule"], told["data"]["rules"][0]["n"]) == ("system", "ball.programs", 6)
    assert "fenpai_rules_quarantined 1.0" in house.get("/metrics").text
    [quarantine] = house.get("/v1/rules/ledger").json()["quarantines"]
    assert (quarantine["rule"], quarantine["released_at"]) == ("ball.programs", None)
    files = house.get("/v1/rulesets/2").json()["files"]
    assert "    status: quarantined\n" in files["categories/ball.yaml"]
    assert files["categories/ball.yaml"].startswith("# 球类。\n")  # comments stay

    seen = house.post("/v1/triage", json={"content": "孩子的篮球班不退费。"}).json()
    assert [piece["weight"] for piece in seen["evidence"] if piece["rule"] == "ball.programs"] == [0]
    assert seen["decision"] == "escalate"

    refusal = house.post("/v1/rules/ball.programs/release", json={"author": "王科长", "note": ""})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "author_missing")
    released = house.post("/v1/rules/ball.programs/release", json={"author": "王科长", "note": "同一家机构，另行处理"})
    assert (released.status_code, released.json()["version"], released.json()["parent"]) == (200, 3, 2)
    again = house.post("/v1/rules/ball.programs/release", json={"author": "王科长", "note": "同一家机构"})
    assert (again.status_code, again.json()["code"]) == (409, "not_quarantined")

    # What it was in quarantine for does not tell against it again, but what comes later does.
    cases += wrong(house, 6, 1)
    database = db.connect(database_url)
    assert fallen(database, load(house.get("/v1/rulesets/3").json()["files"], 3)) == []
    cases += wrong(house, 7, 5)
    eventually(lambda: status(house, "ball.programs") == "quarantined")
    database.close()

    # By the command line, too; and every decision of all five versions comes out bit for bit.
    ended = fenpai("rules", "release", "ball.programs", "--author", "王科长", "--note", "再看看")
    assert (ended.code, "第 5 版" in ended.out) == (0, True)
    replayed = fenpai("cases", "replay", "--json")
    assert (replayed.code, replayed.answer["cases"], replayed.answer["same"]) == (0, len(cases), len(cases))


def test_a_rule_that_was_mended_does_not_pay_for_what_it_was(house: TestClient, database_url: str) -> None:
    files = edited(*FLOOR)
    wrong(house, 0, 5)
    files["categories/ball.yaml"] = files["categories/ball.yaml"].replace("水果篮球状]", "水果篮球状, 舞蹈篮球]")
    house.post("/v1/rulesets", json={"files": files, "author": "王科长", "note": "补排除词", "overrule": "用例照旧"})
    wrong(house, 5, 5)
    database = db.connect(database_url)
    assert fallen(database, load(files, 2)) == []
    wrong(house, 10, 1)
    assert [each.rule for each in fallen(database, load(files, 2))] == ["ball.programs"]
    database.close()


def test_a_quarantined_rule_keeps_the_names_that_other_rules_use() -> None:
    files = tiny()
    files["categories/stage.yaml"] = files["categories/stage.yaml"].replace(
        "    program: true\n", "    program: true\n    status: quarantined\n"
    )
    decision = Engine(load(files)).triage(Complaint("小朋友学舞蹈，这个舞蹈班不退费"))
    weighs = {piece.rule: piece.weight > 0 for piece in decision.evidence}
    assert (weighs["stage.programs"], weighs["stage.taught"]) == (False, True)
    assert decision.lead == "stage_office"


def test_without_a_floor_nothing_is_quarantined(house: TestClient, database_url: str) -> None:
    wrong(house, 0, 1)
    database = db.connect(database_url)
    assert fallen(database, load(tiny(), 1)) == []
    database.close()
    assert orjson.loads(house.get("/v1/rules/ledger").content)["floor"] == {"precision": 60, "cases": 6, "confidence": 95}


def test_of_several_replicas_one_makes_the_version(database_url: str, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warden, "LOOK_SECONDS", 60)  # the house's own is out of it
    settings = Settings.from_env({"FENPAI_DATABASE_URL": database_url, "FENPAI_PACK": str(pack), "FENPAI_DATA_KEY": KEY})
    with opened(create_app(settings)) as house:
        wrong(house, 0, 6)
    asyncio.run(_race(database_url, str(pack)))
    database = db.connect(database_url)
    with database.read() as conn:
        assert [row.version for row in store.list_rulesets(conn, "tiny")] == [2, 1]
        assert [each.rule for each in store.list_quarantines(conn, "tiny")] == ["ball.programs"]
    database.close()


async def _race(url: str, pack: str) -> None:
    database = db.connect(url)
    writer = Writer(database)
    writer.start()
    replicas = [await active.take_up(database, writer, pack) for _ in range(3)]
    ended = await asyncio.gather(*(Warden(database, writer, rules).look() for rules in replicas), return_exceptions=True)
    assert all(end is None or isinstance(end, BaseMoved | NothingNew) for end in ended)
    for rules in replicas:
        rules.close()
    await writer.stop()
    database.close()


def test_where_two_must_agree_they_must_on_a_release_too(house: TestClient) -> None:
    files = edited("ruleset.yaml", "pack: tiny\n", "pack: tiny\nsecond_person: true\n")
    files["categories/ball.yaml"] = files["categories/ball.yaml"].replace(
        "category: ball\n", "category: ball\n    status: quarantined\n", 1
    )
    put = {"files": files, "author": "王科长", "note": "停用", "overrule": "用例照旧"}
    assert house.post("/v1/rulesets", json=put).status_code == 201
    said = {"author": "王科长", "note": "另行处理"}
    refusal = house.post("/v1/rules/ball.programs/release", json=said)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "approval_missing")
    assert "status 改为 active" in refusal.json()["detail"]

    wang, li = ({"X-Fenpai-Actor": name, "X-Fenpai-Department": "admin"} for name in ("wang", "li"))
    path = f"/v1/rulesets/drafts/{house.post('/v1/rulesets/drafts', json={}, headers=wang).json()['id']}"
    edit = {"op": "set", "field": "status", "where": "ball.programs", "value": "active"}
    steps = (("edits", wang, {"edits": [edit]}), ("ask", wang, {"reason": "请看"}), ("approve", li, {"reason": "同意"}))
    for number, (step, who, body) in enumerate(steps, 1):
        assert house.post(f"{path}/{step}", json=body, headers=who | {"If-Match": f'"{number}"'}).status_code == 200
    assert house.post("/v1/rules/ball.programs/release", json=said).status_code == 200
    assert status(house, "ball.programs") == "active"
