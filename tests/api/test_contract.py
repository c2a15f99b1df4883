"""The contract: schemathesis reads openapi.yaml and sends what nobody thought of; each answer must be one that is documented."""

import os
from collections.abc import Iterator
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


# More of them, and PostgreSQL: FENPAI_TEST_EXAMPLES=200 FENPAI_TEST_CONTRACT=postgres make test T=tests/api/test_contract.py
EXAMPLES = int(os.environ.get("FENPAI_TEST_EXAMPLES", "16"))
DATABASE = os.environ.get("FENPAI_TEST_CONTRACT", "sqlite")
SCOPES = ("hotline", "department:gym_office", "viewer", "rule_admin", "approver")


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("contract")
    url = f"sqlite:///{folder}/fenpai.db" if DATABASE == "sqlite" else request.getfixturevalue("module_url")
    # As many requests as the machine can send: how many a key may send is tested elsewhere.
    with served(create_app(settings_for(url, rate=1_000_000))) as address:
        yield address


@pytest.fixture(scope="module")
def keys(address: str) -> Iterator[str]:
    """Keys to show, one for each request: every other an administrator's, and between them those of each scope in turn."""
    admin = _made(address, "admin", "")
    others = [_made(address, scope, admin) for scope in SCOPES]
    return cycle(chain.from_iterable((admin, other) for other in others))


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
def test_every_answer_is_as_documented(case: Any, address: str, keys: Iterator[str]) -> None:
    _hurry(case)
    # What fits the schema may still be refused: a year, a department that does not exist.
    headers = {"Authorization": f"Bearer {next(keys)}"}
    case.call_and_validate(base_url=address, headers=headers, excluded_checks=[positive_data_acceptance])


def _hurry(case: Any) -> None:
    """Ask the feed for what is there; a minute for each example would be long."""
    if isinstance(case.query, dict) and str(case.query.get("wait")).replace(".", "", 1).isdecimal():
        case.query["wait"] = 0
