"""API keys: who gets in, to which doors, to whose cases; and that a key that was revoked opens nothing any more, anywhere."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from service.api import access
from service.app import create_app
from service.config import Settings
from tests.api.conftest import Orders, opened, settings_for
from tests.packs.build import tiny

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
SCOPES = ("hotline", "department:gym_office", "viewer", "rule_admin", "approver", "admin")
GUARDED = {"key_missing", "key_refused", "scope_missing"}

Keys = dict[str, str]
Paper = Callable[[], list[dict[str, Any]]]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def mint(client: TestClient, scope: str, admin: str = "", **how: Any) -> dict[str, Any]:
    made = client.post("/v1/keys", json={"name": f"持有{scope}", "scopes": [scope], **how}, headers=bearer(admin))
    assert made.status_code == 201, made.text
    told: dict[str, Any] = made.json()
    return told


@pytest.fixture(scope="module")
def keys(desk: TestClient) -> Keys:
    """A key for each scope; the first, made while there was none, is the administrator's."""
    admin = mint(desk, "admin")["key"]
    return {scope: mint(desk, scope, admin)["key"] for scope in (*SCOPES, "department:stage_office", "department:study_office")} | {
        "admin": admin
    }


@pytest.fixture
def sent(desk: TestClient, keys: Keys, order: Orders) -> Callable[..., str]:
    """Send an order in as the hotline; the id of its case."""

    def send(**changes: Any) -> str:
        answer = desk.post("/v1/cases", json=order(**changes), headers=bearer(keys["hotline"]))
        assert answer.status_code == 201
        return str(answer.json()["id"])

    return send


def code(answer: Any) -> str | None:
    return answer.json().get("code") if "problem" in answer.headers.get("content-type", "") else None


def routes(app: Any) -> list[APIRoute]:
    assert isinstance(app, FastAPI)
    return [route for route in app.routes if isinstance(route, APIRoute)]


class TestWhoChangesRules:
    def test_is_told_with_the_key_that_vouches(self, desk: TestClient, keys: Keys) -> None:
        """A name can be written by anybody; the audit names the key as well."""
        by, files = {"author": "王科长", "note": "试一试"}, tiny()
        files["categories/ball.yaml"] = files["categories/ball.yaml"].replace("足球", "羽毛球")
        begun = desk.post("/v1/rulesets/shadow", json={"files": files, **by}, headers=bearer(keys["rule_admin"]))
        assert begun.json()["author"] == "王科长"
        assert desk.post("/v1/rulesets/shadow/stop", json=by, headers=bearer(keys["rule_admin"])).status_code == 200
        told = desk.get("/v1/audit?kind=rules.&limit=2", headers=bearer(keys["admin"])).json()["rows"]
        assert {row["data"]["key"] for row in told} == {keys["rule_admin"].split("_")[1]}

    def test_is_told_so_for_each_step_of_a_draft(self, desk: TestClient, keys: Keys) -> None:
        """Who asks, approves, takes back and discards, each by their own key, whatever name they write."""
        named = {scope: bearer(keys[scope]) | {"X-Fenpai-Actor": "wang"} for scope in ("rule_admin", "approver")}
        made = desk.post("/v1/rulesets/drafts", json={"title": "x"}, headers=named["rule_admin"])
        path, tag = f"/v1/rulesets/drafts/{made.json()['id']}", made.headers["etag"]
        steps = [("ask", "rule_admin"), ("refuse", "approver"), ("ask", "rule_admin"), ("withdraw", "rule_admin"), ("", "rule_admin")]
        for step, scope in steps:
            how: dict[str, Any] = {"json": {"reason": "看过了"}} if step else {}
            headers = named[scope] | {"If-Match": tag}
            answer = desk.request("POST" if step else "DELETE", f"{path}/{step}".rstrip("/"), headers=headers, **how)
            assert answer.is_success, (step, answer.text)
            tag = answer.headers.get("etag", tag)
        told = desk.get(f"/v1/audit?kind=rules.&limit={len(steps) + 1}", headers=bearer(keys["admin"])).json()["rows"]
        whose = [keys[scope].split("_")[1] for scope in ("rule_admin", *(scope for _, scope in steps))]
        assert [row["data"]["key"] for row in reversed(told)] == whose


