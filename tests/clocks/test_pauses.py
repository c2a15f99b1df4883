"""Pauses: a clock that is held adds the working time it lost, no more and no less."""

from datetime import timedelta

import pytest

from models.clocks import Deadline, Pause
from models.decision import Urgency
from service.clocks import Calendar, PauseBackwards, Policy, deadlines, is_overdue, recompute
from tests.clocks import pack
from tests.clocks.pack import at, pause

TICK = timedelta(microseconds=1)

RECEIVED = at("2026-11-24 16:20")
"""A Tuesday; without pauses, handling is due on Tuesday 1 December at 17:30."""


def handling(policy: Policy, calendar: Calendar, *pauses: Pause) -> Deadline:
    return deadlines(policy, calendar, RECEIVED, pauses=pauses)[-1]


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([pause("2026-11-26 08:30", "2026-11-27 08:30")], "2026-12-02 17:30"),  # one whole working day
        ([pause("2026-11-26 10:00", "2026-11-26 10:05")], "2026-12-02 08:35"),  # five minutes are five minutes
        ([pause("2026-11-26 17:00", "2026-11-27 09:00")], "2026-12-02 09:30"),  # the night does not count
        ([pause("2026-11-28 08:00", "2026-11-29 20:00")], "2026-12-01 17:30"),  # nor does a weekend
        ([pause("2026-11-26 12:00", "2026-11-26 13:30")], "2026-12-01 17:30"),  # nor lunch
        ([pause("2026-11-24 16:30", "2026-11-24 17:00")], "2026-12-01 17:30"),  # nor the day of arrival
        ([pause("2026-11-26 10:00", "2026-11-30 15:00")], "2026-12-04 12:00"),  # 6 h + 7.5 h + 5 h
        ([pause("2026-12-01 17:30", "2026-12-05 12:00")], "2026-12-01 17:30"),  # begun when it was due already
        ([pause("2026-11-26 09:00", "2026-11-26 11:00"), pause("2026-11-26 10:00", "2026-11-26 12:00")], "2026-12-02 11:30"),  # overlapping
        (
            [pause("2026-11-26 11:00", "2026-11-26 12:00"), pause("2026-11-26 09:00", "2026-11-26 10:00")],
            "2026-12-02 10:30",
        ),  # out of order
        (
            [pause("2026-11-30 08:30", "2026-12-01 08:30"), pause("2026-12-02 08:30", "2026-12-03 08:30")],
            "2026-12-03 17:30",
        ),  # in the added time
    ],
)
def test_only_working_time_is_added(policy: Policy, calendar: Calendar, pauses: list[Pause], due: str) -> None:
    assert handling(policy, calendar, *pauses).due == at(due)


def test_the_steps_tell_pause_and_cost(policy: Policy, calendar: Calendar) -> None:
    steps = handling(policy, calendar, pause("2026-11-26 10:00", "2026-11-30 15:00")).steps
    assert steps[-3:] == (
        "暂停计时：2026年11月26日（周四）10:00至2026年11月30日（周一）15:00，其间的工作时间2个工作日零3小时30分钟不计入，期限顺延",
        "届满：2026年12月4日（周五）12:00，即第5个工作日下班时顺延2个工作日零3小时30分钟",
        "催办：2026年12月3日（周四）13:30，时间用去80%时",
    )


def test_days_skipped_on_the_way_to_the_later_end_are_told(policy: Policy, calendar: Calendar) -> None:
    steps = handling(policy, calendar, pause("2026-11-25 08:30", "2026-12-01 08:30")).steps
    assert "跳过12月5日（周六）、12月6日（周日）：周末" in steps
    assert steps[-2].startswith("届满：2026年12月7日（周一）17:30")


def test_days_off_right_after_the_last_counted_day_are_told(policy: Policy, calendar: Calendar) -> None:
    """Friday 4 December would have been the end; one day was lost."""
    stop = pause("2026-12-01 08:30", "2026-12-02 08:30")
    steps = deadlines(policy, calendar, at("2026-11-27 09:00"), pauses=[stop])[-1].steps
    assert steps[-3:-1] == (
        "跳过12月5日（周六）、12月6日（周日）：周末",
        "届满：2026年12月7日（周一）17:30，即第5个工作日下班时顺延1个工作日",
    )


