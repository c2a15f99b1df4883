"""What counts as confirmed, told as stories: each a case dispatched to the gym office, and what people did with it."""

from typing import Any

import pytest

from service.ledger import judge
from service.ledger.judge import Counts, birth_of, issues_of
from service.ledger.verdict import Happened, Verdict, of_events

TRIAGE: dict[str, Any] = {
    "decision": "dispatch",
    "reason_code": "clear",
    "lead": "gym_office",
    "category": "ball",
    "issues": ["refund"],
    "assists": [{"department": "money_office", "issue": "refund", "clause": None}],
    "evidence": [
        {"rule": rule, "supports": supports, "term": term, "weight": weight}
        for rule, supports, term, weight in (
            ("ball.programs", "category:ball", "篮球", 9),
            ("ball.programs", "category:ball", "足球", 4),
            ("scope.training", "scope:in", "篮球班", 18),
            ("issue.refund", "issue:refund", "退费", 6),
            ("stage.programs", "category:stage", "舞蹈", 3),
            ("stage.trained", "category:ball", "形体", 0),
        )
    ],
}
RETURNED: dict[str, Any] = {"decision": "return", "reason_code": "out_adult", "lead": None, "category": None, "issues": [], "assists": []}
RETURNED |= {"evidence": [{"rule": "scope.adult", "supports": "scope:adult", "term": "成年人", "weight": 12}]}

Told = tuple[str, dict[str, Any]]
ACCEPT: Told = ("accepted", {})
COMPLETE: Told = ("completed", {})
UPHOLD: Told = ("hand_back_upheld", {})
REJECT: Told = ("hand_back_rejected", {})


def hand_back(reason: str = "not_ours", lead: str = "gym_office", hops: int = 1) -> tuple[str, dict[str, Any]]:
    return "handed_back", {"reason_code": reason, "lead": lead, "hops": hops}


def sent(lead: str, kind: str = "re_dispatched", hops: int = 2) -> tuple[str, dict[str, Any]]:
    return kind, {"lead": lead, "hops": hops}


def corrected(truth: str = "gym_office", **said: Any) -> tuple[str, dict[str, Any]]:
    return "reclassified", {"corrects": list(said), "truth": {"category": None, "lead": said.get("lead", truth)}, **said}


def verdict(*story: tuple[str, dict[str, Any]], triage: dict[str, Any] = TRIAGE) -> Verdict:
    happened = [
        Happened(f"case.{kind}", "李明", f"2026-11-{day:02}T09:00:00+08:00", {"lead": "gym_office", "hops": 1, "version": day, **data})
        for day, (kind, data) in enumerate(story, 2)
    ]
    return of_events(birth_of(triage), issues_of(triage), happened)


def rights(*story: tuple[str, dict[str, Any]], triage: dict[str, Any] = TRIAGE) -> dict[str, bool]:
    """Which rules were right, and which wrong."""
    counts = {rule: found for (rule, term), found in judge(triage, verdict(*story, triage=triage)).items() if not term}
    return {rule: found.rights == 1 for rule, found in counts.items() if found.rights or found.wrongs}


class TestWhatIsRight:
    def test_nothing_is_known_of_a_case_that_nobody_finished(self) -> None:
        assert rights(ACCEPT) == {}

    def test_whoever_completes_a_case_takes_it_as_their_own(self) -> None:
        assert rights(ACCEPT, COMPLETE) == {"ball.programs": True, "scope.training": True, "issue.refund": True}

    def test_an_issue_whose_helper_was_waived_is_left_open(self) -> None:
        assert rights(("completed", {"waived": ["money_office"]})) == {"ball.programs": True, "scope.training": True}

    def test_each_term_shares_the_fate_of_its_rule(self) -> None:
        found = judge(TRIAGE, verdict(COMPLETE))
        assert found["ball.programs", ""] == found["ball.programs", "篮球"] == found["ball.programs", "足球"] == Counts(rights=1)

    def test_what_fired_without_deciding_is_neither(self) -> None:
        found = judge(TRIAGE, verdict(COMPLETE))
        assert found["stage.programs", ""] == Counts(beside=1)  # outweighed
        assert found["stage.trained", ""] == Counts(beside=1)  # on trial or in quarantine

    def test_a_redo_takes_nothing_back(self) -> None:
        assert verdict(COMPLETE, ("redone", {})) == verdict(COMPLETE)


