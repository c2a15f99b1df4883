"""系统: the service tells how it is, the audit chain is checked, a key is made, used in another browser, and revoked."""

from playwright.sync_api import Page, expect

from tests.console.conftest import House, Open, barriers

UNHEARD = [{"text": f"孩子学{word}，老师走了能退吗", "decision": "dispatch"} for word in ("空灵鼓", "手碟", "冰壶")]


def test_long_work_is_found_again_and_called_off(visit: Open, house: House) -> None:
    house.api("POST", "/v1/rulesets/repair", json={"wrong": UNHEARD})  # as somebody else's; what comes after it waits
    page = visit("/system?tab=audit", person="王科长")
    page.get_by_role("button", name="核对", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("核对：排队等候")
    page.get_by_role("tab", name="说明").click()
    page.get_by_role("tab", name="审计").click()
    expect(page.get_by_role("status")).to_contain_text("核对：排队等候")
    page.get_by_role("button", name="取消核对").click()
    expect(page.get_by_text("已取消。")).to_be_visible()
    page.get_by_role("link", name="规则", exact=True).click()
    page.get_by_role("tab", name="修补").click()
    expect(page.get_by_role("progressbar", name="修补")).to_be_visible()
    assert not barriers(page)
    page.get_by_role("button", name="取消修补").click()
    expect(page.get_by_text("已取消。")).to_be_visible()


def test_the_state_of_the_service_is_seen_at_a_glance(visit: Open) -> None:
    page = visit("/system")
    expect(page.get_by_role("region", name="自检")).to_contain_text("数据库可以连接")
    expect(page.get_by_role("region", name="副本")).to_contain_text("一致")
    expect(page.get_by_role("region", name="指标")).to_contain_text("研判平均用时")
    page.get_by_role("tab", name="说明").click()
    expect(page.get_by_text("命中规则的词语")).to_be_visible()
    assert not barriers(page)


def test_a_key_is_made_signs_in_another_browser_and_revoked_throws_it_out(visit: Open, house: House) -> None:
    """And before that: the first key shuts the door for this browser too, and opens it again; the audit chain holds all of it."""
    first = visit("/system?tab=keys", expected="401")
    first.get_by_label("谁用").fill("李科长")
    first.get_by_role("group", name="能做什么").get_by_text("管理员").click()
    first.get_by_role("button", name="发钥匙").click()
    key = first.locator("code", has_text="fenpai_").inner_text()
    first.get_by_role("button", name="存好了，去登录").click()
    sign_in(first, key)
    first.get_by_label("谁用").fill("查看大屏")
    first.get_by_role("group", name="能做什么").get_by_text("查看").click()
    first.get_by_role("button", name="发钥匙").click()
    shown = first.get_by_role("status").locator("code")
    expect(shown).to_contain_text("fenpai_")
    assert not barriers(first)

    other = visit("/system", expected="401")
    sign_in(other, shown.inner_text())
    expect(other.get_by_role("region", name="当前身份")).to_contain_text("查看大屏：查看")
    expect(other.get_by_role("tab", name="钥匙")).to_have_count(0)

    rows = first.get_by_role("region", name="钥匙").get_by_role("row")
    row = rows.filter(has_text="查看大屏")
    row.get_by_role("button", name="换新").click()
    assert not barriers(first)
    first.get_by_role("dialog").get_by_role("button", name="换新", exact=True).click()
    expect(rows.filter(has_text="已换新，暂时还能用")).to_have_count(1)
    expect(row).to_have_count(2)
    other.reload()  # the old one is good for a while yet
    expect(other.get_by_role("region", name="当前身份")).to_contain_text("查看大屏：查看")
    for _ in range(2):
        row.first.get_by_role("button", name="吊销").click()
        first.get_by_role("dialog").get_by_role("button", name="吊销", exact=True).click()
        expect(first.get_by_role("dialog")).to_be_hidden()
    expect(row).to_have_count(0)
    other.get_by_role("link", name="名录", exact=True).click()
    expect(other.get_by_role("heading", name="分派 · 登录")).to_be_visible()

    first.get_by_role("tab", name="审计").click()
    expect(first.get_by_role("region", name="审计记录")).to_contain_text("吊销钥匙")
    first.get_by_role("button", name="核对").click()
    expect(first.get_by_text("完整：核对了")).to_be_visible()
    house.behind_its_back("DROP TRIGGER events_no_update; UPDATE events SET actor = 'nobody' WHERE seq = 2")
    first.get_by_role("button", name="核对").click()
    expect(first.get_by_text("第 2 行起不符")).to_be_visible()
    assert not barriers(first)

    first.get_by_role("tab", name="钥匙").click()  # who revokes the key of this very session is out
    rows.filter(has_text="李科长").get_by_role("button", name="吊销").click()
    expect(first.get_by_role("dialog")).to_contain_text("您正用着它")
    first.get_by_role("dialog").get_by_role("button", name="吊销", exact=True).click()
    expect(first.get_by_role("heading", name="分派 · 登录")).to_be_visible()


def sign_in(page: Page, key: str) -> None:
    """With a key, once the page has given way to the log-in: it may have something of that name itself."""
    expect(page.get_by_role("heading", name="分派 · 登录")).to_be_visible()
    page.get_by_label("钥匙", exact=True).fill(key)
    page.get_by_role("button", name="登录").click()
