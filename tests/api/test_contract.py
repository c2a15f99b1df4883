"""The contract: schemathesis reads openapi.yaml and sends what nobody thought of; each answer must be one that is documented."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from service.app import create_app
from tests.api.conftest import served, settings_for

DOCUMENT = Path(__file__).parents[2] / "openapi.yaml"

# A zip is bytes to whoever sends it.
schemathesis.serializer.alias("application/zip", "application/octet-stream")

# Batches speak NDJSON and registers come as spreadsheets, which schemathesis cannot write; they have tests of their own.
contract = schemathesis.openapi.from_path(DOCUMENT).exclude(path=["/v1/cases/batch", "/v1/institutions/import"])
# We show the keys ourselves: a request made wrong by taking the key away would be right again.
contract.config.generation.update(with_security_parameters=False)
# A text that is longer than the schema allows may be so long that its body is refused before it is read.
contract.config.checks.negative_data_rejection.expected_statuses.append("413")


# More of them: FENPAI_TEST_EXAMPLES=200 make test T=tests/api/test_contract.py; one database alone: FENPAI_TEST_CONTRACT=postgres
EXAMPLES = int(os.environ.get("FENPAI_TEST_EXAMPLES", "16"))
DATABASES = os.environ.get("FENPAI_TEST_CONTRACT", "sqlite,postgres").split(",")
FREELY = {"rate": 1_000_000, "wrong_keys": 1_000_000}
SCOPES = ("hotline", "department:gym_office", "viewer", "rule_admin", "approver")

Way = tuple[str, str]
"""A house and a key to show there."""


@pytest.fixture(scope="module")
def houses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """A house on each database."""
    urls = {"sqlite": lambda: f"sqlite:///{tmp_path_factory.mktemp('contract')}/fenpai.db", "postgres": lambda: _postgres(request)}
    with ExitStack() as stack:
        # As many requests, and wrong keys, as the machine can send: how many one may send is tested elsewhere.
        yield [stack.enter_context(served(create_app(settings_for(urls[name](), **FREELY)))) for name in DATABASES]


def _postgres(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("module_url"))


@pytest.fixture(scope="module")
def ways(houses: list[str]) -> Iterator[Way]:
    """For each request a house and a key: the databases in turn, every other pair with an administrator's key, the rest by each scope."""
    admins = [(house, _made(house, "admin", "")) for house in houses]
    others = [[(house, _made(house, scope, admin)) for house, admin in admins] for scope in SCOPES]
    return cycle(chain.from_iterable((*admins, *each) for each in others))


def _made(address: str, scope: str, admin: str) -> str:
    headers = {"Authorization": f"Bearer {admin}"} if admin else {}
    made = httpx2.post(f"{address}/v1/keys", json={"name": scope, "scopes": [scope]}, headers=headers)
    return str(made.raise_for_status().json()["key"])


@contract.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: Any, ways: Iterator[Way]) -> None:
    _hurry(case)
    # What fits the schema may still be refused: a year, a department that does not exist.
    house, key = next(ways)
    headers = {"Authorization": f"Bearer {key}"}
    case.call_and_validate(base_url=house, headers=headers, excluded_checks=[positive_data_acceptance])


def _hurry(case: Any) -> None:
    """Ask the feed for what is there; a minute for each example would be long."""
    if isinstance(case.query, dict) and str(case.query.get("wait")).replace(".", "", 1).isdecimal():
        case.query["wait"] = 0