class TestHandBacks:
    def test_alone_tell_nothing(self) -> None:
        assert rights(hand_back()) == {}
        assert judge(TRIAGE, verdict(hand_back()))["ball.programs", ""] == Counts(handed_back=1)

    def test_count_once_they_are_upheld(self) -> None:
        assert rights(hand_back(), UPHOLD) == {"ball.programs": False}
        assert judge(TRIAGE, verdict(hand_back(), UPHOLD))["ball.programs", ""] == Counts(wrongs=1, handed_back=1, upheld=1)

    def test_that_are_rejected_say_that_it_is_theirs(self) -> None:
        assert rights(hand_back(), REJECT) == {"ball.programs": True, "scope.training": True}

    def test_are_upheld_by_sending_the_case_elsewhere(self) -> None:
        assert rights(hand_back(), sent("stage_office")) == {"ball.programs": False}
        assert rights(hand_back(), sent("stage_office"), ("completed", {"lead": "stage_office"}))["ball.programs"] is False

    def test_are_rejected_by_sending_it_to_the_same_again(self) -> None:
        assert rights(hand_back(), sent("gym_office"))["ball.programs"] is True

    @pytest.mark.parametrize("reason", ["incomplete", "duplicate", "unclear"])
    def test_that_say_nothing_of_whose_it_is_never_count(self, reason: str) -> None:
        assert rights(hand_back(reason), UPHOLD) == rights(hand_back(reason), sent("stage_office")) == {}

    def test_as_out_of_scope_tell_against_the_scope_and_not_against_what_is_taught(self) -> None:
        assert rights(hand_back("out_of_scope"), UPHOLD) == {"scope.training": False}

    def test_as_out_of_scope_that_are_sent_on_say_whose_it_is_not(self) -> None:
        assert rights(hand_back("out_of_scope"), sent("stage_office")) == {"ball.programs": False}

    def test_by_later_departments_do_not_tell_against_the_rules(self) -> None:
        story = (hand_back("unclear"), sent("stage_office"), hand_back(lead="stage_office", hops=2), UPHOLD)
        assert rights(*story) == {}
        assert judge(TRIAGE, verdict(*story))["ball.programs", ""].upheld == 1


class TestReviewers:
    def test_a_correction_outweighs_who_completed(self) -> None:
        assert rights(COMPLETE, corrected(lead="stage_office"))["ball.programs"] is False
        assert rights(corrected(lead="stage_office"), COMPLETE)["ball.programs"] is False

    def test_a_category_is_right_by_name_where_one_is_named(self) -> None:
        assert rights(COMPLETE, corrected(category="stage"))["ball.programs"] is False
        assert rights(COMPLETE, corrected(category="ball"))["ball.programs"] is True

    def test_the_last_correction_counts_and_keeps_what_it_does_not_speak_of(self) -> None:
        twice = verdict(COMPLETE, corrected(lead="stage_office"), corrected(category="stage"))
        assert (twice.lead, twice.category) == ("stage_office", "stage")

    def test_issues_that_a_reviewer_named_are_all_there_are(self) -> None:
        assert rights(COMPLETE, corrected(issues=["noise"]))["issue.refund"] is False

    def test_a_designation_says_whose_it_is(self) -> None:
        assert rights(hand_back("unclear"), sent("gym_office", "designated"))["ball.programs"] is True
        assert rights(hand_back("unclear"), sent("stage_office", "designated"))["ball.programs"] is False

    def test_a_return_for_the_scope_says_that_it_is_nobodys(self) -> None:
        assert rights(("returned", {"reason_code": "out_adult", "lead": None})) == {"scope.training": False}

    def test_a_return_for_other_reasons_says_nothing(self) -> None:
        assert rights(("returned", {"reason_code": "in_litigation", "lead": None})) == {}

    def test_tell_who_and_when(self) -> None:
        word = verdict(hand_back(), UPHOLD).word
        assert word is not None
        assert (word.by, word.actor, word.version) == ("case.hand_back_upheld", "李明", 3)


class TestReturns:
    def test_that_are_archived_were_right(self) -> None:
        archived = ("archived", {"from": "returned", "hops": 0, "lead": None})
        assert rights(archived, triage=RETURNED) == {"scope.adult": True}

    def test_of_a_case_that_was_dispatched_after_all_were_wrong(self) -> None:
        story = (sent("gym_office", hops=1), ACCEPT, COMPLETE)
        assert rights(*story, triage=RETURNED) == {"scope.adult": False}

    def test_for_another_reason_were_wrong(self) -> None:
        story = (sent("gym_office", hops=1), ("returned", {"reason_code": "out_school", "lead": None}))
        assert rights(*story, triage=RETURNED) == {"scope.adult": False}
