"""Incidents and suspected duplicates as officials meet them: over HTTP and on the command line."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from service.app import create_app
from service.cli import app as cli
from tests.api.conftest import eventually, opened, settings_for
from tests.incidents.hall import INCIDENTS
from tests.packs.build import tiny
from tests.rulelife.conftest import complete

OFFICE = {"X-Fenpai-Actor": "zhou", "X-Fenpai-Department": "hotline"}
STORY = "小区篮球班开了跳绳课，教练说好每周两次，后来只剩一次，还剩三十节。"
OTHER = "孩子的网球课，教练每周只来一次，说好两次。"
LONG = "孩子上篮球班，教练换了三次，说好的小班变成二十人，要求退费，剩余的十二节课不上了。"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('incidents')}/fenpai.db"


@pytest.fixture(scope="module")
def desk(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    pack = tmp_path_factory.mktemp("pack") / "tiny"
    for name, text in (tiny() | {"incidents.yaml": INCIDENTS}).items():
        path = pack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with opened(create_app(settings_for(url, pack=str(pack)))) as client:
        yield client


def send(desk: TestClient, number: str, content: str, **order: Any) -> str:
    whole = {"source_system": "hotline", "source_order_no": number, "content": content} | order
    id_: str = desk.post("/v1/cases", json=whole).json()["id"]
    return id_


def version(desk: TestClient, case_id: str) -> dict[str, str]:
    return OFFICE | {"If-Match": desk.get(f"/v1/cases/{case_id}").headers["ETag"]}


class TestIncidents:
    def test_are_listed_looked_at_left_and_joined(self, desk: TestClient, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        ids = [send(desk, f"I{n}", f"飞鱼篮球班不给退费，还剩{n}节。", institution="飞鱼篮球俱乐部") for n in range(3)]
        eventually(lambda: bool(desk.get("/v1/incidents").json()["incidents"]))
        [incident] = desk.get("/v1/incidents", params={"department": "money_office", "status": "escalated"}).json()["incidents"]
        assert (incident["members"], incident["institution"]) == (3, "飞鱼篮球俱乐部")
        into = incident["case"]["id"]
        assert [member["id"] for member in desk.get(f"/v1/incidents/{into}").json()["linked"]] == ids
        assert desk.get(f"/v1/incidents/{ids[0]}").status_code == 404

        assert desk.post(f"/v1/cases/{ids[0]}/unmerge", json={"reason": "不是"}, headers=OFFICE).status_code == 428
        assert desk.post(f"/v1/cases/{ids[0]}/unmerge", json={"reason": "不是"}, headers=version(desk, ids[0])).status_code == 200
        assert desk.get(f"/v1/incidents/{into}").json()["members"] == 2
        again = desk.post(f"/v1/cases/{ids[0]}/merge", json={"into": into, "reason": "是"}, headers=version(desk, ids[0]))
        assert again.status_code == 200
        assert desk.get(f"/v1/incidents/{into}").json()["members"] == 3
        assert desk.get("/v1/incidents", params={"cursor": into}).json() == {"incidents": [], "next": None}

        monkeypatch.setenv("FENPAI_DATABASE_URL", url)
        shown = CliRunner().invoke(cli, ["incidents", "list"], env={"COLUMNS": "80"})
        assert shown.exit_code == 0
        assert into in shown.output, "an id is never broken, however narrow the window"
        assert "飞鱼" in shown.output
        assert ids[2] in CliRunner().invoke(cli, ["incidents", "show", into], env={"COLUMNS": "200"}).output


class TestCasesOfAnInstitution:
    def test_are_found_however_it_is_written_and_also_those_returned(self, desk: TestClient) -> None:
        told = [
            ("T1", "篮球课退费。", "鲸豆湾少儿篮球培训学校"),
            ("T2", "私家车堵住门口。", "鲸豆湾培训有限公司"),
            ("T3", "网球课退费。", "海马湾篮球馆"),
        ]
        ids = [send(desk, number, content, institution=name) for number, content, name in told]

        def found(institution: str) -> list[str]:
            return [case["id"] for case in desk.get("/v1/cases", params={"institution": institution}).json()["cases"]]

        eventually(lambda: len(found("鲸豆湾")) == 2)
        assert found("鲸豆湾") == found("晶斗湾篮球馆") == [ids[1], ids[0]]
        assert desk.get(f"/v1/cases/{ids[1]}").json()["decision"] == "return"
        assert desk.get("/v1/cases/count", params={"institution": "海马湾"}).json() == {"count": 1, "more": False}
        refused = desk.get("/v1/cases", params={"institution": "某篮球培训班"})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "no_proper_name")

    def test_that_are_no_incidents_are_as_many_as_the_figures_say(self, desk: TestClient) -> None:
        figures = desk.get("/v1/stats").json()
        assert figures["incidents"]
        assert desk.get("/v1/cases/count", params={"incident": False}).json()["count"] == figures["cases"]
        assert desk.get("/v1/cases/count", params={"incident": True}).json()["count"] == figures["incidents"]
        nowhere = desk.get("/v1/cases/count", params={"incident": False, "missing": "street"}).json()["count"]
        assert nowhere == figures["street"][""]


class TestSimilarCases:
    def test_come_with_what_became_of_them(self, desk: TestClient) -> None:
        first, same, else_ = (
            send(desk, f"S{n}", text) for n, text in enumerate((STORY, STORY + "希望尽快查处，也请回个电话说明情况。", OTHER))
        )
        told = desk.get(f"/v1/cases/{first}/similar", params={"limit": 50}).json()["similar"]
        found = {one["case"]["id"]: one for one in told}
        assert (told[0]["case"]["id"], told[0]["basis"], told[0]["upheld"]) == (same, "text", None)
        assert "跳绳" in told[0]["words"]
        assert found[else_]["basis"] == "story"
        assert first not in found

        complete(desk, same)
        [nearest] = desk.get(f"/v1/cases/{first}/similar", params={"limit": 1}).json()["similar"]
        assert (nearest["case"]["status"], nearest["upheld"], nearest["right_lead"]) == ("completed", True, nearest["case"]["lead"])

    def test_of_another_department_are_not_shown(self, desk: TestClient) -> None:
        assert desk.get(f"/v1/cases/{'0' * 26}/similar").status_code == 404


class TestDuplicates:
    def test_are_merged_or_kept_by_an_officers_word(self, desk: TestClient, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second, third = (send(desk, f"D{n}", LONG + "呀" * n) for n in range(3))
        pairs = {(second, first), (third, first), (third, second)}
        eventually(lambda: len(desk.get("/v1/duplicates").json()["duplicates"]) == 3)
        page = desk.get("/v1/duplicates", params={"limit": 2}).json()
        rest = desk.get("/v1/duplicates", params={"limit": 2, "cursor": page["next"]}).json()
        told = [*page["duplicates"], *rest["duplicates"]]
        assert {(one["case_id"], one["other_id"]) for one in told} == pairs
        assert all(one["basis"] == "text" and one["score"] > 90 and "小班" in one["words"] for one in told)

        of_first = desk.get("/v1/duplicates", params={"case": first}).json()["duplicates"]
        assert {(one["case_id"], one["other_id"]) for one in of_first} == {(second, first), (third, first)}

        done = desk.post(f"/v1/duplicates/{second}/{first}/accept", headers=version(desk, second))
        assert (done.status_code, done.json()["status"]) == (200, "merged")
        assert desk.get(f"/v1/cases/{second}").json()["merged_into"] == first
        assert desk.post(f"/v1/duplicates/{second}/{first}/accept", headers=version(desk, second)).status_code == 409
        stale = desk.post(f"/v1/duplicates/{third}/{first}/accept", headers=OFFICE | {"If-Match": '"9"'})
        assert stale.status_code == 412

        kept = desk.post(f"/v1/duplicates/{third}/{first}/dismiss", json={"reason": "另一个孩子"}, headers=OFFICE)
        assert (kept.json()["state"], kept.json()["note"], kept.json()["actor"]) == ("dismissed", "另一个孩子", "zhou")
        assert desk.post(f"/v1/duplicates/{first}/{third}/dismiss", json={"reason": "x"}, headers=OFFICE).status_code == 404
        gym = OFFICE | {"X-Fenpai-Department": "gym_office"}
        assert desk.post(f"/v1/duplicates/{third}/{second}/dismiss", json={"reason": "x"}, headers=gym).status_code == 403
        kinds = [event["kind"] for event in desk.get(f"/v1/cases/{third}/events").json()["events"]]
        assert kinds.count("case.duplicate_dismissed") == 1

        monkeypatch.setenv("FENPAI_DATABASE_URL", url)
        shown = CliRunner().invoke(cli, ["duplicates"], env={"COLUMNS": "200"})
        assert third in shown.output
        assert first not in shown.output