def test_nothing_is_rounded(policy: Policy, calendar: Calendar) -> None:
    instant = at("2026-11-26 10:00")
    assert handling(policy, calendar, Pause(instant, instant + TICK)).due == at("2026-12-02 08:30") + TICK
    morning = Pause(at("2026-11-26 08:30"), at("2026-11-26 12:00"))
    afternoon = Pause(at("2026-11-27 13:30"), at("2026-11-27 13:30") + TICK)
    assert handling(policy, calendar, morning, afternoon).due == at("2026-12-02 13:30") + TICK


def test_an_office_may_keep_three_sessions_a_day(calendar: Calendar) -> None:
    hours = [{"from": "08:00", "to": "10:00"}, {"from": "10:30", "to": "12:00"}, {"from": "14:00", "to": "18:00"}]
    office = pack.policy(office_hours=hours)
    stops = [pause("2026-11-26 08:00", "2026-11-26 11:00"), pause("2026-11-26 14:00", "2026-11-26 15:15")]
    handled = deadlines(office, calendar, RECEIVED, pauses=stops)[-1]
    assert handled.due == at("2026-12-02 14:15")  # 2 h + 0.5 h + 1.25 h
    assert handled.urge == at("2026-12-01 14:15")


class TestALastingPause:
    def test_nothing_is_due_while_it_lasts(self, policy: Policy, calendar: Calendar) -> None:
        held = handling(policy, calendar, pause("2026-11-26 10:00"))
        assert (held.due, held.urge) == (None, None)
        assert held.steps[-2:] == ("暂停计时：2026年11月26日（周四）10:00起，尚未恢复", "届满：暂停期间不计时，恢复后还余3个工作日零6小时")
        assert not is_overdue(held, at("2027-06-01 12:00"))

    def test_urging_that_came_before_it_stands(self, policy: Policy, calendar: Calendar) -> None:
        held = handling(policy, calendar, pause("2026-12-01 15:00"))
        assert (held.due, held.urge) == (None, at("2026-12-01 08:30"))

    def test_when_it_ends_the_clock_goes_on(self, policy: Policy, calendar: Calendar) -> None:
        held = handling(policy, calendar, pause("2026-11-26 10:00"))
        assert recompute(policy, calendar, held, pauses=[pause("2026-11-26 10:00", "2026-11-30 15:00")]).due == at("2026-12-04 12:00")

    def test_it_swallows_what_comes_later(self, policy: Policy, calendar: Calendar) -> None:
        assert handling(policy, calendar, pause("2026-11-26 10:00"), pause("2026-11-27 10:00", "2026-11-27 11:00")).due is None

    def test_one_that_begins_after_the_end_changes_nothing(self, policy: Policy, calendar: Calendar) -> None:
        assert handling(policy, calendar, pause("2026-12-02 10:00")).due == at("2026-12-01 17:30")


class TestMinutes:
    def test_every_minute_of_a_pause_counts_for_a_clock_that_always_runs(self, policy: Policy, calendar: Calendar) -> None:
        start = at("2026-10-01 03:00")
        stop = pause("2026-10-01 03:05", "2026-10-01 04:05")
        receipt = deadlines(policy, calendar, start, urgency=Urgency.EMERGENCY, pauses=[stop])[0]
        assert receipt.due == at("2026-10-01 04:15")
        assert "暂停计时：2026年10月1日（周四）03:05至2026年10月1日（周四）04:05，其间1小时不计时" in receipt.steps

    def test_a_lasting_pause_holds_it(self, policy: Policy, calendar: Calendar) -> None:
        receipt = deadlines(policy, calendar, at("2026-10-01 03:00"), urgency=Urgency.EMERGENCY, pauses=[pause("2026-10-01 03:05")])[0]
        assert receipt.due is None
        assert receipt.steps[-1] == "届满：暂停期间不计时，恢复后还余10分钟"


def test_urging_waits_for_the_pause_that_begins_at_its_moment(policy: Policy, calendar: Calendar) -> None:
    """Four days are gone at Monday's close; the office is held from that evening to Wednesday morning."""
    held = handling(policy, calendar, pause("2026-11-30 20:00", "2026-12-02 08:30"))
    assert (held.urge, held.due) == (at("2026-12-02 08:30"), at("2026-12-02 17:30"))


def test_a_pause_that_ends_before_it_begins_is_refused(policy: Policy, calendar: Calendar) -> None:
    with pytest.raises(PauseBackwards, match="2026-11-26 10:00"):
        handling(policy, calendar, pause("2026-11-27 10:00", "2026-11-26 10:00"))
