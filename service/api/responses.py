"""How errors are declared in OpenAPI: for each status the codes that can come with it, and an example of each."""

from collections.abc import Container
from typing import Any

from service import errors
from service.api.problems import MEDIA_TYPE, as_problem
from service.clocks import CalendarUnpublished, CalendarYearMissing
from service.errors import (
    BodyEmpty,
    BodyNotUtf8,
    BodyTooSlow,
    FenpaiError,
    FieldFault,
    Invalid,
    JsonBroken,
    KeyTwice,
    Overloaded,
    ParameterInvalid,
    StorageUnavailable,
    TooLarge,
    WriterStopped,
    WrongMediaType,
)
from service.register import RegisterInvalid

INSTANCE = "abkmpqrsdefghjkm"
_FAULTS = {
    Invalid: FieldFault("/content", "不能为空", "too_short"),
    ParameterInvalid: FieldFault("/limit", "不能大于 500", "out_of_range"),
    RegisterInvalid: FieldFault("/7/类别", "第 7 行，类别：没有“舞蹈”这个类别。是不是“文化艺术类”？", "bad_value"),
}
_TOLD: dict[type[FenpaiError], tuple[Any, ...]] = {CalendarYearMissing: (2028,), CalendarUnpublished: (2027,)}

BODY = (BodyEmpty, BodyNotUtf8, JsonBroken, KeyTwice, BodyTooSlow, TooLarge, WrongMediaType, Invalid)
"""What can be wrong with any JSON body."""
READ = (StorageUnavailable,)
WRITE = (StorageUnavailable, Overloaded, WriterStopped)


def problems(*kinds: type[FenpaiError]) -> dict[int | str, dict[str, Any]]:
    """The responses of an operation that can end in these errors."""
    return add({}, *kinds)


def add(found: dict[Any, dict[str, Any]], *kinds: type[FenpaiError]) -> dict[Any, dict[str, Any]]:
    """Put these errors beside the answers that are declared already."""
    for kind in sorted(kinds, key=lambda kind: kind.status):
        response = found.setdefault(str(kind.status), _response())
        if kind.code in response["content"][MEDIA_TYPE]["examples"]:
            continue
        response["content"][MEDIA_TYPE]["examples"][kind.code] = {"$ref": f"#/components/examples/{kind.code}"}
        response["description"] = "；".join(filter(None, [response["description"], f"`{kind.code}` {kind.title}"]))
        if kind.retry_after is not None:
            response["headers"] = {"Retry-After": {"description": "多少秒之后再试", "schema": {"type": "integer"}}}
    return found


def _response() -> dict[str, Any]:
    return {"description": "", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}}}


def examples(codes: Container[str]) -> dict[str, Any]:
    """One example of each of these problems, by its code: the table of codes."""
    return {kind.code: {"summary": kind.title, "value": _example(kind)} for kind in errors.problems() if kind.code in codes}


def _example(kind: type[FenpaiError]) -> dict[str, Any]:
    if issubclass(kind, Invalid):
        return as_problem(kind(faults=[_FAULTS.get(kind, _FAULTS[Invalid])]), INSTANCE)
    return as_problem(kind(*_TOLD.get(kind, ())), INSTANCE)


def headers(**described: str) -> dict[str, Any]:
    """Headers of a response, by their name with underscores."""
    return {name.replace("_", "-"): {"description": text, "schema": {"type": "string"}} for name, text in described.items()}
