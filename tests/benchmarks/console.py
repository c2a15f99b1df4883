"""The console among many cases: until 今日 and 工单 can be read, until a changed condition shows its rows, and how much is sent.

Run: python -m tests.benchmarks.console [CASES ROUNDS FILE] (100,000 and 5 by default), on SQLite, with a real browser. A database file that
is named is seeded only if it is not there, and stays. A page counts as read when its last figure or row stands there, not when
the first colour is painted; "cold" is a browser that was never here.
"""

import gzip
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import text

from service import db
from service.engine import Engine
from service.incidents import Kin
from service.rulebook import find_pack, load, read_folder
from tests.benchmarks._seed import STREETS, seed
from tests.console.conftest import BROWSERS, QUIETLY, ROOT, housed

CASES, ROUNDS = 100_000, 5
PATIENCE = 60_000
NAMES = [
    f"北辰区{one}{other}艺术培训学校"
    for one in ("鲸豆", "蔓汀", "砚池", "青禾", "朗诵", "知微", "云栖", "木棉")
    for other in "一乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"
]
PERIODS = {"30 days": "from=2026-10-26&to=2026-11-24", "366 days": "from=2025-11-24&to=2026-11-24"}
ASSETS = ROOT / "service/console/dist/assets"

Wait = Callable[[Page], None]


def figures_stand(page: Page) -> None:
    for region in ("主办单位与状态", "各镇街"):
        expect(page.get_by_role("region", name=region, exact=True).get_by_role("link").first).to_be_visible(timeout=PATIENCE)


def rows_stand(page: Page) -> None:
    expect(page.get_by_text("本页 50 件")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".waiting")).to_have_count(0, timeout=PATIENCE)


def asked(value: str, act: Wait) -> Wait:
    """Do it, and wait until the rows are those that were asked for with it."""

    def wait(page: Page) -> None:
        with page.expect_response(lambda answer: "/v1/cases?" in answer.url and value in unquote(answer.url), timeout=PATIENCE):
            act(page)
        rows_stand(page)

    return wait


def chosen(label: str, value: str) -> Wait:
    def choose(page: Page) -> None:
        page.get_by_label(label, exact=True).select_option(value)

    return asked(value, choose)


def turn_page(page: Page) -> None:
    page.get_by_role("button", name="下一页").click()


def opened(path: str, wait: Wait) -> Wait:
    def act(page: Page) -> None:
        page.goto(path)
        wait(page)

    return act


STEPS: dict[str, Wait] = {
    "a status is chosen": chosen("状态", "dispatched"),
    "a department beside it": chosen("单位（主办或协办）", "education"),
    "an issue beside them": chosen("问题类型", "refund"),
    "the next page": asked("cursor=", turn_page),
}


def institutions() -> dict[str, str]:
    """Names, and how they are marked."""
    kin = Kin(Engine(load(read_folder(find_pack("beichen")))))
    return {name: kin.name_mark(name) or name for name in NAMES}


@contextmanager
def browser() -> Iterator[Browser]:
    path = os.environ.get("FENPAI_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(QUIETLY))
        yield opened
        opened.close()


def timed(page: Page, act: Wait) -> float:
    began = time.perf_counter()
    act(page)
    return (time.perf_counter() - began) * 1000


def visit(found: Browser, home: str) -> dict[str, float]:
    """One official's way through the pages, in milliseconds."""
    context = found.new_context(locale="zh-CN", reduced_motion="reduce")
    page = context.new_page()
    times = {"今日, 30 days, cold": timed(page, opened(f"{home}/?{PERIODS['30 days']}", figures_stand))}
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    times["  first paint of it"] = float(paint)
    for name, period in PERIODS.items():
        times[f"今日, {name}"] = timed(page, opened(f"{home}/?{period}", figures_stand))
    times["工单"] = timed(page, opened(f"{home}/cases", rows_stand))
    for name, step in STEPS.items():
        times[f"  {name}"] = timed(page, step)
    times["工单 of an institution"] = timed(page, opened(f"{home}/cases?institution={NAMES[3]}", rows_stand))
    times["工单 of a street"] = timed(page, opened(f"{home}/cases?street={STREETS[3]}", rows_stand))
    context.close()
    return times


def sizes() -> None:
    """What the browser gets, as compressed by gzip: the page that is opened first, and all there is."""
    files = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in ASSETS.iterdir() if path.suffix in {".js", ".css"}}
    say(f"  all scripts and styles: {sum(files.values()) / 1000:,.0f} kB gzip in {len(files)} files")
    for name, size in sorted(files.items(), key=lambda item: -item[1])[:5]:
        say(f"    {size / 1000:>6,.0f} kB  {name}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def furnish(url: str, cases: int) -> None:
    with closing(db.connect(url)) as database:
        db.upgrade(database)
        seed(database, cases, institutions=institutions())
        with database.write() as conn:
            conn.execute(text("ANALYZE"))


def main(cases: int = CASES, rounds: int = ROUNDS, kept: str = "") -> None:
    sizes()
    with tempfile.TemporaryDirectory(prefix="fenpai-bench-") as folder:
        file = Path(kept or Path(folder) / "fenpai.db")
        url = f"sqlite:///{file}"
        if not file.exists():
            furnish(url, cases)
        with housed(url) as house, browser() as found:
            ways = [visit(found, f"{house.url}/console") for _ in range(rounds)]
    say(f"  {cases:,} cases, SQLite; median and worst of {rounds}; load {os.getloadavg()[0]:.1f}")
    for what in ways[0]:
        took = [way[what] for way in ways]
        say(f"  {what:<30}{statistics.median(took):>8,.0f} ms{max(took):>8,.0f} ms")


if __name__ == "__main__":
    given = [*sys.argv[1:], *("", "", "")][:3]
    main(int(given[0] or CASES), int(given[1] or ROUNDS), given[2])
