"""Any officers, any moves, in any order, while time goes on and jumps: what must hold holds after every step, on both databases."""

from collections import Counter
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from models.case import Status
from models.clocks import ClockKind
from models.decision import Outcome, Urgency
from models.moves import MOVES, Move, Stay
from service import audit, store
from service.app import create_app
from service.casework import Actor, Ground, Work, carry, standings, timing, work_of
from service.casework.errors import GuardRefused, NotNow, NotYours, Stale
from service.db import Database
from service.errors import Invalid
from tests.api.conftest import opened, settings_for
from tests.casework.house import FrozenClock, House, decided
from tests.casework.people import ADMIN, GYM, HOTLINE, MONEY, OFFICE, STAGE, TUESDAY

PEOPLE = (HOTLINE, ADMIN, OFFICE, GYM, STAGE, MONEY)
SECRET = "13611112222"
"""Stands in all that is written with a move, and may not stand in the feed."""
WAITING = {Status.DISPATCHED, Status.ESCALATED}
IN_HAND = WAITING | {Status.ACCEPTED, Status.REPLIED}
ONWARD = {Move.ACCEPT, Move.HAND_BACK, Move.RE_DISPATCH, Move.DESIGNATE, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.REDO}

SAID: dict[Move, st.SearchStrategy[dict[str, Any]]] = {
    Move.HAND_BACK: st.fixed_dictionaries({"suggested": st.sampled_from(["gym_office", "stage_office", "study_office"])}),
    Move.RE_DISPATCH: st.fixed_dictionaries(
        {
            "lead": st.sampled_from(["gym_office", "stage_office", "money_office", "nobody"]),
            "assists": st.sampled_from([None, [], ["money_office"], ["stage_office", "gym_office"]]),
            "complex": st.sampled_from([None, True, False]),
        }
    ),
    Move.EXTEND: st.fixed_dictionaries({"working_days": st.integers(1, 6)}),
    Move.RECLASSIFY: st.fixed_dictionaries(
        {"category": st.sampled_from([None, "ball", "stage"]), "lead": st.sampled_from(["gym_office", "stage_office"])}
    ),
    Move.COMPLETE: st.sampled_from([{}, {"waivers": []}]),
}
"""Where what is said decides whether the move is allowed."""


def saying(move: Move) -> st.SearchStrategy[tuple[Move, dict[str, Any]]]:
    written = {name: f"来电{SECRET}" for name in MOVES[move].body.model_fields if name in {"reason", "text", "note", "approver"}}
    return st.tuples(st.just(move), SAID.get(move, st.just({})).map(lambda said: {**written, **said}))


ORDERS = st.sampled_from([move for move, row in MOVES.items() if row.by_people]).flatmap(saying)
STEPS = st.one_of(st.timedeltas(timedelta(0), timedelta(hours=8)), st.timedeltas(timedelta(0), timedelta(days=4)))


