"""单位账号登录: the button is there where a sign-on is set, leads there and back, and who was not let in reads why."""

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.console.conftest import House, Open, barriers, housed
from tests.provider import CLIENT, SECRET, Provider, provider


@pytest.fixture(scope="module")
def sign_on() -> Iterator[Provider]:
    """By another name than the house, so that the way back is a step from another site, as it will be in a district."""
    with provider("localhost") as found:
        yield found


@pytest.fixture(scope="module")
def house(sign_on: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The sign-on must know the address of the house before it stands."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    how = {"ISSUER": sign_on.url, "CLIENT": CLIENT, "SECRET": SECRET, "SCOPES": "rexian=hotline,wenlv=department:culture_sports"}
    settings = {f"FENPAI_OIDC_{name}": value for name, value in how.items()} | {"FENPAI_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    sign_on.redirect_uri = f"http://127.0.0.1:{port}/v1/session/oidc/callback"
    with housed(f"sqlite:///{tmp_path_factory.mktemp('signon')}/fenpai.db", port, **settings) as found:
        yield found


def test_leads_to_the_sign_on_and_back_to_the_page_with_what_the_roles_open(visit: Open, sign_on: Provider) -> None:
    sign_on.person = {"sub": "u-8", "name": "王科长", "roles": ["wenlv"]}
    page = visit("/system", beside=sign_on.url)
    assert not barriers(page)
    page.get_by_role("button", name="单位账号登录").click()
    here = page.get_by_role("region", name="当前身份")
    expect(here).to_contain_text("王科长")
    expect(here).to_contain_text("文化和旅游局")
    assert page.url.endswith("/console/system")
    expect(page.get_by_role("tab", name="钥匙")).to_have_count(0)
    page.reload()
    expect(here).to_contain_text("王科长")


def test_who_has_no_role_here_reads_why_and_comes_back_to_the_door(visit: Open, sign_on: Provider) -> None:
    sign_on.person = {"sub": "u-9", "name": "李科长", "roles": ["other"]}
    page = visit("/cases", beside=sign_on.url, expected="403")
    page.get_by_role("button", name="单位账号登录").click()
    expect(page.get_by_text("您的账号没有本服务的权限")).to_be_visible()
    assert not barriers(page)
    page.get_by_role("link", name="回到登录页").click()
    expect(page.get_by_role("button", name="单位账号登录")).to_be_visible()
