"""Whatever text is sent to be published: nothing breaks, and what is in force is sound, passed its cases, and decides."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from service import rulebook
from service.app import create_app
from tests.api.conftest import opened, settings_for
from tests.rulebook.test_property import mutilated

SIGNED = {"author": "wang", "note": "试"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with opened(create_app(settings_for(f"sqlite:///{tmp_path_factory.mktemp('mutilated')}/fenpai.db"))) as client:
        yield client


@given(mutilated())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_becomes_active_that_should_not(house: TestClient, files: dict[str, str]) -> None:
    storable = {name: text for name, text in files.items() if "\ud800" not in text and "\x00" not in text}
    before = house.get("/v1/rulesets/active").json()
    answer = house.post("/v1/rulesets", json={"files": storable, **SIGNED})
    after = house.get("/v1/rulesets/active").json()
    assert answer.status_code in {201, 409, 422}, answer.text
    if answer.status_code == 201:
        assert not any(mistake.severity == "error" for mistake in rulebook.check(storable))
        assert (after["digest"], answer.json()["failed"]) == (rulebook.digest(storable), 0)
    else:
        assert (after["version"], after["digest"]) == (before["version"], before["digest"])
    assert house.get("/readyz").json()["status"] == "ready"
    assert house.post("/v1/triage", json={"content": "孩子的篮球班不退费。"}).status_code == 200
