"""What is decided: every reason code, by configuration alone, and what the caller's answer changes."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from models.complaint import RegisterHit
from models.decision import Decision, Outcome, Reason, Urgency
from tests.engine.district import HEAD, rules, scores, together, triage

EVERY_REASON = {
    Reason.CLEAR: "培训班教篮球。",
    Reason.REGISTER: "培训班关门了。",
    Reason.NO_CATEGORY: "培训班关门了。",
    Reason.MULTI_DEPARTMENT: "培训班教篮球，也教舞蹈。",
    Reason.COMPREHENSIVE: "篮球培训班没有消防，不退费，欠薪，噪音大。",
    Reason.NEEDS_IDENTIFICATION: "培训班教演讲。",
    Reason.LOW_CONFIDENCE: "培训班教篮球。",
    Reason.OUT_SCHOOL: "学校食堂的菜不好。",
    Reason.OUT_KINDERGARTEN: "幼儿园伙食不好。",
    Reason.OUT_ADULT: "退休职工学舞蹈。",
    Reason.OUT_CHILDCARE: "托育机构人手少。",
    Reason.OUT_CARE_ONLY: "托管的午饭不好。",
    Reason.OUT_OTHER_MATTER: "停水三天了。",
    Reason.OUT_OTHER_DISTRICT: "外区的篮球场。",
    Reason.NO_EVIDENCE: "小区里要种树。",
}
BALL_SCHOOL = RegisterHit(name="云溪球社", category="ball", status="active", how="exact")
(ALARM,) = HEAD["emergency_notices"]
ONE_OFFICE = {**HEAD["categories"], "ball": {"name": "球类", "department": "stage_office", "clause": "order-2"}}


class TestReasons:
    def test_every_reason_code_of_triage_stands_in_the_table(self) -> None:
        """All but repeated_return, which looks at the history of a case."""
        assert set(EVERY_REASON) == set(Reason) - {Reason.REPEATED_RETURN}

    @pytest.mark.parametrize("reason", EVERY_REASON)
    def test_every_reason_code_is_reached(self, reason: Reason) -> None:
        register = BALL_SCHOOL if reason is Reason.REGISTER else None
        dispatch_from = 20 if reason is Reason.LOW_CONFIDENCE else 0
        listen = ["in", "school", "kindergarten", "adult", "childcare", "care_only", "other_matter", "other_district"]
        ruleset = rules(thresholds={**HEAD["thresholds"], "dispatch": dispatch_from}, listen=listen)
        assert triage(ruleset, EVERY_REASON[reason], register=register).reason_code is reason

    def test_out_of_scope_is_returned_with_the_unit_to_suggest(self) -> None:
        decision = triage(rules(listen=["adult"]), "退休职工学舞蹈。")
        assert (decision.decision, decision.lead, decision.suggest) == (Outcome.RETURN, None, "工会")

    def test_what_the_pack_does_not_listen_for_is_returned_as_no_evidence(self) -> None:
        decision = triage(rules(), "退休职工学舞蹈。")
        assert (decision.decision, decision.reason_code) == (Outcome.RETURN, Reason.NO_EVIDENCE)

    def test_low_confidence_keeps_the_best_guess_as_lead(self) -> None:
        decision = triage(rules(thresholds={**HEAD["thresholds"], "dispatch": 20}), "培训班教篮球。")
        assert (decision.decision, decision.lead, decision.category) == (Outcome.ESCALATE, "ball_office", "ball")


class TestScope:
    def test_a_program_alone_does_not_make_it_training(self) -> None:
        assert triage(rules(), "孩子爱打篮球。").decision is Outcome.RETURN

    def test_what_the_hotline_asserts_counts_as_training(self) -> None:
        decision = triage(rules(), "孩子学篮球。", asserted_scope=True)
        assert (decision.decision, decision.lead) == (Outcome.DISPATCH, "ball_office")

    def test_another_district_is_returned_whatever_it_is_about(self) -> None:
        decision = triage(rules(), "外区的培训班教篮球和足球。", asserted_scope=True)
        assert (decision.decision, decision.reason_code) == (Outcome.RETURN, Reason.OUT_OTHER_DISTRICT)

    def test_asserted_without_any_evidence_is_escalated_never_returned(self) -> None:
        assert triage(rules(), "请处理。", asserted_scope=True).reason_code is Reason.NO_CATEGORY

    def test_strong_evidence_against_outweighs_what_the_hotline_asserts(self) -> None:
        assert triage(rules(), "学校食堂里打篮球。", asserted_scope=True).reason_code is Reason.OUT_SCHOOL

    def test_evidence_for_must_exceed_that_against_by_the_margin(self) -> None:
        text = "培训班教篮球，学的是退休职工。"
        assert triage(rules(), text).reason_code is Reason.OUT_ADULT
        assert triage(rules(thresholds={**HEAD["thresholds"], "margin": 0}), text).reason_code is Reason.CLEAR

    def test_an_institution_of_the_register_is_in_scope(self) -> None:
        decision = triage(rules(), "孩子学篮球不退费。", register=BALL_SCHOOL)
        assert (decision.reason_code, decision.lead) == (Reason.CLEAR, "ball_office")

    def test_a_category_that_the_pack_no_longer_has_tells_nothing(self) -> None:
        register = RegisterHit(name="云溪球社", category="chess", status="active", how="exact")
        assert triage(rules(), "培训班关门了。", register=register).reason_code is Reason.NO_CATEGORY


class TestRegister:
    SAYS: ClassVar[dict[str, Any]] = {
        "scope": 20,
        "mention": 5,
        "statuses": {"注销": {"issue": "fire", "clause": "order-4", "notice": "{name}已{status}。"}},
        "absent": {"issue": "noise", "strength": "medium", "notice": "名录没有{name}。"},
    }

    def decide(self, text: str, **hit: Any) -> Decision:
        return triage(rules(register=self.SAYS), text, register=replace(BALL_SCHOOL, **hit))

    def test_a_listed_institution_is_in_scope(self) -> None:
        assert self.decide("孩子学篮球。").reason_code is Reason.CLEAR

    def test_one_that_the_text_only_mentions_tells_less(self) -> None:
        assert self.decide("孩子学篮球。", field="content", end=2).decision is Outcome.RETURN
        assert self.decide("老师教篮球。", field="content", end=2).reason_code is Reason.CLEAR

    def test_its_status_may_be_an_issue_and_a_notice(self) -> None:
        decision = self.decide("孩子学篮球。", status="注销")
        assert decision.issues == ("fire",)
        assert "云溪球社已注销。" in decision.notices

    def test_one_that_is_not_listed_gives_no_scope_but_may_be_an_issue(self) -> None:
        assert self.decide("孩子学篮球。", how="absent", category=None).decision is Outcome.RETURN
        decision = self.decide("篮球培训班。", how="absent", category=None)
        assert decision.issues == ("noise",)
        assert "名录没有云溪球社。" in decision.notices

    def test_what_it_says_stands_in_the_evidence_at_the_name(self) -> None:
        decision = self.decide("云溪球社关门。", field="content", end=4, quote="云溪球社", status="注销")
        assert decision.decision is Outcome.RETURN
        decision = self.decide("云溪球社的培训班关门。", field="content", end=4, quote="云溪球社", status="注销")
        assert [(piece.rule, piece.supports, piece.start, piece.end) for piece in decision.evidence[-3:]] == [
            ("register.listed", "scope:in", 0, 4),
            ("register.licence", "category:ball", 0, 4),
            ("register.status", "issue:fire", 0, 4),
        ]


class TestDepartments:
    MIXED = "培训班教篮球，也教舞蹈。"

    def test_two_departments_are_escalated(self) -> None:
        decision = triage(rules(), self.MIXED)
        assert (decision.decision, decision.reason_code) == (Outcome.ESCALATE, Reason.MULTI_DEPARTMENT)

    def test_two_categories_of_one_department_are_dispatched_by_configuration_alone(self) -> None:
        decision = triage(rules(categories=ONE_OFFICE), self.MIXED)
        assert (decision.decision, decision.reason_code, decision.lead) == (Outcome.DISPATCH, Reason.CLEAR, "stage_office")
        assert scores(decision) == {"ball": 6, "stage": 6}

    def test_more_evidence_leads(self) -> None:
        assert triage(rules(), "培训班教篮球和足球，也教舞蹈。").lead == "ball_office"

    def test_even_evidence_is_led_by_the_coordinator(self) -> None:
        decision = triage(rules(), self.MIXED)
        assert (decision.lead, decision.category) == ("school_office", None)

    def test_even_evidence_is_led_by_the_category_of_the_register(self) -> None:
        decision = triage(rules(), self.MIXED, register=BALL_SCHOOL)
        assert (decision.reason_code, decision.lead, decision.category) == (Reason.MULTI_DEPARTMENT, "ball_office", "ball")

    def test_of_several_institutions_the_one_complained_about_decides(self) -> None:
        decision = triage(rules(), "同一层的篮球班我们没意见，那家舞蹈培训班不退费。")
        assert (decision.decision, decision.lead, decision.reason_code) == (Outcome.DISPATCH, "stage_office", Reason.CLEAR)

    def test_two_complained_about_are_a_matter_of_both(self) -> None:
        decision = triage(rules(), "楼上的篮球班和楼下的舞蹈培训班，两家都不退费。")
        assert (decision.decision, decision.reason_code) == (Outcome.ESCALATE, Reason.MULTI_DEPARTMENT)

    def test_but_not_of_an_institution_that_only_the_text_mentions(self) -> None:
        decision = triage(rules(), self.MIXED, register=replace(BALL_SCHOOL, field="content"))
        assert (decision.lead, decision.category) == ("school_office", None)

    def test_the_dominant_category_leads_where_it_is_well_attested(self) -> None:
        text = "培训班教篮球和足球，也教算术。"
        assert triage(rules(), text).lead == "ball_office"
        assert triage(rules(dominant="letters", dominant_share=60), text).lead == "school_office"
        assert triage(rules(dominant="letters", dominant_share=70), text).lead == "ball_office"

    def test_a_passing_mention_is_below_the_share_that_counts(self) -> None:
        ruleset = rules({"id": "ball.sure", "category": "ball", "terms": ["篮球课"], "strength": "strong"})
        assert scores(triage(ruleset, "培训班的篮球课和舞蹈。")) == {"ball": 15, "stage": 6}
        wide = {**HEAD["thresholds"], "share": 41}
        narrow = ruleset.model_copy(update={"ruleset": ruleset.ruleset.model_validate({**HEAD, "thresholds": wide})})
        assert scores(triage(narrow, "培训班的篮球课和舞蹈。")) == {"ball": 15}

    def test_disputed_evidence_alone_needs_identification(self) -> None:
        assert triage(rules(), "培训班教演讲。").lead == "stage_office"
        assert triage(rules(), "培训班教演讲和舞蹈。").reason_code is Reason.CLEAR


class TestAssists:
    def helpers(self, text: str, **head: object) -> list[str]:
        return [assist.department for assist in triage(rules(**head), text).assists]

    def test_each_issue_brings_its_department(self) -> None:
        decision = triage(rules(), "篮球培训班没有消防。")
        (helper,) = decision.assists
        assert (helper.department, helper.issue, helper.clause) == ("fire_office", "fire", "order-4")
        assert decision.issues == ("fire",)

    def test_the_lower_rank_goes_first_where_there_are_too_many(self) -> None:
        assert self.helpers("篮球培训班欠薪、不退费、没有消防。") == ["fire_office", "money_office"]

    def test_the_lead_never_helps_itself(self) -> None:
        assert self.helpers("舞蹈培训班舞台塌了。") == ["town"]

    def test_some_help_for_some_categories_only(self) -> None:
        assert self.helpers("篮球培训班舞台塌了。") == ["stage_office"]

    def test_a_rule_may_name_who_helps_before_those_that_its_issue_names(self) -> None:
        bench = {"id": "issue.bench", "issue": "refund", "terms": ["长椅"], "assists": ["town"], "loose": True}
        shed = {"id": "issue.shed", "issue": "refund", "terms": ["车棚"], "assists": ["quiet_office"], "loose": True}
        text = "篮球培训班的长椅和车棚。"
        for order in ((bench, shed), (shed, bench)):
            decision = triage(rules(*order, max_assists=3), text)
            assert [assist.department for assist in decision.assists] == ["town", "quiet_office", "money_office"]

    def test_the_cap_is_a_setting(self) -> None:
        assert len(self.helpers("篮球培训班欠薪、不退费、没有消防。", max_assists=3)) == 3
        assert self.helpers("篮球培训班欠薪、不退费、没有消防。", max_assists=0) == []

    def test_more_helpers_than_the_limit_is_comprehensive_though_the_cap_is_lower(self) -> None:
        text = "篮球培训班没有消防，不退费，欠薪，噪音大。"
        decision = triage(rules(), text)
        assert (decision.decision, decision.reason_code, decision.lead) == (Outcome.ESCALATE, Reason.COMPREHENSIVE, "ball_office")
        assert len(decision.assists) == 2
        assert triage(rules(comprehensive_over=4), text).reason_code is Reason.CLEAR

    def test_a_returned_complaint_has_no_helpers(self) -> None:
        assert triage(rules(), "商场没有消防。").assists == ()


class TestUrgency:
    def test_an_emergency_is_told_whatever_the_text_is_about(self) -> None:
        decision = triage(rules(), "楼下着火了。")
        assert (decision.decision, decision.urgency, decision.notices) == (
            Outcome.RETURN,
            Urgency.EMERGENCY,
            (ALARM,),
        )

    def test_urgent_is_less_than_an_emergency(self) -> None:
        assert triage(rules(), "篮球培训班打人。").urgency is Urgency.URGENT
        assert triage(rules(), "篮球培训班打人，还着火。").urgency is Urgency.EMERGENCY
        assert ALARM not in triage(rules(), "篮球培训班打人。").notices


class TestAsking:
    def test_unknown_lessons_are_asked_for_and_the_answer_decides(self) -> None:
        asked = triage(rules(), "培训班关门了。").ask
        assert asked is not None
        assert (asked.code, [(option.code, option.leads_to) for option in asked.options]) == (
            "category",
            [("letters", "school_office"), ("ball", "ball_office")],
        )
        answered = triage(rules(), "培训班关门了。", answers={"category": "ball"})
        assert (answered.reason_code, answered.lead, answered.ask) == (Reason.CLEAR, "ball_office", None)

    def test_of_several_lessons_the_main_one_is_asked_for_among_those_told(self) -> None:
        text = "培训班教篮球，也教舞蹈。"
        asked = triage(rules(), text).ask
        assert asked is not None
        assert (asked.code, [option.code for option in asked.options]) == ("primary", ["ball", "stage"])
        answered = triage(rules(), text, answers={"primary": "stage"})
        assert (answered.decision, answered.lead) == (Outcome.DISPATCH, "stage_office")

    def test_a_doubtful_scope_is_asked_for_and_either_answer_decides(self) -> None:
        text = "老师教篮球。"
        asked = triage(rules(), text).ask
        assert asked is not None
        assert asked.code == "scope"
        assert triage(rules(), text, answers={"scope": "outside"}).reason_code is Reason.CLEAR
        assert triage(rules(), text, answers={"scope": "school"}).reason_code is Reason.OUT_SCHOOL

    def test_an_answer_about_scope_may_lead_to_the_question_of_lessons(self) -> None:
        asked = triage(rules(), "老师关门了。", answers={"scope": "outside"}).ask
        assert asked is not None
        assert asked.code == "category"

    def test_the_answer_ends_a_dispute_about_identification(self) -> None:
        answered = triage(rules(), "培训班教演讲。", answers={"category": "letters"})
        assert (answered.reason_code, answered.lead) == (Reason.CLEAR, "school_office")

    def test_the_answer_raises_a_low_confidence(self) -> None:
        ruleset = rules(thresholds={**HEAD["thresholds"], "dispatch": 20})
        text = "培训班关门。老师说是培训班。教篮球。"
        assert triage(ruleset, text).reason_code is Reason.LOW_CONFIDENCE
        asked = triage(ruleset, text).ask
        assert asked is not None
        assert asked.code == "category"
        assert triage(ruleset, text, answers={"category": "ball", "scope": "outside"}).reason_code is Reason.CLEAR

    def test_what_was_answered_is_not_asked_again(self) -> None:
        assert triage(rules(), "培训班关门了。", answers={"category": "unknown"}).ask is None

    def test_an_unknown_answer_settles_nothing(self) -> None:
        decision = triage(rules(), "培训班关门了。", answers={"category": "chess", "colour": "red"})
        assert (decision.reason_code, decision.lead) == (Reason.NO_CATEGORY, "school_office")

    @pytest.mark.parametrize("text", ["培训班教篮球。", "小区里要种树。"])
    def test_nothing_is_asked_where_all_is_clear(self, text: str) -> None:
        assert triage(rules(), text).ask is None


class TestCertainty:
    def test_it_is_the_smaller_distance_to_another_verdict(self) -> None:
        assert triage(rules(), "培训班教篮球。").certainty == 6
        assert triage(rules(), "培训班教篮球和足球，旁边停水。", asserted_scope=True).certainty == 0
        assert triage(rules(), "培训班教篮球和足球，提到舞蹈。").certainty == 3

    def test_no_confidence_without_a_calibration(self) -> None:
        assert triage(rules(), "培训班教篮球。").confidence is None

    def test_confidence_is_that_of_the_highest_step_reached(self) -> None:
        calibration = {
            "promise": 0.9, "confidence": 0.95, "certified": True, "threshold": 6, "n": 100, "dispatched": 90, "right": 89,
            "bound": 0.95, "coverage": 0.9, "curve": [[3, 0.8], [6, 0.9], [9, 0.99]],
        }  # fmt: skip
        assert triage(rules(calibration=calibration), "培训班教篮球。").confidence == 0.9
        assert triage(rules(calibration=calibration), "培训班教篮球和足球。").confidence == 0.99
        assert triage(rules(calibration=calibration), "小区里要种树。").confidence is None


def test_hits_of_one_rule_and_rules_of_one_category_count_less_each_time() -> None:
    extra = {"id": "ball.more", "category": "ball", "terms": ["教篮球"]}
    assert scores(triage(rules(), "培训班教篮球、足球、网球。")) == {"ball": 6 + 3 + 1}
    assert scores(triage(rules(extra), "培训班教篮球、足球、网球。")) == {"ball": 6 + 3 + 1 + 3}


def test_the_same_word_twice_counts_once() -> None:
    assert scores(triage(rules(), together(["培训班教篮球"] * 5))) == {"ball": 6}
