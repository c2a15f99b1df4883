"""Clocks are set for every case that arrives: they must not be felt."""

from datetime import timedelta
from time import perf_counter

from models.clocks import Pause
from service.clocks import Calendar, Policy, deadlines
from tests.clocks.pack import at

START = at("2026-01-05 08:00")
FLOOR = 10_000
"""Deadlines a second, each with its steps."""


def best_rate(policy: Policy, calendar: Calendar, cases: int, *pauses: Pause) -> float:
    """The best of three rounds, since the machine does other work beside."""
    rates = []
    for _ in range(3):
        began = perf_counter()
        made = sum(
            len(deadlines(policy, calendar, START + timedelta(minutes=7 * number), complex_case=True, pauses=pauses))
            for number in range(cases)
        )
        rates.append(made / (perf_counter() - began))
    return max(rates)


def test_ten_thousand_deadlines_a_second(policy: Policy, calendar: Calendar) -> None:
    assert best_rate(policy, calendar, 3000) > FLOOR


def test_with_pauses_too(policy: Policy, calendar: Calendar) -> None:
    assert best_rate(policy, calendar, 600, Pause(START, START + timedelta(days=9))) > FLOOR