class TestWhoMakesKeys:
    def test_is_named_by_their_own_key_and_the_first_by_the_machine(self, desk: TestClient, keys: Keys) -> None:
        again = mint(desk, "viewer", keys["admin"])
        assert desk.post(f"/v1/keys/{again['id']}/revoke", headers=bearer(keys["admin"])).status_code == 200
        rows = desk.get("/v1/audit?kind=key.&limit=500", headers=bearer(keys["admin"])).json()["rows"]
        admin = keys["admin"].split("_")[1]
        assert [(row["kind"], row["data"]["by_key"]) for row in rows[:2]] == [("key.revoked", admin), ("key.created", admin)]
        assert (rows[-1]["actor"], rows[-1]["data"]["by_key"]) == ("本机，还没有钥匙", None)


class TestTheMatrix:
    def test_names_every_door_and_no_other(self, desk: TestClient) -> None:
        assert {route.name for route in routes(desk.app)} == set(access.NEEDS)

    def test_stands_in_the_documents(self, desk: TestClient) -> None:
        assert access.matrix(routes(desk.app)) in CONTRIBUTING.read_text(encoding="utf-8")

    def test_holds_cell_by_cell(self, desk: TestClient, keys: Keys) -> None:
        wrong = []
        for route in routes(desk.app):
            path = re.sub(r"\{[^}]*\}", "x", re.sub(r"\{[^}]*:int\}", "1", route.path))
            [method] = route.methods or {"GET"}
            for scope in ("", *SCOPES):
                answer = desk.request(method, path, headers=bearer(keys[scope]) if scope else {})
                wanted = _wanted(access.NEEDS[route.name], scope)
                met = code(answer) if code(answer) in GUARDED else None
                if met != wanted:
                    wrong.append((method, path, scope, met, wanted))
        assert wrong == []


def _wanted(need: access.Need, scope: str) -> str | None:
    if need is access.PUBLIC:
        return None
    if not scope:
        return "key_missing"
    return None if scope.partition(":")[0] in need.scopes else "scope_missing"


class TestRefusals:
    @pytest.mark.parametrize("shown", ["Bearer", "Bearer fenpai_aaaaaaaaaa_wrong", "Basic eDp5", "Bearer " + "a_" * 500, "Bearer é"])
    def test_of_what_is_no_key(self, desk: TestClient, keys: Keys, shown: str) -> None:
        answer = desk.get("/v1/departments", headers={b"Authorization": shown.encode()})
        assert (answer.status_code, keys["admin"] in answer.text) == (401, False)
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_of_a_key_with_one_sign_changed(self, desk: TestClient, keys: Keys) -> None:
        key = keys["viewer"]
        other = key[:-1] + ("A" if key[-1] != "A" else "B")
        assert code(desk.get("/v1/cases", headers=bearer(other))) == "key_refused"

    def test_say_which_scope_would_do(self, desk: TestClient, keys: Keys) -> None:
        answer = desk.get("/v1/keys", headers=bearer(keys["viewer"]))
        assert answer.status_code == 403
        assert 'scope="admin"' in answer.headers["www-authenticate"]

    def test_leave_the_body_unread_and_nothing_written(self, desk: TestClient, keys: Keys, order: Orders) -> None:
        body = order()
        assert desk.post("/v1/cases", json=body, headers=bearer(keys["viewer"])).status_code == 403
        found = desk.get("/v1/cases", params={"source_order_no": body["source_order_no"]}, headers=bearer(keys["viewer"]))
        assert found.json()["cases"] == []