class Life(RuleBasedStateMachine):
    """Cases in a house, moved by whoever comes."""

    database: Database
    cases = Bundle("cases")

    @initialize(target=cases)
    def open(self) -> str:
        self.house = House(self.database, FrozenClock(TUESDAY))
        with self.database.write() as conn:
            conn.exec_driver_sql("DELETE FROM timers")  # of the lives before this one
        self.versions: dict[str, int] = {}
        self.struck: Counter[tuple[str, str, str]] = Counter()
        self.jumps = 0
        return self.receive_one(Urgency.NORMAL, Outcome.DISPATCH)

    @rule(target=cases, urgency=st.sampled_from(Urgency), outcome=st.sampled_from(Outcome))
    def receive(self, urgency: Urgency, outcome: Outcome) -> str:
        return self.receive_one(urgency, outcome)

    def receive_one(self, urgency: Urgency, outcome: Outcome) -> str:
        case_id = self.house.receive(decision=decided(outcome, urgency))
        self.versions[case_id] = 1
        return case_id

    @rule(case_id=cases, order=ORDERS, actor=st.sampled_from(PEOPLE), other=cases, behind=st.sampled_from([0, 0, 0, 0, 1, -1]))
    def move(self, case_id: str, order: tuple[Move, dict[str, Any]], actor: Actor, other: str, behind: int) -> None:
        move, said = order
        if move is Move.MERGE:
            said = {**said, "into": other}
        before = self.house.work(case_id)
        try:
            made = self.house.move(case_id, move, actor, version=before.version + behind, **said)
        except Stale:
            assert behind
            after = None
        except (NotNow, NotYours, GuardRefused, Invalid) as refusal:
            assert not behind
            self.check_refusal(refusal, before, move, actor)
            after = None
        else:
            assert not behind
            after = self.house.work(case_id)
            self.check_move(before, after, move, actor, orjson.loads(made.event.data))
        assert (after or before) == self.house.work(case_id)

    @rule(case_id=cases, other=cases, data=st.data())
    def go_on(self, case_id: str, other: str, data: st.DataObject) -> None:
        """Somebody does what may be done; left to chance alone, hardly a case would get far."""
        case = self.house.work(case_id)
        now, rules = self.house.clock.moment, self.house.rules()
        may = [(one.row.move, who) for who in PEOPLE for one in standings(case, Ground(now, rules, who)) if one.allowed]
        may += [one for one in may if one[0] in ONWARD] * 4
        if may:
            move, actor = data.draw(st.sampled_from(may))
            self.move(case_id, data.draw(saying(move)), actor, other, 0)

    @rule(case_id=cases, other=cases, data=st.data())
    def go_further(self, case_id: str, other: str, data: st.DataObject) -> None:
        for _ in range(6):
            self.go_on(case_id, other, data)

    @rule(step=STEPS)
    def wait(self, step: timedelta) -> None:
        self.house.clock.moment += step

    @rule(step=st.timedeltas(timedelta(0), timedelta(days=2)))
    def jump_back(self, step: timedelta) -> None:
        """The clock of a machine may be set back, but never to a moment of before: two clocks that began then would look like one."""
        self.jumps += 1
        self.house.clock.moment = max(TUESDAY, self.house.clock.moment - step) + self.jumps * timedelta.resolution

    @rule()
    def strike(self) -> None:
        """The clockwork comes by: all that is due strikes, each timer once."""
        while claims := self.claim():
            for claim in claims:
                self.strike_one(claim)
        now = self.house.clock.moment
        for case_id in self.versions:
            timer = timing.next_timer(self.house.work(case_id).clocks)
            assert timer is None or timer.due_at > now

    @rule(case_id=cases, order=ORDERS, actor=st.sampled_from(PEOPLE))
    def strike_late(self, case_id: str, order: tuple[Move, dict[str, Any]], actor: Actor) -> None:
        """A replica claims what is due, and somebody is quicker."""
        claims = self.claim()
        self.move(case_id, order, actor, case_id, 0)
        for claim in claims:
            self.strike_one(claim)

    def claim(self) -> list[store.Claim]:
        with self.database.write() as conn:
            return store.claim_timers(conn, self.house.clock.moment, 3)

    def strike_one(self, claim: store.Claim) -> None:
        before = self.house.work(claim.case_id)
        with self.database.write() as conn:
            event = carry.strike(conn, claim, self.house.rules(), self.house.clock)
            again = carry.strike(conn, claim, self.house.rules(), self.house.clock)
        after = self.house.work(claim.case_id)
        assert again is None
        if event is None:
            assert after == before
            return
        self.versions[claim.case_id] += 1
        kind, _, _ = claim.kind.partition(".")
        clock = before.clock(ClockKind(kind))
        assert clock is not None
        self.struck[claim.case_id, claim.kind, f"{clock.start} {clock.due} {clock.pauses}"] += 1
        assert (after.version, after.status) == (before.version + 1, before.status)

    def check_refusal(self, refusal: Exception, case: Work, move: Move, actor: Actor) -> None:
        roles = {
            "lead": actor.department == case.lead,
            "assist": actor.department in [part.department for part in case.assists],
            "joint_office": actor is OFFICE,
            "hotline": actor is HOTLINE,
            "admin": actor is ADMIN,
        }
        may = any(roles.get(role, False) for role in MOVES[move].who)
        assert isinstance(refusal, NotNow) == (case.status not in MOVES[move].origins)
        assert isinstance(refusal, NotYours) == (case.status in MOVES[move].origins and not may)

    def check_move(self, before: Work, after: Work, move: Move, actor: Actor, told: dict[str, Any]) -> None:
        row = MOVES[move]
        self.versions[after.id] += 1
        assert before.status in row.origins
        assert after.version == before.version + 1
        if isinstance(row.target, Status):
            assert after.status is row.target
        elif row.target is Stay.SAME:
            assert after.status is before.status
        assert (told["move"], told["from"], told["status"], told["version"]) == (move, before.status, after.status, after.version)
        assert told["department"] == actor.department
        dispatched = move in {Move.RE_DISPATCH, Move.DESIGNATE} or (move is Move.RECLASSIFY and before.lead != after.lead)
        assert after.hops - before.hops == int(dispatched)

    @invariant()
    def everything_fits_together(self) -> None:
        with self.database.read() as conn:
            rows = store.cases_by_id(conn, self.versions)
            kinds = conn.exec_driver_sql("SELECT case_id, kind FROM events ORDER BY seq").all()
            timers = {row.case_id: row.kind for row in conn.exec_driver_sql("SELECT case_id, kind FROM timers")}
        told = Counter(case_id for case_id, kind in kinds if kind != "case.clock_alarm")
        for case_id, version in self.versions.items():
            assert rows[case_id].version == version == told[case_id]
            case = work_of(rows[case_id])
            self.check_clocks(case)
            timer = timing.next_timer(case.clocks)
            assert timers.get(case_id) == (timer.kind if timer else None)
        assert set(self.struck.values()) <= {1}

    def check_clocks(self, case: Work) -> None:
        """Which clocks run is decided by the state, and by whether the case was handed back in vain."""
        running = {clock.kind for clock in case.clocks if clock.running}
        if case.status in WAITING:
            back = set() if case.progress.rejected else {ClockKind.HAND_BACK}
            assert running == {ClockKind.RECEIPT, ClockKind.HANDLING} | back
        elif case.status in IN_HAND:
            assert running - {ClockKind.HAND_BACK} == {ClockKind.HANDLING}
        elif case.status is Status.COMPLETED:
            assert running == {ClockKind.FOLLOW_UP}
        elif case.status is Status.MERGED:
            assert all(clock.pauses for clock in case.clocks if clock.running)
        else:
            assert running == set()
        assert case.lead is not None or case.status in {Status.RETURNED, Status.ARCHIVED, Status.MERGED}

    def teardown(self) -> None:
        assert self.house.ask(store.verify_chain).broken is None


@pytest.mark.timeout(600)
def test_any_life_of_cases_keeps_its_promises(database: Database, database_url: str) -> None:
    machine = type("LifeHere", (Life,), {"database": database})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=checks)
    )
    check_feed(database, database_url)
    assert audit.verify(database).broken is None


def check_feed(database: Database, url: str) -> None:
    """As a poller reads it over HTTP, page by page: each event of these lives once, in order, without what people wrote."""
    told: list[dict[str, Any]] = []
    with opened(create_app(settings_for(url))) as house:
        while page := house.get("/v1/changes", params={"after": len(told), "limit": 1000}).json()["changes"]:
            told += page
            assert SECRET not in str(page)
    with database.read() as conn:
        written = store.changes(conn, 0, 1_000_000)[: len(told)]
    assert [(one["seq"], one["kind"], one["case_id"]) for one in told] == [(each.seq, each.kind, each.case_id) for each in written]
    assert [one["seq"] for one in told] == list(range(1, len(told) + 1))
    versions: Counter[str] = Counter()
    for one in told:
        if one["case_id"] and "version" in one["data"]:
            versions[one["case_id"]] += 1
            assert one["data"]["version"] == versions[one["case_id"]] + 1
    assert versions.total() > 0
