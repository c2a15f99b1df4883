"""Figures of a period: counted right, told with their intervals, by indexes alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from starlette.testclient import TestClient

from models.decision import Outcome
from models.moves import Move
from service import store
from service.db import Database
from service.evaluate.chance import wilson
from service.store import Period
from tests.casework.house import House, decided
from tests.casework.people import BODIES, GYM, HOTLINE, TUESDAY

PERIOD = {"since": "2026-11-24T00:00:00+08:00", "until": "2026-11-25T00:00:00+08:00"}
DAY = Period(TUESDAY - timedelta(hours=16), TUESDAY + timedelta(hours=8))


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def live(house: House) -> None:
    """Five cases: returned; done in time and liked; done late and not liked; handed back and sent on; escalated. And one of tomorrow."""
    house.receive(decision=decided(Outcome.RETURN))
    for late, satisfied in ((0, "yes"), (30, "no")):
        case = house.receive()
        house.move(case, Move.ACCEPT)
        house.move(case, Move.REPLY)
        house.clock.moment += timedelta(days=late)
        house.move(case, Move.COMPLETE)
        house.clock.moment -= timedelta(days=late)
        house.move(case, Move.FOLLOW_UP, solved="unknown", satisfied=satisfied)
    back = house.receive()
    house.move(back, Move.HAND_BACK, GYM)
    house.move(back, Move.RE_DISPATCH, HOTLINE)
    house.receive(decision=decided(Outcome.ESCALATE))
    house.clock.moment += timedelta(days=1)
    house.receive()
    house.clock.moment = TUESDAY


def test_a_department_that_does_not_exist_is_refused(desk: TestClient) -> None:
    for list_ in ("stats", "deliveries", "incidents", "cases"):
        [fault] = desk.get(f"/v1/{list_}", params={"department": "gym_ofice"}).json()["errors"]
        assert (fault["pointer"], fault["code"]) == ("/department", "unknown_code")


class TestTheFigures:
    def test_of_the_cases_that_came_in(self, house: House) -> None:
        live(house)
        with house.database.read() as conn:
            by_status = {("returned",): 1, ("followed_up",): 2, ("dispatched",): 1, ("escalated",): 1}
            assert store.count_together(conn, DAY, ["status"]) == by_status
            assert store.count_together(conn, DAY, ["lead", "status"])["gym_office", "followed_up"] == 2
            assert store.count_together(conn, DAY, ["hops"]) == {(0,): 1, (1,): 3, (2,): 1}
            assert store.count_hours(conn, DAY) == {TUESDAY.astimezone(UTC).replace(minute=0): 5}
            parts = {(department, role): count for department, role, count in store.count_parts(conn, DAY)}
            assert parts["gym_office", "lead"] == 3
            assert parts["stage_office", "lead"] == 1
            assert sum(count for *_, count in store.count_hand_backs(conn, DAY)) == 4

    def test_of_what_was_done(self, house: House) -> None:
        live(house)
        with house.database.read() as conn:
            done = store.count_on_time(conn, DAY, ["receipt", "handling"], ["case.accepted", "case.completed"])
            assert (done["receipt"].n, done["receipt"].count) == (2, 2)
            assert (done["handling"].n, done["handling"].count) == (1, 1)
            said = store.count_said(conn, DAY, "case.followed_up", ["solved", "satisfied"])
            assert (said["solved"].n, said["satisfied"].n, said["satisfied"].count) == (0, 2, 1)

    def test_of_one_department_alone(self, house: House) -> None:
        live(house)
        own = Period(DAY.since, DAY.until, "stage_office")
        with house.database.read() as conn:
            assert store.count_together(conn, own, ["status"]) == {("dispatched",): 1}
            assert store.count_on_time(conn, own, ["receipt"], ["case.accepted"])["receipt"].n == 0

    def test_come_by_indexes_alone(self, house: House) -> None:
        live(house)
        plans = list(_plans(house.database))
        assert len(plans) == 16
        scans = ("SCAN cases", "SCAN events", "SCAN case_departments", "SCAN incidents", "Seq Scan")
        assert [plan for plan in plans if any(scan in plan for scan in scans)] == []


def _plans(database: Database) -> Iterator[str]:
    """How the database would answer each question of each figure."""
    asked: list[tuple[str, Any]] = []
    with database.read() as conn:
        listen = (conn, "before_cursor_execute", lambda _c, _cu, sql, values, *_: asked.append((sql, values)))
        event.listen(*listen)
        for period in (DAY, Period(DAY.since, DAY.until, "gym_office")):
            store.count_together(conn, period, ["lead", "status"])
            store.count_overdue(conn, period.until, period.department)
            store.count_hours(conn, period)
            store.count_parts(conn, period)
            store.count_hand_backs(conn, period)
            store.count_incidents(conn, period)
            store.count_on_time(conn, period, ["receipt"], ["case.accepted"])
            store.count_said(conn, period, "case.followed_up", ["solved"])
        event.remove(*listen)
        if database.dialect == "postgresql":
            conn.execute(text("SET enable_seqscan = off"))
        for sql, values in asked:
            plan = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
            yield "\n".join(str(row) for row in conn.exec_driver_sql(plan + sql, values).all())
        if database.dialect == "postgresql":
            conn.execute(text("RESET enable_seqscan"))


class TestOverdue:
    def test_counts_what_is_still_being_handled_after_its_time(self, house: House) -> None:
        done, late = house.receive(), house.receive()
        house.move(done, Move.ACCEPT)
        house.move(done, Move.REPLY)
        house.move(done, Move.COMPLETE)
        with house.database.read() as conn:
            due = house.row(late).due_at
            assert due is not None
            assert store.count_overdue(conn, due) == 0
            past = due + timedelta(seconds=1)
            assert store.count_overdue(conn, past) == store.count_overdue(conn, past, "gym_office") == 1
            assert [case.id for case in store.list_cases(conn, store.Filters(due_before=past), limit=5).cases] == [late]
            assert store.count_overdue(conn, past, "stage_office") == 0


class TestOverHttp:
    def test_each_share_has_its_interval_and_nothing_new_is_304(self, desk: TestClient, order: Any) -> None:
        before = desk.get("/v1/stats").json()
        ids = [desk.post("/v1/cases", json=order()).json()["id"] for _ in range(3)]
        for move, who in ((Move.HAND_BACK, "gym_office"), (Move.RE_DISPATCH, "hotline")):
            said = {"X-Fenpai-Actor": "zhou", "X-Fenpai-Department": who, "If-Match": desk.get(f"/v1/cases/{ids[0]}").headers["ETag"]}
            assert desk.post(f"/v1/cases/{ids[0]}/{move}", json=BODIES[move], headers=said).status_code == 200
        answer = desk.get("/v1/stats")
        figures = answer.json()
        assert figures["cases"] == before["cases"] + 3
        assert sum(figures["day"].values()) == figures["cases"]
        assert figures["departments"]["gym_office"]["lead"] >= 2
        share = figures["first_dispatch"]
        assert (before["first_dispatch"]["n"], share["n"], share["count"]) == (0, 1, 0), "only what was signed for or handed back is known"
        for id_ in ids[1:]:
            said = {"X-Fenpai-Actor": "zhou", "X-Fenpai-Department": "gym_office", "If-Match": '"1"'}
            assert desk.post(f"/v1/cases/{id_}/accept", headers=said).status_code == 200
        answer = desk.get("/v1/stats")
        share = answer.json()["first_dispatch"]
        assert (share["n"], share["count"]) == (3, 2)
        assert figures["handed_back"]["count"] == 1
        low, high = wilson(share["count"], share["n"])
        assert (share["low"], share["high"]) == (round(low, 4), round(high, 4))
        assert figures["satisfied"] == {"n": 0, "count": 0, "share": None, "low": None, "high": None}

        same = {"If-None-Match": answer.headers["ETag"]}
        assert desk.get("/v1/stats", headers=same).status_code == 304
        assert desk.get("/v1/stats", headers=same, params=PERIOD).status_code == 200
        assert desk.post("/v1/cases", json=order()).status_code == 201
        assert desk.get("/v1/stats", headers=same).status_code == 200

    def test_a_period_that_is_none_is_refused(self, desk: TestClient) -> None:
        for since in ("2026-11-26T00:00:00+08:00", "2020-01-01T00:00:00+08:00"):
            answer = desk.get("/v1/stats", params=PERIOD | {"since": since})
            assert (answer.status_code, answer.json()["code"]) == (422, "parameter_invalid")
        assert datetime.fromisoformat(desk.get("/v1/stats", params=PERIOD).json()["since"]) == DAY.since - timedelta(minutes=20)
