"""The shipped policy and calendar as fixtures."""

import pytest

from service.clocks import Calendar, Policy
from tests.clocks import pack


@pytest.fixture(scope="session")
def policy() -> Policy:
    return pack.policy()


@pytest.fixture(scope="session")
def calendar() -> Calendar:
    return pack.calendar()
