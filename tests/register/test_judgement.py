"""What the register changes in a decision: scope, category, issue, notices, evidence; and that the past can be decided again."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from models.complaint import ABSENT, RegisterHit
from models.decision import Decision, Outcome, Reason
from models.ruleset import RuleSet
from tests.engine.district import rules, triage

POINTS: dict[str, Any] = {
    "scope": 20,
    "mention": 5,
    "statuses": {"在办": {}, "注销": {"issue": "wages", "clause": "order-4", "notice": "“{name}”已{status}。"}},
    "absent": {"issue": "wages", "strength": "weak", "notice": "没有“{name}”。"},
}
BALL = RegisterHit(
    name="云溪球社", category="ball", status="在办", how="alias", quote="球社", field="institution", start=0, end=2, id="1", licence="一号"
)
CANCELLED = replace(BALL, status="注销")
MISSING = RegisterHit(name="球社", category=None, status="", how=ABSENT, quote="球社", field="institution", start=0, end=2)


@pytest.fixture(scope="module")
def district() -> RuleSet:
    return rules(register=POINTS)


def judged(ruleset: RuleSet, content: str, hit: RegisterHit | None) -> Decision:
    return triage(ruleset, content, institution="球社" if hit and hit.field == "institution" else "", register=hit)


def told(decision: Decision) -> dict[str, tuple[str, int]]:
    return {piece.rule: (piece.supports, piece.weight) for piece in decision.evidence if piece.rule.startswith("register.")}


class TestTheLicensedCategory:
    def test_decides_where_the_text_tells_nothing(self, district: RuleSet) -> None:
        decision = judged(district, "培训班关门了。", BALL)
        assert (decision.decision, decision.reason_code, decision.lead) == (Outcome.DISPATCH, Reason.REGISTER, "ball_office")
        assert [category.code for category in decision.categories] == ["ball"]
        assert decision.confidence is None
        assert "名录登记“云溪球社”为球类" in decision.reason
        assert told(decision) == {"register.listed": ("scope:in", 20), "register.licence": ("category:ball", 0)}

    def test_says_what_was_written_where_it_only_sounds_alike(self, district: RuleSet) -> None:
        assert "“云溪球社”（诉求写作“球社”）" in judged(district, "培训班关门了。", replace(BALL, how="fuzzy")).reason

    def test_gives_way_to_what_is_taught(self, district: RuleSet) -> None:
        assert judged(district, "培训班教舞蹈。", BALL).lead == "stage_office"

    def test_breaks_a_tie_only_for_the_institution_that_the_hotline_filled_in(self, district: RuleSet) -> None:
        assert judged(district, "培训班教篮球，也教舞蹈。", BALL).lead == "ball_office"
        mentioned = replace(BALL, field="content", start=0, end=2)
        assert judged(district, "培训班教篮球，也教舞蹈。", mentioned).lead == "school_office"

    def test_of_another_pack_decides_nothing(self, district: RuleSet) -> None:
        assert judged(district, "培训班关门了。", replace(BALL, category="chess")).reason_code is Reason.NO_CATEGORY


class TestScope:
    def test_a_listed_institution_in_the_field_is_in_scope(self, district: RuleSet) -> None:
        assert judged(district, "孩子摔伤了。", BALL).decision is Outcome.DISPATCH

    def test_a_mention_alone_is_not_enough(self, district: RuleSet) -> None:
        mention = replace(BALL, field="content", start=0, end=2)
        assert judged(district, "球社门口停水。", mention).decision is Outcome.RETURN
        assert judged(district, "球社的老师打孩子。", mention).decision is Outcome.DISPATCH

    def test_an_unlisted_one_is_no_evidence_of_scope(self, district: RuleSet) -> None:
        assert judged(district, "孩子摔伤了。", MISSING).decision is Outcome.RETURN


class TestTheStatus:
    def test_a_cancelled_licence_is_an_issue_with_notice_clause_and_place(self, district: RuleSet) -> None:
        decision = judged(district, "培训班教篮球。", CANCELLED)
        assert decision.issues == ("wages",)
        assert "“云溪球社”已注销。" in decision.notices
        [piece] = [piece for piece in decision.evidence if piece.rule == "register.status"]
        assert (piece.supports, piece.term, piece.quote, piece.weight, piece.clause) == ("issue:wages", "云溪球社", "球社", 12, "order-4")

    def test_a_licence_in_force_is_none(self, district: RuleSet) -> None:
        decision = judged(district, "培训班教篮球。", BALL)
        assert decision.issues == ()
        assert not any("云溪球社" in notice for notice in decision.notices)

    def test_an_absent_licence_is_a_hint_that_needs_another(self, district: RuleSet) -> None:
        decision = judged(district, "培训班教篮球。", MISSING)
        assert decision.issues == ()
        assert told(decision) == {"register.absent": ("issue:wages", 3)}
        assert "没有“球社”。" in decision.notices
        weak = rules({"id": "issue.weak", "issue": "wages", "terms": ["工钱"], "strength": "weak"}, register=POINTS)
        assert judged(weak, "培训班教篮球，工钱没有。", MISSING).issues == ("wages",)

    def test_is_not_told_with_a_return(self, district: RuleSet) -> None:
        decision = judged(district, "小区里要种树。", MISSING)
        assert (decision.decision, told(decision), decision.notices) == (Outcome.RETURN, {}, ())

    def test_that_the_pack_does_not_know_says_nothing(self, district: RuleSet) -> None:
        assert judged(district, "培训班教篮球。", replace(BALL, status="整改")).issues == ()


class TestReplay:
    @pytest.mark.parametrize("hit", [None, BALL, CANCELLED, MISSING])
    def test_a_stored_decision_is_made_again_from_what_it_holds(self, district: RuleSet, hit: RegisterHit | None) -> None:
        stored = orjson.dumps(judged(district, "培训班关门了。", hit))
        kept = orjson.loads(stored)["register"]
        again = judged(district, "培训班关门了。", RegisterHit(**kept) if kept else None)
        assert orjson.dumps(again) == stored
