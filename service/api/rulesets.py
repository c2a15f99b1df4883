"""GET /v1/rulesets/active: which rule set decides now."""

from datetime import datetime

from pydantic import BaseModel, Field
from starlette.responses import Response

from models.ruleset import RuleSet
from service.api import etag, responses, told
from service.api.deps import Rules
from service.api.plain import Json, door
from service.engine import ENGINE_VERSION
from service.store import RulesetRow

router = door("/v1/rulesets", "规则")


class Counts(BaseModel):
    """How much there is in a rule set."""

    categories: int = Field(description="机构类别")
    departments: int = Field(description="单位")
    issues: int = Field(description="问题类型")
    clauses: int = Field(description="条款")
    rules: int = Field(description="规则")
    terms: int = Field(description="词语（各规则合计）")
    cases: int = Field(description="规则旁的用例")


class RulesetTold(BaseModel):
    """规则集 in force."""

    pack: str = Field(description="规则包代码")
    name: str = Field(description="名称")
    version: int = Field(description="版本")
    digest: str = Field(description="内容摘要（SHA-256）")
    engine: str = Field(description="引擎版本")
    author: str = Field(description="发布人")
    note: str = Field(description="发布说明")
    published_at: datetime = Field(description="发布时间")
    counts: Counts = Field(description="数量")


@router.get(
    "/active",
    summary="查看在用的规则集",
    response_model=RulesetTold,
    response_description="在用的规则集",
    responses={
        200: {"headers": responses.headers(ETag="规则集的摘要", Cache_Control="每次都要再问")},
        304: {"description": "规则集没有变"},
    },
)
async def active_ruleset(rules: Rules, condition: etag.Condition = None) -> Response:
    """本副本正在使用的规则集：版本、摘要、引擎和数量。发布新版本之后，各副本在两秒内换用。"""
    row, ruleset = rules.row, rules.engine.ruleset
    tag = f'"{row.version}-{row.digest}"'
    if etag.holds(condition, tag):
        return etag.unchanged(tag)
    return Json(_told(row, ruleset).model_dump(mode="json"), headers=etag.headers(tag))


def _told(row: RulesetRow, ruleset: RuleSet) -> RulesetTold:
    return RulesetTold(
        pack=row.pack,
        name=ruleset.ruleset.name,
        version=row.version,
        digest=row.digest,
        engine=ENGINE_VERSION,
        author=row.author,
        note=row.note,
        published_at=told.local(row.created_at),
        counts=_counts(ruleset),
    )


def _counts(ruleset: RuleSet) -> Counts:
    return Counts(
        categories=len(ruleset.ruleset.categories),
        departments=len(ruleset.departments),
        issues=len(ruleset.issues),
        clauses=len(ruleset.clauses),
        rules=len(ruleset.rules),
        terms=sum(len(rule.terms) for rule in ruleset.rules),
        cases=sum(len(cases) for cases in ruleset.cases.values()),
    )
