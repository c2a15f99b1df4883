"""What counts as a hit: whole words, frames, exclusions, negation and hope, places, and what one rule asks of another."""

from typing import Any

import pytest

from models.decision import Decision, Outcome, Urgency
from tests.engine.district import HEAD, fired, rules, scores, triage


def hits(text: str, **rule: object) -> bool:
    """Whether a rule of this kind for arts of an invented sort fires in the text; the hotline asserted the scope."""
    mine = {"id": "stage.mine", "category": "stage", **rule}
    return "stage.mine" in fired(triage(rules(mine), text, asserted_scope=True))


class TestWords:
    @pytest.mark.parametrize(
        ("text", "counts"),
        [
            ("孩子学美术。", True),
            ("美术老师。", True),
            ("学健美术语。", False),
            ("市美术馆门口。", False),
        ],
    )
    def test_a_term_is_never_found_inside_another_word(self, text: str, counts: bool) -> None:
        assert hits(text, terms=["美术"]) is counts

    def test_a_loose_term_is(self) -> None:
        assert hits("市美术馆门口。", terms=["美术"], loose=True)

    def test_a_phrase_may_reach_across_words(self) -> None:
        assert hits("孩子学美术课。", terms=["学美术课"])

    def test_words_of_the_pack_are_words(self) -> None:
        ruleset = rules({"id": "stage.mine", "category": "stage", "terms": ["音乐"]})
        known = ruleset.model_copy(update={"words": ("音乐小区",)})
        text = "音乐小区的住户。"
        assert "stage.mine" in fired(triage(ruleset, text, asserted_scope=True))
        assert "stage.mine" not in fired(triage(known, text, asserted_scope=True))

    def test_names_of_programs_are_words(self) -> None:
        program = {"id": "ball.named", "category": "ball", "terms": ["音乐球"], "program": True}
        mine = {"id": "stage.mine", "category": "stage", "terms": ["音乐"]}
        assert fired(triage(rules(program, mine), "孩子学音乐球。", asserted_scope=True)) >= {"ball.named"}
        assert "stage.mine" not in fired(triage(rules(program, mine), "孩子学音乐球。", asserted_scope=True))

    def test_a_list_stands_for_each_of_its_words(self) -> None:
        ruleset = rules({"id": "stage.mine", "category": "stage", "terms": ["{art}{course}"]})
        listed = ruleset.model_copy(update={"lists": {"art": ("相声", "评书"), "course": ("课", "班")}})
        decision = triage(listed, "相声课和评书班。", asserted_scope=True)
        assert [piece.term for piece in decision.evidence] == ["相声课", "评书班"]

    def test_punctuation_of_a_term_is_matched_as_written(self) -> None:
        assert hits("学c++课。", terms=["C++"])
        assert hits("学a/b课。", terms=["a/b"])


class TestUnless:
    def test_an_exclusion_cancels_the_hit_that_it_overlaps(self) -> None:
        assert scores(triage(rules(), "培训班里篮球状的灯。")) == {}

    def test_and_no_other(self) -> None:
        assert scores(triage(rules(), "培训班里篮球状的灯，教篮球。")) == {"ball": 6}

    def test_it_may_begin_before_the_hit(self) -> None:
        assert not hits("广场的街舞。", terms=["街舞"], unless=["场的街"])
        assert hits("广场的街舞。", terms=["街舞"], unless=["广场的"])


class TestNegation:
    @pytest.mark.parametrize(
        ("text", "counts"),
        [
            ("培训班教篮球", True),
            ("培训班不是篮球", False),
            ("培训班不是每周都教篮球", True),  # farther than three characters
            ("培训班没教篮球", False),
            ("培训班是不是教篮球", True),  # a question denies nothing
            ("培训班教没教篮球", True),
            ("不是，培训班教篮球", True),  # not across a comma
            ("教的不是：篮球", True),
            ("篮球不是培训班教的", True),  # not backwards
            ("培训班希望开设几个新的篮球", False),
        ],
    )
    def test_it_reaches_forward_within_its_clause(self, text: str, counts: bool) -> None:
        assert ("ball.programs" in fired(triage(rules(), text, asserted_scope=True))) is counts

    @pytest.mark.parametrize(
        ("text", "counts"),
        [
            ("篮球班没意见", False),
            ("篮球、舞蹈都没意见", False),  # of all that is listed
            ("篮球班一直以来大家都没意见", False),
            ("篮球班从开业到现在全体家长都没意见", True),  # farther than eight characters
            ("篮球班，没意见", True),  # not across a comma
            ("没意见篮球班", True),  # not forward
        ],
    )
    def test_it_may_reach_back_within_its_clause(self, text: str, counts: bool) -> None:
        assert ("ball.programs" in fired(triage(rules(), text, asserted_scope=True))) is counts

    def test_it_may_share_characters_with_the_hit(self) -> None:
        assert not hits("老师没教画画。", terms=["教画画"])

    def test_training_itself_can_be_denied(self) -> None:
        assert triage(rules(), "这不是培训班，打篮球的。").decision is Outcome.RETURN

    def test_issues_are_not_denied(self) -> None:
        """不是退费的问题 still tells what the matter is about."""
        assert triage(rules(), "篮球培训班不是退费的事。").issues == ("refund",)


