"""POST /v1/cases/{id}/{move}: officers work on cases over HTTP; two at once, twice the same, too late, without a name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from starlette.testclient import TestClient

from models.case import Case, CasePage, Timeline
from models.casework import CaseClocks
from models.moved import Moved, MovesNow
from models.moves import MOVES, Move
from models.problem import Problem
from service.app import create_app
from service.config import Settings
from tests.api.conftest import Orders, eventually, opened, served
from tests.casework.people import BODIES


class ShiftedClock:
    """What time it is for casework: now, or as many days later as a test wants."""

    def __init__(self) -> None:
        self.later = timedelta()

    def __call__(self, _conn: object) -> datetime:
        return datetime.now(UTC) + self.later


class Officers:
    """A house with a case in it, and the people who work on it."""

    def __init__(self, client: TestClient, clock: ShiftedClock, case_id: str) -> None:
        self.client = client
        self.clock = clock
        self.case_id = case_id

    def move(
        self, move: Move, by: str | None = None, version: int | str | None = None, headers: dict[str, str] | None = None, **said: Any
    ) -> Any:
        """Make a move on the case as it stands; its answer."""
        tag = self.case()["version"] if version is None else version
        who = {"X-Fenpai-Actor": "officer", "X-Fenpai-Department": by or LEADS[move], "If-Match": f'"{tag}"'}
        return self.client.post(f"/v1/cases/{self.case_id}/{move}", json={**BODIES[move], **said}, headers=who | (headers or {}))

    def case(self) -> Any:
        return self.client.get(f"/v1/cases/{self.case_id}").json()

    def get(self, path: str, by: str = "gym_office") -> httpx2.Response:
        headers = {"X-Fenpai-Actor": "officer", "X-Fenpai-Department": by}
        answer: httpx2.Response = self.client.get(f"/v1/cases/{self.case_id}{path}", headers=headers)
        return answer


LEADS = dict.fromkeys(Move, "study_office") | dict.fromkeys(
    (Move.ACCEPT, Move.HAND_BACK, Move.EXTEND, Move.REPLY, Move.COMPLETE), "gym_office"
)
LEADS[Move.ASSIST_REPLY] = "money_office"


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def officers(settings: Settings, clock: ShiftedClock, order: Orders) -> Iterator[Officers]:
    """Once on each kind of database."""
    with opened(create_app(settings, clock)) as client:
        yield Officers(client, clock, client.post("/v1/cases", json=order()).json()["id"])


@pytest.fixture
def clerks(desk: TestClient, order: Orders) -> Officers:
    """The same in a house that the whole file shares, for what does not depend on the database."""
    return Officers(desk, ShiftedClock(), desk.post("/v1/cases", json=order()).json()["id"])


class TestAMove:
    def test_is_answered_with_a_receipt_and_the_new_version(self, officers: Officers) -> None:
        answer = officers.move(Move.ACCEPT)
        moved = Moved.model_validate_json(answer.content)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert (moved.case_id, moved.version, moved.status, moved.lead, moved.hops) == (officers.case_id, 2, "accepted", "gym_office", 1)
        assert (moved.actor, moved.department, moved.data["on_time"]) == ("officer", "gym_office", {"receipt": True})

    def test_is_one_change_of_the_feed(self, officers: Officers) -> None:
        moved = officers.move(Move.ACCEPT).json()
        [change] = officers.client.get(f"/v1/changes?after={moved['seq'] - 1}").json()["changes"]
        assert (change["kind"], change["case_id"], change["data"]) == ("case.accepted", officers.case_id, moved["data"])

    def test_shows_in_the_case(self, officers: Officers) -> None:
        officers.move(Move.ASSIST_REPLY, text="账目属实")
        officers.move(Move.HAND_BACK, text="学的是舞蹈")
        officers.move(Move.RE_DISPATCH)
        officers.move(Move.RECLASSIFY)
        case = Case.model_validate_json(officers.client.get(f"/v1/cases/{officers.case_id}").content)
        assert (case.version, case.status, case.lead, case.hops, case.category) == (5, "dispatched", "stage_office", 2, "stage")
        assert [(part.department, part.role, part.opinion) for part in case.departments] == [
            ("stage_office", "lead", None),
            ("money_office", "assist", "given"),
        ]
        assert case.opinions == {"money_office": "账目属实"}
        assert [(clock.kind, clock.state, clock.name) for clock in case.clocks] == [
            ("receipt", "running", "签收"),
            ("hand_back", "running", "退单"),
            ("handling", "running", "办理"),
        ]
        assert case.clocks[0].citation is not None
        assert case.clocks[0].citation.document == "云溪区培训管理办法"
        assert case.due == case.clocks[2].due
        assert case.last["hand-back"].model_dump(include={"text", "reason_code", "suggested", "version"}) == {
            "text": "学的是舞蹈",
            "reason_code": "not_ours",
            "suggested": "stage_office",
            "version": 3,
        }
        assert case.truth is not None
        assert (case.truth.category, case.truth.decided_category) == ("stage", "ball")

    def test_shows_in_the_timeline_with_what_was_written(self, officers: Officers) -> None:
        officers.move(Move.HAND_BACK, text="学的是舞蹈")
        timeline = Timeline.model_validate_json(officers.get("/events").content)
        assert [(event.kind, event.note) for event in timeline.events] == [
            ("case.received", None),
            ("case.handed_back", {"text": "学的是舞蹈"}),
        ]

    def test_that_needs_no_words_needs_no_body(self, clerks: Officers) -> None:
        headers = {"X-Fenpai-Actor": "officer", "X-Fenpai-Department": "gym_office", "If-Match": '"1"'}
        assert clerks.client.post(f"/v1/cases/{clerks.case_id}/accept", headers=headers).status_code == 200

    def test_is_told_whole_from_dispatch_to_archive(self, officers: Officers) -> None:
        moves = (Move.ACCEPT, Move.EXTEND, Move.PAUSE, Move.RESUME, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.REDO)
        for move in (*moves, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.ARCHIVE):
            assert officers.move(move).status_code == 200, move
        case = Case.model_validate(officers.case())
        assert (case.status, case.version, case.progress.redone, case.progress.supervised) == ("archived", 13, 1, True)
        assert case.last["follow-up"].model_dump(include={"reached", "solved", "satisfied"}) == {
            "reached": True,
            "solved": "yes",
            "satisfied": "no",
        }
        assert {clock.state for clock in case.clocks} <= {"met", "stopped"}

    def test_wakes_those_who_wait(self, settings: Settings, order: Orders) -> None:
        with served(create_app(settings)) as address, ThreadPoolExecutor(1) as pool:
            case_id = httpx2.post(f"{address}/v1/cases", json=order()).json()["id"]
            end = httpx2.get(f"{address}/v1/changes").json()["next"]
            waiting = pool.submit(httpx2.get, f"{address}/v1/changes?after={end}&wait=30", timeout=40)
            headers = {"X-Fenpai-Actor": "officer", "X-Fenpai-Department": "gym_office", "If-Match": '"1"'}
            httpx2.post(f"{address}/v1/cases/{case_id}/accept", headers=headers)
            answer = waiting.result()
        assert [change["kind"] for change in answer.json()["changes"]] == ["case.accepted"]
        assert answer.elapsed.total_seconds() < 5


class TestVersions:
    @pytest.mark.parametrize("condition", [None, "", "*"])
    def test_must_be_named(self, clerks: Officers, condition: str | None) -> None:
        headers = {"X-Fenpai-Actor": "officer", "X-Fenpai-Department": "gym_office"}
        headers |= {"If-Match": condition} if condition is not None else {}
        answer = clerks.client.post(f"/v1/cases/{clerks.case_id}/accept", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (428, "version_missing")

    @pytest.mark.parametrize("condition", ['"1"', '"7", "1"'])
    def test_may_be_written_as_etags_are(self, clerks: Officers, condition: str) -> None:
        assert clerks.move(Move.ACCEPT, headers={"If-Match": condition}).status_code == 200

    @pytest.mark.parametrize("condition", ['"2"', '"x"', '"99999999999999999999"'])
    def test_that_are_not_the_present_one_are_told_how_the_case_stands(self, clerks: Officers, condition: str) -> None:
        answer = clerks.move(Move.ACCEPT, headers={"If-Match": condition})
        told = Problem.model_validate_json(answer.content)
        assert (answer.status_code, told.code) == (412, "stale")
        assert told.present == {"id": clerks.case_id, "version": 1, "status": "dispatched", "lead": "gym_office", "hops": 1}
        assert "案件已是第 1 版，状态为已派单" in told.detail

    @pytest.mark.parametrize("condition", ["1", 'W/"1"', 'W/"1", W/"2"', '"1'])
    def test_without_quotes_or_weak_are_refused_with_how_to_write_them(self, clerks: Officers, condition: str) -> None:
        answer = clerks.move(Move.ACCEPT, headers={"If-Match": condition})
        assert (answer.status_code, answer.json()["code"]) == (400, "version_unreadable")
        assert '连同双引号，例如 If-Match: "3"' in answer.json()["detail"]

    def test_let_only_one_of_two_officers_through(self, settings: Settings, order: Orders) -> None:
        with served(create_app(settings)) as address, ThreadPoolExecutor(8) as pool:
            case_id = httpx2.post(f"{address}/v1/cases", json=order()).json()["id"]
            headers = {"X-Fenpai-Actor": "officer", "X-Fenpai-Department": "gym_office", "If-Match": '"1"'}
            post = lambda move: httpx2.post(f"{address}/v1/cases/{case_id}/{move}", json=BODIES[move], headers=headers, timeout=30)  # noqa: E731
            codes = [answer.status_code for answer in pool.map(post, [Move.ACCEPT, Move.HAND_BACK] * 4)]
        assert sorted(codes) == [200] + [412] * 7


class TestRefusals:
    def test_of_the_state_say_what_may_be_done(self, clerks: Officers) -> None:
        told = Problem.model_validate_json(clerks.move(Move.REPLY).content)
        assert (told.status, told.code, told.allowed) == (409, "not_now", ["accept", "hand-back"])
        assert told.detail == "案件已派单，不能答复。现在可以：签收、退单。"

    def test_of_a_condition_name_it(self, officers: Officers) -> None:
        officers.clock.later = timedelta(days=30)
        told = Problem.model_validate_json(officers.move(Move.HAND_BACK).content)
        assert (told.status, told.code, told.guard) == (409, "guard_refused", "hand_back_in_time")
        assert "逾期不能退单" in told.detail

    def test_of_a_condition_do_not_offer_what_was_just_refused(self, clerks: Officers) -> None:
        clerks.move(Move.ACCEPT)
        clerks.move(Move.REPLY)
        told = Problem.model_validate_json(clerks.move(Move.COMPLETE, waivers=[]).content)
        assert (told.status, told.guard) == (409, "opinions_in")
        assert "complete" not in (told.allowed or [])

    def test_of_a_stranger_say_whose_it_is(self, clerks: Officers) -> None:
        told = Problem.model_validate_json(clerks.move(Move.ACCEPT, by="stage_office").content)
        assert (told.status, told.code) == (403, "not_yours")
        assert told.detail.startswith("签收由主办单位（云溪区球场办）来做，云溪区舞台办不能做。")

    def test_of_what_is_said_point_at_it(self, clerks: Officers) -> None:
        answer = clerks.move(Move.HAND_BACK, clause="order-9", text="")
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [("/text", "too_short")]
        answer = clerks.move(Move.HAND_BACK, clause="order-9")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/clause")

    def test_of_a_calendar_that_ends_name_the_file(self, officers: Officers) -> None:
        officers.move(Move.ACCEPT)
        officers.move(Move.PAUSE)
        officers.clock.later = timedelta(days=3650 * 2)
        answer = officers.move(Move.RESUME)
        assert answer.status_code == 200
        assert officers.case()["clocks"][-1]["state"] == "unknown"

    def test_of_no_case(self, clerks: Officers) -> None:
        clerks.case_id = "0" * 26
        answer = clerks.move(Move.ACCEPT, version=1)
        assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found")

    @pytest.mark.parametrize("move", ["report", "fly", "ACCEPT"])
    def test_of_a_move_that_is_none(self, clerks: Officers, move: str) -> None:
        answer = clerks.client.post(f"/v1/cases/{clerks.case_id}/{move}")
        assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


class TestWhoActs:
    @pytest.mark.parametrize(
        ("actor", "department", "code"),
        [
            (None, "gym_office", "actor_missing"),
            ("officer", None, "actor_missing"),
            (" ", "gym_office", "actor_missing"),
            ("%ff", "gym_office", "actor_missing"),
            ("a%00b", "gym_office", "actor_missing"),
            ("x" * 101, "gym_office", "actor_missing"),
            ("officer", "nobody", "actor_unknown"),
            ("officer", "system", "actor_unknown"),
        ],
    )
    def test_must_be_told(self, clerks: Officers, actor: str | None, department: str | None, code: str) -> None:
        headers = {"If-Match": '"1"'}
        headers |= {"X-Fenpai-Actor": actor} if actor is not None else {}
        headers |= {"X-Fenpai-Department": department} if department is not None else {}
        answer = clerks.client.post(f"/v1/cases/{clerks.case_id}/accept", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_is_told_what_is_wrong_with_a_name_that_is_too_long(self, clerks: Officers) -> None:
        headers = {"If-Match": '"1"', "X-Fenpai-Actor": "x" * 101, "X-Fenpai-Department": "gym_office"}
        told = clerks.client.post(f"/v1/cases/{clerks.case_id}/accept", headers=headers).json()
        assert told["detail"] == "请求头 X-Fenpai-Actor 太长：至多 100 个字，现有 101 个。"

    @pytest.mark.parametrize("name", [quote("李球场"), "李球场".encode()])
    def test_may_have_a_chinese_name(self, clerks: Officers, name: str | bytes) -> None:
        headers = {b"X-Fenpai-Actor": name if isinstance(name, bytes) else name.encode(), b"X-Fenpai-Department": b"gym_office"}
        answer = clerks.client.post(f"/v1/cases/{clerks.case_id}/accept", headers=headers | {b"If-Match": b'"1"'})
        assert answer.json()["actor"] == "李球场"


class TestAKey:
    def test_makes_a_move_once_and_gives_the_same_receipt(self, officers: Officers) -> None:
        key = {"Idempotency-Key": "k-1"}
        first = officers.move(Move.ACCEPT, version=1, headers=key)
        officers.move(Move.REPLY)
        again = officers.move(Move.ACCEPT, version=1, headers=key)
        assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, '"2"')
        assert officers.case()["version"] == 3

    def test_of_another_request_is_refused(self, officers: Officers) -> None:
        key = {"Idempotency-Key": "k-1"}
        officers.move(Move.ACCEPT, headers=key)
        answer = officers.move(Move.REPLY, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_conflict")

    def test_that_is_none_is_refused(self, clerks: Officers) -> None:
        assert clerks.move(Move.ACCEPT, headers={"Idempotency-Key": "a b"}).json()["code"] == "idempotency_key_invalid"


class TestWhatMayBeDoneNow:
    def test_is_told_with_the_reasons(self, clerks: Officers) -> None:
        now = MovesNow.model_validate_json(clerks.get("/moves").content)
        assert (now.version, now.status) == (1, "dispatched")
        assert [one.move for one in now.moves if one.allowed] == [Move.ACCEPT, Move.HAND_BACK]
        assert [one.move for one in now.moves] == [row.move for row in MOVES.values() if row.by_people]
        told = {one.move: one for one in now.moves}
        assert told[Move.REPLY].why_not == "案件已派单，不能答复。"
        assert told[Move.HAND_BACK].required == ["reason_code", "text", "clause"]

    def test_depends_on_who_asks(self, clerks: Officers) -> None:
        now = clerks.get("/moves", by="hotline").json()
        assert [one["move"] for one in now["moves"] if one["allowed"]] == ["urge", "reclassify", "merge"]

    def test_needs_somebody_who_asks(self, clerks: Officers) -> None:
        answer = clerks.client.get(f"/v1/cases/{clerks.case_id}/moves")
        assert (answer.status_code, answer.json()["code"]) == (400, "actor_missing")


class TestMergedCases:
    def test_can_be_listed(self, officers: Officers, order: Orders) -> None:
        main = officers.case_id
        officers.case_id = officers.client.post("/v1/cases", json=order()).json()["id"]
        officers.move(Move.MERGE, into=main)
        page = CasePage.model_validate_json(officers.client.get(f"/v1/cases?merged_into={main}").content)
        assert [(case.id, case.status, case.merged_into) for case in page.cases] == [(officers.case_id, "merged", main)]


class TestClocks:
    def test_are_told_step_by_step(self, officers: Officers) -> None:
        told = CaseClocks.model_validate_json(officers.get("/clocks").content)
        assert [clock.kind for clock in told.clocks] == ["receipt", "hand_back", "handling"]
        assert all(clock.steps[0].startswith("起算") for clock in told.clocks)

    def test_that_ran_out_are_told_by_the_system(self, officers: Officers, monkeypatch: pytest.MonkeyPatch) -> None:
        """The clockwork runs beside the serving; it would doubt such a jump for a while."""
        monkeypatch.setattr("service.casework.clockwork.DOUBT_SECONDS", 0)
        officers.clock.later = timedelta(days=30)
        eventually(lambda: officers.case()["progress"]["supervised"])
        kinds = [(event["kind"], event["actor"]) for event in officers.get("/events").json()["events"]]
        assert kinds == [
            ("case.received", "hotline"),
            ("case.urged", "system"),
            ("case.receipt_missed", "system"),
            ("case.urged", "system"),
            ("case.supervised", "system"),
        ]
        case = officers.case()
        assert (case["version"], case["receipt_missed"], case["progress"]["urged"]) == (5, True, 2)


class TestPreview:
    def test_computes_a_case_that_never_was(self, desk: TestClient) -> None:
        answer = desk.get("/v1/clocks/preview", params={"received": "2026-11-24T16:20:00+08:00", "complex": "true", "urgency": "urgent"})
        told = answer.json()
        assert [(one["name"], one["due"]) for one in told["deadlines"]] == [
            ("签收", "2026-11-24T16:40:00+08:00"),
            ("退单", "2026-11-27T17:00:00+08:00"),
            ("办理", "2026-12-07T17:00:00+08:00"),
        ]
        assert told["extended"]["due"] == "2026-12-11T17:00:00+08:00"

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("", "/received"),
            ("received=2026-11-24T16:20:00", "/received"),
            ("received=0001-01-01T00:00:00Z", "/received"),
            ("recieved=x", "/recieved"),
        ],
    )
    def test_refuses_wrong_questions(self, desk: TestClient, query: str, pointer: str) -> None:
        answer = desk.get(f"/v1/clocks/preview?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "parameter_invalid")
        assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]

    def test_names_the_calendar_that_is_missing(self, desk: TestClient) -> None:
        answer = desk.get("/v1/clocks/preview?received=2040-01-01T00:00:00Z")
        [fault] = answer.json()["errors"]
        assert (answer.status_code, fault["pointer"], fault["code"]) == (422, "/received", "calendar_year_missing")
        assert "calendar/2037.yaml" in answer.json()["detail"]
