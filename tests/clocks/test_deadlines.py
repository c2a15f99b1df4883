"""When things are due: worked examples, checked by hand against the calendar on the wall."""

from datetime import UTC, datetime, timedelta

import pytest

from models.clocks import ClockKind, Deadline
from models.decision import Urgency
from service.clocks import (
    Calendar,
    CalendarUnpublished,
    CalendarYearMissing,
    ClauseUnknown,
    MomentNaive,
    Policy,
    deadlines,
    follow_up,
    is_overdue,
    recompute,
)
from tests.clocks import pack
from tests.clocks.pack import at


def handling(policy: Policy, calendar: Calendar, received: str, *, complex_case: bool = False) -> Deadline:
    return deadlines(policy, calendar, at(received), complex_case=complex_case)[-1]


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("received", "due"),
        [
            ("2026-11-24 16:20", "2026-12-01 17:30"),  # Tuesday: Wed Thu Fri, Mon Tue
            ("2026-11-24 00:00", "2026-12-01 17:30"),  # the hour does not matter
            ("2026-11-24 23:59:59", "2026-12-01 17:30"),
            ("2026-11-28 10:00", "2026-12-04 17:30"),  # a Saturday: Monday is the first day
            ("2026-09-30 16:20", "2026-10-13 17:30"),  # 8 9 and Saturday 10 October are worked
            ("2026-02-13 09:00", "2026-02-27 17:30"),  # Saturday 14 is worked, then nine days of Spring Festival
            ("2026-01-04 09:00", "2026-01-09 17:30"),  # a Sunday that is worked: it is the day of arrival and not counted
            ("2025-09-26 09:00", "2025-10-10 17:30"),  # Sunday 28 is worked; 1 to 8 October off
            ("2025-12-30 09:00", "2026-01-07 17:30"),  # 31 December, then Sunday 4 January, 5, 6, 7
        ],
    )
    def test_five_working_days_for_handling(self, policy: Policy, calendar: Calendar, received: str, due: str) -> None:
        assert handling(policy, calendar, received).due == at(due)

    def test_a_complex_case_has_ten_for_handling_and_two_for_handing_back(self, policy: Policy, calendar: Calendar) -> None:
        _, back, handled = deadlines(policy, calendar, at("2026-11-24 16:20"), complex_case=True)
        assert (back.due, handled.due) == (at("2026-11-26 17:30"), at("2026-12-08 17:30"))

    def test_follow_up_is_three_days_from_completion(self, policy: Policy, calendar: Calendar) -> None:
        assert follow_up(policy, calendar, at("2026-11-27 11:00")).due == at("2026-12-02 17:30")

    def test_urging_comes_when_four_fifths_of_the_working_time_are_gone(self, policy: Policy, calendar: Calendar) -> None:
        receipt, back, handled = deadlines(policy, calendar, at("2026-11-24 16:20"))
        assert receipt.urge == back.urge == at("2026-11-25 16:00")
        assert handled.urge == at("2026-12-01 08:30")  # the fourth day is over, so the fifth morning, not last evening

    def test_moments_are_answered_in_beijing_time_whatever_they_came_in(self, policy: Policy, calendar: Calendar) -> None:
        """17:00 UTC on Tuesday is Wednesday in Beijing."""
        due = deadlines(policy, calendar, datetime(2026, 11, 24, 17, tzinfo=UTC))[-1].due
        assert due is not None
        assert due.isoformat() == "2026-12-02T17:30:00+08:00"


class TestUrgentReceipt:
    @pytest.mark.parametrize(("urgency", "minutes"), [(Urgency.EMERGENCY, 15), (Urgency.URGENT, 30)])
    def test_minutes_run_day_and_night(self, policy: Policy, calendar: Calendar, urgency: Urgency, minutes: int) -> None:
        start = at("2026-10-01 03:00:20")
        receipt = deadlines(policy, calendar, start, urgency=urgency)[0]
        assert receipt.due == start + timedelta(minutes=minutes)
        assert receipt.urge == start + timedelta(minutes=minutes) * 0.8

    def test_minutes_need_no_calendar(self, policy: Policy, calendar: Calendar) -> None:
        receipt = deadlines(policy, calendar, at("2026-12-31 23:50"), urgency=Urgency.EMERGENCY)[0]
        assert receipt.due == at("2027-01-01 00:05")
        assert not receipt.provisional

    def test_without_urgency_it_is_one_working_day(self, policy: Policy, calendar: Calendar) -> None:
        assert deadlines(policy, calendar, at("2026-11-27 10:00"))[0].due == at("2026-11-30 17:30")


