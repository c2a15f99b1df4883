"""试一试: a text is judged as it is typed, a question is answered with a click, a draft shows what it would change."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.console.conftest import House, Open, barriers

UNSURE = "市民反映北辰区某培训机构关门了，孩子学舞蹈，也教英语，剩余课时费不退。"
ARTS = "category: arts\n    program: true\n    terms: [\n      舞蹈"


@pytest.fixture(scope="module")
def draft(house: House) -> dict[str, Any]:
    """A draft in which dance is a sport."""
    found: dict[str, Any] = house.api("POST", "/v1/rulesets/drafts", json={"title": "舞蹈归体育"}).json()
    path = f"/v1/rulesets/drafts/{found['id']}/files/categories/arts.yaml"
    text = house.api("GET", path).text.replace(ARTS, ARTS.replace("arts", "sports"))
    house.api("PUT", path, content=text.encode(), headers={"If-Match": f'"{found["version"]}"', "Content-Type": "text/plain"})
    return found


def test_a_text_is_judged_as_it_is_typed_and_an_answer_settles_it(visit: Open) -> None:
    page = visit("/try")
    page.get_by_label("诉求内容").fill(UNSURE)
    active = page.get_by_role("region", name="在用的规则")
    expect(active).to_contain_text("涉及多个单位")
    page.get_by_role("button", name="文化课 → 区教育局").click()
    expect(active).to_contain_text("类别明确")
    expect(active.get_by_text("分派", exact=True)).to_be_visible()
    assert not barriers(page)
    page.get_by_role("button", name="撤掉这个回答").click()
    expect(active).to_contain_text("涉及多个单位")


def test_evidence_tells_its_rule_and_clause_to_the_keyboard_too(visit: Open) -> None:
    page = visit("/try", 390)
    page.get_by_label("诉求内容").fill("😀" + UNSURE)
    mark = page.get_by_role("group", name="依据：机构类别").filter(has_text="学舞蹈")
    mark.focus()
    slip = page.get_by_role("tooltip")
    expect(slip).to_contain_text("文化艺术类")
    expect(slip).to_contain_text("arts.taught")
    expect(slip).to_contain_text("北辰区校外培训机构监督管理工作方案")
    assert not barriers(page)
    page.keyboard.press("Escape")
    expect(slip).to_be_hidden()


def test_a_draft_stands_beside_the_rules_in_force_with_what_it_changes(visit: Open, draft: dict[str, Any]) -> None:
    page = visit(f"/try?draft={draft['id']}")
    page.get_by_label("诉求内容").fill("孩子在北辰区某培训机构学舞蹈，报名后不退费。")
    expect(page.get_by_role("region", name="与草稿的不同")).to_contain_text("机构类别：")
    expect(page.get_by_role("region", name="草稿", exact=True)).to_contain_text("体育类")
    expect(page.get_by_role("region", name="在用的规则")).to_contain_text("文化艺术类")
