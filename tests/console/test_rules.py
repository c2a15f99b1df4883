"""规则: an admin's morning in a browser: a wrong edit is marked at its line, mended, tested, tried on the past, published, taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import House, Open, barriers

ARTS = "categories/arts.yaml"
DANCE = "category: arts\n    program: true\n    terms: [\n      舞蹈,"
PATIENCE = 30_000
"""Milliseconds that work on all rules may take on a busy machine."""
SPORT = DANCE.replace("arts", "sports", 1)


@pytest.fixture
def signed(visit: Open) -> Callable[[str], Page]:
    """A page on which somebody has said who they are."""

    def open_page(path: str) -> Page:
        page = visit("/system", expected="412|422")
        page.evaluate("localStorage.setItem('fenpai.identity', JSON.stringify({person: '王科长', part: 'admin'}))")
        page.goto(page.url.replace("/system", path))
        return page

    return open_page


def draft(house: House, title: str) -> dict[str, Any]:
    """A draft of the rules in force."""
    found: dict[str, Any] = house.api("POST", "/v1/rulesets/drafts", json={"title": title}).json()
    return found


def text_of(house: House, found: dict[str, Any]) -> str:
    return house.api("GET", f"/v1/rulesets/drafts/{found['id']}/files/{ARTS}").text


def save(house: House, found: dict[str, Any], text: str) -> None:
    headers = {"If-Match": f'"{found["version"]}"', "Content-Type": "text/plain"}
    found |= house.api("PUT", f"/v1/rulesets/drafts/{found['id']}/files/{ARTS}", content=text.encode(), headers=headers).json()


def test_a_wrong_edit_is_marked_at_its_line_and_gone_when_mended(signed: Callable[[str], Page]) -> None:
    page = signed("/rules")
    page.get_by_label("新草稿的标题").fill("补收体能课")
    page.get_by_role("button", name="开草稿").click()
    editor = page.get_by_role("textbox", name=f"规则文件 {ARTS}")
    editor.click()
    page.keyboard.press("Control+Home")
    for key in ("ArrowDown", "ArrowDown", "End", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("stren")
    expect(page.get_by_role("option", name="strength")).to_be_visible()
    page.keyboard.type("ght: strong")
    mistakes = page.get_by_role("list", name="错误与提醒")
    expect(mistakes).to_contain_text(f"{ARTS} 第 4 行第 5 列")
    expect(mistakes).to_contain_text("strength")
    expect(page.get_by_role("tab", name="检查（1 处错误）")).to_be_visible()
    assert not barriers(page)
    page.reload()  # what was typed is not lost
    expect(page.get_by_role("button", name="保存（1 个文件）")).to_be_visible()
    expect(mistakes).to_contain_text("第 4 行第 5 列")
    mistakes.get_by_role("button").first.click()
    page.keyboard.press("Control+Shift+k")
    expect(page.get_by_text("检查通过，没有错误。")).to_be_visible()


def test_a_change_is_tested_tried_on_the_past_published_and_taken_back(
    house: House, order: Callable[..., Any], signed: Callable[[str], Page]
) -> None:
    order(title="舞蹈班退费", content="北辰区某机构的少儿舞蹈课关门了，孩子的学费不退。")
    found = draft(house, "芭蕾另算")
    save(house, found, text_of(house, found).replace("古典舞, 民族舞,", "古典舞,").replace(DANCE, SPORT))
    page = signed(f"/rules/drafts/{found['id']}")
    page.get_by_role("tab", name="改动").click()
    expect(page.get_by_role("tabpanel", name="改动")).to_contain_text("arts.dance")
    page.get_by_role("tab", name="影响").click()
    page.get_by_role("button", name="保存并试算影响").click()
    expect(page.get_by_role("tabpanel", name="影响").get_by_role("status")).to_contain_text("1 件中", timeout=PATIENCE)
    page.get_by_role("tab", name="用例").click()
    page.get_by_role("button", name="保存并运行用例").click()
    wrong = page.get_by_role("list", name="不符的用例")
    expect(wrong).to_contain_text("categories/arts.test.yaml", timeout=PATIENCE)
    page.get_by_role("tab", name="发布").click()
    page.get_by_label("发布说明").fill("舞蹈归体育")
    page.get_by_label("仍要发布的理由").fill("用例随后补改")
    page.get_by_role("button", name="发布并启用").click()
    expect(page.get_by_text("第 2 版已发布并启用")).to_be_visible(timeout=PATIENCE)
    assert not barriers(page)
    page.get_by_role("button", name="撤回到这一版").click()
    dialog = page.get_by_role("dialog", name="启用第 1 版")
    expect(dialog).to_contain_text("舞蹈")
    dialog.get_by_label("为什么").fill("改错了")
    dialog.get_by_role("button", name="启用").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("list", name="版本").get_by_role("listitem").nth(1)).to_contain_text("第 1 版 在用")
    assert house.api("GET", "/v1/rulesets/active").json()["version"] == 1


def test_two_who_change_one_file_are_shown_both_and_nothing_is_lost(house: House, signed: Callable[[str], Page]) -> None:
    found = draft(house, "两个人")
    page = signed(f"/rules/drafts/{found['id']}?file={ARTS}")
    page.get_by_role("textbox", name=f"规则文件 {ARTS}").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# 我写的\n")
    save(house, found, "# 对方写的\n" + text_of(house, found))
    page.get_by_role("button", name="保存（1 个文件）").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("对方已保存的")).to_contain_text("# 对方写的")
    expect(dialog.get_by_label("您写的")).to_contain_text("# 我写的")
    dialog.get_by_role("button", name="保存右边的").click()
    expect(page.get_by_role("button", name="保存", exact=True)).to_be_disabled()
    assert text_of(house, found).startswith("# 我写的\n")


def test_all_rules_stand_in_a_table_that_leads_to_their_line(house: House, signed: Callable[[str], Page]) -> None:
    found = draft(house, "看一看")
    page = signed(f"/rules/drafts/{found['id']}")
    page.get_by_text("规则表").click()
    page.get_by_label("查找规则").fill("arts.dance")
    page.get_by_role("button", name="舞蹈", exact=True).click()
    expect(page.locator(".cm-activeLine")).to_have_text("- id: arts.dance")
