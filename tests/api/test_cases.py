"""GET /v1/cases: one case, pages of them, what happened to one; asked again cheaply when nothing has changed."""

from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from models.case import Case, CasePage, Timeline
from service import store
from service.store import CaseDepartment
from tests.api.conftest import Orders
from tests.builders import new_case


class TestOneCase:
    def test_is_told_whole_but_for_the_complainant(self, api: TestClient, order: Orders) -> None:
        sent = order(
            address="云溪区某路",
            institution="某球类中心",
            demand_type="投诉",
            street="东街",
            channel="电话",
            is_confidential=True,
            occurred_at="2026-11-01T08:00:00+08:00",
            attachments=["a.jpg"],
            extra={"k": [1]},
            complainant={"name": "王某"},
        )
        receipt = api.post("/v1/cases", json=sent).json()
        answer = api.get(f"/v1/cases/{receipt['id']}")
        case = Case.model_validate_json(answer.content)
        assert (case.content, case.institution, case.street, case.demand_type) == (sent["content"], "某球类中心", "东街", "投诉")
        assert (case.details.channel, case.details.is_confidential, case.details.extra) == ("电话", True, {"k": [1]})
        assert [(part.department, part.role, part.issue) for part in case.departments] == [
            ("gym_office", "lead", None),
            ("money_office", "assist", "refund"),
        ]
        assert answer.json()["triage"] == receipt["triage"]
        assert "王某" not in answer.text

    @pytest.mark.parametrize("case_id", ["01K00000000000000000000000", "nothing", "x" * 64, quote("编号"), "'; drop table cases"])
    def test_that_is_not_there(self, desk: TestClient, case_id: str) -> None:
        answer = desk.get(f"/v1/cases/{case_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found")

    def test_unchanged_is_not_sent_again(self, api: TestClient, order: Orders) -> None:
        path = f"/v1/cases/{api.post('/v1/cases', json=order()).json()['id']}"
        first = api.get(path)
        assert (first.headers["etag"], first.headers["cache-control"]) == ('"1"', "no-store")
        for condition in ('"1"', 'W/"1"', '"0", "1"', "*"):
            again = api.get(path, headers={"If-None-Match": condition})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", '"1"')
        for condition in ('"2"', "1", ""):
            assert api.get(path, headers={"If-None-Match": condition}).status_code == 200


class TestTimeline:
    def test_begins_with_the_receipt(self, api: TestClient, order: Orders) -> None:
        receipt = api.post("/v1/cases", json=order()).json()
        timeline = Timeline.model_validate_json(api.get(f"/v1/cases/{receipt['id']}/events").content)
        [received] = timeline.events
        assert (received.kind, received.case_id, received.actor, timeline.next) == ("case.received", receipt["id"], "hotline", None)
        assert (received.data["lead"], received.data["decision"]) == ("gym_office", "dispatch")

    def test_holds_nothing_that_people_wrote(self, api: TestClient, order: Orders) -> None:
        receipt = api.post("/v1/cases", json=order(content="篮球班的王某不退费", complainant={"phone": "13812345678"})).json()
        told = api.get(f"/v1/cases/{receipt['id']}/events").text
        assert "王某" not in told
        for part in ("1381234", "2345678", "138*"):  # longer than what a hash may hold by chance; nor is it there masked
            assert part not in told

    def test_of_no_case(self, desk: TestClient) -> None:
        assert desk.get("/v1/cases/01K/events").json()["code"] == "case_not_found"

    def test_after_its_end_is_empty(self, api: TestClient, order: Orders) -> None:
        receipt = api.post("/v1/cases", json=order()).json()
        assert api.get(f"/v1/cases/{receipt['id']}/events?after=99").json() == {"events": [], "next": None}


COUNTS = {
    "status=dispatched": 2,
    "status=returned": 1,
    "decision=escalate": 1,
    "lead=gym_office": 1,
    "department=gym_office": 1,
    "department=money_office": 1,
    "lead=money_office": 0,
    "category=stage": 1,
    "urgency=normal": 4,
    "source_order_no=N-1": 1,
    "source_system=other": 0,
    "created_from=2020-01-01T00:00:00Z": 4,
    "created_to=2020-01-01T00:00:00%2B08:00": 0,
    "created_from=2020-01-01T00:00:00+08:00": 4,  # the address makes a blank of the plus
    "updated_since=2099-01-01T00:00:00Z": 0,
    "status=dispatched&category=ball": 1,
}
"""How many of the four cases each question finds."""


