"""What a case is born with: clocks from its dispatch on, a timer, and an alarm where the calendar does not reach."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from models.clocks import ClockKind
from models.decision import Outcome, Urgency
from models.moves import Move
from service import clocks, rulebook
from service.casework import Terms, of_birth, timing
from service.casework.work import read_clocks, write_clocks
from service.clocks import Calendar
from service.store import alarmed_cases
from tests.casework.house import FrozenClock, House, decided
from tests.casework.people import BEIJING, TUESDAY, born, make, terms
from tests.packs.build import tiny

YEAR_END = datetime(2036, 12, 24, 10, 0, tzinfo=BEIJING)
"""Six working days from here lead into 2037, which the tiny pack has no calendar for; two do not."""


def next_year() -> Terms:
    """The same rules, with the calendar of 2037 filled in."""
    files = tiny()
    files["calendar/2037.yaml"] = files["calendar/2036.yaml"].replace("2036", "2037")
    return Terms.of(rulebook.load(files, 2))


class TestClocks:
    @pytest.mark.parametrize("urgency", list(Urgency))
    @pytest.mark.parametrize("outcome", [Outcome.DISPATCH, Outcome.ESCALATE])
    def test_are_those_that_the_rules_give(self, urgency: Urgency, outcome: Outcome) -> None:
        rules = terms()
        assert rules.policy is not None
        for minutes in (0, 7, 60 * 24 * 3 + 11):
            at = TUESDAY + timedelta(minutes=minutes)
            birth = of_birth(rules, "1", decided(outcome, urgency), at)
            expected = clocks.deadlines(rules.policy, rules.calendar, at, urgency=urgency, complex_case=outcome is Outcome.ESCALATE)
            found = read_clocks(birth.clocks)
            assert [(c.kind, c.start, c.due, c.urge, c.provisional) for c in found] == [
                (d.kind, d.start, d.due, d.urge, d.provisional) for d in expected
            ]
            first = min(d.urge for d in expected if d.kind is not ClockKind.HAND_BACK and d.urge)
            assert (birth.hops, birth.complex) == (1, outcome is Outcome.ESCALATE)
            assert birth.timer is not None
            assert birth.timer.due_at == first

    def test_are_read_as_they_were_written(self) -> None:
        case = make(make(born(), Move.PAUSE), Move.RESUME, now=TUESDAY + timedelta(days=1))
        written = timing.end(case.clocks, ClockKind.RECEIPT, TUESDAY)
        assert read_clocks(write_clocks(written)) == written

    def test_are_told_with_their_article_and_steps(self) -> None:
        case = born()
        told = [timing.explain(terms(), case, clock) for clock in case.clocks]
        assert [(deadline.name, deadline.due) for deadline in told] == [
            ("签收", datetime(2026, 11, 26, 17, 0, tzinfo=BEIJING)),
            ("退单", datetime(2026, 11, 26, 17, 0, tzinfo=BEIJING)),
            ("办理", datetime(2026, 12, 2, 17, 0, tzinfo=BEIJING)),
        ]
        assert told[0].citation is not None
        assert str(told[0].citation) == "《云溪区培训管理办法》第一条"
        assert told[0].steps[-2].startswith("届满：2026年11月26日（周四）17:00")

    def test_do_not_begin_for_a_case_that_goes_back_at_once(self) -> None:
        birth = of_birth(terms(), "1", decided(Outcome.RETURN), TUESDAY)
        assert (birth.hops, birth.clocks, birth.timer) == (0, "[]", None)

    def test_do_not_begin_without_rules_for_them(self) -> None:
        birth = of_birth(replace(terms(), policy=None), "1", decided(), TUESDAY)
        assert (birth.hops, birth.clocks, birth.timer, birth.alarm) == (1, "[]", None, None)


class TestAMissingCalendar:
    def test_loses_no_case_but_raises_an_alarm(self, house: House) -> None:
        house.clock = FrozenClock(YEAR_END)
        case_id = house.receive()
        received, alarm = house.events(case_id)
        assert (received.kind, alarm.kind, alarm.actor) == ("case.received", "case.clock_alarm", "system")
        assert orjson.loads(alarm.data) == {
            "clocks": ["handling"],
            "detail": "缺少 2037 年的工作日历，算不出期限。请在规则包中新建 calendar/2037.yaml，照国务院办公厅 2037 年的放假通知填写。",
        }
        assert {clock.kind: clock.due for clock in house.work(case_id).clocks} == {
            ClockKind.RECEIPT: datetime(2036, 12, 26, 17, 0, tzinfo=BEIJING),
            ClockKind.HAND_BACK: datetime(2036, 12, 26, 17, 0, tzinfo=BEIJING),
            ClockKind.HANDLING: None,
        }
        assert house.row(case_id).alarm == "unknown"

    def test_of_all_years_still_counts_minutes(self) -> None:
        bare = replace(terms(), calendar=Calendar([]))
        birth = of_birth(bare, "1", decided(urgency=Urgency.EMERGENCY), TUESDAY)
        assert [clock.due for clock in read_clocks(birth.clocks)] == [TUESDAY + timedelta(minutes=10), None, None]
        assert birth.timer is not None
        assert birth.timer.kind == "receipt.urge"

    def test_is_told_again_with_the_move_that_needs_it(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.HAND_BACK)
        house.clock.moment = YEAR_END
        house.move(case_id, Move.RE_DISPATCH)
        assert [event.kind for event in house.events(case_id)][-2:] == ["case.re_dispatched", "case.clock_alarm"]
        assert house.row(case_id).seq == house.events(case_id)[-2].seq

    def test_is_made_good_when_it_is_there(self, house: House) -> None:
        house.clock = FrozenClock(YEAR_END)
        case_id = house.receive()
        house.rules = next_year
        house.move(case_id, Move.RECOMPUTE)
        handling = house.work(case_id).clock(ClockKind.HANDLING)
        assert handling is not None
        assert handling.due == datetime(2037, 1, 2, 17, 0, tzinfo=BEIJING)
        assert handling.provisional
        assert house.row(case_id).alarm == "provisional"
        assert house.ask(alarmed_cases, "", 10) == [case_id]

    def test_does_not_stand_in_the_way_of_handing_back(self, house: House) -> None:
        house.rules = lambda: replace(terms(), calendar=Calendar([]))
        case_id = house.receive()
        house.clock.moment += timedelta(days=40)
        house.move(case_id, Move.HAND_BACK)
