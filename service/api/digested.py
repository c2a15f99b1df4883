"""Answers that hold as long as the rule set in force does: tagged with its digest, and not sent twice."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from models.ruleset import RuleSet
from service.api import etag, responses
from service.api.plain import Json

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"headers": responses.headers(ETag="规则集的摘要", Cache_Control="每次都要再问")},
    304: {"description": "规则集没有变"},
}
"""How such an answer is declared."""


def by_digest(ruleset: RuleSet, condition: str | None, tell: Callable[[RuleSet], dict[str, Any]]) -> Response:
    """What is told of this rule set; nothing where the caller has it already."""
    tag = f'"{ruleset.digest}"'
    if etag.holds(condition, tag):
        return etag.unchanged(tag)
    return Json(tell(ruleset), headers=etag.headers(tag))