class TestList:
    def test_shows_the_newest_first(self, api: TestClient, order: Orders) -> None:
        ids = [api.post("/v1/cases", json=order()).json()["id"] for _ in range(3)]
        page = CasePage.model_validate_json(api.get("/v1/cases").content)
        assert ([case.id for case in page.cases], page.next) == (ids[::-1], None)

    @pytest.mark.parametrize("by", ["created", "changed"])
    def test_is_walked_page_by_page_without_loss_or_repetition(self, api: TestClient, order: Orders, by: str) -> None:
        ids = [api.post("/v1/cases", json=order()).json()["id"] for _ in range(7)]
        found: list[str] = []
        query: dict[str, Any] = {"limit": 2, "order": by}
        while True:
            page = api.get("/v1/cases", params=query).json()
            found += [case["id"] for case in page["cases"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
            api.post("/v1/cases", json=order())  # comes in between and shifts nothing
            if len(found) > 20:
                break
        assert found[:7] == (ids[::-1] if by == "created" else ids)
        assert len(found) == len(set(found))

    def test_can_be_filtered(self, four: TestClient) -> None:
        """One house for all: opening one takes longer than asking all."""
        found = {query: len(four.get(f"/v1/cases?{query}").json()["cases"]) for query in COUNTS}
        assert found == COUNTS

    @pytest.mark.parametrize(
        ("query", "pointer", "says"),
        [
            ("limit=0", "/limit", "不能小于 1"),
            ("limit=501", "/limit", "不能大于 500"),
            ("limit=x", "/limit", "整数"),
            ("status=open", "/status", "dispatched"),
            ("departmnet=gym_office", "/departmnet", "查询参数"),
            ("department=nobody", "/department", "gym_office"),
            ("lead=nobody", "/lead", "gym_office"),
            ("category=nothing", "/category", "ball"),
            ("department=X!", "/department", "小写字母"),
            ("created_from=2026-11-24T09:00:00", "/created_from", "时区"),
            ("created_from=yesterday", "/created_from", "时间"),
            ("created_from=1700000000", "/created_from", "时间"),
            ("order=random", "/order", "created、changed"),
            ("source_system=%00", "/source_system", "NUL"),
        ],
    )
    def test_refuses_what_would_find_nothing_for_ever(self, desk: TestClient, query: str, pointer: str, says: str) -> None:
        answer = desk.get(f"/v1/cases?{query}")
        told = answer.json()
        assert (answer.status_code, told["code"], told["errors"][0]["pointer"]) == (422, "parameter_invalid", pointer)
        assert says in told["errors"][0]["detail"]

    @pytest.mark.parametrize("cursor", ["", "x", "bm90aGluZw", "W10", "WyJhIiwxXQ", "é", "W251bGwsbnVsbCxudWxsXQ", "x" * 512])
    def test_refuses_a_cursor_that_is_not_ours(self, desk: TestClient, cursor: str) -> None:
        answer = desk.get("/v1/cases", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")

    def test_refuses_the_cursor_of_another_list(self, four: TestClient) -> None:
        cursor = four.get("/v1/cases?limit=1").json()["next"]
        assert four.get("/v1/cases", params={"cursor": cursor, "limit": 3}).status_code == 200
        for other in ({"status": "dispatched"}, {"order": "changed"}):
            assert four.get("/v1/cases", params={"cursor": cursor} | other).json()["code"] == "cursor_invalid"

    def test_unchanged_is_not_sent_again(self, api: TestClient, order: Orders) -> None:
        api.post("/v1/cases", json=order())
        tag = api.get("/v1/cases").headers["etag"]
        assert api.get("/v1/cases", headers={"If-None-Match": tag}).status_code == 304
        api.post("/v1/cases", json=order())
        changed = api.get("/v1/cases", headers={"If-None-Match": tag})
        assert (changed.status_code, len(changed.json()["cases"])) == (200, 2)

    def test_unchanged_is_not_sent_again_when_only_other_cases_change(self, four: TestClient, order: Orders) -> None:
        answers = {name: four.get("/v1/cases", params={"department": name}) for name in ("gym_office", "stage_office")}
        tags = {name: {"If-None-Match": answer.headers["etag"]} for name, answer in answers.items()}
        four.post("/v1/cases", json=order(title=None, content="舞蹈班不退费，孩子。"))
        status = {name: four.get("/v1/cases", params={"department": name}, headers=tags[name]).status_code for name in tags}
        assert status == {"gym_office": 304, "stage_office": 200}
        assert four.get("/v1/cases", params={"department": "stage_office"}, headers=tags["gym_office"]).status_code == 200
        assert four.get("/v1/cases", params={"department": "gym_office", "limit": 1}, headers=tags["gym_office"]).status_code == 200

    def test_unchanged_means_that_none_left_it_either(self, four: TestClient) -> None:
        params = {"status": "dispatched", "limit": "1", "order": "changed"}
        first = four.get("/v1/cases", params=params)
        [case] = first.json()["cases"]
        said = {"X-Fenpai-Actor": "zhou", "X-Fenpai-Department": case["lead"], "If-Match": f'"{case["version"]}"'}
        assert four.post(f"/v1/cases/{case['id']}/accept", headers=said).status_code == 200
        again = four.get("/v1/cases", params=params, headers={"If-None-Match": first.headers["etag"]})
        assert case["id"] not in [one["id"] for one in again.json()["cases"]]

    def test_by_a_department_that_the_rules_have_lost_finds_its_old_cases(self, four: TestClient) -> None:
        assert four.get("/v1/cases?department=old_office").status_code == 422
        part = CaseDepartment(department="old_office", role="lead")
        old = new_case(lead="old_office", category="old", departments=(part,))
        with four.app.state.office.database.write() as conn:  # type: ignore[attr-defined]
            store.insert_cases(conn, [old])
        for asked in ("department=old_office", "lead=old_office", "category=old"):
            assert [case["id"] for case in four.get(f"/v1/cases?{asked}").json()["cases"]] == [old.id]

    def test_numbers_its_changes_as_the_feed_does(self, api: TestClient, order: Orders) -> None:
        for _ in range(3):
            api.post("/v1/cases", json=order())
        positions = [case["seq"] for case in api.get("/v1/cases?order=changed").json()["cases"]]
        assert all(second - first == 1 for first, second in pairwise(positions))
        assert positions[-1] == api.get("/v1/changes").json()["next"]


@pytest.fixture
def four(api: TestClient, order: Orders) -> TestClient:
    """A house with four cases."""
    contents = ["篮球班不退费，孩子。", "舞蹈班的老师打骂小朋友。", "篮球班和舞蹈班一起关门了。", "小区停水三天了。"]
    for number, content in enumerate(contents, 1):
        api.post("/v1/cases", json=order(title=None, content=content, source_order_no=f"N-{number}"))
    return api