FRAME: dict[str, Any] = {"terms": ["戏曲"], "near": {"words": ["学费", "报名"], "within": 4}}
NEEDY: dict[str, Any] = {"id": "stage.needy", "category": "stage", "terms": ["朗诵"], "needs": ["signal:child"]}


class TestNear:
    @pytest.mark.parametrize(
        ("text", "counts"),
        [
            ("戏曲学费", True),
            ("戏曲的两年学费", True),
            ("戏曲的这门课的学费", False),
            ("报名学戏曲", True),
            ("报名。戏曲", False),
            ("报名，戏曲", True),
            ("戏曲", False),
        ],
    )
    def test_a_hit_counts_only_in_its_frame(self, text: str, counts: bool) -> None:
        assert hits(text, **FRAME) is counts

    def test_the_frame_is_no_part_of_the_hit(self) -> None:
        assert not hits("学戏曲课。", terms=["戏曲课"], near={"words": ["曲课"], "within": 9})

    def test_frames_do_not_reach_from_title_to_content(self) -> None:
        mine = {"id": "stage.mine", "category": "stage", **FRAME}
        assert "stage.mine" not in fired(triage(rules(mine), "学费贵", title="学戏曲", asserted_scope=True))


class TestNeeds:
    def test_a_rule_may_need_a_signal(self) -> None:
        assert "stage.needy" not in fired(triage(rules(NEEDY), "朗诵的培训班"))
        assert "stage.needy" in fired(triage(rules(NEEDY), "孩子上朗诵的培训班"))

    def test_a_rule_may_need_a_rule(self) -> None:
        needy = {**NEEDY, "needs": ["ball.programs"]}
        assert "stage.needy" not in fired(triage(rules(needy), "朗诵的培训班"))
        assert "stage.needy" in fired(triage(rules(needy), "朗诵和篮球的培训班"))

    def test_of_several_needs_one_is_enough(self) -> None:
        needy = {**NEEDY, "needs": ["ball.programs", "signal:child"]}
        assert "stage.needy" in fired(triage(rules(needy), "孩子上朗诵的培训班"))

    @pytest.mark.parametrize("status", ["retired", "quarantined", "trial"])
    def test_what_only_a_silent_rule_could_give_is_not_given(self, status: str) -> None:
        silent = {"id": "signal.child", "signal": "child", "terms": ["孩子"], "status": status}
        assert "stage.needy" not in fired(triage(rules(NEEDY, silent), "孩子上朗诵的培训班"))

    def test_a_rule_may_be_blocked_by_others(self) -> None:
        blocked = {"id": "stage.shy", "category": "stage", "terms": ["朗诵"], "blocked_by": ["ball.programs", "signal:child"]}
        assert "stage.shy" in fired(triage(rules(blocked), "朗诵的培训班"))
        assert "stage.shy" not in fired(triage(rules(blocked), "朗诵和篮球的培训班"))
        assert "stage.shy" not in fired(triage(rules(blocked), "孩子上朗诵的培训班"))

    def test_a_cancelled_hit_neither_gives_nor_blocks(self) -> None:
        blocked = {"id": "stage.shy", "category": "stage", "terms": ["朗诵"], "blocked_by": ["ball.programs"]}
        assert "stage.shy" in fired(triage(rules(blocked), "朗诵的培训班，不是篮球"))

    def test_names_do_not_decide_the_order(self) -> None:
        """Three rules, each in need of the next by name."""
        chain = [
            {"id": "signal.a", "signal": "a", "terms": ["朗诵"], "needs": ["signal.b"]},
            {"id": "signal.b", "signal": "b", "terms": ["培训班"], "needs": ["signal:c"]},
            {"id": "signal.c", "signal": "c", "terms": ["孩子"]},
        ]
        assert fired(triage(rules(*chain), "孩子上朗诵的培训班")) >= {"signal.a", "signal.b", "signal.c"}


class TestGate:
    """A text without a word that could bring it into scope is read no further; no text that needs reading may be lost there."""

    def test_a_rule_that_needs_a_signal_opens_it(self) -> None:
        needy = {"id": "scope.needy", "scope": "in", "terms": ["朗诵"], "needs": ["signal:child"], "strength": "strong"}
        assert triage(rules(needy), "孩子上朗诵课").decision is Outcome.ESCALATE

    def test_of_rules_that_need_each_other_the_first_opens_it(self) -> None:
        first = {"id": "scope.first", "scope": "in", "terms": ["朗诵"], "needs": ["signal:child"]}
        second = {"id": "scope.second", "scope": "in", "terms": ["课"], "needs": ["scope.first"], "strength": "strong"}
        assert triage(rules(first, second), "孩子上朗诵课").decision is Outcome.ESCALATE
        assert triage(rules(first, second), "孩子上课").evidence == ()

    def test_a_term_that_counts_in_the_name_only_is_read_where_there_is_a_name(self) -> None:
        named = {"id": "scope.named", "scope": "in", "terms": ["学社"], "in": ["institution"], "strength": "strong", "loose": True}
        assert triage(rules(named), "退费", institution="云溪学社").decision is Outcome.ESCALATE
        assert triage(rules(named), "学社退费").decision is Outcome.RETURN

    def test_an_alias_opens_it(self) -> None:
        assert triage(rules(), "bu习班关门").decision is Outcome.ESCALATE


