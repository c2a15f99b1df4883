"""The console's log-in by the district's sign-on: whoever it vouches for is let in, once, in the browser that asked; nobody else is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import time_machine
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from service import signon
from service.app import create_app
from service.config import Settings
from service.errors import SettingsInvalid
from tests.api.conftest import opened, settings_for
from tests.api.test_access import code
from tests.api.test_session import OURS, visiting
from tests.provider import CLIENT, SECRET, Provider, provider

PUBLIC = "https://fenpai.example"
ROLES = "rexian=hotline,tiyu=department:gym_office,wutai=department:stage_office,guanli=admin"


@pytest.fixture(scope="module")
def sign_on() -> Iterator[Provider]:
    with provider() as found:
        found.redirect_uri = f"{PUBLIC}/v1/session/oidc/callback"
        yield found


@pytest.fixture(autouse=True)
def _calm(sign_on: Provider) -> Iterator[None]:
    yield
    sign_on.calm()


@pytest.fixture(scope="module")
def settings(sign_on: Provider, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('signon')}/fenpai.db"
    how = {"oidc_issuer": sign_on.url, "oidc_client": CLIENT, "oidc_secret": SECRET, "oidc_scopes": ROLES, "public_url": PUBLIC}
    return settings_for(url, **how)


@pytest.fixture(scope="module")
def house(settings: Settings) -> Iterator[TestClient]:
    with opened(create_app(settings)) as client:
        yield client


@pytest.fixture
def browser(house: TestClient) -> TestClient:
    return secure(house)


def secure(house: TestClient) -> TestClient:
    """A browser that comes by https, from an address of its own."""
    client = visiting(house, headers=OURS, follow_redirects=False)
    client.base_url = httpx2.URL(PUBLIC)
    return client


def begin(browser: TestClient, **body: str) -> str:
    return str(browser.post("/v1/session/oidc", json=body).raise_for_status().json()["location"])


def returned(sign_on: Provider, location: str) -> dict[str, str]:
    """What the sign-on sends the browser back with."""
    assert location.startswith(f"{sign_on.url}/authorize?")
    with httpx2.Client() as outside:
        back = outside.get(location).headers["location"]
    return dict(parse_qsl(urlsplit(back).query))


def finish(browser: TestClient, query: dict[str, str], **headers: str) -> Any:
    """As the browser comes back: by a step from another site."""
    return browser.get("/v1/session/oidc/callback", params=query, headers={"Sec-Fetch-Site": "cross-site", **headers})


def log_in(browser: TestClient, sign_on: Provider) -> Any:
    return finish(browser, returned(sign_on, begin(browser)))


def name(browser: TestClient) -> Any:
    return browser.get("/v1/session").json()["name"]


def refusal(answer: Any) -> str:
    assert "fenpai_session" not in answer.headers.get("set-cookie", "")
    return str(code(answer))


class TestALogIn:
    def test_opens_what_the_roles_open_and_nothing_else(self, browser: TestClient, sign_on: Provider) -> None:
        assert browser.get("/v1/session").json() | {"sign_on": True} == browser.get("/v1/session").json()
        query = returned(sign_on, begin(browser, back_to="/console/cases?lead=gym_office&overdue=true"))
        answer = finish(browser, query)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/cases?lead=gym_office&overdue=true")
        assert all(part in answer.headers["set-cookie"].lower() for part in ("httponly", "samesite=strict", "secure", 'fenpai_sign_on=""'))
        told = browser.get("/v1/session").json()
        assert (told["signed_in"], told["name"], told["scopes"]) == (True, "王科长", ["hotline"])
        assert told["expires_at"]
        assert browser.get("/v1/cases").status_code == 200
        assert code(browser.get("/v1/keys")) == "scope_missing"

    def test_is_needed_by_everybody_and_a_foreign_page_can_begin_none(self, house: TestClient, browser: TestClient) -> None:
        assert code(visiting(house).get("/v1/cases")) == "key_missing"
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": "https://evil.example"}):
            assert refusal(browser.post("/v1/session/oidc", json={}, headers=headers)) == "foreign_page"

    def test_ends_as_any_other(self, browser: TestClient, sign_on: Provider) -> None:
        log_in(browser, sign_on)
        first = browser.cookies["fenpai_session"]
        log_in(browser, sign_on)
        assert code(browser.get("/v1/cases", headers={"Cookie": f"fenpai_session={first}"})) == "session_ended"
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
            assert code(browser.get("/v1/cases")) == "session_ended"
        assert browser.delete("/v1/session").status_code == 204
        assert name(browser) is None

    def test_is_in_the_audit_by_what_stands_for_a_key(self, house: TestClient, browser: TestClient, sign_on: Provider) -> None:
        sign_on.lies = {"roles": "guanli"}
        log_in(browser, sign_on)
        begun = browser.get("/v1/audit?kind=session.opened").json()
        assert "王科长" in str(begun)
        assert "oidc:" in str(begun)
        failed = secure(house)
        assert refusal(finish(failed, {"code": "x", "state": "y"})) == "sign_on_refused"
        assert '"by":"oidc"' in browser.get("/v1/audit?kind=session.refused").text.replace(" ", "")

    def test_leaves_no_token_code_or_secret_in_the_log(
        self, settings: Settings, sign_on: Provider, paper: Callable[[], list[dict[str, Any]]], sqlite_url: str
    ) -> None:
        with opened(create_app(settings.model_copy(update={"database_url": sqlite_url}))) as fresh:
            browser = secure(fresh)
            query = returned(sign_on, begin(browser))
            assert finish(browser, query).status_code == 303
        written = str(paper())
        assert "/v1/session/oidc/callback" in written
        for secret in (*query.values(), SECRET, browser.cookies["fenpai_session"], "王科长", "u-7"):
            assert secret not in written


class TestWhoComesBack:
    """Refused: everything but the answer to this browser's own question."""

    def test_with_another_state_or_none_or_without_the_cookie(self, house: TestClient, browser: TestClient, sign_on: Provider) -> None:
        for change in ({"state": "x" * 43}, {"state": ""}):
            assert refusal(finish(browser, returned(sign_on, begin(browser)) | change)) == "sign_on_refused"
        assert refusal(finish(secure(house), returned(sign_on, begin(browser)))) == "sign_on_refused"

    def test_with_what_another_browser_began(self, house: TestClient, browser: TestClient, sign_on: Provider) -> None:
        """Log-in CSRF: the attacker's own code is slipped to somebody who is logging in."""
        attacker = secure(house)
        theirs = returned(sign_on, begin(attacker))
        mine = returned(sign_on, begin(browser))
        assert refusal(finish(browser, theirs)) == "sign_on_refused"
        begin(browser)
        assert refusal(finish(browser, mine | {"code": theirs["code"]})) == "sign_on_refused"

    def test_with_a_stolen_code(self, browser: TestClient, sign_on: Provider, house: TestClient) -> None:
        """The code belongs to another log-in: its verifier is not ours."""
        stolen = returned(sign_on, begin(secure(house)))["code"]
        assert refusal(finish(browser, returned(sign_on, begin(browser)) | {"code": stolen})) == "sign_on_refused"

    def test_a_second_time(self, house: TestClient, browser: TestClient, sign_on: Provider) -> None:
        query, cookie = returned(sign_on, begin(browser)), browser.cookies["fenpai_sign_on"]
        assert finish(browser, query).status_code == 303
        again = secure(house)
        assert refusal(finish(again, query, Cookie=f"fenpai_sign_on={cookie}")) == "sign_on_refused"

    def test_too_late(self, browser: TestClient, sign_on: Provider) -> None:
        query, cookie = returned(sign_on, begin(browser)), browser.cookies["fenpai_sign_on"]
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
            assert refusal(finish(browser, query, Cookie=f"fenpai_sign_on={cookie}")) == "sign_on_refused"

    def test_from_another_issuer(self, browser: TestClient, sign_on: Provider) -> None:
        """Mix-up: the answer says who gave it, and ours says that it always does."""
        query = returned(sign_on, begin(browser))
        assert refusal(finish(browser, query | {"iss": "https://evil.example"})) == "sign_on_refused"
        query = returned(sign_on, begin(browser))
        del query["iss"]
        assert refusal(finish(browser, query)) == "sign_on_refused"

    @pytest.mark.parametrize(
        "lies",
        [
            {"nonce": "another"},
            {"nonce": None},
            {"iss": "https://evil.example"},
            {"aud": "another-client"},
            {"aud": [CLIENT, "another-client"]},
            {"azp": "another-client"},
            {"exp": 1},
            {"sub": None},
            {"roles": []},
            {"roles": ["tiyu", "wutai"]},
        ],
    )
    def test_with_a_token_that_is_not_for_this_log_in(self, browser: TestClient, sign_on: Provider, lies: dict[str, Any]) -> None:
        sign_on.lies = lies
        assert refusal(log_in(browser, sign_on)) == "sign_on_refused"
        assert name(browser) is None

    def test_with_a_token_of_another_key(self, browser: TestClient, sign_on: Provider) -> None:
        sign_on.signs_with = ECKey.generate_key("P-256", {"kid": "one"})
        assert refusal(log_in(browser, sign_on)) == "sign_on_refused"

    def test_refused_by_the_sign_on_is_told_in_a_page(self, browser: TestClient, sign_on: Provider) -> None:
        query = returned(sign_on, begin(browser))
        shown = {"state": query["state"], "iss": query["iss"], "error": "<script>alert(1)</script>"}
        page = finish(browser, shown, Accept="text/html,*/*")
        assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert "统一身份认证没有让您登录" in page.text
        assert "script" not in page.text + page.headers["content-security-policy"]

    def test_too_often_waits(self, browser: TestClient) -> None:
        assert [finish(browser, {"code": "x"}).status_code for _ in range(11)] == [403] * 10 + [429]

    @pytest.mark.parametrize(
        "place",
        ["https://evil.example/", "//evil.example", "/console/../v1/keys\\", "/consolexyz", "/console//\r\nx", "javascript:1", "/v1/keys"],
    )
    def test_is_sent_to_no_page_but_ours(self, browser: TestClient, place: str) -> None:
        assert code(browser.post("/v1/session/oidc", json={"back_to": place})) == "invalid"


