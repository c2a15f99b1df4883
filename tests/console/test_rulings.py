"""规则 day by day: what people ruled is kept in a ledger, puts a rule to rest, proposes repairs; a shadow runs; a second person agrees."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import House, Open, barriers, housed
from tests.packs.build import edited
from tests.rulelife.conftest import complete, move, written

FLOOR = "pack: tiny\nfloor: {precision: 60, cases: 6, confidence: 95}\n"
OWN = "篮球"
WANG, LI = "王科长", "李局长"
Sent = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that serves by a small pack with a floor, which has never heard of 足球."""
    folder = tmp_path_factory.mktemp("rulings")
    files = edited("categories/ball.yaml", "足球, ", "")
    files["ruleset.yaml"] = files["ruleset.yaml"].replace("pack: tiny\n", FLOOR)
    with housed(f"sqlite:///{folder}/fenpai.db", FENPAI_PACK=str(written(folder / "tiny", files))) as found:
        yield found


@pytest.fixture
def at(visit: Open) -> Callable[..., Page]:
    """A page on which somebody has said who they are."""
    return lambda path, person=WANG: visit(path, expected="403|409|412|422", person=person)


def test_what_officers_mended_is_proposed_as_an_edit_and_becomes_a_draft(house: House, order: Sent, at: Callable[..., Page]) -> None:
    with house.officer() as officer:
        for text in ("给孩子报的足球班不退费", "小区里的足球课太贵"):
            case = order(title="", content=text)  # returned: the rules see nothing
            move(officer, case["id"], "re-dispatch", "hotline", lead="gym_office", reason="是球类")
            complete(officer, case["id"])
        complete(officer, order(title="", content=f"孩子的{OWN}班不退费。")["id"])
    page = at("/rules?tab=repair")
    page.get_by_role("button", name="找修补的办法").click()
    expect(page.get_by_text("ball.programs 的 terms 加「足球」")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("判错 2 件")
    assert not barriers(page)
    page.get_by_role("tab", name="台账").click()
    page.get_by_role("tab", name="修补").click()
    page.get_by_role("button", name="采纳为草稿").click()
    page.get_by_role("tab", name="用例").click()
    page.get_by_role("button", name="保存并运行用例").click()
    expect(page.get_by_text("个用例全部通过")).to_be_visible()


def test_a_draft_runs_in_the_shadow_and_tells_where_it_would_decide_otherwise(house: House, order: Sent, at: Callable[..., Page]) -> None:
    edit = {"op": "add", "field": "terms", "where": "ball.programs", "value": "羽毛球"}
    found = house.api("POST", "/v1/rulesets/drafts", json={"title": "收羽毛球"}).json()
    house.api("POST", f"/v1/rulesets/drafts/{found['id']}/edits", json={"edits": [edit]}, headers={"If-Match": '"1"'})
    page = at("/rules?tab=shadow")
    page.get_by_role("combobox", name="哪个草稿").press("Enter")
    page.get_by_role("option", name="收羽毛球").click()
    page.get_by_label("为什么").fill("看一周")
    page.get_by_role("button", name="开始", exact=True).click()
    shadow = page.get_by_role("region", name="影子运行")
    expect(shadow).to_contain_text("正在运行")
    order(title="", content=f"孩子的{OWN}班不退费。")
    order(title="", content="孩子的羽毛球班不退费。")
    expect(shadow).to_contain_text("2 件中 1 件去向一致")
    expect(shadow.get_by_role("list", name="不一致的案件")).to_contain_text("在用：退回热线 → 影子：分派 云溪区球场办")
    assert not barriers(page)
    shadow.get_by_role("button", name="停止").click()
    expect(shadow).to_contain_text("最近一次")


def test_a_rule_that_fell_below_its_floor_is_seen_in_the_ledger_and_let_out(house: House, order: Sent, at: Callable[..., Page]) -> None:
    with house.officer() as officer:
        for _ in range(7):
            case = order(title="", content=f"孩子的{OWN}班不退费。")
            said = {"reason_code": "not_ours", "text": "不是", "clause": "order-3", "suggested": "stage_office"}
            move(officer, case["id"], "hand-back", "gym_office", **said)
            move(officer, case["id"], "uphold", "hotline")
    page = at("/rules?tab=ledger")
    rest = page.get_by_role("region", name="停用待查")
    expect(rest).to_contain_text("规则 ball.programs 在")
    house.behind_its_back("INSERT INTO tallies SELECT rule, term, version, '2026-01', 3, 0, 0, 0, 0, 0 FROM tallies WHERE wrongs > 0")
    page.get_by_role("region", name="各规则的台账").get_by_role("button", name="球类项目").click()
    expect(page.get_by_role("img", name=re.compile("逐月正确率.*2026-01 100.0%（.*），3 件；"))).to_be_visible()
    assert not barriers(page)
    page.keyboard.press("Escape")
    rest.get_by_role("button", name="恢复球类项目").click()
    page.get_by_role("dialog").get_by_label("为什么").fill("同一家机构，另行处理")
    page.get_by_role("dialog").get_by_role("button", name="恢复", exact=True).click()
    expect(page.get_by_text("已恢复球类项目")).to_be_visible()
    expect(rest).to_have_count(0)


def test_where_two_must_agree_another_person_decides(house: House, at: Callable[..., Page]) -> None:
    """The last of the file: from now on nothing is published by one person alone."""
    active = house.api("GET", "/v1/rulesets/active").json()["version"]
    files = house.api("GET", f"/v1/rulesets/{active}").json()["files"]
    files["ruleset.yaml"] = files["ruleset.yaml"].replace("pack: tiny\n", "pack: tiny\nsecond_person: true\n")
    files["categories/stage.yaml"] = files["categories/stage.yaml"].replace(
        "category: stage\n", "category: stage\n    status: quarantined\n", 1
    )
    house.api("POST", "/v1/rulesets", json={"files": files, "author": WANG, "note": "停用", "overrule": "用例照旧"})

    page = at("/rules?tab=ledger")
    page.get_by_role("button", name="恢复舞台项目").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("为什么").fill("另行处理")
    dialog.get_by_role("button", name="恢复", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("实行双人审批")
    assert not barriers(page)
    dialog.get_by_role("button", name="开恢复它的草稿").click()
    approval = page.get_by_role("region", name="审批")
    say(approval, "请看", "请求审批")
    expect(approval).to_contain_text("等待审批")
    say(approval, "我看可以", "批准")
    expect(page.get_by_role("tabpanel", name="发布").get_by_role("alert")).to_contain_text("须由另一人批准")

    other = at(page.url.partition("/console")[2].partition("?")[0] + "?step=publish", LI)
    say(other.get_by_role("region", name="审批"), "写明机构名称", "不批准")
    expect(other.get_by_role("region", name="审批")).to_contain_text("不批准")
    assert not barriers(other)
    page.reload()
    expect(approval).to_contain_text("写明机构名称")
    say(approval, "写明了，再请看", "请求审批")
    expect(approval).to_contain_text("等待审批")
    other.reload()
    say(other.get_by_role("region", name="审批"), "同意", "批准")
    expect(other.get_by_role("region", name="审批")).to_contain_text("已批准")
    page.reload()
    page.get_by_label("发布说明").fill("恢复舞台项目")
    page.get_by_role("button", name="发布并启用").click()
    expect(page.get_by_text("版已发布并启用")).to_be_visible()
    page.get_by_role("tab", name="台账").click()
    expect(page.get_by_role("region", name="各规则的台账")).to_be_visible()
    expect(page.get_by_role("region", name="停用待查")).to_have_count(0)


def say(approval: Locator, reason: str, button: str) -> None:
    approval.get_by_label("说明").fill(reason)
    approval.get_by_role("button", name=button, exact=True).click()
