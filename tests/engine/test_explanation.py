"""What is said about a decision: in Chinese, with its clause and the words it rests on, and never too long."""

import pytest

from models.complaint import Complaint, RegisterHit
from models.decision import Outcome
from models.ruleset import RuleSet
from service.engine import Engine
from tests.engine.district import HEAD, ISSUES, rules, triage
from tests.engine.test_decisions import EVERY_REASON

LIMIT = 2048
"""Bytes of the reason, however long the complaint."""


def said(text: str, **head: object) -> str:
    return triage(rules(**head), text).reason


class TestReason:
    def test_a_dispatch_names_words_category_lead_clause_and_helpers(self) -> None:
        assert said("篮球培训班没有消防。") == (
            "诉求中提到“篮球”，属球类校外培训机构问题，由云溪区球场办主办。"
            "依据《云溪区培训管理办法》第二条：“球类培训由球场办主管。”。协办：云溪区消防办（消防）。"
        )

    def test_an_escalation_names_the_clause_for_hard_cases(self) -> None:
        assert said("培训班教篮球和舞蹈。") == (
            "诉求中提到“篮球”、“舞蹈”，涉及球类、舞台类，分属不同业务主管部门，由云溪区学校办牵头协调。"
            "依据《云溪区培训管理办法》第九条：“难以界定的由学校办牵头。”。"
        )

    def test_a_return_names_the_words_and_the_unit_to_turn_to(self) -> None:
        assert said("退休职工学舞蹈。", listen=["adult"]) == "诉求中提到“退休职工”，学的是成年人，退回热线。建议转工会办理。"

    def test_a_return_without_evidence_says_so(self) -> None:
        assert said("小区里要种树。") == "没有说到儿童培训，退回热线。建议转按内容另派办理。"

    def test_the_register_is_named_where_it_decides(self) -> None:
        register = RegisterHit("云溪球社", "ball", "active", "exact")
        assert "名录登记“云溪球社”为球类" in triage(rules(), "培训班关门了。", register=register).reason

    def test_categories_of_one_department_in_balance_cite_that_department(self) -> None:
        categories = {**HEAD["categories"], "ball": {"name": "球类", "department": "stage_office", "clause": "order-2"}}
        assert "由云溪区舞台办主办。依据《云溪区培训管理办法》第二条" in said("培训班教篮球和舞蹈。", categories=categories)

    @pytest.mark.parametrize("text", EVERY_REASON.values())
    def test_every_reason_ends_as_a_sentence_and_is_short(self, text: str) -> None:
        reason = said(text, listen=["school", "adult"])
        assert reason.endswith("。")
        assert "None" not in reason
        assert len(reason.encode()) < LIMIT

    @pytest.mark.parametrize("repeat", [1, 3_000])
    def test_no_complaint_makes_it_long(self, shipped: Engine, repeat: int) -> None:
        """Blanks without width stretch a word over the whole letter; every rule fires at once."""
        stretched = ("\u200b" * repeat).join(
            "舞蹈培训班，英语培训班，篮球培训班，编程培训班，不退费，没有消防，拖欠工资，打骂孩子，无证，跑路"
        )
        decision = shipped.triage(Complaint(stretched, stretched[:500]))
        assert len(decision.reason.encode()) < LIMIT
        assert all(len(piece.quote) <= 60 for piece in decision.evidence)

    def test_every_sample_is_explained_shortly(self, shipped: Engine, samples: list[Complaint]) -> None:
        for sample in samples:
            decision = shipped.triage(sample)
            assert len(decision.reason.encode()) < LIMIT
            if decision.lead is not None:
                assert shipped.ruleset.department(decision.lead).name in decision.reason


class TestEvidence:
    def test_what_speaks_for_the_verdict_stands_first(self) -> None:
        decision = triage(rules(), "退休职工的事不多，培训班教篮球和足球，孩子多。", register=RegisterHit("社", None, "active", "exact"))
        supports = [piece.supports for piece in decision.evidence]
        assert decision.decision is Outcome.DISPATCH
        assert supports == ["scope:in", "category:ball", "category:ball", "scope:adult", "signal:child"]

    def test_of_these_the_heavier_stands_first(self) -> None:
        ruleset = rules({"id": "ball.hint", "category": "ball", "terms": ["球拍"], "strength": "weak"})
        decision = triage(ruleset, "球拍、篮球、足球，培训班。")
        assert [(piece.quote, piece.weight) for piece in decision.evidence] == [("培训班", 12), ("篮球", 6), ("球拍", 3), ("足球", 3)]

    def test_each_piece_carries_rule_term_place_weight_and_clause(self) -> None:
        (hit,) = [piece for piece in triage(rules(), "培训班教篮球。").evidence if piece.rule == "ball.programs"]
        assert (hit.supports, hit.term, hit.field, hit.start, hit.end, hit.quote, hit.weight, hit.clause) == (
            "category:ball", "篮球", "content", 4, 6, "篮球", 6, "order-2",
        )  # fmt: skip

    @pytest.mark.parametrize(("field", "place"), [("institution", 2), ("title", 1), ("content", 4)])
    def test_places_are_those_of_the_field(self, field: str, place: int) -> None:
        texts = {"institution": "云溪美术社", "title": "学戏剧", "content": "培训班教篮球"}
        word = {"institution": "美术", "title": "戏剧", "content": "篮球"}[field]
        ruleset = rules({"id": "stage.more", "category": "stage", "terms": ["美术"]})
        (hit,) = [piece for piece in triage(ruleset, **texts).evidence if piece.quote == word]
        assert (hit.field, hit.start, hit.end) == (field, place, place + 2)

    def test_there_are_twelve_pieces_at_most(self, shipped: Engine) -> None:
        text = "舞蹈培训班，英语培训班，篮球培训班，编程培训班，不退费，没有消防，拖欠工资，打骂孩子，无证，跑路，噪音，发票"
        assert len(shipped.triage(Complaint(text)).evidence) == 12


class TestRunnerUp:
    def test_the_next_department_and_why_it_is_not_the_one(self) -> None:
        ruleset = rules(thresholds={**HEAD["thresholds"], "category": 9})
        runner_up = triage(ruleset, "培训班教篮球和足球，提到舞蹈。").runner_up
        assert runner_up is not None
        assert (runner_up.department, runner_up.category, runner_up.score) == ("stage_office", "stage", 6)
        assert runner_up.why_not == "舞台类的依据为6分，主办单位的依据为9分"

    def test_there_is_none_without_other_evidence(self) -> None:
        assert triage(rules(), "培训班教篮球。").runner_up is None
        assert triage(rules(), "小区里要种树。").runner_up is None


def test_a_decision_names_its_rules_and_engine() -> None:
    ruleset: RuleSet = rules().model_copy(update={"version": 7, "digest": "d" * 64})
    decision = triage(ruleset, "培训班教篮球。")
    assert (decision.ruleset.pack, decision.ruleset.version, decision.ruleset.digest) == ("yunxi", 7, "d" * 64)
    assert decision.engine


def test_issues_of_the_district_all_have_a_rule() -> None:
    """Guards the tests themselves: an issue that no rule finds would be tested by nothing."""
    assert set(ISSUES) == {rule.issue for rule in rules().rules if rule.issue}