class TestTheSignOn:
    def test_that_is_down_or_says_what_it_may_not_is_no_way_in(self, settings: Settings, sign_on: Provider, sqlite_url: str) -> None:
        with opened(create_app(settings.model_copy(update={"database_url": sqlite_url}))) as fresh:
            browser = secure(fresh)
            for published in ({"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/"}, {"jwks_uri": 1}):
                sign_on.published = published
                assert code(browser.post("/v1/session/oidc", json={})) == "sign_on_unavailable"
            sign_on.calm()
            sign_on.is_down = True
            assert code(browser.post("/v1/session/oidc", json={})) == "sign_on_unavailable"
            sign_on.calm()
            assert log_in(browser, sign_on).status_code == 303

    def test_may_change_its_keys(self, browser: TestClient, sign_on: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        """At once, while ours are believed; but a token that does not fit does not make us ask at each try."""
        log_in(browser, sign_on)
        sign_on.key = ECKey.generate_key("P-256", {"kid": "one"})
        monkeypatch.setattr(signon, "ANEW_SECONDS", 3600)
        assert log_in(browser, sign_on).status_code == 403
        monkeypatch.setattr(signon, "ANEW_SECONDS", 0)
        assert log_in(browser, sign_on).status_code == 303

    def test_is_missing_where_it_is_not_set(self, desk: TestClient) -> None:
        assert code(desk.post("/v1/session/oidc", json={}, headers=OURS)) == "sign_on_missing"
        assert code(desk.get("/v1/session/oidc/callback")) == "sign_on_missing"
        assert desk.get("/v1/session").json()["sign_on"] is False

    @pytest.mark.parametrize(
        "change",
        [
            {"public_url": ""},
            {"public_url": "http://fenpai.example"},
            {"public_url": "https://fenpai.example/sub"},
            {"public_url": "https://a@fenpai.example"},
            {"oidc_issuer": "http://sso.example"},
            {"oidc_issuer": ""},
            {"oidc_scopes": ""},
        ],
    )
    def test_badly_set_is_told_at_the_start(self, settings: Settings, change: dict[str, str], sqlite_url: str) -> None:
        with pytest.raises(SettingsInvalid), opened(create_app(settings.model_copy(update={"database_url": sqlite_url, **change}))):
            pass
