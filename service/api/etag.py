"""Conditional requests: who already holds the newest answer gets 304 and no body."""

import re
from typing import Annotated

from fastapi import Header
from starlette.responses import Response

from service.errors import VersionMissing, VersionUnreadable

NOT_KEPT = "no-store"
"""For what tells of people: no browser writes it to its disk. Whoever polls holds the tag, and what came with it, by its own will."""
Condition = Annotated[str | None, Header(alias="If-None-Match", description="上次答复的 ETag；没有变化时答复 304")]

_TAG = re.compile(r'(?:W/)?("[^"]*")')


_NAMED = re.compile(r'(W/)?"([^"]*)"')
_VERSION = re.compile(r"\d{1,9}")


def versions(condition: str | None, missing: str | None = None) -> frozenset[int]:
    """The versions that If-Match names. `*` names none: whoever changes a thing must have read it. Weak tags tell no two versions apart."""
    if condition is None or condition.strip() in {"", "*"}:
        raise VersionMissing(missing)
    strong = [tag for weak, tag in _NAMED.findall(condition) if not weak]
    if not strong:
        raise VersionUnreadable
    return frozenset(int(tag) for tag in strong if _VERSION.fullmatch(tag))


def holds(condition: str | None, tag: str) -> bool:
    """Whether the caller's If-None-Match names this tag; weak and strong are alike here (RFC 9110, 13.1.2)."""
    if condition is None:
        return False
    return condition.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(condition)


def held(condition: str | None, start: str = "", end: str = "") -> str | None:
    """The tag of the caller's that begins and ends so."""
    found = (tag for tag in _TAG.findall(condition or "") if tag.startswith(f'"{start}') and tag.endswith(f'{end}"'))
    tag = next(found, None)
    return f"W/{tag}" if tag else None


def headers(tag: str, keep: str = "private, no-cache") -> dict[str, str]:
    """To be asked again each time, and kept by nobody on the way."""
    return {"ETag": tag, "Cache-Control": keep}


def unchanged(tag: str, keep: str = "private, no-cache") -> Response:
    return Response(status_code=304, headers=headers(tag, keep))