class TestADepartment:
    def test_sees_only_what_it_leads_or_assists(self, desk: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        case = sent()
        gym, stage = bearer(keys["department:gym_office"]), bearer(keys["department:stage_office"])
        for path in (f"/v1/cases/{case}", f"/v1/cases/{case}/events", f"/v1/cases/{case}/clocks", f"/v1/cases/{case}/moves"):
            assert desk.get(path, headers=gym).status_code == 200
            assert (desk.get(path, headers=stage).status_code, code(desk.get(path, headers=stage))) == (404, "case_not_found")
        assert case in {found["id"] for found in desk.get("/v1/cases", headers=gym).json()["cases"]}
        assert desk.get("/v1/cases", headers=stage).json()["cases"] == []
        assert code(desk.get("/v1/cases?department=gym_office", headers=stage)) == "others_cases"

    def test_moves_only_what_it_leads_or_assists(self, desk: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        case, held = sent(), {"If-Match": '"1"'}
        stage, gym = (bearer(keys[f"department:{name}"]) | held for name in ("stage_office", "gym_office"))
        assert code(desk.post(f"/v1/cases/{case}/accept", headers=stage)) == "case_not_found"
        moved = desk.post(f"/v1/cases/{case}/accept", headers=gym | {"X-Fenpai-Actor": "zhang"})
        assert (moved.status_code, moved.json()["actor"], moved.json()["department"]) == (200, "zhang", "gym_office")

    def test_cannot_pass_for_another(self, desk: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        headers = bearer(keys["department:stage_office"]) | {"If-Match": '"1"', "X-Fenpai-Actor": "x", "X-Fenpai-Department": "gym_office"}
        assert code(desk.post(f"/v1/cases/{sent()}/accept", headers=headers)) == "scope_missing"

    def test_reads_its_own_feed_and_hears_of_what_it_lost(self, desk: TestClient, keys: Keys, sent: Callable[..., str]) -> None:
        gym, stage, joint = (bearer(keys[f"department:{name}"]) for name in ("gym_office", "stage_office", "study_office"))
        begun = desk.get("/v1/changes?after=0&limit=1000", headers=gym).json()["next"]
        case = sent()
        back = {"reason_code": "not_ours", "text": "不是", "clause": "order-2", "suggested": "stage_office"}
        desk.post(f"/v1/cases/{case}/hand-back", json=back, headers=gym | {"If-Match": '"1"'}).raise_for_status()
        on = {"reason": "改派", "lead": "stage_office", "assists": []}
        desk.post(f"/v1/cases/{case}/re-dispatch", json=on, headers=joint | {"If-Match": '"2"'}).raise_for_status()
        last = [change["kind"] for change in desk.get(f"/v1/changes?after={begun}", headers=gym).json()["changes"]]
        assert last == ["case.re_dispatched"]
        assert desk.get(f"/v1/cases/{case}", headers=gym).status_code == 404
        seen = desk.get("/v1/changes?after=0&limit=1000", headers=stage).json()
        assert [change["case_id"] for change in seen["changes"]] == [case] * 3
        assert seen["next"] == desk.get("/v1/changes?after=0&limit=1000", headers=bearer(keys["admin"])).json()["next"]

    def test_knows_its_own_channel_and_deliveries_alone(self, desk: TestClient, keys: Keys) -> None:
        gym = bearer(keys["department:gym_office"])
        assert code(desk.get("/v1/departments/gym_office/channel", headers=gym)) == "channel_not_found"
        for answer in (
            desk.get("/v1/departments/stage_office/channel", headers=gym),
            desk.put("/v1/departments/stage_office/channel", json={"url": "https://example.org/x"}, headers=gym),
            desk.delete("/v1/departments/stage_office/channel", headers=bearer(keys["department:study_office"])),
            desk.get("/v1/deliveries?department=stage_office", headers=gym),
        ):
            assert code(answer) == "others_cases"


class TestTheFeed:
    def test_tells_of_keys_to_administrators_alone(self, desk: TestClient, keys: Keys) -> None:
        def kinds(scope: str) -> set[str]:
            changes = desk.get("/v1/changes?after=0&limit=1000", headers=bearer(keys[scope])).json()["changes"]
            return {change["kind"].partition(".")[0] for change in changes}

        assert "key" in kinds("admin")
        assert "key" not in kinds("hotline") | kinds("viewer") | kinds("department:gym_office")


class TestAKey:
    def test_is_told_once_and_kept_as_its_hash(self, desk: TestClient, keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> None:
        secret = keys["hotline"].split("_", 2)[2]
        assert len(secret) == 43
        listed = desk.get("/v1/keys", headers=bearer(keys["admin"]))
        assert keys["hotline"].split("_")[1] in listed.text
        assert secret not in listed.text
        files = [path for path in tmp_path_factory.getbasetemp().rglob("fenpai.db*") if path.is_file()]
        assert files
        assert not [path for path in files if secret.encode() in path.read_bytes()]

    def test_is_exchanged_while_both_open(self, desk: TestClient, keys: Keys) -> None:
        admin = keys["admin"]
        old = mint(desk, "viewer", admin)
        new = desk.post(f"/v1/keys/{old['id']}/rotate", json={"overlap_hours": 1}, headers=bearer(admin)).json()
        assert [desk.get("/v1/cases", headers=bearer(key["key"])).status_code for key in (old, new)] == [200, 200]
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
            assert [desk.get("/v1/cases", headers=bearer(key["key"])).status_code for key in (old, new)] == [401, 200]

    def test_ends_by_itself(self, desk: TestClient, keys: Keys) -> None:
        key = mint(desk, "viewer", keys["admin"], days=1)["key"]
        assert desk.get("/v1/cases", headers=bearer(key)).status_code == 200
        with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
            answer = desk.get("/v1/cases", headers=bearer(key))
            assert (answer.status_code, "已失效" in answer.text) == (401, True)

    @pytest.mark.parametrize(
        "given",
        [
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": ["root"]},
            {"name": "x", "scopes": ["department:nowhere"]},
            {"name": "x", "scopes": ["department:gym_office", "department:stage_office"]},
            {"name": "a\nb", "scopes": ["viewer"]},
            {"name": "x", "scopes": ["viewer"], "days": 0},
        ],
    )
    def test_that_makes_no_sense_is_refused(self, desk: TestClient, keys: Keys, given: dict[str, Any]) -> None:
        assert desk.post("/v1/keys", json=given, headers=bearer(keys["admin"])).status_code == 422


class TestRevoking:
    @pytest.fixture
    def pair(self, paper: Paper, settings: Settings) -> Iterator[tuple[TestClient, TestClient]]:
        """Two replicas on one PostgreSQL; on SQLite there is only one, which comes twice. Their log is kept from the start."""
        assert paper() == []
        with opened(create_app(settings)) as first:
            if settings.database_url.startswith("sqlite"):
                yield first, first
                return
            with opened(create_app(settings)) as second:
                yield first, second

    def test_ends_a_key_on_every_replica_before_it_is_answered(self, pair: tuple[TestClient, TestClient], paper: Paper) -> None:
        here, there = pair
        admin = mint(here, "admin")["key"]
        key = mint(here, "viewer", admin)
        assert there.get("/v1/cases", headers=bearer(key["key"])).status_code == 200
        assert here.post(f"/v1/keys/{key['id']}/revoke", headers=bearer(admin)).json()["live"] is False
        assert [client.get("/v1/cases", headers=bearer(key["key"])).status_code for client in pair] == [401, 401]
        assert there.get("/v1/cases").status_code == 401
        here.post(f"/v1/keys/{admin.split('_')[1]}/revoke", headers=bearer(admin)).raise_for_status()
        assert [client.get("/v1/cases").status_code for client in pair] == [401, 401]  # the last key gone opens nothing
        log = paper()
        assert {key["id"], admin.split("_")[1]} <= {line.get("key") for line in log}
        assert not re.search("|".join([key["key"], admin]), str(log))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """A house without any key."""
    app = create_app(settings_for(f"sqlite:///{tmp_path_factory.mktemp('open')}/fenpai.db"))
    with opened(app):
        yield app


class TestWithoutAnyKey:
    def test_this_machine_may_do_all(self, house: FastAPI) -> None:
        assert TestClient(house, "http://[::1]:8360", client=("::1", 1)).get("/v1/keys").status_code == 200

    @pytest.mark.parametrize(
        ("client", "headers"),
        [
            ("10.0.0.7", {}),
            ("testclient", {}),
            ("127.0.0.1", {"Host": "evil.example"}),
            ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}),
            ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}),
        ],
    )
    def test_nobody_else_gets_in(self, house: FastAPI, client: str, headers: dict[str, str]) -> None:
        answer = TestClient(house, "http://localhost", client=(client, 1)).get("/v1/cases", headers=headers)
        assert (answer.status_code, code(answer)) == (401, "key_missing")


class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/healthz", "/v1/departments", "/v1/nowhere", "/openapi.json", "/docs"])
    def test_tells_a_browser_to_do_nothing_more_with_it(self, desk: TestClient, keys: Keys, path: str) -> None:
        headers = desk.get(path, headers=bearer(keys["viewer"]) | {"Origin": "https://evil.example"}).headers
        assert (headers["x-content-type-options"], headers["x-frame-options"], headers["referrer-policy"]) == (
            "nosniff",
            "DENY",
            "no-referrer",
        )
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "cache-control" in headers
        assert not [name for name in headers if name.startswith("access-control")]

    def test_of_too_many_who_wait_is_a_refusal(self, tmp_path: Path) -> None:
        settings = settings_for(f"sqlite:///{tmp_path}/fenpai.db", max_pollers=0)
        with opened(create_app(settings)) as house:
            assert house.get("/v1/changes?after=2&wait=1").json()["code"] == "overloaded"