class TestSteps:
    def test_an_officer_reads_which_days_count_and_why_others_do_not(self, policy: Policy, calendar: Calendar) -> None:
        assert handling(policy, calendar, "2026-09-30 16:20").steps == (
            "起算：2026年9月30日（周三）16:20收到，当日不计入，从下一个工作日起算（参照《某办法》civil-code-201）",
            "期限：办理5个工作日（依据《某办法》tj-decree-39-3；条款要求限时办结，天数为本规则包的缺省值，请以市、区规定为准）",
            "跳过10月1日（周四）至10月7日（周三）：国庆节放假",
            "第1个工作日：10月8日（周四）",
            "第2个工作日：10月9日（周五）",
            "第3个工作日：10月10日（周六），国庆节调休上班",
            "跳过10月11日（周日）：周末",
            "第4个工作日：10月12日（周一）",
            "第5个工作日：10月13日（周二）",
            "届满：2026年10月13日（周二）17:30，即第5个工作日下班时（参照《某办法》civil-code-203）",
            "催办：2026年10月13日（周二）08:30，时间用去80%时",
        )

    def test_arrival_on_a_day_off_says_which(self, policy: Policy, calendar: Calendar) -> None:
        steps = deadlines(policy, calendar, at("2026-10-06 22:00"))[0].steps
        assert "当日国庆节放假，不是工作日" in steps[0]
        assert steps[2] == "跳过10月7日（周三）：国庆节放假"

    def test_days_off_for_different_reasons_stand_in_different_lines(self, policy: Policy, calendar: Calendar) -> None:
        steps = deadlines(policy, calendar, at("2026-12-31 09:00"))[0].steps
        assert steps[2:4] == ("跳过2027年1月1日（周五）：元旦放假", "跳过2027年1月2日（周六）、2027年1月3日（周日）：周末")

    def test_days_off_before_the_arrival_are_not_skipped(self, policy: Policy, calendar: Calendar) -> None:
        """Monday 5 April 2027 is a holiday, and a weekend went before it."""
        assert deadlines(policy, calendar, at("2027-04-05 09:00"))[0].steps[2] == "第1个工作日：4月6日（周二）"

    def test_two_arrivals_of_one_day_differ_in_the_first_line_only(self, policy: Policy, calendar: Calendar) -> None:
        morning, evening = (handling(policy, calendar, f"2026-11-24 {hour}") for hour in ("08:00", "21:30"))
        assert morning.steps[1:] == evening.steps[1:]
        assert ("08:00收到" in morning.steps[0], "21:30收到" in evening.steps[0]) == (True, True)

    def test_minutes_are_explained_too(self, policy: Policy, calendar: Calendar) -> None:
        assert deadlines(policy, calendar, at("2026-11-24 16:20:05"), urgency=Urgency.EMERGENCY)[0].steps == (
            "起算：2026年11月24日（周二）16:20:05收到，不区分工作日和非工作日，即时起算",
            "期限：签收15分钟（依据《某办法》tj-detail-receive-danger）",
            "届满：2026年11月24日（周二）16:35:05",
            "催办：2026年11月24日（周二）16:32:05，时间用去80%时",
        )

    def test_the_year_is_written_where_it_changes(self, policy: Policy, calendar: Calendar) -> None:
        assert "跳过2026年1月1日（周四）至2026年1月3日（周六）：元旦放假" in handling(policy, calendar, "2025-12-30 09:00").steps

    def test_every_deadline_cites_its_clause(self, policy: Policy, calendar: Calendar) -> None:
        for deadline in (*deadlines(policy, calendar, at("2026-11-24 16:20")), follow_up(policy, calendar, at("2026-11-24 16:20"))):
            assert deadline.citation is not None
            assert deadline.citation.quote


