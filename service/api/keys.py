"""The header Idempotency-Key: chosen by the caller, the same for each try of one request."""

import re
from typing import Any

from starlette.requests import Request

from service.errors import KeyInvalid

KEY = re.compile(rb"[\x21-\x7e]{1,255}")

HEADER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "幂等键，由调用方自选；同一个键只对应一个请求。重试时请用同一个键",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


def key_of(request: Request) -> str | None:
    for name, value in request.scope["headers"]:
        if name == b"idempotency-key":
            if not KEY.fullmatch(value):
                raise KeyInvalid
            return str(value, "ascii")
    return None
