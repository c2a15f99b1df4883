"""Packs that come in with a request, as JSON or as a zip; drafts made of them; versions as they are told."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from models.publication import DraftIn, VersionTold
from service import rulelife
from service.api import responses, told
from service.api.bodies import JSON, check_head, chunks, read_json
from service.api.deps import Office
from service.api.faults import told as told_faults
from service.api.plain import body_of, validated
from service.errors import BodyEmpty, Invalid, RulesetNotFound
from service.rulebook import Mistake
from service.rulelife import ArchiveBroken, Draft, DraftBroken, Ready
from service.store import RulesetRow

D = TypeVar("D", bound=DraftIn)

ZIP = (b"application/zip", b"application/x-zip-compressed")
MOST_BYTES = 32_000_000
"""Of a body with the files of a pack; a pack holds at most 8 million characters."""
SHOWN = 500

DRAFT = (*responses.BODY, *responses.WRITE, ArchiveBroken, DraftBroken)
"""What can be wrong with any draft that comes in."""


def body(model: type[BaseModel], query: type[BaseModel] | None = None) -> dict[str, Any]:
    """How a draft is declared: JSON, or a zip with the rest in the query."""
    declared = body_of(model)
    fields = query.model_json_schema()["properties"] if query else {}
    declared["parameters"] = [
        {"name": name, "in": "query", "description": f"只用于 zip：{schema.pop('description')}", "schema": schema}
        for name, schema in fields.items()
    ]
    declared["requestBody"]["content"]["application/zip"] = {
        "schema": {"type": "string", "format": "binary", "description": "规则包文件夹的压缩包"}
    }
    return declared


def draft_here(files: Mapping[str, str], here: Office) -> Draft:
    """The draft that these files make; refused with all mistakes, or where it is another district's."""
    draft = rulelife.read_draft(files)
    rulelife.same_pack(draft, here.rules.row.pack)
    return draft


async def draft_in(request: Request, model: type[D], query: type[BaseModel] | None = None) -> D:
    """The draft in a body: JSON, or a zip with the rest in the query."""
    check_head(request, (*JSON, *ZIP), MOST_BYTES)
    if _media_type(request) in JSON:
        _check_query(request, query)
        return validated(model, await read_json(request, MOST_BYTES))
    body = b"".join([chunk async for chunk in chunks(request, MOST_BYTES)])
    if not body:
        raise BodyEmpty
    try:
        asked = query.model_validate(dict(request.query_params)).model_dump() if query else {}
        return model.model_validate({**asked, "files": rulelife.unpack(body)})
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise Invalid(f"有 {len(faults)} 处不合格式，见 errors。", told_faults(faults)) from None


def _check_query(request: Request, query: type[BaseModel] | None) -> None:
    """Beside JSON the query is not needed; but what is given there must make sense."""
    try:
        if query and request.query_params:
            query.model_validate(dict(request.query_params))
    except ValidationError as error:
        faults = [fault for fault in error.errors(include_input=False, include_url=False) if fault["type"] != "missing"]
        if faults:
            raise Invalid(f"有 {len(faults)} 处不合格式，见 errors。", told_faults(faults)) from None


def _media_type(request: Request) -> bytes:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower().encode()


def version_told(row: RulesetRow | None) -> dict[str, Any]:
    """What is told of a version besides its files."""
    if row is None:
        raise RulesetNotFound
    values = asdict(row)
    return {name: values[name] for name in VersionTold.model_fields if name in values} | {"published_at": told.local(row.created_at)}


def published(row: RulesetRow, ready: Ready) -> dict[str, Any]:
    """What came of publishing."""
    report = ready.report
    warnings = [str(warning) for warning in ready.draft.warnings[:SHOWN]]
    return version_told(row) | {"cases": len(report.results), "failed": len(report.failed), "warnings": warnings}


def checked(mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """What a check found."""
    errors = sum(mistake.severity == "error" for mistake in mistakes)
    listed = [asdict(mistake) for mistake in mistakes[:SHOWN]]
    return {"ok": not errors, "errors": errors, "warnings": len(mistakes) - errors, "mistakes": listed}


def zip_of(files: Mapping[str, str], name: str) -> Response:
    """A pack as a zip that is the same, byte for byte, each time."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(rulelife.packed(files), media_type="application/zip", headers=headers)


ZIPPED: dict[str, Any] = {
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    "headers": responses.headers(Content_Disposition="文件名"),
}
"""How such an answer is declared."""
