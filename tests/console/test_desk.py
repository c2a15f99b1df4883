"""The desk: what the rules could not settle is decided in two keys, taken back in time, and never lost when another was quicker."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api.conftest import eventually
from tests.console.conftest import House, Open, barriers
from tests.rulelife.conftest import move

Send = Callable[..., dict[str, Any]]
UNSURE = "楼上培训班吵死了，一下课几十个孩子跑来跑去，管不管？"


def left_over(house: House) -> list[dict[str, Any]]:
    """What earlier tests left on the desk, and return it: a page that was closed may be sending its own decision at this moment."""
    found: list[dict[str, Any]] = house.api("GET", "/v1/cases", params={"status": "escalated"}).json()["cases"]
    for case in found:
        headers = {"X-Fenpai-Actor": "tests", "X-Fenpai-Department": "admin", "If-Match": f'"{case["version"]}"'}
        said = {"reason_code": "no_facts", "text": "测试结束"}
        answer = httpx.post(f"{house.url}/v1/cases/{case['id']}/return", json=said, headers=headers)
        assert answer.status_code in {200, 412}, answer.text
    return found


@pytest.fixture
def unsure(order: Send, house: House) -> list[dict[str, Any]]:
    """Three cases that wait on the desk, and no others."""
    eventually(lambda: not left_over(house))
    return [order(title=f"吵闹 {n}", content=UNSURE) for n in (1, 2, 3)]


def offered(page: Page) -> Locator:
    return page.get_by_role("region", name="派给谁")


def signed(page: Page) -> Page:
    page.get_by_label("先写明经办人").fill("周")
    page.get_by_role("button", name="好", exact=True).click()
    expect(offered(page).get_by_role("button", name="退回热线")).to_be_visible()
    return page


def title(page: Page, number: int) -> None:
    """Wait until this case lies on the desk and may be decided."""
    expect(page.get_by_role("region", name="诉求内容")).to_contain_text(f"吵闹 {number}")
    expect(page.get_by_text("正在看您可以做什么")).to_have_count(0)


def now(house: House, case: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = house.api("GET", f"/v1/cases/{case['id']}").json()
    return found


def test_two_keys_decide_and_the_next_case_lies_there(visit: Open, house: House, unsure: list[dict[str, Any]]) -> None:
    page = signed(visit("/desk"))
    title(page, 1)
    assert not barriers(page)
    first, second = page.locator("[data-candidate]").nth(0), page.locator("[data-candidate]").nth(1)
    expect(first).to_contain_text("现在的主办")
    page.get_by_role("link", name="待研判", exact=True).focus()  # as after a click on it in the menu
    page.keyboard.press("2")
    expect(second).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    title(page, 2)
    expect(page.get_by_text("秒后提交")).to_contain_text("吵闹 1")
    expect(first).to_contain_text("现在的主办")
    page.keyboard.press("1")
    page.keyboard.press("Enter")  # the first decision is sent as the second is made
    title(page, 3)
    page.keyboard.press("u")
    title(page, 2)
    expect(page.get_by_text("秒后提交")).to_have_count(0)
    expect(page.get_by_role("list", name="待研判的工单").get_by_role("listitem")).to_have_count(2)
    decided = now(house, unsure[0])
    assert (decided["status"], decided["truth"]["actor"]) == ("dispatched", "周")
    assert decided["lead"] != unsure[0]["triage"]["lead"]
    assert now(house, unsure[1])["version"] == 1


def test_leaving_the_page_sends_what_waits(visit: Open, house: House, unsure: list[dict[str, Any]]) -> None:
    page = signed(visit("/desk"))
    title(page, 1)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    title(page, 2)
    with page.expect_response("**/reclassify"):
        page.get_by_role("link", name="工单", exact=True).click()
    confirmed = now(house, unsure[0])
    assert (confirmed["status"], confirmed["lead"], confirmed["hops"]) == ("dispatched", unsure[0]["triage"]["lead"], 1)


def test_who_was_slower_chooses_again(visit: Open, house: House, unsure: list[dict[str, Any]]) -> None:
    page = signed(visit("/desk", expected="412|Precondition"))
    title(page, 1)
    page.keyboard.press("2")
    house.api("POST", f"/v1/cases/{unsure[0]['id']}/urge", json={}, headers={"If-Match": '"1"'})
    page.keyboard.press("Enter")
    title(page, 2)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("没有提交成功")).to_contain_text("吵闹 1")
    expect(page.get_by_role("alert")).to_contain_text("催办")
    page.get_by_role("button", name="知道了，仍按我写的提交").click()
    expect(page.get_by_text("没有提交成功")).to_have_count(0)
    assert now(house, unsure[0])["status"] == "dispatched"


def test_what_another_has_settled_is_not_settled_again(visit: Open, house: House, unsure: list[dict[str, Any]]) -> None:
    page = signed(visit("/desk", expected="412|Precondition"))
    title(page, 1)
    page.keyboard.press("2")
    said = {"lead": unsure[0]["triage"]["lead"], "reason": "现场看过"}
    other = {"X-Fenpai-Actor": "wang", "X-Fenpai-Department": "admin", "If-Match": '"1"'}
    house.api("POST", f"/v1/cases/{unsure[0]['id']}/reclassify", json=said, headers=other)
    page.keyboard.press("Enter")
    title(page, 2)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    merge = page.get_by_role("alert").filter(has_text="有了变更")
    expect(merge).to_contain_text("现场看过")
    expect(merge).to_contain_text("已经有人办了")
    expect(merge.get_by_role("button", name="仍按我写的提交")).to_have_count(0)
    merge.get_by_role("button", name="知道了").click()
    expect(merge).to_have_count(0)
    assert now(house, unsure[0])["version"] == 2


def test_the_question_is_tried_and_buttons_do_on_a_phone(visit: Open, house: House, unsure: list[dict[str, Any]]) -> None:
    page = signed(visit("/desk", width=390))
    title(page, 1)
    answers = page.get_by_role("region", name="问一句就能定").get_by_role("button")
    answers.last.click()
    expect(page.get_by_text("这样回答：")).to_contain_text("主办")
    chosen = page.locator("[data-candidate][aria-pressed=true] b").inner_text()
    assert not barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="派给它").click()
    title(page, 2)
    page.goto(f"{house.url}/console/cases/{unsure[0]['id']}")  # whoever closes the page means what they decided
    expect(page.get_by_role("region", name="经过")).to_contain_text("更正")
    words = house.api("GET", "/v1/vocabulary").json()["department"]
    assert words[now(house, unsure[0])["lead"]] == chosen


def test_what_is_none_of_ours_goes_back_with_a_reason(visit: Open, house: House, unsure: list[dict[str, Any]]) -> None:
    page = signed(visit("/desk"))
    title(page, 1)
    page.keyboard.press("0")
    page.get_by_label("退回理由").select_option(label="没有具体事实")
    page.get_by_label("退回说明").fill("联系不上诉求人")
    page.get_by_role("form", name="退回热线").get_by_role("button", name="退回热线").click()
    title(page, 2)
    assert now(house, unsure[0])["status"] == "returned"


def test_what_a_department_handed_back_goes_where_it_says_in_two_keys(visit: Open, house: House, order: Send) -> None:
    case, clause = order(title="退给别人"), next(iter(house.api("GET", "/v1/vocabulary").json()["clause"]))
    said = {"reason_code": "not_ours", "text": "不归我们管", "clause": clause, "suggested": "education"}
    with house.officer() as officer:
        move(officer, case["id"], "hand-back", case["triage"]["lead"], **said)
    page = signed(visit("/desk?queue=handed_back"))
    expect(page.locator("[data-candidate]").first).to_contain_text("退单时的建议")
    expect(page.get_by_text("正在看您可以做什么")).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="工单", exact=True).click()  # whoever leaves the desk means what they decided
    eventually(lambda: (now(house, case)["status"], now(house, case)["lead"]) == ("dispatched", "education"))


def test_the_keys_are_told_and_can_be_put_out(visit: Open, unsure: list[dict[str, Any]]) -> None:
    assert unsure
    page = signed(visit("/desk"))
    title(page, 1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="快捷键")).to_contain_text("撤销刚才的决定")
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="快捷键").uncheck()
    page.get_by_role("checkbox", name="快捷键").blur()
    page.keyboard.press("j")
    title(page, 1)
    page.get_by_role("button", name="下一件").click()
    title(page, 2)
