"""The conditions of moves: hand-backs in time, three dispatches, one extension, every opinion, and what corrections and mergers need."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.case import Status
from models.clocks import ClockKind
from models.decision import Urgency
from models.moves import Move
from models.requests import HandBack
from service.casework import Actor, Ground, Work, decide_move
from service.casework.errors import GuardRefused
from service.errors import Invalid
from tests.casework.people import BEIJING, GYM, HOTLINE, MONEY, OFFICE, STAGE, TUESDAY, body, born, ground, in_state, make

THURSDAY_CLOSE = datetime(2026, 11, 26, 17, 0, tzinfo=BEIJING)
DUE = datetime(2026, 12, 2, 17, 0, tzinfo=BEIJING)
MOMENT = timedelta(microseconds=1)


def refused(case: Work, move: Move, at: Ground, **said: Any) -> str:
    """Why the move is refused."""
    with pytest.raises(GuardRefused) as refusal:
        decide_move(case, move, body(move, **said), at)
    return refusal.value.detail


def handed_back(times: int) -> Work:
    """A case that so many departments have handed back."""
    case = make(born(), Move.HAND_BACK)
    for _ in range(times - 1):
        case = make(case, Move.RE_DISPATCH, lead="gym_office")
        case = make(case, Move.HAND_BACK)
    return case


class TestHandingBack:
    def test_is_open_until_the_last_moment(self) -> None:
        assert make(born(), Move.HAND_BACK, now=THURSDAY_CLOSE).status is Status.HANDED_BACK

    def test_is_closed_a_moment_later(self) -> None:
        why = refused(born(), Move.HAND_BACK, ground(GYM, THURSDAY_CLOSE + MOMENT))
        assert why == "退单期限已于2026年11月26日（周四）17:00届满，逾期不能退单，应当办理。现在可以：签收。"

    def test_of_a_complex_case_has_longer(self) -> None:
        friday = THURSDAY_CLOSE + timedelta(days=1)
        assert make(born(complex=True), Move.HAND_BACK, now=friday).status is Status.HANDED_BACK

    def test_is_open_after_receipt_too(self) -> None:
        assert make(make(born(), Move.ACCEPT), Move.HAND_BACK).status is Status.HANDED_BACK

    def test_of_a_designated_case_is_refused(self) -> None:
        case = make(handed_back(3), Move.DESIGNATE)
        assert refused(case, Move.HAND_BACK, ground(GYM)).startswith("本案是指定承办的")

    def test_of_a_redone_case_is_refused(self) -> None:
        case = make(in_state(Status.FOLLOWED_UP), Move.REDO)
        assert refused(case, Move.HAND_BACK, ground(GYM)).startswith("本案是重办的")

    def test_needs_a_clause_of_the_rules_and_another_department(self) -> None:
        with pytest.raises(Invalid) as wrong:
            decide_move(born(), Move.HAND_BACK, body(Move.HAND_BACK, clause="order-9", suggested="gym_office"), ground(GYM))
        assert [(fault.pointer, fault.detail) for fault in wrong.value.faults] == [
            ("/suggested", "没有可建议的单位（主办单位自己除外） gym_office"),
            ("/clause", "没有条款 order-9。您是否想写 order-3？"),
        ]

    @pytest.mark.parametrize("missing", ["reason_code", "text", "clause", "suggested"])
    def test_says_why_by_which_clause_and_who_else(self, missing: str) -> None:
        whole = body(Move.HAND_BACK).model_dump(exclude={missing})
        with pytest.raises(ValueError, match=missing):
            HandBack.model_validate(whole)

    def test_may_leave_open_who_else_where_the_order_is_unclear(self) -> None:
        assert make(born(), Move.HAND_BACK, reason_code="unclear", suggested=None).status is Status.HANDED_BACK

    def test_a_second_time_puts_the_case_under_supervision(self) -> None:
        assert not handed_back(1).progress.supervised
        assert handed_back(2).progress.supervised

    def test_without_time_limits_is_open_at_any_time(self) -> None:
        """A pack without clocks.yaml."""
        case, late = born(clocks=()), TUESDAY + timedelta(days=400)
        assert make(case, Move.HAND_BACK, now=late).status is Status.HANDED_BACK


class TestDispatchingAgain:
    def test_goes_up_to_three(self) -> None:
        case = handed_back(3)
        assert case.hops == 3
        assert refused(case, Move.RE_DISPATCH, ground(OFFICE)).startswith(
            "已派单 3 次，满 3 次的只能由统筹单位指定承办。现在可以：同意退单、驳回退单、指定承办"
        )

    def test_comes_before_designating(self) -> None:
        assert refused(handed_back(2), Move.DESIGNATE, ground(OFFICE)).startswith("派单 2 次，满 3 次才能指定承办")

    def test_starts_all_clocks_anew(self) -> None:
        later = datetime(2026, 11, 26, 9, 0, tzinfo=BEIJING)
        case = make(handed_back(1), Move.RE_DISPATCH, now=later)
        assert (case.lead, case.hops, case.status) == ("stage_office", 2, Status.DISPATCHED)
        assert [(clock.kind, clock.start, clock.running) for clock in case.clocks] == [
            (kind, later, True) for kind in (ClockKind.RECEIPT, ClockKind.HAND_BACK, ClockKind.HANDLING)
        ]

    def test_keeps_the_assists_and_their_opinions_unless_told_otherwise(self) -> None:
        case = make(born(), Move.ASSIST_REPLY)
        case = make(make(case, Move.HAND_BACK), Move.RE_DISPATCH)
        assert [(part.department, part.opinion) for part in case.assists] == [("money_office", "given")]
        chosen = make(
            make(case, Move.HAND_BACK, STAGE, suggested="gym_office"), Move.RE_DISPATCH, lead="gym_office", assists=["stage_office"]
        )
        assert [(part.department, part.opinion) for part in chosen.assists] == [("stage_office", None)]

    def test_to_an_assisting_department_makes_it_the_lead_alone(self) -> None:
        case = make(make(born(), Move.HAND_BACK), Move.RE_DISPATCH, lead="money_office")
        assert (case.lead, case.assists) == ("money_office", ())

    def test_may_call_the_case_complex(self) -> None:
        case = make(make(born(), Move.HAND_BACK), Move.RE_DISPATCH, complex=True)
        assert [clock.working_days for clock in case.clocks] == [2, 3, 9]

    def test_corrects_a_wrong_return(self) -> None:
        case = make(in_state(Status.RETURNED, hops=0), Move.RE_DISPATCH, HOTLINE)
        assert (case.lead, case.hops) == ("stage_office", 1)

    @pytest.mark.parametrize("lead", ["nobody", "towns"])
    def test_to_nobody_is_refused(self, lead: str) -> None:
        with pytest.raises(Invalid) as wrong:
            decide_move(handed_back(1), Move.RE_DISPATCH, body(Move.RE_DISPATCH, lead=lead), ground(OFFICE))
        assert [fault.pointer for fault in wrong.value.faults] == ["/lead"]

    def test_names_no_assist_twice_over(self) -> None:
        with pytest.raises(Invalid) as wrong:
            decide_move(handed_back(1), Move.RE_DISPATCH, body(Move.RE_DISPATCH, assists=["money_office", "stage_office"]), ground(OFFICE))
        assert [fault.pointer for fault in wrong.value.faults] == ["/assists/1"]


class TestExtending:
    def test_moves_the_deadline(self) -> None:
        case = make(in_state(Status.ACCEPTED), Move.EXTEND, now=DUE - MOMENT)
        handling = case.clock(ClockKind.HANDLING)
        assert handling is not None
        assert (handling.due, handling.extensions) == (datetime(2026, 12, 4, 17, 0, tzinfo=BEIJING), (2,))

    def test_of_too_many_days_may_be_asked_for_again(self) -> None:
        why = refused(in_state(Status.ACCEPTED), Move.EXTEND, ground(GYM, TUESDAY), working_days=5)
        assert why.endswith("现在可以：退单、延期、答复。")

    @pytest.mark.parametrize(
        ("days", "now", "extended", "why"),
        [
            (5, TUESDAY, False, "一次延期为 1 至 4 个工作日，申请的是 5 个。"),
            (2, DUE, False, "延期须在期限届满前提出"),
            (1, TUESDAY, True, "办理期限最多延期 1 次，已经延过 1 次。"),
        ],
    )
    def test_is_refused_beyond_the_rules(self, days: int, now: datetime, extended: bool, why: str) -> None:
        case = in_state(Status.ACCEPTED)
        case = make(case, Move.EXTEND) if extended else case
        assert refused(case, Move.EXTEND, ground(GYM, now), working_days=days).startswith(why)

    def test_needs_a_clock_that_runs(self) -> None:
        case = in_state(Status.ACCEPTED, clocks=())
        assert refused(case, Move.EXTEND, ground(GYM)).startswith("没有正在计时的办理期限")


class TestCompleting:
    def test_waits_for_every_opinion(self) -> None:
        case = in_state(Status.REPLIED)
        assert refused(case, Move.COMPLETE, ground(GYM), waivers=[]).startswith("还没有这些协办单位的意见：云溪区账目办")

    def test_goes_on_with_the_opinion(self) -> None:
        case = make(make(in_state(Status.REPLIED), Move.ASSIST_REPLY), Move.COMPLETE, waivers=[])
        assert (case.status, [part.opinion for part in case.assists]) == (Status.COMPLETED, ["given"])

    def test_goes_on_with_a_waiver(self) -> None:
        case = make(in_state(Status.REPLIED), Move.COMPLETE)
        [part] = case.assists
        assert (part.opinion, part.opinion_at, part.opinion_version) == ("waived", TUESDAY, case.version)

    def test_a_waiver_takes_back_no_opinion(self) -> None:
        case = make(make(in_state(Status.REPLIED), Move.ASSIST_REPLY), Move.COMPLETE)
        assert [part.opinion for part in case.assists] == ["given"]

    def test_waives_only_who_assists(self) -> None:
        waivers = [{"department": "stage_office", "reason": "无关"}]
        with pytest.raises(Invalid) as wrong:
            decide_move(in_state(Status.REPLIED), Move.COMPLETE, body(Move.COMPLETE, waivers=waivers), ground(GYM))
        assert [fault.pointer for fault in wrong.value.faults] == ["/waivers/0/department"]

    def test_ends_the_clock_and_begins_the_follow_up(self) -> None:
        case = make(in_state(Status.REPLIED), Move.COMPLETE, now=DUE)
        assert {clock.kind: clock.on_time for clock in case.clocks if not clock.running}[ClockKind.HANDLING] is True
        assert [clock.kind for clock in case.clocks if clock.running] == [ClockKind.FOLLOW_UP]

    def test_late_says_so(self) -> None:
        case = make(in_state(Status.REPLIED), Move.COMPLETE, now=DUE + MOMENT)
        assert {clock.kind: clock.on_time for clock in case.clocks}[ClockKind.HANDLING] is False


class TestCorrecting:
    def test_the_category_leaves_the_case_where_it_is(self) -> None:
        outcome = decide_move(born(), Move.RECLASSIFY, body(Move.RECLASSIFY), ground(OFFICE))
        assert (outcome.case.category, outcome.case.lead, outcome.case.hops) == ("stage", "gym_office", 1)
        assert outcome.truth is not None
        assert (outcome.truth.category, outcome.truth.lead, outcome.truth.decided_category) == ("stage", "gym_office", "ball")

    def test_the_lead_sends_the_case_there(self) -> None:
        case = make(in_state(Status.ACCEPTED), Move.RECLASSIFY, lead="stage_office")
        assert (case.status, case.lead, case.hops) == (Status.DISPATCHED, "stage_office", 2)
        assert make(case, Move.HAND_BACK, STAGE, suggested="gym_office").status is Status.HANDED_BACK

    def test_the_lead_of_an_escalated_case_is_settled_by_naming_it_and_nothing_moves(self) -> None:
        case = in_state(Status.ESCALATED)
        settled = make(case, Move.RECLASSIFY, OFFICE, lead=case.lead, category=None)
        assert (settled.status, settled.lead, settled.hops, settled.clocks) == (Status.DISPATCHED, case.lead, case.hops, case.clocks)
        assert refused(settled, Move.RECLASSIFY, ground(OFFICE), lead=case.lead, category=None).startswith("类别和主办单位都与现在的相同")

    def test_the_lead_of_a_finished_case_is_only_noted(self) -> None:
        outcome = decide_move(in_state(Status.COMPLETED), Move.RECLASSIFY, body(Move.RECLASSIFY, lead="stage_office"), ground(OFFICE))
        assert (outcome.case.status, outcome.case.lead, outcome.case.hops) == (Status.COMPLETED, "gym_office", 1)
        assert outcome.truth is not None
        assert (outcome.truth.lead, outcome.truth.decided_lead) == ("stage_office", "gym_office")
        assert (outcome.facts["lead"], outcome.facts["truth"]) == ("gym_office", {"category": "stage", "lead": "stage_office"})

    def test_nothing_is_refused(self) -> None:
        assert refused(born(), Move.RECLASSIFY, ground(OFFICE), category="ball", lead="gym_office").startswith(
            "类别和主办单位都与现在的相同"
        )

    def test_the_same_again_is_refused(self) -> None:
        case = make(in_state(Status.COMPLETED), Move.RECLASSIFY, lead="stage_office")
        assert refused(case, Move.RECLASSIFY, ground(OFFICE), lead="stage_office").startswith("类别和主办单位都与现在的相同")

    def test_the_lead_after_three_dispatches_is_refused(self) -> None:
        case = in_state(Status.ACCEPTED, hops=3)
        assert refused(case, Move.RECLASSIFY, ground(OFFICE), lead="stage_office").startswith("已派单 3 次")
        assert make(case, Move.RECLASSIFY).category == "stage"


class TestMerging:
    def test_stops_the_clocks_until_it_is_undone(self) -> None:
        case = make(in_state(Status.ACCEPTED), Move.MERGE)
        assert (case.merged_into, case.status) == ("0" * 26, Status.MERGED)
        assert all(clock.paused for clock in case.clocks if clock.running)
        back = make(case, Move.UNMERGE, now=datetime(2026, 11, 25, 16, 20, tzinfo=BEIJING))
        assert (back.merged_into, back.status) == (None, Status.ACCEPTED)
        handling = back.clock(ClockKind.HANDLING)
        assert handling is not None
        assert handling.due == datetime(2026, 12, 3, 16, 20, tzinfo=BEIJING)

    def test_into_itself_is_refused(self) -> None:
        case = born()
        assert refused(case, Move.MERGE, ground(HOTLINE, target=case)).startswith("案件不能并入自己")

    def test_into_nothing_is_refused(self) -> None:
        assert refused(born(), Move.MERGE, ground(HOTLINE, target=None)).startswith("没有编号为")

    @pytest.mark.parametrize("status", [Status.MERGED, Status.RETURNED, Status.ARCHIVED])
    def test_into_a_closed_case_is_refused(self, status: Status) -> None:
        target = in_state(status, id="2" * 26)
        assert "不能并入" in refused(born(), Move.MERGE, ground(HOTLINE, target=target))

    def test_of_a_case_that_holds_others_is_refused(self) -> None:
        assert refused(born(), Move.MERGE, ground(HOTLINE, members=2)).startswith("有 2 个案件并入了本案")


class TestPausing:
    def test_holds_all_clocks_and_pushes_them_on(self) -> None:
        case = make(in_state(Status.ACCEPTED), Move.PAUSE)
        assert [clock.due for clock in case.clocks if clock.running] == [None, None]
        on = make(case, Move.RESUME, now=datetime(2026, 11, 25, 16, 20, tzinfo=BEIJING))
        assert [clock.due for clock in on.clocks if clock.running] == [
            datetime(2026, 11, 27, 16, 20, tzinfo=BEIJING),
            datetime(2026, 12, 3, 16, 20, tzinfo=BEIJING),
        ]

    def test_twice_is_refused(self) -> None:
        case = make(in_state(Status.ACCEPTED), Move.PAUSE)
        assert refused(case, Move.PAUSE, ground(OFFICE)).startswith("期限已在暂停")

    def test_nothing_is_refused(self) -> None:
        assert refused(born(clocks=()), Move.PAUSE, ground(OFFICE)).startswith("没有正在计时的期限")

    def test_ends_with_the_case(self) -> None:
        case = make(in_state(Status.REPLIED), Move.PAUSE)
        done = make(case, Move.COMPLETE)
        assert {clock.kind: clock.on_time for clock in done.clocks}[ClockKind.HANDLING] is True


class TestUrgency:
    @pytest.mark.parametrize(("urgency", "minutes"), [(Urgency.URGENT, 20), (Urgency.EMERGENCY, 10)])
    def test_counts_receipt_in_minutes(self, urgency: Urgency, minutes: int) -> None:
        receipt = born(urgency=urgency).clock(ClockKind.RECEIPT)
        assert receipt is not None
        assert receipt.due == TUESDAY + timedelta(minutes=minutes)


class TestPeople:
    def test_one_department_may_be_several_things(self) -> None:
        case = born(lead="study_office")
        assert make(case, Move.ACCEPT, OFFICE).status is Status.ACCEPTED
        assert make(case, Move.RETURN, OFFICE).status is Status.RETURNED

    def test_a_department_answers_for_itself(self) -> None:
        case = make(make(born(), Move.HAND_BACK), Move.RE_DISPATCH, assists=["money_office", "gym_office"])
        replied = make(case, Move.ASSIST_REPLY, MONEY)
        assert [(part.department, part.opinion) for part in replied.assists] == [("money_office", "given"), ("gym_office", None)]

    def test_nobody_is_the_system_by_its_name(self) -> None:
        with pytest.raises(GuardRefused, match="定时器没有到期"):
            decide_move(born(), Move.REPORT, None, ground(Actor("system", "system"), timer="receipt.overdue"))
