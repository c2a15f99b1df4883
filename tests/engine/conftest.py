"""The shipped rules as an engine, and the sample orders that come with them."""

from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from models.complaint import Complaint, WorkOrderIn
from models.ruleset import RuleSet
from service.engine import Engine
from service.rulebook import find_pack, load, read_folder
from tests.engine.texts import vocabulary

SAMPLES = Path(find_pack("beichen")) / "samples" / "orders.jsonl"


@pytest.fixture(scope="session")
def shipped_rules() -> RuleSet:
    return load(read_folder(find_pack("beichen")))


@pytest.fixture(scope="session")
def shipped(shipped_rules: RuleSet) -> Engine:
    return Engine(shipped_rules)


@pytest.fixture(scope="session")
def shipped_words(shipped_rules: RuleSet) -> list[str]:
    return vocabulary(shipped_rules)


@pytest.fixture(scope="session")
def samples() -> list[Complaint]:
    return [WorkOrderIn.model_validate(order).complaint() for order in _lines(SAMPLES.read_bytes().splitlines())]


def _lines(lines: Iterable[bytes]) -> Iterable[dict[str, object]]:
    return (orjson.loads(line) for line in lines if line.strip())
