"""The shell around all pages: menu, look, addresses, and what is told where the console is not built."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.console.conftest import House, Open, barriers, housed
from tests.packs.build import tiny
from tests.rulelife.conftest import written

PAGES = ["今日", "工单", "待研判", "试一试", "规则", "名录", "单位", "送达", "系统"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that serves by a small pack, which is there sooner."""
    folder = tmp_path_factory.mktemp("shell")
    with housed(f"sqlite:///{folder}/fenpai.db", FENPAI_PACK=str(written(folder / "tiny", tiny()))) as found:
        yield found


def test_the_menu_leads_by_keyboard_to_pages_without_barriers_in_the_light_and_in_the_dark(visit: Open) -> None:
    page = visit("/")
    for name in PAGES:
        link = page.get_by_role("link", name=name, exact=True)
        link.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(link).to_have_attribute("aria-current", "page")
        assert not barriers(page)
        page.get_by_role("button", name="深色").click()
        page.set_viewport_size({"width": 390, "height": 900})
        assert not barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page is wider than the screen"
        page.get_by_role("button", name="浅色").click()
        page.set_viewport_size({"width": 1280, "height": 900})


def test_an_address_that_leads_nowhere_says_so(visit: Open) -> None:
    expect(visit("/nowhere").get_by_text("没有这个页面")).to_be_visible()


def test_no_style_or_script_but_its_own_may_run(house: House) -> None:
    answer = house.api("GET", "/console/")
    policy = answer.headers["content-security-policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert "script-src 'self';" in policy
    assert nonce in answer.text
    assert nonce not in house.api("GET", "/console/").text


def test_who_acts_is_asked_for_where_it_is_not_known(visit: Open) -> None:
    page = visit("/rules", expected="400")
    page.get_by_placeholder("打算改什么").fill("补收空灵鼓")
    page.get_by_role("button", name="开草稿").click()
    expect(page.get_by_text("请在右上角写明经办人和身份")).to_be_visible()
    page.get_by_label("经办人").fill("王科长")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="开草稿").click()
    expect(page).to_have_url(re.compile("/rules/.+"))


def test_its_files_go_out_packed_and_are_kept_for_good(house: House) -> None:
    path = re.findall(r'"(/console/assets/[^"]+[.]js)"', house.api("GET", "/console/").text)[0]
    packed, plain = (house.api("GET", path, headers={"accept-encoding": coding}) for coding in ("gzip", "identity"))
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", plain.text)
    assert int(packed.headers["content-length"]) * 2 < int(plain.headers["content-length"])
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
