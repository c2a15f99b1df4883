"""The console as officials meet it: a real browser, a real server process, a real database with sample orders in it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, expect, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIETLY = (  # a browser of tests: no sandbox (tests may run as root), and no call to its maker's hosts
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SERIOUS = {"serious", "critical"}
SOON = 15_000
"""Milliseconds that something to be seen may take: other tests use the same cores."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one file: as long as it lives an event loop runs in this thread, and other tests want one of their own."""
    expect.set_options(timeout=SOON)
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium of this machine; FENPAI_TEST_BROWSER names another. Without one the tests fail, they are never passed over."""
    path = os.environ.get("FENPAI_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail("没有找到 Chromium：请安装（Debian：apt-get install chromium），或用 FENPAI_TEST_BROWSER 指明它在哪里。", pytrace=False)
    found = playwright.chromium.launch(executable_path=path, args=list(QUIETLY))
    yield found
    found.close()


# The house ----------------------------------------------------------------------------------------------------------------------------


@dataclass
class House:
    """A server process and its address."""

    url: str
    process: subprocess.Popen[str]
    database_url: str

    def behind_its_back(self, statements: str) -> None:
        """Do to its database (SQLite) what the service itself never does."""
        with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as database, database:
            database.executescript(statements)

    def api(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Ask it as another program would, as an administrator."""
        headers = {"X-Fenpai-Actor": "tests", "X-Fenpai-Department": "admin"} | kwargs.pop("headers", {})
        answer = httpx.request(method, self.url + path, headers=headers, timeout=30, **kwargs)
        assert answer.is_success, answer.text
        return answer

    def officer(self) -> httpx.Client:
        """For the helpers that move cases, wherever the house is."""
        return httpx.Client(base_url=self.url, timeout=30)

    def kill(self) -> None:
        """End it at once, as a fault would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def housed(database_url: str, port: int = 0, **settings: str) -> Iterator[House]:
    """`fenpai serve` as a process of its own, on the shipped rules."""
    assert (ROOT / "service/console/dist/index.html").is_file(), "控制台没有构建：请运行 make setup，不要设 FENPAI_SKIP_CONSOLE。"
    environment = os.environ | {"FENPAI_DATABASE_URL": database_url, "FENPAI_LOG_LEVEL": "error"} | settings
    command = [sys.executable, "-m", "service", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next((found for line in process.stdout if (found := re.search(r"http://[\d.:]+", line))), None)
        assert line is not None, "the server did not start"
        try:
            yield House(line[0], process, database_url)
        finally:
            process.kill()  # it owes nobody anything: a quiet end would wait for those who poll


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for a file of tests, on SQLite, empty: what a test needs it puts in."""
    with housed(f"sqlite:///{tmp_path_factory.mktemp('console')}/fenpai.db") as found:
        yield found


@pytest.fixture(scope="module")
def order(house: House) -> Callable[..., dict[str, Any]]:
    """Send a work order as the hotline does, and give the case that it became."""
    sent = 0

    def send(**changes: Any) -> dict[str, Any]:
        nonlocal sent
        sent += 1
        whole = {
            "source_system": "tests",
            "source_order_no": f"T-{sent}",
            "title": "篮球班退费",
            "content": "市民反映：北辰区某体育培训中心的篮球班关门了，剩余课时费不退，孩子没法上课，要求退款。",
        }
        found: dict[str, Any] = house.api("POST", "/v1/cases", json=whole | changes).json()
        return found

    return send


# The browser --------------------------------------------------------------------------------------------------------------------------


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, house: House) -> Iterator[Open]:
    """Open a page of the console: `visit("/cases")`. It may say nothing to the browser's console and ask no host but `beside`."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        path: str, width: int = 1280, expected: str = "(?!)", url: str = house.url, person: str = "", beside: str | None = None
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN", reduced_motion="reduce")
        contexts.append(context)
        if person:  # who has said before in this browser who they are: an administrator
            known = json.dumps({"person": person, "part": "admin"})
            context.add_init_script(f"localStorage.setItem('fenpai.identity', {json.dumps(known)})")
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: _hear(message, expected, faults))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("request", lambda request: _watch(request, (url, beside or url), faults))
        page.goto(f"{url}/console{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, faults


def _hear(message: ConsoleMessage, expected: str, faults: list[str]) -> None:
    if message.type in {"error", "warning"} and not re.search(expected, message.text):
        faults.append(f"{message.type}: {message.text}")


def _watch(request: Request, known: tuple[str, str], faults: list[str]) -> None:
    if not request.url.startswith((*known, "data:", "blob:")):
        faults.append(f"foreign request: {request.url}")


def barriers(page: Page) -> list[str]:
    """What stands in the way of people who cannot see or cannot use a mouse: serious findings of axe (WCAG 2.2 A and AA)."""
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS]