class TestWhatTheCalendarDoesNotKnow:
    def test_a_deadline_in_an_unpublished_year_says_that_it_is_provisional_and_what_to_do(self, policy: Policy, calendar: Calendar) -> None:
        deadline = handling(policy, calendar, "2026-12-28 09:00")
        assert deadline.due == at("2027-01-05 17:30")
        assert deadline.provisional
        assert deadline.steps[-1].startswith("暂定：2027年的放假调休安排尚未确定（calendar/2027.yaml 里 published 还是 false）")

    def test_one_that_ends_before_late_december_is_firm(self, policy: Policy, calendar: Calendar) -> None:
        assert not handling(policy, calendar, "2026-12-17 09:00").provisional
        assert handling(policy, calendar, "2026-12-18 09:00").provisional

    def test_late_december_is_provisional_also_where_the_next_file_is_not_even_there(self, policy: Policy) -> None:
        deadline = handling(policy, pack.calendar(2025, 2026), "2026-12-21 09:00")
        assert (deadline.due, deadline.provisional) == (at("2026-12-28 17:30"), True)
        assert "calendar/2027.yaml 还没有建" in deadline.steps[-1]

    def test_once_the_year_is_published_the_same_deadline_becomes_firm(self, policy: Policy, calendar: Calendar) -> None:
        published = pack.year(2027).model_copy(update={"published": True})
        filled = Calendar([pack.year(2026), published])
        deadline = recompute(policy, filled, handling(policy, calendar, "2026-12-28 09:00"))
        assert (deadline.provisional, deadline.due) == (False, at("2027-01-05 17:30"))

    def test_a_pack_may_refuse_provisional_deadlines(self, calendar: Calendar) -> None:
        strict = pack.policy(unpublished="refuse")
        with pytest.raises(CalendarUnpublished, match=r"calendar/2027\.yaml"):
            deadlines(strict, calendar, at("2026-12-28 09:00"))

    @pytest.mark.parametrize(
        ("years", "received", "file"),
        [
            ((2025, 2026), "2026-12-28 09:00", "calendar/2027.yaml"),  # reached at the end
            ((2025, 2026), "2027-03-01 09:00", "calendar/2027.yaml"),  # begins in it
            ((2026, 2027), "2025-12-31 09:00", "calendar/2025.yaml"),  # begins before
            ((2025, 2027), "2025-12-30 09:00", "calendar/2026.yaml"),  # a hole in the middle
        ],
    )
    def test_a_missing_year_is_an_error_that_names_the_file(self, policy: Policy, years: tuple[int, ...], received: str, file: str) -> None:
        with pytest.raises(CalendarYearMissing, match="缺少") as caught:
            deadlines(policy, pack.calendar(*years), at(received))
        assert file in caught.value.detail


class TestRefusals:
    def test_a_moment_without_a_zone(self, policy: Policy, calendar: Calendar) -> None:
        naive = at("2026-11-24 16:20").replace(tzinfo=None)
        with pytest.raises(MomentNaive):
            deadlines(policy, calendar, naive)
        with pytest.raises(MomentNaive):
            is_overdue(handling(policy, calendar, "2026-11-24 16:20"), naive)

    def test_a_clause_that_the_pack_has_not(self) -> None:
        file = pack.policy().file
        with pytest.raises(ClauseUnknown, match="civil-code-201"):
            Policy.of(file, {}, {})


class TestOverdue:
    @pytest.mark.parametrize(("now", "overdue"), [("2026-12-01 17:30", False), ("2026-12-01 17:30:01", True), ("2026-11-24 17:00", False)])
    def test_the_due_moment_itself_is_in_time(self, policy: Policy, calendar: Calendar, now: str, overdue: bool) -> None:
        assert is_overdue(handling(policy, calendar, "2026-11-24 16:20"), at(now)) is overdue


def test_kinds_come_in_the_order_of_a_case(policy: Policy, calendar: Calendar) -> None:
    kinds = [deadline.kind for deadline in deadlines(policy, calendar, at("2026-11-24 16:20"))]
    assert kinds == [ClockKind.RECEIPT, ClockKind.HAND_BACK, ClockKind.HANDLING]
