"""规则: an admin's morning in a browser: a wrong edit is marked at its line, mended, tested, tried on the past, published, taken back."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import House, Open, barriers, housed
from tests.packs.build import tiny
from tests.rulelife.conftest import complete, written

BALL, STAGE = "categories/ball.yaml", "categories/stage.yaml"
WANG = "王科长"
Sent = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that serves by a small pack: what takes a second with all rules takes none here."""
    folder = tmp_path_factory.mktemp("rules")
    with housed(f"sqlite:///{folder}/fenpai.db", FENPAI_PACK=str(written(folder / "tiny", tiny()))) as found:
        yield found


@pytest.fixture
def at(visit: Open) -> Callable[[str], Page]:
    """A page on which somebody has said who they are."""
    return lambda path: visit(path, expected="409|412|422", person=WANG)


def draft(house: House, title: str) -> dict[str, Any]:
    """A draft of the rules in force."""
    found: dict[str, Any] = house.api("POST", "/v1/rulesets/drafts", json={"title": title}).json()
    return found


def text_of(house: House, found: dict[str, Any], file: str = BALL) -> str:
    return house.api("GET", f"/v1/rulesets/drafts/{found['id']}/files/{file}").text


def save(house: House, found: dict[str, Any], text: str, file: str = BALL) -> None:
    headers = {"If-Match": f'"{found["version"]}"', "Content-Type": "text/plain"}
    found |= house.api("PUT", f"/v1/rulesets/drafts/{found['id']}/files/{file}", content=text.encode(), headers=headers).json()


def test_a_wrong_edit_is_marked_at_its_line_and_gone_when_mended(at: Callable[[str], Page]) -> None:
    page = at("/rules")
    page.get_by_label("新草稿的标题").fill("补收羽毛球")
    page.get_by_role("button", name="开草稿").click()
    editor = page.get_by_role("textbox", name=f"规则文件 {BALL}")
    editor.click()
    page.keyboard.press("Control+Home")
    for key in ("ArrowDown", "ArrowDown", "End", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("stren")
    expect(page.get_by_role("option", name="strength")).to_be_visible()
    page.keyboard.type("ght: strong")
    mistakes = page.get_by_role("list", name="错误与提醒")
    expect(mistakes).to_contain_text(f"{BALL} 第 4 行第 5 列")
    expect(mistakes).to_contain_text("strength")
    expect(page.get_by_role("tab", name="检查（1 处错误）")).to_be_visible()
    assert not barriers(page)
    page.reload()  # what was typed is not lost
    expect(page.get_by_role("button", name="保存（1 个文件）")).to_be_visible()
    expect(mistakes).to_contain_text("第 4 行第 5 列")
    mistakes.get_by_role("button").first.click()
    page.keyboard.press("Control+Shift+k")
    expect(page.get_by_text("检查通过，没有错误。")).to_be_visible()
    page.keyboard.press("Escape")  # out of the editor by keyboard: Escape, then Tab
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


def test_a_change_is_tested_tried_on_the_past_published_and_taken_back(house: House, order: Sent, at: Callable[[str], Page]) -> None:
    confirmed = order(content="给孩子报的篮球班不退费。")
    with house.officer() as officer:
        complete(officer, confirmed["id"])
    found = draft(house, "篮球归舞台")
    save(house, found, text_of(house, found).replace("篮球, ", ""))
    save(house, found, text_of(house, found, STAGE).replace("戏剧]", "戏剧, 篮球]"), STAGE)
    page = at(f"/rules/drafts/{found['id']}")
    page.get_by_role("tab", name="改动").click()
    expect(page.get_by_role("tabpanel", name="改动")).to_contain_text("ball.programs")
    page.get_by_role("tab", name="影响").click()
    page.get_by_role("button", name="保存并试算影响").click()
    panel = page.get_by_role("tabpanel", name="影响")
    expect(panel.get_by_role("alert")).to_contain_text("1 件经人确认判对的会变错")
    panel.get_by_role("button", name="从云溪区球场办到云溪区舞台办，1 件").click()
    expect(panel.get_by_role("list", name="去向改变的案件")).to_contain_text("弄坏确认过的")
    assert not barriers(page)
    page.reload()  # who comes back finds what was done
    page.get_by_role("tab", name="影响").click()
    expect(panel.get_by_role("alert")).to_contain_text("1 件经人确认判对的会变错")

    page.get_by_role("tab", name="用例").click()
    page.get_by_role("button", name="保存并运行用例").click()
    page.get_by_role("list", name="不符的用例").get_by_role("button", name="categories/ball.test.yaml").first.click()
    expect(page.locator(".cm-case.wrong").first).to_be_visible()
    expect(page.locator(".cm-case.wrong").first).to_have_attribute("title", re.compile("用例不符：云溪区某篮球班.*期望 gym_office"))

    page.get_by_role("tab", name="发布").click()
    page.get_by_label("发布说明").fill("篮球归舞台办")
    page.get_by_role("button", name="发布并启用").click()
    refusal = page.get_by_role("tabpanel", name="发布").get_by_role("alert")
    expect(refusal).to_contain_text("用例")
    for file in ("categories/ball.test.yaml", "categories/stage.test.yaml"):  # somebody mends the cases meanwhile
        save(house, found, text_of(house, found, file).replace("篮球", "足球"), file)
    page.get_by_role("button", name="发布并启用").click()
    expect(refusal).to_contain_text("tests 刚才存了第 5 稿")
    refusal.get_by_role("button", name="看改动").click()
    expect(page.get_by_role("tabpanel", name="改动")).to_contain_text("足球班")
    page.get_by_role("tab", name="发布").click()  # what was written there is there
    page.get_by_role("button", name="发布并启用").click()
    expect(refusal).to_contain_text("经人确认")
    page.get_by_label("仍要发布的理由").fill("确有分工调整")
    page.get_by_role("button", name="发布并启用").click()
    expect(page.get_by_text("版已发布并启用")).to_be_visible()
    assert not barriers(page)
    versions = page.get_by_role("list", name="版本").get_by_role("listitem")
    expect(versions.first).to_contain_text("推翻的理由：确有分工调整")
    compared_and_taken_back(page, versions)
    assert house.api("GET", "/v1/rulesets/active").json()["version"] == 1


def compared_and_taken_back(page: Page, versions: Locator) -> None:
    """The newest version of the list against the first, which is put into force again."""
    page.get_by_role("combobox", name="从").click()
    page.get_by_role("option", name="第 1 版").click()
    page.get_by_role("combobox", name="到").click()
    page.get_by_role("option", name="篮球归舞台办").click()
    page.get_by_role("button", name="比较这两版").click()
    expect(page.get_by_role("region", name="两版的差异")).to_contain_text("ball.programs")
    versions.last.get_by_role("button", name="撤回到这一版").click()
    dialog = page.get_by_role("dialog", name="启用第 1 版")
    expect(dialog).to_contain_text("ball.programs")
    dialog.get_by_label("为什么").fill("改错了")
    dialog.get_by_role("button", name="启用").click()
    expect(dialog).to_be_hidden()
    expect(versions.last).to_contain_text("第 1 版 在用")


def test_two_who_change_one_file_are_shown_both_and_nothing_is_lost(house: House, at: Callable[[str], Page]) -> None:
    found = draft(house, "两个人")
    page = at(f"/rules/drafts/{found['id']}?file={BALL}")
    page.get_by_role("textbox", name=f"规则文件 {BALL}").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# 我写的\n")
    save(house, found, "# 对方写的\n" + text_of(house, found))
    page.get_by_role("button", name="保存（1 个文件）").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("对方已保存的")).to_contain_text("# 对方写的")
    expect(dialog.get_by_label("您写的")).to_contain_text("# 我写的")
    assert not barriers(page)
    dialog.get_by_role("button", name="保存右边的").click()
    expect(page.get_by_role("button", name="保存", exact=True)).to_be_disabled()
    assert text_of(house, found).startswith("# 我写的\n")


