"""GET /v1/changes: every change once, in order; who waits is woken at once and costs nothing."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from starlette.testclient import TestClient

from models.case import Changes
from service import db, store
from service.api import bell
from service.app import create_app
from service.config import Settings
from service.store import NewEvent
from tests.api.conftest import Orders, eventually, served
from tests.builders import NOON

Later = Callable[[Callable[[], object]], None]


class TestFeed:
    def test_tells_each_change_once_in_order(self, api: TestClient, order: Orders) -> None:
        ids = [api.post("/v1/cases", json=order()).json()["id"] for _ in range(5)]
        feed = Changes.model_validate_json(api.get("/v1/changes").content)
        assert [change.seq for change in feed.changes] == list(range(1, feed.next + 1))
        assert [change.kind for change in feed.changes[:2]] == ["rules.published", "rules.activated"]
        assert [change.case_id for change in feed.changes[2:]] == ids

    def test_goes_on_from_the_cursor(self, api: TestClient, order: Orders) -> None:
        for _ in range(5):
            api.post("/v1/cases", json=order())
        after, found = 0, []
        while (part := api.get("/v1/changes", params={"after": after, "limit": 3}).json())["changes"]:
            found += [change["seq"] for change in part["changes"]]
            after = part["next"]
        assert found == list(range(1, 8))

    def test_at_its_end_gives_the_same_cursor(self, api: TestClient) -> None:
        end = api.get("/v1/changes").json()["next"]
        assert api.get(f"/v1/changes?after={end}").json() == {"changes": [], "next": end}

    def test_refuses_a_cursor_that_it_never_gave(self, desk: TestClient) -> None:
        answer = desk.get("/v1/changes?after=999999&wait=30")
        assert (answer.status_code, answer.json()["code"]) == (409, "cursor_ahead")

    @pytest.mark.parametrize(
        "query", ["after=-1", "after=x", "after=9223372036854775808", "limit=0", "limit=1001", "wait=61", "wait=nan", "since=1"]
    )
    def test_refuses_wrong_questions(self, desk: TestClient, query: str) -> None:
        answer = desk.get(f"/v1/changes?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "parameter_invalid")

    def test_says_once_what_a_place_in_the_feed_may_be(self, desk: TestClient) -> None:
        errors = desk.get("/v1/changes?after=x").json()["errors"]
        assert [(one["pointer"], one["detail"]) for one in errors] == [("/after", "应为整数；或者只能是 now")]

    def test_says_nothing_of_a_refused_or_repeated_order(self, api: TestClient, order: Orders) -> None:
        sent = order()
        api.post("/v1/cases", json=sent)
        end = api.get("/v1/changes").json()["next"]
        api.post("/v1/cases", json=sent)
        api.post("/v1/cases", json=sent | {"content": "别的"})
        api.post("/v1/cases", json={})
        assert api.get(f"/v1/changes?after={end}").json()["changes"] == []


class TestWaiting:
    """Through a real server: a test client of one thread could not wait and write at once."""

    def test_ends_at_once_with_the_next_change(self, live: str, order: Orders, later: Later) -> None:
        end = httpx2.get(f"{live}/v1/changes").json()["next"]
        later(lambda: httpx2.post(f"{live}/v1/cases", json=order()))
        answer = httpx2.get(f"{live}/v1/changes?after={end}&wait=30", timeout=40)
        assert [change["kind"] for change in answer.json()["changes"]] == ["case.received"]
        assert 0.2 < answer.elapsed.total_seconds() < 5

    def test_ends_with_a_change_that_another_process_wrote(self, settings: Settings, live: str, later: Later) -> None:
        end = httpx2.get(f"{live}/v1/changes").json()["next"]
        later(lambda: written_elsewhere(settings))
        answer = httpx2.get(f"{live}/v1/changes?after={end}&wait=30", timeout=40)
        assert [change["kind"] for change in answer.json()["changes"]] == ["test.elsewhere"]
        assert answer.elapsed.total_seconds() < 5 + bell.POLL_SECONDS

    def test_ends_when_the_time_is_up(self, live: str) -> None:
        end = httpx2.get(f"{live}/v1/changes").json()["next"]
        answer = httpx2.get(f"{live}/v1/changes?after={end}&wait=0.5")
        assert answer.json() == {"changes": [], "next": end}
        assert 0.5 <= answer.elapsed.total_seconds() < 3

    def test_does_not_begin_where_there_is_something_to_tell(self, live: str) -> None:
        answer = httpx2.get(f"{live}/v1/changes?after=0&wait=30")
        assert answer.elapsed.total_seconds() < 3

    def test_of_two_hundred_holds_up_nobody(self, live: str, order: Orders) -> None:
        """More than there are threads and connections to the database."""
        end = httpx2.get(f"{live}/v1/changes").json()["next"]
        limits = httpx2.Limits(max_connections=250)
        with httpx2.Client(base_url=live, timeout=60, limits=limits) as client, ThreadPoolExecutor(200) as pollers:
            waiting = [pollers.submit(client.get, f"/v1/changes?after={end}&wait=30") for _ in range(200)]
            eventually(lambda: "fenpai_pollers_waiting 200.0" in client.get("/metrics").text)
            assert client.post("/v1/cases", json=order()).elapsed.total_seconds() < 5
            assert {len(answer.result().json()["changes"]) for answer in waiting} == {1}

    def test_ends_when_the_caller_hangs_up(self, live: str) -> None:
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.get(f"{live}/v1/changes?after=2&wait=60", timeout=0.3)
        eventually(lambda: "fenpai_pollers_waiting 0.0" in httpx2.get(f"{live}/metrics").text)


@pytest.fixture
def live(settings: Settings) -> Iterator[str]:
    """The address of a house behind a real server."""
    with served(create_app(settings)) as address:
        yield address


@pytest.fixture
def later() -> Iterator[Later]:
    """Do something in a moment, while the test waits."""
    timers: list[threading.Timer] = []

    def after_a_moment(act: Callable[[], object]) -> None:
        timers.append(threading.Timer(0.4, act))
        timers[-1].start()

    yield after_a_moment
    for timer in timers:
        timer.join()


def written_elsewhere(settings: Settings) -> None:
    database = db.connect(settings.database_url)
    with database.write() as conn:
        store.append_events(conn, [NewEvent(at=NOON, kind="test.elsewhere", actor="test")])
    database.close()
