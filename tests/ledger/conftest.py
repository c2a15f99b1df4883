"""Cases of a real database that officers move, and what their ledger says."""

import pytest

from service import log
from tests.casework.conftest import house

__all__ = ["house"]


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    log.configure("error")
