"""A house for a test, once on each kind of database."""

import pytest

from service.db import Database
from tests.casework.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)
