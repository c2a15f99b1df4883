"""Tokens of a sign-on: its roles become scopes; whatever is not signed by it, for us and now, opens nothing."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from time import time
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings
from service.errors import SettingsInvalid
from tests.api.conftest import Orders, opened, settings_for
from tests.api.test_access import bearer, code

OURS = RSAKey.generate_key(2048, {"kid": "one"})
OTHERS = RSAKey.generate_key(2048, {"kid": "one"})
GOOD = {"iss": "https://sso.example", "aud": "fenpai", "sub": "u-1", "name": "王科长", "roles": ["rexian"]}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "jwks.json").write_bytes(orjson.dumps({"keys": [OURS.as_dict(private=False)]}))
    how = {"oidc_jwks": f"{folder}/jwks.json", "oidc_issuer": GOOD["iss"], "oidc_audience": "fenpai"}
    roles = "rexian=hotline,rexian=viewer,tiyu=department:gym_office,wutai=department:stage_office"
    return settings_for(f"sqlite:///{folder}/fenpai.db", **how, oidc_scopes=roles)


@pytest.fixture(scope="module")
def house(settings: Settings) -> Iterator[TestClient]:
    with opened(create_app(settings)) as client:
        yield client


def token(key: Any = OURS, algorithm: str = "RS256", **claims: Any) -> str:
    whole = {"exp": int(time()) + 300, **GOOD, **claims}
    head = {"alg": algorithm, "kid": "one"}
    return jwt.encode(head, {name: value for name, value in whole.items() if value is not None}, key, algorithms=[algorithm])


class TestAGoodToken:
    def test_may_do_what_its_roles_may(self, house: TestClient, order: Orders) -> None:
        case = house.post("/v1/cases", json=order(), headers=bearer(token()))
        assert case.status_code == 201
        told = house.get("/v1/session", headers=bearer(token())).json()
        assert (told["name"], told["scopes"]) == ("王科长", ["hotline", "viewer"])
        assert code(house.get("/v1/keys", headers=bearer(token()))) == "scope_missing"
        event = house.get("/v1/changes?after=0", headers=bearer(token())).json()["changes"][-1]
        assert event["data"]["key"].startswith("oidc:")
        assert "u-1" not in str(event)

    def test_of_a_department_sees_its_own_alone(self, house: TestClient, order: Orders) -> None:
        case = house.post("/v1/cases", json=order(), headers=bearer(token())).json()["id"]
        assert house.get(f"/v1/cases/{case}", headers=bearer(token(roles="tiyu"))).status_code == 200
        assert house.get(f"/v1/cases/{case}", headers=bearer(token(roles=["wutai"]))).status_code == 404
        assert code(house.get("/v1/cases", headers=bearer(token(roles=["tiyu", "wutai"])))) == "key_refused"

    def test_without_a_role_of_ours_opens_nothing(self, house: TestClient) -> None:
        for roles in (None, [], "x", ["x", 1]):
            assert code(house.get("/v1/cases", headers=bearer(token(roles=roles)))) == "scope_missing"


class TestAForgery:
    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": int(time()) - 120},
            {"exp": None},
            {"sub": None},
            {"nbf": int(time()) + 600},
            {"iss": "https://other.example"},
            {"iss": None},
            {"aud": "another"},
            {"aud": None},
            {"key": OTHERS},
            {"key": ECKey.generate_key("P-256"), "algorithm": "ES256"},
        ],
    )
    def test_opens_nothing(self, house: TestClient, changes: dict[str, Any]) -> None:
        assert code(house.get("/v1/cases", headers=bearer(token(**changes)))) == "key_refused"

    def test_without_a_signature_or_cut_about_opens_nothing(self, house: TestClient) -> None:
        head, body, mark = token().split(".")
        none = "eyJhbGciOiJub25lIn0"
        for shown in (f"{none}.{body}.", f"{head}.{body}.", f"{head}.{body}.{mark[:-4]}AAAA", "..", "a.b.c", f"{head}.{'A' * 9000}.{mark}"):
            assert code(house.get("/v1/cases", headers=bearer(shown))) == "key_refused"

    def test_with_the_public_key_for_a_secret_opens_nothing(self, house: TestClient) -> None:
        """The oldest trick: sign by HMAC with what everybody knows."""
        head = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
        signed = head + b"." + token().split(".")[1].encode()
        for secret in (OURS.as_pem(private=False), OURS.as_pem(private=False).strip(), b""):
            mark = urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
            assert code(house.get("/v1/cases", headers=bearer((signed + b"." + mark).decode()))) == "key_refused"

    def test_is_not_needed_by_nobody(self, house: TestClient) -> None:
        """Where there is a sign-on, this machine is not let in without one either."""
        assert code(house.get("/v1/cases")) == "key_missing"


class TestTheSettings:
    @pytest.mark.parametrize(
        "change", [{"oidc_issuer": ""}, {"oidc_scopes": "rexian=root"}, {"oidc_scopes": "x"}, {"oidc_jwks": "/nowhere"}]
    )
    def test_that_cannot_be_are_told_at_the_start(self, settings: Settings, change: dict[str, str], sqlite_url: str) -> None:
        with pytest.raises(SettingsInvalid), opened(create_app(settings.model_copy(update={"database_url": sqlite_url, **change}))):
            pass
