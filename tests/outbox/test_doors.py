"""The doors: channels set, tried and taken away over HTTP, deliveries listed and replayed; and the same on the command line."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from service import cli, log
from service.app import create_app
from service.config import Settings
from tests.api.conftest import KEY, PACK, opened, settings_for
from tests.outbox.receiver import Receiver, Reply

LEAD = "gym_office"
CHANNEL = f"/v1/departments/{LEAD}/channel"
PERSON = {"name": "欧阳小梅", "phone": "13912345678", "address": "云溪区幸福里 3 号楼 101"}


@pytest.fixture
def api(database_url: str) -> Iterator[TestClient]:
    """A house that may deliver to this machine; once on each kind of database."""
    with opened(create_app(settings_for(database_url, allow_private_targets="yes", delivery_pause=0.05))) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as receiver:
        yield receiver


def set_channel(api: TestClient, receiver: Receiver) -> None:
    answer = api.put(CHANNEL, json={"url": receiver.url, "secret": receiver.secret})
    assert answer.status_code == 200, answer.text


def send(api: TestClient, number: int = 1, **more: Any) -> str:
    order = {"source_system": "hotline", "source_order_no": f"N{number}", "title": "篮球班退费", "content": "云溪区某篮球班不给退费。"}
    answer = api.post("/v1/cases", json=order | more)
    assert answer.status_code == 201, answer.text
    assert answer.json()["triage"]["lead"] == LEAD
    case_id: str = answer.json()["id"]
    return case_id


class TestAChannel:
    def test_is_set_and_its_secret_is_told_once(self, api: TestClient) -> None:
        first = api.put(CHANNEL, json={"url": "http://127.0.0.1:9/a"}).json()
        assert first["secret"].startswith("whsec_")
        assert api.get(CHANNEL).json() == first | {"secret": None}
        again = api.put(CHANNEL, json={"url": "http://127.0.0.1:9/b"}).json()
        assert (again["secret"], again["url"], again["created_at"]) == (None, "http://127.0.0.1:9/b", first["created_at"])

    def test_is_listed_among_the_others_without_its_secret(self, api: TestClient) -> None:
        assert api.get("/v1/channels").json() == {"channels": []}
        made = api.put(CHANNEL, json={"url": "http://127.0.0.1:9/a"}).json()
        assert api.get("/v1/channels").json() == {"channels": [made | {"secret": None}]}

    def test_that_another_has_set_meanwhile_is_not_overwritten_unseen(self, api: TestClient) -> None:
        first = api.put(CHANNEL, json={"url": "http://127.0.0.1:9/a"}).json()
        second = api.put(CHANNEL, json={"url": "http://127.0.0.1:9/b", "seen": first["updated_at"]}).json()
        late = api.put(CHANNEL, json={"url": "http://127.0.0.1:9/c", "seen": first["updated_at"]})
        assert (late.status_code, late.json()["code"]) == (412, "channel_stale")
        assert api.get(CHANNEL).json() == second

    def test_delivers_new_cases_and_moves(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        case = send(api)
        who = {"X-Fenpai-Actor": "Li", "X-Fenpai-Department": LEAD, "If-Match": '"1"'}
        assert api.post(f"/v1/cases/{case}/accept", json={"note": "已联系 13912345678"}, headers=who).status_code == 200
        taken = receiver.wait_taken(2)
        assert [(got.event["type"], got.data["version"]) for got in taken] == [("fenpai.case.received", 1), ("fenpai.case.accepted", 2)]
        assert taken[1].data["status"] == "accepted"
        assert taken[1].data["note"] == {"note": "已联系 139****78"}

    def test_of_a_former_lead_hears_that_the_case_left(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        case = send(api)
        admin = {"X-Fenpai-Actor": "Wang", "X-Fenpai-Department": "admin", "If-Match": '"1"'}
        code = next(d["code"] for d in api.get("/v1/departments").json()["departments"] if d["code"] != LEAD and not d["external"])
        moved = api.post(f"/v1/cases/{case}/reclassify", json={"lead": code, "reason": "应由别的单位"}, headers=admin)
        assert moved.status_code == 200, moved.text
        taken = receiver.wait_taken(2)
        assert [(got.data["role"], got.data["lead"]) for got in taken] == [("lead", LEAD), ("former", code)]

    def test_is_tried_by_a_letter_of_its_own(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        told = api.post(f"{CHANNEL}/test").json()
        assert (told["taken"], told["status"]) == (True, 204)
        assert [got.event["type"] for got in receiver.got] == ["fenpai.test"]
        receiver.behaviour = lambda _id, _times: Reply(403, body="谁在叫 13912345678".encode())
        told = api.post(f"{CHANNEL}/test").json()
        assert (told["taken"], told["status"], told["trouble"], told["answer"]) == (False, 403, "答复 403", "谁在叫 139****78")
        assert api.get("/v1/deliveries").json()["deliveries"] == []

    def test_that_is_taken_away_is_gone(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        assert api.delete(CHANNEL).status_code == 200
        assert api.get(CHANNEL).json()["code"] == "channel_not_found"
        assert api.delete(CHANNEL).status_code == 404
        send(api)
        assert api.get("/v1/deliveries").json()["deliveries"] == []

    def test_that_is_paused_gets_nothing(self, api: TestClient, receiver: Receiver) -> None:
        told = api.put(CHANNEL, json={"url": receiver.url, "secret": receiver.secret, "active": False}).json()
        assert (told["active"], told["trouble"]) == (False, "已由管理员停用")
        send(api)
        assert api.get("/v1/deliveries").json()["deliveries"] == []

    def test_of_no_department_is_refused(self, api: TestClient) -> None:
        for answer in (
            api.put("/v1/departments/none/channel", json={"url": "http://127.0.0.1/x"}),
            api.get("/v1/departments/none/channel"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "department_not_found")

    @pytest.mark.parametrize(
        "given",
        [
            {"url": "ftp://a.example/x"},
            {"url": "http://u:p@a.example/x"},
            {"url": "http:///nowhere"},
            {"url": "https://a.example/#x"},
            {"url": "https://a.example/ x"},
            {"url": "https://a.example/x", "secret": "whsec_short"},
            {"url": "https://a.example/x", "secret": "C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQI"},
            {"url": "https://a.example/x", "sekret": "x"},
        ],
    )
    def test_that_cannot_be_is_refused(self, api: TestClient, given: dict[str, str]) -> None:
        answer = api.put(CHANNEL, json=given)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert "whsec_short" not in answer.text


class TestAddressesInside:
    @pytest.fixture
    def strict(self, sqlite_url: str) -> Iterator[TestClient]:
        with opened(create_app(settings_for(sqlite_url))) as client:
            yield client

    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "localhost", "10.1.2.3", "192.168.0.9", "169.254.169.254", "100.100.100.200", "192.0.0.8", "192.88.99.1"),
            *("[::1]", "[fe80::1]", "[fec0::1]", "[5f00::1]", "[3fff::1]", "[::ffff:10.0.0.1]", "[::7f00:1]", "[::ffff:0:7f00:1]"),
            *("[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]"),
        ],
    )
    def test_are_refused_unless_allowed(self, strict: TestClient, host: str) -> None:
        answer = strict.put(CHANNEL, json={"url": f"http://{host}:8080/x"})
        assert answer.status_code == 422
        assert "FENPAI_ALLOW_PRIVATE_TARGETS" in answer.text

    @pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "ip6-localhost"])
    def test_are_refused_when_a_name_leads_there(self, strict: TestClient, receiver: Receiver, host: str) -> None:
        assert strict.put(CHANNEL, json={"url": f"http://{host}:{receiver.port}/x"}).status_code == 200
        told = strict.post(f"{CHANNEL}/test").json()
        assert told["taken"] is False
        assert receiver.got == []


class TestDeliveries:
    def test_are_listed_page_by_page(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        cases = [send(api, n) for n in range(5)]
        receiver.wait_taken(5)
        receiver.wait(lambda: len(api.get("/v1/deliveries?state=done").json()["deliveries"]) == 5)
        first = api.get("/v1/deliveries?state=done&limit=3").json()
        second = api.get("/v1/deliveries", params={"state": "done", "limit": 3, "cursor": first["next"]}).json()
        found = [row["case_id"] for page in (first, second) for row in page["deliveries"]]
        assert (found, second["next"]) == (list(reversed(cases)), None)
        assert api.get("/v1/deliveries", params={"cursor": first["next"]}).json()["code"] == "cursor_invalid"

    @pytest.mark.parametrize("state", ["pending", "done", "dead"])
    def test_are_found_by_case_department_and_state(self, api: TestClient, state: str) -> None:
        with Receiver(lambda _id, _times: Reply(500 if state == "pending" else 204)).open() as receiver:
            set_channel(api, receiver)
            case = send(api)
            receiver.wait(lambda: len(receiver.got) > 0)
            if state == "dead":
                receiver.wait(lambda: bool(api.get("/v1/deliveries?state=done").json()["deliveries"]))
                api.delete(CHANNEL)  # what was delivered stays so
                assert api.get("/v1/deliveries?state=dead").json()["deliveries"] == []
                return
            query = {"state": state, "case": case, "department": LEAD}
            receiver.wait(lambda: len(api.get("/v1/deliveries", params=query).json()["deliveries"]) == 1)
            assert api.get("/v1/deliveries", params=query | {"department": "money_office"}).json()["deliveries"] == []

    def test_are_replayed(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        case = send(api)
        (got,) = receiver.wait_taken(1)
        receiver.wait(lambda: bool(api.get("/v1/deliveries?state=done").json()["deliveries"]))
        assert api.post(f"/v1/deliveries/{got.id}/replay").json()["attempts"] == 0
        receiver.wait(lambda: len(receiver.taken) == 2)
        assert [event["kind"] for event in api.get(f"/v1/cases/{case}/events").json()["events"]] == ["case.received", "delivery.replayed"]

    def test_that_cannot_be_replayed_say_why(self, api: TestClient, receiver: Receiver) -> None:
        assert api.post("/v1/deliveries/none/replay").json()["code"] == "delivery_not_found"
        set_channel(api, receiver)
        send(api)
        (got,) = receiver.wait_taken(1)
        api.delete(CHANNEL)
        assert api.post(f"/v1/deliveries/{got.id}/replay").json()["code"] == "channel_missing"

    def test_are_counted_in_the_metrics_and_told_by_readyz(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        send(api)
        receiver.wait_taken(1)
        receiver.wait(lambda: 'fenpai_deliveries_total{outcome="sent"} 1.0' in api.get("/metrics").text)
        assert {"fenpai_outbox_depth", "fenpai_outbox_age_seconds", "fenpai_outbox_dead"} <= set(api.get("/metrics").text.split())
        told = {check["name"]: check for check in api.get("/readyz").json()["checks"]}
        assert told["deliveries"]["ok"]
        assert "待送达" in told["deliveries"]["detail"]


class TestWhoComplained:
    def test_is_in_no_letter_and_no_log_and_no_secret_either(self, database_url: str, receiver: Receiver) -> None:
        stream = io.BytesIO()
        settings = settings_for(database_url, allow_private_targets="yes", delivery_pause=0.05)
        log.configure("debug", stream)
        with opened(create_app(settings)) as api:
            receiver.behaviour = lambda _id, times: Reply(500 if times == 1 else 204)
            url = receiver.url + "?key=address-key"
            assert api.put(CHANNEL, json={"url": url, "secret": receiver.secret}).status_code == 200
            case = send(
                api,
                content=f"市民{PERSON['name']}，住{PERSON['address']}，电话１３９１２３４５６７８、139-1234-5678、+8613912345678、022-26391234，"
                "身份证 120113199001011234，反映云溪区某篮球班不给退费。",
                complainant=PERSON,
                requested_outcome=f"回电{PERSON['phone']}",
                extra={"caller": PERSON["phone"], "secret_field": "only-here"},
            )
            who = {"X-Fenpai-Actor": "Li", "X-Fenpai-Department": LEAD, "If-Match": '"1"'}
            api.post(f"/v1/cases/{case}/accept", json={"note": f"已联系{PERSON['name']}"}, headers=who)
            receiver.wait_taken(2)
            feed = api.get("/v1/changes").text
        log.configure("error")
        letters = b"".join(got.body + str(got.headers).encode() for got in receiver.got).decode()
        assert "篮球班不给退费" in letters
        for word in (*PERSON.values(), "12345678", "１２３４５６７８", "26391234", "199001011234", "only-here"):
            assert word not in letters, word
        written = stream.getvalue().decode()
        secret = receiver.secret.removeprefix("whsec_")
        assert '"delivery"' in written
        for word in (*PERSON.values(), secret, "address-key", "篮球班不给退费"):
            assert word not in written, word
            assert word not in feed, word

    def test_the_secret_is_sealed_in_the_database(self, api: TestClient, receiver: Receiver) -> None:
        set_channel(api, receiver)
        with api.app.state.office.database.read() as conn:  # type: ignore[attr-defined] # the app is FastAPI's
            stored = conn.exec_driver_sql("SELECT secret FROM channels").scalar_one()
        assert receiver.secret.encode() not in bytes(stored)
        assert receiver.secret.removeprefix("whsec_").encode() not in bytes(stored)


class TestTheCommandLine:
    @pytest.fixture
    def fenpai(
        self, database_url: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., tuple[int, str, str]]:
        for name, value in {"DATABASE_URL": database_url, "DATA_KEY": KEY, "PACK": str(PACK)}.items():
            monkeypatch.setenv(f"FENPAI_{name}", value)
        monkeypatch.setenv("COLUMNS", "200")

        def run(*words: str) -> tuple[int, str, str]:
            with pytest.raises(SystemExit) as ended:
                cli.main(list(words))
            out, err = capfd.readouterr()
            return int(ended.value.code or 0), out, err

        return run

    def test_lists_and_replays_beside_a_running_server(
        self, api: TestClient, receiver: Receiver, fenpai: Callable[..., tuple[int, str, str]]
    ) -> None:
        receiver.behaviour = lambda _id, _times: Reply(500)
        set_channel(api, receiver)
        case = send(api)
        receiver.wait(lambda: len(receiver.got) > 0)
        api.delete(CHANNEL)
        code, out, _ = fenpai("deliveries", "list", "--state", "dead", "--json")
        assert (code, [orjson.loads(line)["case_id"] for line in out.splitlines()]) == (0, [case])
        receiver.behaviour = lambda _id, _times: Reply()
        set_channel(api, receiver)
        assert fenpai("deliveries", "replay", "--dead", "--department", LEAD)[:2] == (0, "1 条等待重发。\n")
        receiver.wait_taken(1)
        receiver.wait(lambda: "已放弃 0 条" in fenpai("deliveries", "list")[1])
        code, out, _ = fenpai("deliveries", "list")
        assert (code, case in out) == (0, True)

    def test_says_what_is_wrong(self, fenpai: Callable[..., tuple[int, str, str]]) -> None:
        assert fenpai("deliveries", "replay", "none")[::2] == (2, "没有编号为 none 的送达。\n")
        assert fenpai("deliveries", "replay")[0] == 2
        assert fenpai("deliveries", "list", "--state", "lost")[0] == 2

    def test_refuses_a_dispatcher_beside_sqlite(self, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
        monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)
        assert Settings.from_env({"FENPAI_DATABASE_URL": sqlite_url}).database_url == sqlite_url
        with pytest.raises(SystemExit) as ended:
            cli.main(["work"])
        assert ended.value.code == 2
