"""Intervals, held against the definition (sums of binomial probabilities) and published figures."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluate.chance import at_least, exact, wilson

CASES = st.integers(1, 300).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count)))


def at_least_so_many(right: int, count: int, share: float) -> float:
    """The probability of `right` or more out of `count`, by summing."""
    return sum(comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(right, count + 1))


class TestExact:
    @given(CASES)
    def test_bound_is_where_so_good_a_result_would_be_a_one_in_twenty_chance(self, case: tuple[int, int]) -> None:
        right, count = case
        bound = at_least(right, count, 0.95)
        if right == 0:
            assert bound == 0
        else:
            assert at_least_so_many(right, count, bound) == pytest.approx(0.05, rel=1e-9)

    @given(CASES)
    def test_interval_leaves_half_the_doubt_on_each_side(self, case: tuple[int, int]) -> None:
        right, count = case
        low, high = exact(right, count)
        assert 0 <= low <= right / count <= high <= 1
        if right:
            assert at_least_so_many(right, count, low) == pytest.approx(0.025, rel=1e-9)
        if right < count:
            assert 1 - at_least_so_many(right + 1, count, high) == pytest.approx(0.025, rel=1e-6)

    @pytest.mark.parametrize(
        ("right", "count", "low", "high"),
        # Clopper and Pearson's own example and Newcombe 1998
        [(8, 10, 0.4439045, 0.9747893), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684335), (20, 20, 0.8315665, 1.0)],
    )
    def test_equals_published_figures(self, right: int, count: int, low: float, high: float) -> None:
        assert exact(right, count) == pytest.approx((low, high), abs=5e-5)

    def test_149_without_error_certify_98_percent_and_148_do_not(self) -> None:
        assert at_least(149, 149) >= 0.98 > at_least(148, 148)

    def test_a_million_is_no_trouble(self) -> None:
        low, high = exact(980_000, 1_000_000)
        assert low < 0.98 < high
        assert high - low < 0.001


class TestWilson:
    @pytest.mark.parametrize(
        ("right", "count", "low", "high"),
        # Newcombe 1998, table I
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_equals_published_figures(self, right: int, count: int, low: float, high: float) -> None:
        assert wilson(right, count) == pytest.approx((low, high), abs=5e-5)

    def test_nothing_counted_says_nothing(self) -> None:
        assert wilson(0, 0) == (0.0, 1.0)
