"""名录, 单位, 送达: a register comes in from a file with a wrong row, a channel is set, tried and used, a letter is sent again."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import House, Open, barriers, housed
from tests.outbox.receiver import Receiver, Reply
from tests.register.conftest import workbook

REGISTER = "名称,别名,类别,状态\n星河舞蹈艺术培训中心,星河舞蹈,文化艺术类,在办\n云上编程学校,,科技累,在办\n"
LEAD = "区文化和旅游局（体育局）"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that may deliver to this machine."""
    with housed(
        f"sqlite:///{tmp_path_factory.mktemp('offices')}/fenpai.db", FENPAI_ALLOW_PRIVATE_TARGETS="yes", FENPAI_DELIVERY_ATTEMPTS="1"
    ) as found:
        yield found


def choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_label("选择文件").click()
    chooser.value.set_files(file)


def test_a_register_comes_in_when_its_wrong_row_is_mended(visit: Open, tmp_path: Path) -> None:
    page, file, excel = visit("/register", expected="422"), tmp_path / "名录.csv", tmp_path / "名录.xlsx"
    expect(page.get_by_text("名录还是空的")).to_be_visible()
    page.get_by_role("button", name="导入……").click()
    excel.write_bytes(workbook(*(line.split(",") for line in REGISTER.splitlines())))
    choose(page, excel)
    page.get_by_role("button", name="检查").click()
    wrong = page.get_by_role("region", name="有错的行")
    expect(wrong).to_contain_text("第 3 行，类别")
    expect(wrong).to_contain_text("科技类")
    expect(page.get_by_role("button", name="写入")).to_be_disabled()
    assert not barriers(page)
    excel.write_bytes(b"")
    page.get_by_role("button", name="检查").click()
    expect(page.get_by_text("文件在选择之后又改过")).to_be_visible()
    file.write_text(REGISTER.replace("科技累", "科技类"), encoding="gb18030")  # as Excel saves CSV in China
    choose(page, file)
    page.get_by_role("button", name="检查").click()
    expect(page.get_by_text("检查过了，还没有写入")).to_be_visible()
    page.get_by_role("button", name="写入").click()
    expect(page.get_by_text("已写入")).to_be_visible()
    page.get_by_role("button", name="关闭", exact=True).click()
    page.get_by_label("名称或简称").fill("星河")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("rowheader")).to_contain_text("星河舞蹈艺术培训中心")
    expect(page).to_have_url(re.compile(r"[?]q="))
    with page.expect_download() as saved:
        page.get_by_role("button", name="导出 CSV").click()
    assert "云上编程学校" in Path(saved.value.path()).read_text(encoding="utf-8-sig")


def test_a_channel_is_set_tried_used_and_a_letter_sent_again(visit: Open, house: House, order: Callable[..., dict[str, Any]]) -> None:
    answers = [204, 500, 204]
    with Receiver(lambda _id, _times: Reply(answers.pop(0))).open() as receiver:
        page = visit("/departments", expected="409|412|422")
        page.get_by_role("button", name=f"{LEAD}的通道").click()
        page.get_by_label("接收地址").fill("ftp://example.cn")
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("http")
        page.get_by_label("接收地址").fill(receiver.url)
        page.get_by_label("签名密钥").fill(receiver.secret)
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("已保存")).to_be_visible()
        page.get_by_role("button", name="试送一条").click()
        expect(page.get_by_text("对方收下了")).to_be_visible()
        house.api("PUT", "/v1/departments/culture_sports/channel", json={"url": "https://oa.example.invalid/theirs"})
        page.get_by_role("button", name="保存").click()  # two who set one channel: neither is passed over in silence
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("现在送到 https://oa.example.invalid/theirs，在用。")
        assert not barriers(page)
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("已保存")).to_be_visible()
        page.get_by_role("button", name="关闭此对话框").click()
        expect(page.get_by_text("通道在用")).to_be_visible()

        letters = visit("/deliveries")
        order()
        expect(letters.get_by_role("cell", name="已放弃")).to_be_visible()
        letters.get_by_role("button", name=f"重发受理给{LEAD}").click()
        expect(letters.get_by_text(f"已安排重发给{LEAD}。")).to_be_visible()
        expect(letters.get_by_role("cell", name="已送达")).to_be_visible()
        assert receiver.forged == 0
        letters.set_viewport_size({"width": 390, "height": 900})
        assert letters.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert not barriers(letters)


def test_each_key_opens_what_is_its_own_and_no_more(visit: Open, house: House, order: Callable[..., dict[str, Any]]) -> None:
    """The last of the file: with the first key, everyone must sign in."""
    case, draft = order()["id"], house.api("POST", "/v1/rulesets/drafts", json={"title": "看一看"}).json()["id"]
    house.api("POST", f"/v1/rulesets/drafts/{draft}/ask", json={"reason": "请看"}, headers={"If-Match": '"1"'})
    admin = house.api("POST", "/v1/keys", json={"name": "管理员", "scopes": ["admin"]}).json()["key"]

    def signed(scope: str, path: str) -> Page:
        headers = {"Authorization": f"Bearer {admin}"}
        made = httpx.post(f"{house.url}/v1/keys", json={"name": scope, "scopes": [scope]}, headers=headers).json()
        page = visit(path)
        page.get_by_label("钥匙").fill(made["key"])
        page.get_by_role("button", name="登录").click()
        return page

    page = signed("department:culture_sports", "/departments")
    expect(page.get_by_role("button", name=f"{LEAD}的通道")).to_be_visible()
    expect(page.get_by_role("button", name="的通道")).to_have_count(1)
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("heading", name="分派 · 登录")).to_be_visible()

    viewer = signed("viewer", f"/cases/{case}")
    moves = viewer.get_by_role("region", name="办理")
    expect(moves).to_contain_text("您的钥匙只能查看")
    expect(moves.get_by_role("button")).to_have_count(0)

    approver = signed("approver", f"/rules/drafts/{draft}?step=publish")
    approval = approver.get_by_role("region", name="审批")
    approval.get_by_label("说明").fill("同意")
    expect(approval.get_by_role("button")).to_have_text(["批准", "不批准"])
    expect(approver.get_by_role("button", name="发布并启用")).to_be_disabled()
    approval.get_by_role("button", name="批准", exact=True).click()
    expect(approval).to_contain_text("已批准")
    approver.get_by_role("link", name="分派").click()  # it may not read cases: 今日 is none of its pages
    expect(approver.get_by_role("heading", level=1)).to_have_text("规则")
    expect(approver.get_by_role("link", name="工单", exact=True)).to_have_count(0)
