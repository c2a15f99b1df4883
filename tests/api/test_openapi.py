"""openapi.yaml: what is committed is what the program says, valid, whole and in Chinese; its examples are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import time_machine
import yaml
from openapi_spec_validator import validate
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from models.case import Case, CasePage, Changes, Receipt, Timeline
from models.casework import CaseClocks
from models.clocks import Preview
from models.complaint import ComplaintIn, WorkOrderIn
from models.decision import Decision
from models.delivery import ChannelTold, DeliveryPage, DeliveryTold, TestAnswer
from models.moved import Moved, MovesNow
from models.moves import MOVES
from models.register import ImportReport, InstitutionPage, InstitutionTold
from models.unmask import Unmasked
from service.api.departments import Departments
from service.api.health import Health, Readiness
from service.api.rulesets import RulesetTold
from service.app import openapi
from service.errors import problems

COMMITTED = Path(__file__).parents[2] / "openapi.yaml"
CHINESE = re.compile("[\u4e00-\u9fff]")

Document = dict[str, Any]

ANSWERS: dict[str, Any] = {
    "triage": Decision,
    "receive_order": Receipt,
    "list_cases": CasePage,
    "get_case": Case,
    "unmask_case": Unmasked,
    "case_events": Timeline,
    "case_clocks": CaseClocks,
    "moves": MovesNow,
    "preview": Preview,
    **{f"{row.move.replace('-', '_')}_case": Moved for row in MOVES.values() if row.by_people},
    "changes": Changes,
    "departments": Departments,
    "active_ruleset": RulesetTold,
    "list_institutions": InstitutionPage,
    "get_institution": InstitutionTold,
    "import_institutions": ImportReport,
    "healthz": Health,
    "readyz": Readiness,
    "put_channel": ChannelTold,
    "get_channel": ChannelTold,
    "delete_channel": ChannelTold,
    "test_channel": TestAnswer,
    "list_deliveries": DeliveryPage,
    "replay_delivery": DeliveryTold,
}


@pytest.fixture(scope="module")
def document() -> Document:
    whole: Document = yaml.load(COMMITTED.read_text(encoding="utf-8"), yaml.CSafeLoader)  # noqa: TID251 (the rulebook reads packs only)
    return whole


def operations(document: Document) -> list[Document]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def pointers(part: Any) -> Iterator[str]:
    """Where the document points, but for its examples, which may be documents of their own."""
    if isinstance(part, list):
        for each in part:
            yield from pointers(each)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for name, each in part.items():
            if name not in {"example", "examples"}:
                yield from pointers(each)


class TestDocument:
    def test_is_committed_as_the_program_says_it(self) -> None:
        assert COMMITTED.read_text(encoding="utf-8") == openapi(), "run: make openapi"

    def test_is_the_one_that_is_served(self, desk: TestClient, document: Document) -> None:
        assert desk.get("/openapi.json").json() == document

    def test_is_valid(self, document: Document) -> None:
        validate(document)

    def test_points_at_nothing_that_is_not_there(self, document: Document) -> None:
        """The types of the console are made from it, and a body without its model would stop the installation."""
        for pointer in set(pointers(document)):
            place: Any = document
            for step in pointer.removeprefix("#/").split("/"):
                assert step in place, pointer
                place = place[step]

    def test_has_an_operation_for_each_route(self, document: Document) -> None:
        assert {operation["operationId"] for operation in operations(document)} >= {
            "triage",
            "receive_order",
            "receive_batch",
            "get_case",
            "list_cases",
            "case_events",
            "changes",
            "departments",
            "active_ruleset",
            "healthz",
            "readyz",
            "metrics",
        }


class TestOperations:
    def test_each_is_told_in_chinese(self, document: Document) -> None:
        for operation in operations(document):
            texts = [operation["summary"], operation["description"]]
            texts += [parameter["description"] for parameter in operation.get("parameters", [])]
            texts += [response["description"] for response in operation["responses"].values()]
            assert all(CHINESE.search(text) for text in texts), operation["operationId"]

    def test_each_shows_an_example(self, document: Document) -> None:
        for operation in operations(document):
            answers = [told for code, told in operation["responses"].items() if code.startswith("2") and "content" in told]
            shown = [next(iter(told["content"].values())) for told in answers]
            assert not answers or any("example" in content for content in shown), operation["operationId"]
            if "requestBody" in operation:
                assert "example" in next(iter(operation["requestBody"]["content"].values())), operation["operationId"]

    def test_each_error_is_a_problem(self, document: Document) -> None:
        for operation in operations(document):
            for code, response in operation["responses"].items():
                if code >= "400":
                    assert list(response["content"]) == ["application/problem+json"], operation["operationId"]

    def test_those_with_a_body_tell_what_can_be_wrong_with_it(self, document: Document) -> None:
        for operation in operations(document):
            if "requestBody" in operation:
                assert {"400", "413", "415"} <= set(operation["responses"]), operation["operationId"]


class TestModels:
    def test_each_field_is_told_in_chinese(self, document: Document) -> None:
        silent = [
            f"{name}.{field}"
            for name, schema in document["components"]["schemas"].items()
            for field, told in schema.get("properties", {}).items()
            if not CHINESE.search(told.get("description", ""))
        ]
        assert silent == []

    def test_each_is_told_in_chinese(self, document: Document) -> None:
        schemas = document["components"]["schemas"]
        assert [name for name, schema in schemas.items() if not CHINESE.search(schema.get("description", ""))] == []


class TestExamples:
    @pytest.mark.parametrize(("operation", "model"), ANSWERS.items())
    def test_of_answers_fit_their_models(self, document: Document, operation: str, model: Any) -> None:
        [found] = [one for one in operations(document) if one["operationId"] == operation]
        [shown] = [content["example"] for content in contents(found) if "example" in content]
        TypeAdapter(model).validate_json(orjson.dumps(shown), extra="forbid")

    @time_machine.travel("2026-11-25T12:00:00+08:00")
    def test_of_requests_are_accepted(self, desk: TestClient, document: Document) -> None:
        asked = {operation["operationId"]: operation for operation in operations(document)}
        ComplaintIn.model_validate_json(orjson.dumps(example(asked["triage"])), strict=True)
        WorkOrderIn.model_validate_json(orjson.dumps(example(asked["receive_order"])), strict=True)
        for row in MOVES.values():
            if row.by_people:
                row.body.model_validate_json(orjson.dumps(example(asked[f"{row.move.replace('-', '_')}_case"])), strict=True)
        assert desk.post("/v1/cases", json=example(asked["receive_order"])).status_code == 201
        batch = desk.post("/v1/cases/batch", content=example(asked["receive_batch"]), headers={"Content-Type": "application/x-ndjson"})
        assert [orjson.loads(line)["status"] for line in batch.content.splitlines()] == [201, 422]

    def test_of_problems_name_their_code(self, document: Document) -> None:
        known = {kind.code: kind for kind in problems()}
        for code, shown in document["components"]["examples"].items():
            assert (shown["value"]["code"], shown["value"]["status"], shown["summary"]) == (code, known[code].status, known[code].title)


def example(operation: Document) -> Any:
    return next(iter(operation["requestBody"]["content"].values()))["example"]


def contents(operation: Document) -> list[Document]:
    return [content for response in operation["responses"].values() for content in response.get("content", {}).values()]
