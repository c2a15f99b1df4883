"""The day at a glance: figures of a chosen period, moved on by the feed, with their cases behind them; a replica that goes and comes."""

import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import Locator, Page, expect

from tests.api.conftest import eventually
from tests.console.conftest import House, Open, barriers, housed

KEYED = {"FENPAI_DATA_KEY": Fernet.generate_key().decode()}
Send = Callable[..., dict[str, Any]]


def figure(page: Page, label: str) -> Locator:
    return page.get_by_role("link", name=re.compile(f"^{label}"))


@pytest.fixture(scope="module")
def house(module_url: str) -> Iterator[House]:
    """On PostgreSQL, so that another replica may stand beside it."""
    with housed(module_url, 0, **KEYED) as found:
        yield found


@pytest.fixture(scope="module")
def day(order: Send, house: House) -> None:
    """Four cases that came in today: three of a street and of one institution, of which an incident was made, and one sent back."""
    for _ in range(3):
        order(street="天穆镇", institution="鲸豆湾篮球馆")
    order(title="私家车堵门", content="小区私家车堵住消防通道，请处理。")
    eventually(lambda: any(one["members"] == 3 for one in house.api("GET", "/v1/incidents").json()["incidents"]))


@pytest.mark.usefixtures("day")
class TestToday:
    def test_each_figure_leads_to_its_cases(self, visit: Open) -> None:
        page = visit("/")
        expect(figure(page, "受理")).to_contain_text("4 件另有群体事件 1 起")
        expect(figure(page, "退回热线")).to_contain_text("1 件")
        expect(page.get_by_role("region", name="派得准不准")).to_contain_text("一次派准率尚无签收")
        expect(page.get_by_role("region", name="群体事件")).to_contain_text("3 件")
        assert not barriers(page)
        page.get_by_role("region", name="各镇街").get_by_role("link", name="天穆镇").click()
        expect(page.get_by_label("镇街", exact=True)).to_have_value("天穆镇")
        expect(page.get_by_text("共 3 件")).to_be_visible()
        page.go_back()
        page.get_by_role("region", name="各镇街").get_by_role("link", name="没有写明").click()
        expect(page.get_by_label("没有写明")).to_have_value("street")
        expect(page.get_by_text("共 1 件")).to_be_visible()
        page.go_back()
        figure(page, "受理").click()
        expect(page.get_by_text("共 4 件")).to_be_visible()
        page.get_by_label("群体事件", exact=True).select_option("")
        expect(page.get_by_text("共 5 件")).to_be_visible()
        page.go_back()
        page.go_back()
        figure(page, "退回热线").click()
        expect(page.get_by_role("link", name="私家车堵门")).to_be_visible()
        expect(page.get_by_text("本页 1 件")).to_be_visible()

    def test_the_period_stands_in_the_address(self, visit: Open) -> None:
        page = visit("/?from=2026-01-01&to=2026-01-31")
        expect(figure(page, "受理")).to_contain_text("0 件")
        page.get_by_role("button", name="30 天").click()
        expect(figure(page, "受理")).to_contain_text("4 件")
        assert page.url.endswith("?period=month")
        leads = page.get_by_role("table").get_by_role("link")
        count = int(leads.first.inner_text())
        leads.first.click()
        expect(page.get_by_text(f"共 {count} 件")).to_be_visible()

    def test_new_cases_are_counted_without_a_reload(self, visit: Open, order: Send) -> None:
        page = visit("/", width=390)
        expect(figure(page, "受理")).to_contain_text("4 件")
        order()
        expect(figure(page, "受理")).to_contain_text("5 件")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture
def port() -> int:
    """One that is free at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_replica_that_is_killed_and_comes_back_is_waited_for(visit: Open, order: Send, module_url: str, port: int) -> None:
    """The page hangs on a second replica; a case comes in at the first while the second is away."""
    with housed(module_url, port, **KEYED) as second:
        page = visit("/", url=second.url, expected="ERR_|Failed to load")
        shown = figure(page, "受理").locator("b")
        expect(shown).to_have_text(re.compile(r"\d+ 件"))
        count = int(shown.inner_text().split()[0])
        second.kill()
        expect(page.get_by_role("alert").filter(has_text="连不上服务")).to_be_visible()
        expect(shown).to_have_text(f"{count} 件")
        order()
    with housed(module_url, port, **KEYED):
        expect(page.get_by_role("alert").filter(has_text="连不上服务")).to_have_count(0, timeout=40_000)
        expect(shown).to_have_text(f"{count + 1} 件")
