"""Routes for the busy doors: declared as any other in OpenAPI, but the endpoint reads its request itself.

FastAPI's own way through dependencies and body fields costs more than reading, judging and answering together.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import jiter
import orjson
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.faults import refusal
from service.errors import KeyTwice

M = TypeVar("M", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]


def door(prefix: str, tag: str, route_class: type[APIRoute] = APIRoute) -> APIRouter:
    """A router whose operations are called in OpenAPI as their functions are here."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=route_class, generate_unique_id_function=lambda route: route.name)


class PlainRoute(APIRoute):
    """A route whose endpoint takes the bare request and gives the bare response."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(path, endpoint, **kwargs)
        self.app = _served(cast(Endpoint, endpoint))


def _served(endpoint: Endpoint) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def validated(model: type[M], body: bytes) -> M:
    """The body as this model; strict, so that "yes" is no boolean and 1700000000 no time."""
    try:
        found = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise refusal(error, body, model.model_fields) from None
    check_keys(body)
    return found


def check_keys(body: bytes) -> None:
    """Refuse a key that is given twice: two readers of such a body may take two different values for it."""
    try:
        jiter.from_json(body, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError as error:
        place = TWICE.search(str(error))
        if place:
            raise KeyTwice(f"同一个字段在一处写了两次（第 {place[1]} 行第 {place[2]} 个字节之前），不知道以哪个为准。") from None


TWICE = re.compile(r"^Detected duplicate key .* at line (\d+) column (\d+)$", re.DOTALL)
"""How jiter says it; the key itself is not repeated to anybody."""


def body_of(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """How a body that the endpoint reads itself is declared; document.py adds the model to the components."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": reference}}}}


class Json(Response):
    """JSON that is bytes already, or whatever orjson writes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else orjson.dumps(content)
