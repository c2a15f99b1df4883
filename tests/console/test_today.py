"""The day at a glance: figures of a chosen period, moved on by the feed, with their cases behind them; a replica that goes and comes."""

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import Open, barriers, housed

KEYED = {"FENPAI_DATA_KEY": Fernet.generate_key().decode()}
Send = Callable[..., dict[str, Any]]


def figure(page: Page, label: str) -> Locator:
    return page.get_by_role("link", name=re.compile(f"^{label}"))


@pytest.fixture(scope="module")
def day(order: Send) -> None:
    """Three cases that came in today: two of a street and of refunds, one sent back."""
    order(street="天穆镇")
    order(street="天穆镇")
    order(title="私家车堵门", content="小区私家车堵住消防通道，请处理。")


@pytest.mark.usefixtures("day")
class TestToday:
    def test_each_figure_leads_to_its_cases(self, visit: Open) -> None:
        page = visit("/")
        expect(figure(page, "受理")).to_contain_text("3 件")
        expect(figure(page, "退回热线")).to_contain_text("1 件")
        assert not barriers(page)
        page.get_by_role("region", name="各镇街").get_by_role("link", name="天穆镇").click()
        expect(page.get_by_label("镇街", exact=True)).to_have_value("天穆镇")
        expect(page.get_by_text("本页 2 件")).to_be_visible()
        page.go_back()
        figure(page, "退回热线").click()
        expect(page.get_by_role("link", name="私家车堵门")).to_be_visible()
        expect(page.get_by_text("本页 1 件")).to_be_visible()

    def test_the_period_stands_in_the_address(self, visit: Open) -> None:
        page = visit("/?from=2026-01-01&to=2026-01-31")
        expect(figure(page, "受理")).to_contain_text("0 件")
        page.get_by_role("button", name="30 天").click()
        expect(figure(page, "受理")).to_contain_text("3 件")
        assert page.url.endswith("?period=month")
        leads = page.get_by_role("table").get_by_role("link")
        count = int(leads.first.inner_text())
        leads.first.click()
        expect(page.get_by_text(f"本页 {count} 件")).to_be_visible()

    def test_new_cases_are_counted_without_a_reload(self, visit: Open, order: Send) -> None:
        page = visit("/", width=390)
        expect(figure(page, "受理")).to_contain_text("3 件")
        order()
        expect(figure(page, "受理")).to_contain_text("4 件", timeout=10_000)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two that are free at the moment."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def test_a_replica_that_is_killed_and_comes_back_is_waited_for(visit: Open, postgres_url: str, ports: tuple[int, int]) -> None:
    """Two replicas on PostgreSQL; the page hangs on one, the case comes in at the other while the first is away."""
    one, other = ports
    with housed(postgres_url, other, **KEYED) as second:
        with housed(postgres_url, one, **KEYED) as first:
            page = visit("/", url=first.url, expected="ERR_|Failed to load")
            expect(figure(page, "受理")).to_contain_text("0 件")
            first.kill()
            expect(page.get_by_role("alert").filter(has_text="连不上服务")).to_be_visible()
            body = {"source_system": "tests", "source_order_no": "away", "title": "舞蹈班退费", "content": "舞蹈培训班关门，不退课时费。"}
            second.api("POST", "/v1/cases", json=body)
        with housed(postgres_url, one, **KEYED):
            expect(page.get_by_role("alert").filter(has_text="连不上服务")).to_have_count(0, timeout=40_000)
            expect(figure(page, "受理")).to_contain_text("1 件", timeout=15_000)
