"""Cursors of pages: opaque to the caller, and good only for the list that gave them."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from models.case import MAX_SEQ, CaseQuery
from service.errors import CursorInvalid
from service.store import Cursor


def pack(place: Cursor | None, query: CaseQuery) -> str | None:
    """The place where the next page begins, as text."""
    if place is None:
        return None
    return urlsafe_b64encode(orjson.dumps([_mark(query), *place])).decode().rstrip("=")


def unpack(query: CaseQuery) -> Cursor | None:
    """The place that a cursor names; refused if it is not one of ours or of another list."""
    if query.cursor is None:
        return None
    match _read(query.cursor):
        case [mark, int(seq)] if query.order == "changed" and 0 <= seq <= MAX_SEQ and mark == _mark(query):
            return (seq,)
        case [mark, str(at), str(case_id)] if query.order == "created" and _is_time(at) and mark == _mark(query):
            return (at, case_id)
    raise CursorInvalid


def _read(text: str) -> Any:
    with suppress(binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError):
        return orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    return None


def _mark(query: CaseQuery) -> str:
    """Tells one list from another: a cursor with other filters would skip cases in silence."""
    return sha256(query.model_dump_json(exclude={"cursor", "limit"}).encode()).hexdigest()[:8]


def _is_time(text: str) -> bool:
    with suppress(ValueError):
        return datetime.fromisoformat(text).tzinfo is not None
    return False
