"""The OpenAPI document: what FastAPI gathers, with the models of plain routes and the examples added, as JSON and as openapi.yaml."""

import re
from pathlib import Path
from typing import Any

import orjson
import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from models.access import KeyIn, RotateIn
from models.audit import AuditVerifyIn
from models.case import BatchRow
from models.complaint import ComplaintIn, WorkOrderIn
from models.delivery import ChannelIn
from models.drafts import DraftOpenIn, DraftPublishIn, EditsIn, MergeIn, Overlay, WordsIn
from models.ledger import ReleaseIn
from models.mending import RepairIn
from models.moves import MOVES
from models.problem import Problem
from models.publication import ActivateIn, DraftIn, PublishIn
from models.session import SessionIn, SignOnIn
from models.shadow import ShadowIn, ShadowStopIn
from models.unmask import UnmaskIn
from service.api import access, responses

EXAMPLES = Path(__file__).with_name("examples.json")
"""Data, not code: by operation, the request and the answers by status."""

WORDS = Path(__file__).with_name("words.json")
"""By model and field ("" is the model itself), what the docstrings say to programmers only."""

REFERRED = re.compile(r"#/components/examples/(\w+)")
LEADING = re.compile("[\u4e00-\u9fff]+")

MOVES_SAID = dict.fromkeys(row.body for row in MOVES.values())
OF_DRAFTS = (DraftOpenIn, DraftPublishIn, EditsIn, MergeIn, Overlay, WordsIn)
READ: tuple[type[BaseModel], ...] = (
    ComplaintIn,
    WorkOrderIn,
    ChannelIn,
    DraftIn,
    PublishIn,
    ActivateIn,
    DraftOpenIn,
    DraftPublishIn,
    EditsIn,
    MergeIn,
    Overlay,
    WordsIn,
    ReleaseIn,
    KeyIn,
    UnmaskIn,
    RotateIn,
    SessionIn,
    SignOnIn,
    AuditVerifyIn,
    RepairIn,
    ShadowIn,
    ShadowStopIn,
    *MOVES_SAID,
)
WRITTEN: tuple[type[BaseModel], ...] = (BatchRow, Problem)
"""Models that endpoints read and write themselves, which FastAPI does not see."""

REFERENCE = "#/components/schemas/{model}"

Document = dict[str, Any]


def build(app: FastAPI) -> Document:
    """The document of this app."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        summary=app.summary,
        description=app.description,
        tags=app.openapi_tags,
        license_info=app.license_info,
        routes=app.routes,
    )
    _add_models(document)
    _add_keys(document)
    _add_problems(document)
    _describe(document["components"]["schemas"])
    examples = orjson.loads(EXAMPLES.read_bytes())
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"].pop("title", None)
        _drop_foreign_problem(operation)
        _show(operation, examples.get(operation["operationId"], {}))
    plain: Document = orjson.loads(orjson.dumps(document))
    return plain


def as_yaml(document: Document) -> str:
    """The text of openapi.yaml."""
    head = "# 由 fenpai openapi 生成，请勿手改；改了接口之后运行 make openapi。\n"
    text: str = yaml.dump(document, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=140)
    return head + text


class _Writer(yaml.SafeDumper):
    """Repeats what is said twice: `&id001` reads badly."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML asks so)
        return True


def _text(writer: _Writer, text: str) -> yaml.Node:
    """Paragraphs stand as paragraphs."""
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Writer.add_representer(str, _text)


def _add_models(document: Document) -> None:
    _, schemas = models_json_schema([(model, "serialization") for model in WRITTEN], ref_template=REFERENCE)
    _, asked = models_json_schema([(model, "validation") for model in READ], ref_template=REFERENCE)
    components = document["components"]["schemas"]
    for name, schema in {**schemas["$defs"], **asked["$defs"]}.items():
        components.setdefault(name, schema)
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    document["components"]["schemas"] = dict(sorted(components.items()))


def _add_problems(document: Document) -> None:
    """Examples of the problems that some operation refers to."""
    referred = REFERRED.findall(orjson.dumps(document["paths"]).decode())
    document["components"]["examples"] = responses.examples(referred)


def _add_keys(document: Document) -> None:
    """Which operations need a key, and how it is refused."""
    document["components"]["securitySchemes"] = access.SCHEME
    for method, operation in _methods(document):
        name = operation["operationId"]
        if refusals := access.refusals(name, method.upper()):
            scopes = sorted(access.need_of(name).scopes)
            operation["security"] = [{"ApiKey": scopes}, {"Session": scopes}]
            operation["responses"] = dict(sorted(responses.add(operation["responses"], *refusals).items()))


def _describe(schemas: Document) -> None:
    """In Chinese alone: what words.json says, or the Chinese word that a docstring begins with."""
    words = orjson.loads(WORDS.read_bytes())
    for name, schema in schemas.items():
        schema.pop("title", None)
        said = LEADING.match(schema.pop("description", ""))
        described = words.get(name, {}).get("", said[0] if said else None)
        if described:
            schema["description"] = described
        for field, told in schema.get("properties", {}).items():
            told.pop("title", None)
            if field in words.get(name, {}):
                told.setdefault("description", words[name][field])


def _operations(document: Document) -> list[Document]:
    return [operation for _, operation in _methods(document)]


def _methods(document: Document) -> list[tuple[str, Document]]:
    return [(method, operation) for path in document["paths"].values() for method, operation in path.items()]


def _drop_foreign_problem(operation: Document) -> None:
    """FastAPI declares its own 422 where there are parameters; ours are declared by hand."""
    foreign = operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
    if "HTTPValidationError" in str(foreign):
        del operation["responses"]["422"]


def _show(operation: Document, examples: Document) -> None:
    if "request" in examples:
        _content(operation["requestBody"])["example"] = examples["request"]
    for name, value in examples.get("parameters", {}).items():
        next(parameter for parameter in operation["parameters"] if parameter["name"] == name)["example"] = value
    for status, example in examples.get("responses", {}).items():
        _content(operation["responses"][status])["example"] = example


def _content(holder: Document) -> Document:
    content: Document = next(iter(holder["content"].values()))
    return content
