"""Cases: found by conditions that stand in the address, read with their evidence in place, and moved by two officers at once."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.api.conftest import eventually
from tests.console.conftest import House, Open, barriers

Send = Callable[..., dict[str, Any]]
ACTOR = {"X-Fenpai-Actor": "tests", "X-Fenpai-Department": "admin"}


def signed(page: Page, person: str) -> None:
    """Say who works at this browser."""
    page.get_by_label("先写明经办人").fill(person)
    page.get_by_role("button", name="好", exact=True).click()


def taken(page: Page, part: str) -> None:
    """Act for another part from now on."""
    page.get_by_role("button", name="周 ·").click()
    page.get_by_label("以谁的身份").select_option(label=part)
    page.keyboard.press("Escape")


@pytest.fixture(scope="module")
def case(order: Send) -> dict[str, Any]:
    return order(complainant={"name": "王小明", "phone": "13800001234"})


class TestTheList:
    def test_is_narrowed_by_conditions_that_stand_in_the_address(self, visit: Open, case: dict[str, Any], order: Send) -> None:
        order(title="私家车堵门", content="小区私家车堵住消防通道，请处理。", street="天穆镇")
        page = visit("/cases")
        rows = page.get_by_role("region", name="工单列表").get_by_role("row")
        expect(rows.filter(has_text="私家车堵门")).to_have_count(1)
        page.get_by_label("状态", exact=True).select_option(case["status"])
        expect(rows.filter(has_text="私家车堵门")).to_have_count(0)
        expect(rows.filter(has_text="篮球班退费").first).to_be_visible()
        assert f"status={case['status']}" in page.url
        page.go_back()
        expect(rows.filter(has_text="私家车堵门")).to_have_count(1)
        page.get_by_label("编号或机构").fill(case["source_order_no"])
        page.get_by_label("编号或机构").press("Enter")
        expect(page.get_by_text("共 1 件")).to_be_visible()
        expect(rows.filter(has_text="篮球班退费")).to_have_count(1)
        expect(rows.filter(has_text="私家车堵门")).to_have_count(0)
        assert not barriers(page)
        rows.get_by_role("link").first.click()
        page.get_by_role("link", name="← 工单").click()  # back to the conditions that one had
        expect(rows.filter(has_text="篮球班退费")).to_have_count(1)
        with page.expect_download() as saved:
            page.get_by_role("button", name="导出 Excel").click()
        assert re.fullmatch(r"cases-\d{8}-1\.xlsx", saved.value.suggested_filename)
        heads, row = CalamineWorkbook.from_path(str(saved.value.path())).get_sheet_by_index(0).to_python()
        assert dict(zip(heads, row, strict=True))["工单编号"] == case["source_order_no"]
        assert "王小明" not in row

    def test_finds_the_cases_of_an_institution_and_one_by_its_number(self, visit: Open, house: House, order: Send) -> None:
        here = order(title="鲸豆湾不退费", institution="天津市北辰区鲸豆湾篮球培训有限公司")
        eventually(lambda: house.api("GET", "/v1/cases/count", params={"institution": "鲸豆湾"}).json()["count"] == 1)
        page = visit("/cases", expected="422")
        sought = page.get_by_label("编号或机构")
        sought.fill("晶斗湾篮球馆")
        sought.press("Enter")
        expect(page.get_by_text("共 1 件")).to_be_visible()
        expect(page.get_by_role("link", name="鲸豆湾不退费")).to_be_visible()
        assert "institution=" in page.url
        sought.fill("某篮球班")
        sought.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("请写它的名称")
        sought.fill(here["id"].lower())
        sought.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("鲸豆湾不退费")

    def test_says_when_nothing_meets_the_conditions(self, visit: Open) -> None:
        expect(visit("/cases?source_order_no=nobody").get_by_text("没有符合这些条件的工单")).to_be_visible()

    def test_is_turned_page_by_page_and_back(self, visit: Open, house: House) -> None:
        lines = [
            {"source_system": "many", "source_order_no": f"{n}", "title": f"第 {n} 件", "content": "咨询", "street": "双街镇"}
            for n in range(52)
        ]
        body = "\n".join(json.dumps(line) for line in lines)
        house.api("POST", "/v1/cases/batch", content=body, headers={"Content-Type": "application/x-ndjson"})
        page = visit("/cases?street=双街镇")
        expect(page.get_by_text("本页 50 件")).to_be_visible()
        page.get_by_role("button", name="下一页").click()
        expect(page.get_by_text("本页 2 件，第 2 页")).to_be_visible()
        page.get_by_role("button", name="上一页").click()
        expect(page.get_by_role("link", name="第 51 件")).to_be_visible()

    def test_announces_new_cases_and_changes_rows_where_they_stand(self, visit: Open, house: House, order: Send) -> None:
        here = order(title="会变的一件", street="青光镇")
        page = visit("/cases?street=青光镇", width=390)
        row = page.get_by_role("row").filter(has_text="会变的一件")
        expect(row).to_contain_text("已派单")
        moved = {"X-Fenpai-Actor": "tests", "X-Fenpai-Department": here["triage"]["lead"], "If-Match": '"1"'}
        order(title="后来的一件", street="青光镇")
        house.api("POST", f"/v1/cases/{here['id']}/accept", headers=moved)
        expect(row).to_contain_text("已签收")
        expect(page.get_by_text("后来的一件")).to_have_count(0)
        page.get_by_role("button", name="有 1 件新工单").click()
        expect(page.get_by_text("后来的一件")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


class TestACase:
    def test_shows_its_evidence_where_it_stands(self, visit: Open, case: dict[str, Any], house: House) -> None:
        whole = house.api("GET", f"/v1/cases/{case['id']}").json()
        page = visit(f"/cases/{case['id']}")
        text = page.get_by_role("region", name="诉求内容").locator("[data-field=content]")
        expect(text).to_have_text(whole["content"])
        marks = text.locator("mark")
        covered = {n for one in whole["triage"]["evidence"] if one["field"] == "content" for n in range(one["start"], one["end"])}
        assert "".join(marks.all_text_contents()) == "".join(whole["content"][n] for n in sorted(covered))
        page.set_viewport_size({"width": 1280, "height": 420})
        for mark in text.get_by_role("group").all():
            mark.focus()
            slip = page.get_by_role("tooltip")
            expect(slip).to_contain_text("规则：")
            box = slip.bounding_box()
            assert box is not None
            assert 0 <= box["y"] < box["y"] + box["height"] <= 420, "the slip stands within the window, however many rules speak"
        page.set_viewport_size({"width": 1280, "height": 900})
        clocks = page.get_by_role("region", name="期限")
        clocks.get_by_text("怎样算出").first.click()
        expect(clocks.get_by_role("listitem").filter(has_text="起算").first).to_be_visible()
        for kind in ("机构类别", "范围", "问题类型", "信号"):
            page.get_by_role("checkbox", name=kind).uncheck() if page.get_by_role("checkbox", name=kind).is_enabled() else None
        expect(marks).to_have_count(0)
        assert not barriers(page)

    def test_tells_who_complained_to_those_who_say_why(self, visit: Open, case: dict[str, Any]) -> None:
        page = visit(f"/cases/{case['id']}", width=390)
        signed(page, "周")
        person = page.get_by_role("region", name="诉求人")
        expect(person).to_contain_text("王**")
        person.get_by_role("button", name="查看诉求人").click()
        person.get_by_label("为什么要看").fill("回访核实退款")
        person.get_by_role("button", name="查看", exact=True).click()
        expect(person).to_contain_text("13800001234")
        expect(page.get_by_role("region", name="经过")).to_contain_text("查看诉求人")

    def test_two_officers_who_meet_lose_nothing(self, visit: Open, house: House, order: Send) -> None:
        here = order(title="两人同办")
        page = visit(f"/cases/{here['id']}", expected="412|Precondition")
        signed(page, "李")
        moves = page.get_by_role("region", name="办理")
        moves.get_by_role("button", name="更正", exact=True).click()
        moves.get_by_label("改问题类型").check()
        moves.get_by_role("checkbox", name="其他").check()
        moves.get_by_label("理由").fill("核实过，应改")
        other = visit(f"/cases/{here['id']}")
        signed(other, "王")
        other.get_by_role("button", name="催办", exact=True).click()
        other.get_by_role("form", name="催办").get_by_role("button", name="催办").click()
        expect(other.get_by_role("region", name="经过")).to_contain_text("催办")
        moves.get_by_role("button", name="更正", exact=True).click()
        expect(moves.get_by_role("alert")).to_contain_text("王（管理员）：催办")
        expect(moves.get_by_label("理由")).to_have_value("核实过，应改")
        assert not barriers(page)
        moves.get_by_role("button", name="知道了，仍按我写的提交").click()
        expect(page.get_by_role("region", name="经过")).to_contain_text("核实过，应改")
        assert house.api("GET", f"/v1/cases/{here['id']}").json()["version"] == 3

    def test_what_may_not_be_done_says_why(self, visit: Open, case: dict[str, Any]) -> None:
        page = visit(f"/cases/{case['id']}")
        signed(page, "周")
        page.get_by_text("个动作现在不能做").click()
        expect(page.get_by_role("button", name="改派", exact=True)).to_be_disabled()
        expect(page.get_by_role("region", name="办理")).to_contain_text("案件已派单，不能改派。")

    def test_of_two_that_tell_the_same_one_is_merged(self, visit: Open, house: House, order: Send) -> None:
        told = "孩子在体育馆报了游泳小班，教练说好十月开课，现在馆里换了老板，新老板不认账，押金和课时费都不退，前台让我们等通知。"
        first, second = (order(title=f"游泳班换老板 {n}", content=told + "呀" * n) for n in (1, 2))
        page = visit(f"/cases/{second['id']}")
        signed(page, "周")
        links = page.get_by_role("region", name="关联")
        expect(links).to_contain_text(first["id"])
        links.get_by_role("button", name="是重复，并单").click()
        expect(links).to_contain_text("已并入")
        assert house.api("GET", f"/v1/cases/{second['id']}").json()["merged_into"] == first["id"]
        page.get_by_role("button", name="拆单", exact=True).click()
        page.get_by_role("form", name="拆单").get_by_label("理由").fill("不是同一件事")
        page.get_by_role("form", name="拆单").get_by_role("button", name="拆单").click()
        expect(page.get_by_role("region", name="经过")).to_contain_text("不是同一件事")
        assert house.api("GET", f"/v1/cases/{second['id']}").json()["merged_into"] is None

    def test_each_sees_the_moves_of_its_own_part(self, visit: Open, house: House, order: Send) -> None:
        unit = order()["triage"]["lead"]
        house.api("PUT", f"/v1/departments/{unit}/channel", json={"url": "https://oa.example.invalid/fenpai"})
        here = order(title="各办各的")
        page = visit(f"/cases/{here['id']}")
        signed(page, "周")
        named = house.api("GET", "/v1/vocabulary").json()["department"][unit]
        taken(page, named)
        moves = page.get_by_role("region", name="办理")
        expect(moves.get_by_role("button", name="退单", exact=True)).to_be_enabled()
        expect(moves.get_by_role("button", name="催办", exact=True)).to_have_count(0)
        moves.get_by_role("button", name="签收", exact=True).click()
        moves.get_by_role("form", name="签收").get_by_role("button", name="签收").click()
        expect(page.get_by_role("region", name="经过")).to_contain_text("签收 周")
        taken(page, "热线")
        expect(moves.get_by_role("button", name="催办", exact=True)).to_be_enabled()
        expect(moves.get_by_role("button", name="退单", exact=True)).to_have_count(0)
        expect(page.get_by_role("region", name="送达")).to_contain_text(f"{named} · 受理待送达")
        house.api("DELETE", f"/v1/departments/{unit}/channel")
