"""Cases in a real database: received with their clocks, moved by officers, struck by the clockwork."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from ulid import ULID

from models.decision import Decision, Outcome, Reason, RulesetRef, Urgency
from models.moves import Move
from service import store
from service.casework import Actor, Made, Ordered, Terms, Work, carry_out, of_birth, work_of
from service.db import Database
from service.store import CaseDepartment, CaseRow, Event, MoveKey
from tests.builders import new_case
from tests.casework.people import TUESDAY, body, person, terms

_numbers = count(1)


@dataclass
class FrozenClock:
    """A clock that stands where it is put."""

    moment: datetime = TUESDAY

    def __call__(self, _conn: object = None) -> datetime:
        return self.moment


def decided(outcome: Outcome = Outcome.DISPATCH, urgency: Urgency = Urgency.NORMAL) -> Decision:
    """A decision for the gym office, with the money office assisting."""
    return Decision(
        decision=outcome,
        reason_code=Reason.CLEAR,
        reason="球类",
        lead=None if outcome is Outcome.RETURN else "gym_office",
        assists=(),
        category="ball",
        categories=(),
        issues=("refund",),
        urgency=urgency,
        evidence=(),
        runner_up=None,
        ask=None,
        certainty=9,
        confidence=None,
        suggest=None,
        notices=(),
        ruleset=RulesetRef("tiny", 0, ""),
        engine="test",
    )


def arriving(at: datetime = TUESDAY, decision: Decision | None = None, rules: Terms | None = None) -> store.NewCase:
    """A case on its way into the database."""
    decision, number = decision or decided(), next(_numbers)
    case_id = str(ULID.from_datetime(at))
    birth = of_birth(rules or terms(), case_id, decision, at)
    departments = (
        CaseDepartment(department="gym_office", role="lead"),
        CaseDepartment(department="money_office", role="assist", issue="refund"),
    )
    return new_case(
        number,
        id=case_id,
        created_at=at,
        status={Outcome.DISPATCH: "dispatched", Outcome.ESCALATE: "escalated", Outcome.RETURN: "returned"}[decision.decision],
        decision=decision.decision,
        urgency=decision.urgency,
        lead=decision.lead,
        category="ball",
        departments=departments if decision.lead else (),
        hops=birth.hops,
        complex=birth.complex,
        clocks=birth.clocks,
        alarm=birth.alarm,
        due_at=birth.due_at,
        timer=birth.timer,
        also=birth.also,
    )


@dataclass
class House:
    """A database with cases, rules and a clock."""

    database: Database
    clock: FrozenClock = field(default_factory=FrozenClock)
    rules: Callable[[], Terms] = terms

    def receive(self, **how: Any) -> str:
        """Receive a case now; its id."""
        case = arriving(self.clock.moment, **{"rules": self.rules(), **how})
        with self.database.write() as conn:
            store.insert_cases(conn, [case])
        return case.id

    def order(
        self, case_id: str, move: Move, actor: Actor | None = None, version: int | None = None, key: str = "", **said: Any
    ) -> Ordered:
        version = self.row(case_id).version if version is None else version
        actor = actor or person(move)
        used = MoveKey(client=actor.department, key=key, request_hash=f"{case_id} {move} {said}") if key else None
        return Ordered(case_id, frozenset({version}), move, body(move, **said), actor, used)

    def move(self, case_id: str, move: Move, actor: Actor | None = None, **how: Any) -> Made:
        """Make a move now."""
        return self.carry(self.order(case_id, move, actor, **how))

    def carry(self, ordered: Ordered) -> Made:
        with self.database.write() as conn:
            return carry_out(conn, ordered, self.rules(), self.clock)

    def row(self, case_id: str) -> CaseRow:
        with self.database.read() as conn:
            row = store.get_case(conn, case_id)
        assert row is not None
        return row

    def work(self, case_id: str) -> Work:
        return work_of(self.row(case_id))

    def events(self, case_id: str) -> list[Event]:
        with self.database.read() as conn:
            return store.case_events(conn, case_id)

    def ask(self, question: Callable[..., Any], *args: Any) -> Any:
        with self.database.read() as conn:
            return question(conn, *args)