def test_files_and_rules_are_found_and_what_the_prover_finds_becomes_a_case(house: House, at: Callable[[str], Page]) -> None:
    found = draft(house, "看一看")
    save(house, found, text_of(house, found).replace("水果篮球状]", "水果篮球状, 篮球班]"))
    page = at(f"/rules/drafts/{found['id']}")
    page.get_by_text("规则表").click()
    page.get_by_label("查找规则").fill("ball.taught")
    page.get_by_role("button", name="学球", exact=True).click()
    expect(page.locator(".cm-activeLine")).to_have_text("- id: ball.taught")
    page.get_by_role("treeitem", name="signals.yaml").press("Enter")
    expect(page.get_by_role("textbox", name="规则文件 signals.yaml")).to_be_visible()
    page.get_by_role("tab", name="查证").click()
    page.get_by_role("button", name="保存并查证").click()
    page.get_by_role("list", name="查证结果").get_by_role("button", name="存为用例").first.click()
    expect(page.get_by_role("button", name="保存（1 个文件）")).to_be_visible()
    expect(page.locator(".cm-activeLine")).to_contain_text("text: ")
    page.keyboard.press("Control+s")
    page.get_by_role("tab", name="用例").click()
    page.get_by_role("button", name="保存并运行用例").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("text: ")
    expect(page.locator(".cm-case.right").last).to_be_visible()


def test_a_draft_whose_base_has_moved_takes_in_what_came_since(house: House, at: Callable[[str], Page]) -> None:
    mine, theirs = draft(house, "收羽毛球"), draft(house, "收壁球")
    for found, word in ((mine, "羽毛球"), (theirs, "壁球")):
        save(house, found, text_of(house, found).replace("网球]", f"网球, {word}]").replace("name: 球类项目", f"name: 球类（{word}）"))
    put = {"json": {"note": "收壁球"}, "headers": {"If-Match": f'"{theirs["version"]}"'}}
    house.api("POST", f"/v1/rulesets/drafts/{theirs['id']}/publish", **put)
    page = at(f"/rules/drafts/{mine['id']}?step=publish")
    page.get_by_role("button", name="合并进来").click()
    expect(page.get_by_role("tabpanel", name="发布")).to_contain_text("球类项目 → 球类（壁球）；增词 壁球")
    page.get_by_role("button", name="同一处以草稿为准").click()
    expect(page.get_by_role("button", name="合并进来")).to_have_count(0)
    assert "name: 球类（羽毛球）" in text_of(house, mine)
    assert "网球, 壁球, 羽毛球]" in text_of(house, mine) or "网球, 羽毛球, 壁球]" in text_of(house, mine)
    page.get_by_label("发布说明").fill("收羽毛球")
    page.get_by_role("button", name="发布并启用").click()
    expect(page.get_by_text("版已发布并启用")).to_be_visible()