class TestPlaces:
    def test_a_rule_may_look_in_some_places_only(self) -> None:
        mine = {"id": "stage.name", "category": "stage", "terms": ["美术"], "in": ["institution", "title"]}
        assert "stage.name" in fired(triage(rules(mine), "培训班退费", institution="云溪美术社"))
        assert "stage.name" in fired(triage(rules(mine), "培训班退费", title="美术退费"))
        assert "stage.name" not in fired(triage(rules(mine), "培训班教美术"))

    def test_the_head_is_the_first_part_of_the_content(self) -> None:
        mine = {"id": "stage.head", "category": "stage", "terms": ["美术"], "in": ["head"]}
        assert "stage.head" in fired(triage(rules(mine), "培训班教美术，退费"))
        assert "stage.head" not in fired(triage(rules(mine), "培训班退费的事说过了，教美术"))
        assert "stage.head" not in fired(triage(rules(mine), "培训班退费", title="美术"))

    def test_each_place_counts_as_the_pack_says(self) -> None:
        zones = {"institution": 200, "title": 150, "head": 120, "body": 50, "head_length": 10}
        ruleset = rules(zones=zones, thresholds={**HEAD["thresholds"], "category": 1, "share": 0})
        assert scores(triage(ruleset, "算术培训班" + "，" * 9 + "舞蹈", title="足球")) == {"letters": 7, "ball": 9, "stage": 3}
        assert scores(triage(ruleset, "培训班退费", institution="云溪篮球社")) == {"ball": 12}

    def test_a_word_counts_at_its_best_place(self) -> None:
        ruleset = rules(zones={**HEAD["zones"], "title": 200})
        assert scores(triage(ruleset, "培训班教篮球", title="篮球")) == {"ball": 12}


class TestTrial:
    TEXT = "孩子上朗诵的培训班"

    def decide(self, **rule: object) -> Decision:
        return triage(rules({"status": "trial", "terms": ["朗诵"], **rule}), self.TEXT)

    def test_a_rule_on_trial_is_seen_without_weight(self) -> None:
        decision = self.decide(id="stage.new", category="stage")
        (seen,) = [piece for piece in decision.evidence if piece.rule == "stage.new"]
        assert (seen.quote, seen.weight) == ("朗诵", 0)
        assert decision.categories == ()

    def test_it_raises_no_alarm(self) -> None:
        assert self.decide(id="signal.new", signal="emergency").urgency is Urgency.NORMAL

    def test_it_neither_gives_nor_blocks(self) -> None:
        trial = {"id": "signal.new", "signal": "new", "terms": ["朗诵"], "status": "trial"}
        needy = {"id": "stage.needy", "category": "stage", "terms": ["培训班"], "needs": ["signal:new"]}
        shy = {"id": "ball.shy", "category": "ball", "terms": ["培训班"], "blocked_by": ["signal:new"]}
        decision = triage(rules(trial, needy, shy), self.TEXT)
        assert fired(decision) & {"stage.needy", "ball.shy"} == {"ball.shy"}

    def test_a_rule_on_trial_may_need_another_on_trial(self) -> None:
        signal = {"id": "signal.new", "signal": "new", "terms": ["朗诵"], "status": "trial"}
        needy = {"id": "stage.needy", "category": "stage", "terms": ["培训班"], "needs": ["signal:new"], "status": "trial"}
        assert "stage.needy" in fired(triage(rules(signal, needy), self.TEXT))

    def test_it_disputes_nothing(self) -> None:
        disputed = {"id": "stage.disputed", "category": "stage", "terms": ["朗诵"], "status": "trial"}
        assert triage(rules(disputed), "培训班教舞蹈和朗诵").decision is Outcome.DISPATCH

    def test_its_programs_move_no_border(self) -> None:
        trial = {"id": "ball.named", "category": "ball", "terms": ["舞蹈球"], "program": True, "status": "trial"}
        assert scores(triage(rules(trial), "培训班教舞蹈球")) == {"stage": 6}

    def test_a_quarantined_rule_is_seen_and_weighs_nothing(self) -> None:
        decision = triage(rules({"id": "stage.old", "category": "stage", "terms": ["朗诵"], "status": "quarantined"}), self.TEXT)
        assert "stage.old" in fired(decision)
        assert scores(decision) == {}

    def test_a_retired_rule_is_not_seen(self) -> None:
        decision = triage(rules({"id": "stage.old", "category": "stage", "terms": ["朗诵"], "status": "retired"}), self.TEXT)
        assert "stage.old" not in fired(decision)
