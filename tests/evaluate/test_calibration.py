"""Calibration: which certainty keeps a promise, what a certainty is worth, and how it gets into a pack."""

from collections.abc import Iterable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from models.complaint import Complaint
from service import rulebook
from service.evaluate.calibration import Block, calibrate, certified, needed, rising, worth, written
from service.evaluate.chance import at_least
from service.evaluate.figures import curve
from service.evaluate.gold import Judged
from tests.cli.conftest import PACK
from tests.evaluate import toy


def dispatched(*groups: tuple[int, int, int]) -> list[Judged]:
    """Dispatches by certainty: so many right ones, so many wrong ones."""
    rows: list[Judged] = []
    for certainty, right, wrong in groups:
        answer = toy.decided("dispatch", "ball", certainty=certainty)
        labels = [*repeat(toy.gold("dispatch", "ball"), right), *repeat(toy.gold("dispatch", "stage"), wrong)]
        rows += [Judged(label, Complaint(content="x"), answer) for label in labels]
    return rows


class TestThreshold:
    def test_the_least_certainty_that_keeps_the_promise(self) -> None:
        found = calibrate(dispatched((9, 200, 0), (6, 100, 0), (3, 10, 10)), 0.98, 0, "gold")
        assert (found.certified, found.threshold, found.dispatched, found.right) == (True, 6, 300, 300)
        assert found.bound == pytest.approx(at_least(300, 300), abs=1e-4)

    def test_an_out_of_scope_text_that_is_dispatched_is_an_error(self) -> None:
        stray = [Judged(toy.gold("return"), Complaint(content="x"), toy.decided("dispatch", "ball", certainty=2)) for _ in range(20)]
        assert calibrate(dispatched((9, 200, 0)) + stray, 0.98, 0, "gold").threshold == 9

    def test_too_few_labels_certify_nothing_and_leave_the_threshold(self) -> None:
        found = calibrate(dispatched((9, needed(0.98) - 1, 0)), 0.98, 4, "gold")
        assert (found.certified, found.threshold, found.right) == (False, 4, 148)
        assert found.bound < 0.98

    def test_as_many_as_are_needed_do(self) -> None:
        assert calibrate(dispatched((9, needed(0.98), 0)), 0.98, 0, "gold").certified

    def test_luck_after_a_failure_does_not_count(self) -> None:
        """Without stopping at the first failure, trying many thresholds would pass too often by chance."""
        points = curve(dispatched((9, 200, 0), (8, 0, 5), (7, 3000, 0)))
        found = certified(points, 0.98)
        assert found is not None
        assert found.certainty == 9

    def test_nothing_dispatched_is_no_promise(self) -> None:
        found = calibrate([Judged(toy.gold("return"), Complaint(content="x"), toy.decided("return"))], 0.9, 0, "gold")
        assert (found.certified, found.dispatched, found.bound, found.curve) == (False, 0, 0.0, ())

    def test_coverage_is_of_those_that_one_department_handles(self) -> None:
        rows = dispatched((9, 300, 0), (1, 100, 100))
        assert calibrate(rows, 0.98, 0, "gold").coverage == 0.6


class TestWorth:
    @given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=80))
    def test_the_staircase_is_scikit_learns_isotonic_regression(self, seen: list[tuple[int, bool]]) -> None:
        blocks = rising(Block(certainty, right, 1) for certainty, right in seen)
        fitted = IsotonicRegression().fit([certainty for certainty, _ in seen], [float(right) for _, right in seen])
        for certainty, _ in seen:
            assert self.at(blocks, certainty) == pytest.approx(fitted.predict([certainty])[0])

    @given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.integers(0, 5)), max_size=10))
    def test_more_certainty_is_never_worth_less_and_never_everything(self, groups: list[tuple[int, int, int]]) -> None:
        curve_ = worth(dispatched(*groups))
        assert curve_ == sorted(curve_)
        assert [share for _, share in curve_] == sorted(share for _, share in curve_)
        assert all(0 < share < 1 for _, share in curve_)

    def at(self, blocks: Iterable[Block], certainty: int) -> float:
        return [block.share for block in blocks if block.start <= certainty][-1]


FILES = rulebook.read_folder(PACK)
FOUND = calibrate(dispatched((9, 200, 0), (6, 100, 0), (3, 10, 10)), 0.98, 0, 'a "quoted" \\ name.jsonl')


class TestIntoThePack:
    def test_it_is_read_back_as_it_was_found(self) -> None:
        head = rulebook.load(written(FILES, FOUND)).ruleset
        assert head.calibration == FOUND
        assert head.thresholds.dispatch == 6

    def test_nothing_else_changes_and_comments_stay(self) -> None:
        before, after = FILES["ruleset.yaml"], written(FILES, FOUND)["ruleset.yaml"]
        assert after.startswith(before.replace("dispatch: 0", "dispatch: 6").rstrip("\n"))
        unchanged = rulebook.load(written(FILES, FOUND)).ruleset.model_copy(update={"calibration": None})
        assert unchanged.thresholds.model_copy(update={"dispatch": 0}) == rulebook.load(FILES).ruleset.thresholds

    def test_again_replaces_it(self) -> None:
        once = written(FILES, FOUND)
        assert written(once, FOUND) == once

    def test_what_is_not_certified_leaves_the_threshold(self) -> None:
        found = calibrate(dispatched((9, 20, 0)), 0.98, 0, "gold")
        assert "dispatch: 0" in written(FILES, found)["ruleset.yaml"]

    @pytest.mark.parametrize(
        "thresholds",
        [
            "thresholds: {scope: 6, dispatch: 0} # 分值\n",
            "thresholds: {scope: 6}\n",
            "thresholds:\n  scope: 6\n  # 说明\n  dispatch: 0 # 自动分派\n\nidentification: []\n",
            "thresholds:\n  scope: 6\n\nidentification: []\n",
            "",
        ],
    )
    def test_however_the_thresholds_are_written(self, thresholds: str) -> None:
        lines = FILES["ruleset.yaml"].splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("thresholds:", "identification:"))]
        text = "".join(kept) + thresholds + "dominant: letters\n" * ("dominant" not in "".join(kept))
        after = written({**FILES, "ruleset.yaml": text}, FOUND)
        head = rulebook.load(after).ruleset
        assert (head.thresholds.dispatch, head.calibration) == (6, FOUND)
        assert all(line in after["ruleset.yaml"] for line in text.splitlines() if "#" in line and "dispatch" not in line)
