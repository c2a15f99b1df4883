"""The figures, held against scikit-learn and against the definitions counted by hand."""

from math import isnan
from typing import Any

import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from service.evaluate.figures import Figures, measure
from service.evaluate.gold import Judged
from tests.evaluate import toy


@pytest.fixture
def judged() -> list[Judged]:
    return toy.judged()


@pytest.fixture
def figures(judged: list[Judged]) -> Figures:
    return measure(judged, toy.ruleset())


def table(rows: list[set[str]], codes: list[str]) -> list[list[bool]]:
    return [[code in row for code in codes] for row in rows]


class TestAgainstScikitLearn:
    def test_categories(self, judged: list[Judged], figures: Figures) -> None:
        inside = [item for item in judged if item.gold.inside]
        codes = [score.code for score in figures.categories]
        expected = table([set(item.gold.categories) for item in inside], codes)
        given = table([{score.code for score in item.decision.categories} for item in inside], codes)
        self.same(figures.categories, precision_recall_fscore_support(expected, given, average=None))
        assert figures.macro_f1 == pytest.approx(f1_score(expected, given, average="macro"))

    def test_issues(self, judged: list[Judged], figures: Figures) -> None:
        inside = [item for item in judged if item.gold.inside]
        codes = [score.code for score in figures.issues]
        expected = table([set(item.gold.issues) for item in inside], codes)
        given = table([set(item.decision.issues) for item in inside], codes)
        assert figures.issue.f1 == pytest.approx(f1_score(expected, given, average="micro"))

    def test_departments(self, judged: list[Judged], figures: Figures) -> None:
        labels = list(figures.confusion.labels)
        expected, given = [item.expected for item in judged], [item.given for item in judged]
        assert confusion_matrix(expected, given, labels=labels).tolist() == [list(row) for row in figures.confusion.counts]
        self.same(figures.departments, precision_recall_fscore_support(expected, given, labels=labels, average=None))

    def same(self, scores: Any, theirs: Any) -> None:
        precision, recall, f1, _ = theirs
        assert [score.precision for score in scores] == pytest.approx(precision)
        assert [score.recall for score in scores] == pytest.approx(recall)
        assert [score.f1 for score in scores] == pytest.approx(f1)


class TestDefinitions:
    """Counted once more from plain rows, as whoever checks us from outside would: by decision, lead, categories and issues alone."""

    def test_each_rate_counts_what_it_says(self, judged: list[Judged], figures: Figures) -> None:
        pairs = [plain(item) for item in judged]
        inside = [(gold, given) for gold, given in pairs if gold["scope"] == "in"]
        outside = [(gold, given) for gold, given in pairs if gold["scope"] == "out"]
        sent = [(gold, given) for gold, given in pairs if given["decision"] == "dispatch"]
        clear = [(gold, given) for gold, given in inside if gold["decision"] == "dispatch"]
        unclear = [(gold, given) for gold, given in inside if gold["decision"] == "escalate"]
        kept = ("dispatch", "escalate")
        assert {rate.code: (rate.right, rate.count) for rate in figures.rates} == {
            "right": (sum(right(gold, given) for gold, given in pairs), len(pairs)),
            "right_clear": (
                sum(right(gold, given) for gold, given in pairs if not gold["hard"]),
                sum(not gold["hard"] for gold, _ in pairs),
            ),
            "kept": (sum(given["decision"] in kept for _, given in inside), len(inside)),
            "lead": (sum(given["decision"] in kept and given["lead"] == gold["lead"] for gold, given in inside), len(inside)),
            "returned": (sum(given["decision"] == "return" for _, given in outside), len(outside)),
            "misdispatched": (sum(given["decision"] == "dispatch" for _, given in outside), len(outside)),
            "precision": (sum(gold["scope"] == "in" and given["lead"] == gold["lead"] for gold, given in sent), len(sent)),
            "coverage": (sum(right(gold, given) for gold, given in clear), len(clear)),
            "escalated": (sum(given["decision"] == "escalate" for _, given in unclear), len(unclear)),
            "escalation_rate": (sum(given["decision"] == "escalate" for _, given in pairs), len(pairs)),
            "return_rate": (sum(given["decision"] == "return" for _, given in pairs), len(pairs)),
        }

    def test_no_rate_of_the_toy_is_all_or_nothing(self, figures: Figures) -> None:
        assert all(0 < rate.right < rate.count for rate in figures.rates)

    def test_scores_count_what_is_in_scope_only(self, figures: Figures) -> None:
        ball = next(score for score in figures.categories if score.code == "ball")
        assert (ball.tp, ball.fp, ball.fn) == (3, 0, 1)
        assert (figures.issue.tp, figures.issue.fp, figures.issue.fn) == (2, 1, 2)

    def test_what_has_no_case_is_no_number_and_spoils_no_mean(self, judged: list[Judged]) -> None:
        figures = measure(
            [item for item in judged if "letters" not in item.gold.categories and item.decision.category != "letters"], toy.ruleset()
        )
        letters = next(score for score in figures.categories if score.code == "letters")
        assert isnan(letters.f1)
        assert not isnan(figures.macro_f1)


def plain(item: Judged) -> tuple[dict[str, Any], dict[str, Any]]:
    """A label and an answer as rows of JSON."""
    gold = item.gold.model_dump(mode="json", include={"scope", "hard", "decision", "lead"})
    return gold, {"decision": item.decision.decision.value, "lead": item.decision.lead}


def right(gold: dict[str, Any], given: dict[str, Any]) -> bool:
    return bool(given["decision"] == gold["decision"] and (gold["decision"] == "return" or given["lead"] == gold["lead"]))


class TestCurve:
    def test_each_certainty_tells_what_asking_for_it_would_give(self, figures: Figures) -> None:
        assert [(point.certainty, point.dispatched, point.wrong) for point in figures.curve] == [
            (9, 1, 0), (8, 2, 0), (7, 4, 0), (3, 5, 0), (2, 6, 1), (1, 7, 2),
        ]  # fmt: skip
        assert figures.curve[-1].coverage == 0.6

    def test_the_bound_is_never_below_what_was_seen(self, figures: Figures) -> None:
        assert all(point.bound >= point.risk for point in figures.curve)
