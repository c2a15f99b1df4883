"""Sessions of the console: a key is shown once, then a cookie stands for it, for no page but ours and for no longer than the key."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import time_machine
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings
from tests.api.conftest import Orders, opened, settings_for
from tests.api.test_access import Keys, Paper, bearer, code, mint

OURS = {"Sec-Fetch-Site": "same-origin"}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def keys(house: TestClient) -> Keys:
    admin = mint(house, "admin")["key"]
    return {scope: mint(house, scope, admin)["key"] for scope in ("hotline", "viewer", "department:gym_office")} | {"admin": admin}


@pytest.fixture
def browser(house: TestClient, keys: Keys) -> TestClient:
    """A browser of its own, from an address of its own; keys come first."""
    assert keys
    return visiting(house, headers=OURS)


def visiting(house: TestClient, **how: Any) -> TestClient:
    """Another client of the same house, in the same event loop."""
    client = TestClient(house.app, "http://localhost", client=(f"127.0.1.{next(_places)}", 50000), raise_server_exceptions=False, **how)
    client.portal = house.portal
    return client


_places = count(1)


def sign_in(browser: TestClient, key: str) -> Any:
    return browser.post("/v1/session", json={"key": key})


def events(house: TestClient, admin: str, kind: str) -> list[dict[str, Any]]:
    found = house.get("/v1/changes?after=0&limit=1000", headers=bearer(admin)).json()["changes"]
    return [event for event in found if event["kind"] == kind]


class TestWhoAsks:
    def test_is_open_to_all_at_this_machine_while_there_is_no_key(self, desk: TestClient) -> None:
        told = desk.get("/v1/session").json()
        assert (told["open"], told["signed_in"], "admin" in told["scopes"]) == (True, False, True)
        far = TestClient(desk.app, "http://localhost", client=("10.0.0.7", 1)).get("/v1/session")
        assert (far.status_code, far.json()["open"], far.json()["scopes"]) == (200, False, [])

    def test_is_told_as_nobody_before_and_as_its_key_afterwards(self, browser: TestClient, keys: Keys) -> None:
        nobody: dict[str, Any] = {"signed_in": False, "open": False, "name": None, "scopes": [], "department": None, "expires_at": None}
        assert browser.get("/v1/session").json() == nobody | {"sign_on": False}
        told = sign_in(browser, keys["department:gym_office"]).json()
        assert (told["signed_in"], told["name"], told["department"]) == (True, "持有department:gym_office", "gym_office")
        assert browser.get("/v1/session").json() == told

    def test_may_also_be_a_program(self, house: TestClient, keys: Keys) -> None:
        told = house.get("/v1/session", headers=bearer(keys["viewer"])).json()
        assert (told["signed_in"], told["scopes"]) == (True, ["viewer"])
        assert house.get("/v1/session", headers=bearer("fenpai_x_y")).json()["signed_in"] is False


class TestTheCookie:
    def test_is_out_of_reach_of_scripts_and_of_other_sites(self, browser: TestClient, keys: Keys) -> None:
        shown = sign_in(browser, keys["viewer"]).headers["set-cookie"].lower()
        assert all(part in shown for part in ("httponly", "samesite=strict", "path=/"))
        assert "secure" not in shown
        behind = browser.post("/v1/session", json={"key": keys["viewer"]}, headers={"X-Forwarded-Proto": "https"})
        assert "secure" in behind.headers["set-cookie"].lower()

    def test_is_kept_as_its_hash_alone(self, browser: TestClient, keys: Keys, place: Path) -> None:
        sign_in(browser, keys["viewer"])
        token = browser.cookies["fenpai_session"]
        assert len(token) == 43
        files = [path for path in place.iterdir() if path.name.startswith("fenpai.db")]
        assert files
        assert not [path for path in files if token.encode() in path.read_bytes()]

    def test_stands_where_a_key_stands_and_opens_no_more(self, browser: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["viewer"])
        assert browser.get("/v1/cases").status_code == 200
        assert code(browser.get("/v1/keys")) == "scope_missing"

    def test_of_nothing_is_refused_and_taken_back(self, browser: TestClient) -> None:
        browser.cookies["fenpai_session"] = "x" * 43
        assert code(browser.get("/v1/cases")) == "session_ended"
        assert 'fenpai_session=""' in browser.get("/v1/session").headers["set-cookie"]

    def test_yields_to_a_key_that_is_shown(self, browser: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["viewer"])
        assert browser.get("/v1/keys", headers=bearer(keys["admin"])).status_code == 200
        assert code(browser.get("/v1/cases", headers=bearer("fenpai_x_y"))) == "key_refused"

    def test_names_its_key_in_what_is_done_with_it(self, browser: TestClient, keys: Keys, order: Orders) -> None:
        sign_in(browser, keys["hotline"])
        assert browser.post("/v1/cases", json=order()).status_code == 201


class TestAForeignPage:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
            {"Sec-Fetch-Site": "", "Origin": "http://localhost"},
            {"Origin": "http://evil.example"},
            {"Origin": "http://localhost:81"},
            {"Origin": "http://localhost.evil.example"},
            {"Origin": "null"},
            {"Origin": "file://"},
            {},
        ],
    )
    def test_changes_nothing(self, house: TestClient, browser: TestClient, keys: Keys, order: Orders, headers: dict[str, str]) -> None:
        sign_in(browser, keys["hotline"])
        foreign = visiting(house, cookies=dict(browser.cookies))
        for path, body in (("/v1/cases", order()), ("/v1/triage", {"content": "x"})):
            assert code(foreign.post(path, json=body, headers=headers)) == "foreign_page"
        assert code(foreign.delete("/v1/session", headers=headers)) == "foreign_page"
        assert browser.get("/v1/cases").status_code == 200

    @pytest.mark.parametrize("origin", ["http://localhost", "https://localhost", "HTTP://LOCALHOST:80", "https://localhost:443"])
    def test_is_told_from_ours_by_an_old_browser(self, house: TestClient, browser: TestClient, keys: Keys, origin: str) -> None:
        sign_in(browser, keys["hotline"])
        ours = visiting(house, cookies=dict(browser.cookies))
        assert ours.post("/v1/triage", json={"content": "x"}, headers={"Origin": origin}).status_code == 200

    def test_cannot_log_anybody_in(self, browser: TestClient, keys: Keys) -> None:
        answer = browser.post("/v1/session", json={"key": keys["viewer"]}, headers={"Sec-Fetch-Site": "cross-site"})
        assert (code(answer), "set-cookie" in answer.headers) == ("foreign_page", False)


class TestASessionEnds:
    def test_with_the_log_out(self, browser: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["viewer"])
        token = browser.cookies["fenpai_session"]
        assert browser.delete("/v1/session").status_code == 204
        assert "fenpai_session" not in browser.cookies
        assert code(browser.get("/v1/cases", headers={"Cookie": f"fenpai_session={token}"})) == "session_ended"
        assert browser.delete("/v1/session").status_code == 204

    def test_with_the_next_log_in(self, browser: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["viewer"])
        token = browser.cookies["fenpai_session"]
        sign_in(browser, keys["hotline"])
        browser.cookies.clear()
        assert code(browser.get("/v1/cases", headers={"Cookie": f"fenpai_session={token}"})) == "session_ended"

    def test_when_nothing_is_done_and_polling_is_nothing(self, browser: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["viewer"])
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=25)):
            assert browser.get("/v1/changes").status_code == 200
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
            assert code(browser.get("/v1/cases")) == "session_ended"

    def test_later_when_something_is_done_but_not_later_than_its_whole_time(self, browser: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["viewer"])
        begun = datetime.now(UTC)
        for minutes in range(20, 12 * 60, 25):
            with time_machine.travel(begun + timedelta(minutes=minutes)):
                assert browser.get("/v1/cases").status_code == 200
        with time_machine.travel(begun + timedelta(hours=12, seconds=1)):
            assert code(browser.get("/v1/cases")) == "session_ended"

    def test_with_its_key(self, browser: TestClient, house: TestClient, keys: Keys) -> None:
        key = mint(house, "viewer", keys["admin"])
        sign_in(browser, key["key"])
        house.post(f"/v1/keys/{key['id']}/revoke", headers=bearer(keys["admin"])).raise_for_status()
        assert code(browser.get("/v1/cases")) == "session_ended"
        assert code(sign_in(browser, key["key"])) == "key_refused"

    def test_no_later_than_its_key(self, browser: TestClient, house: TestClient, keys: Keys) -> None:
        short = mint(house, "viewer", keys["admin"], days=1)
        with time_machine.travel(datetime.now(UTC) + DAY - timedelta(minutes=5)):
            assert sign_in(browser, short["key"]).json()["expires_at"] == short["expires_at"]


class TestAttempts:
    def test_that_fail_are_limited_and_told(self, browser: TestClient, house: TestClient, keys: Keys, paper: Paper) -> None:
        wrong = f"{keys['viewer'][:-3]}zzz"
        assert [sign_in(browser, wrong).status_code for _ in range(10)] == [401] * 10
        answer = sign_in(browser, wrong)
        assert (code(answer), int(answer.headers["retry-after"]) > 200) == ("too_many_attempts", True)
        assert sign_in(browser, keys["viewer"]).status_code == 429
        assert sign_in(visiting(house), keys["viewer"]).status_code == 200
        told = events(house, keys["admin"], "session.refused")[-10:]
        assert {event["data"]["key"] for event in told} == {keys["viewer"].split("_")[1]}
        assert "zzz" not in str(told) + str(paper())

    def test_that_succeed_begin_anew(self, browser: TestClient, keys: Keys) -> None:
        for _ in range(3):
            assert [sign_in(browser, "fenpai_x_y").status_code for _ in range(9)] == [401] * 9
            assert sign_in(browser, keys["viewer"]).status_code == 200


class TestTheAudit:
    def test_hears_of_beginnings_and_ends(self, browser: TestClient, house: TestClient, keys: Keys) -> None:
        sign_in(browser, keys["hotline"])
        browser.delete("/v1/session")
        for kind in ("session.opened", "session.closed"):
            told = events(house, keys["admin"], kind)[-1]
            assert (told["actor"], told["data"]["key"]) == ("持有hotline", keys["hotline"].split("_")[1])
            assert told["data"]["address"].startswith("127.0.1.")
        assert events(house, keys["viewer"], "session.opened") == []


class TestReplicas:
    def test_know_each_others_sessions(self, postgres_url: str) -> None:
        settings: Settings = settings_for(postgres_url)
        with opened(create_app(settings)) as here, opened(create_app(settings)) as there:
            key = mint(here, "admin")["key"]
            here.headers.update(OURS)
            sign_in(here, key)
            there.cookies = here.cookies
            assert there.get("/v1/cases").status_code == 200
            here.delete("/v1/session").raise_for_status()
            there.cookies["fenpai_session"] = "x"
            assert code(there.get("/v1/cases")) == "session_ended"
