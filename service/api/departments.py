"""GET /v1/departments: who handles cases, for what, and by which clause."""

from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from models.ruleset import Department, RuleSet
from service.api import etag
from service.api.deps import Rules
from service.api.digested import RESPONSES, by_digest
from service.api.plain import door

router = door("/v1/departments", "规则")


class Basis(BaseModel):
    """条款: what a duty rests on, word for word."""

    id: str = Field(description="条款代码")
    document: str = Field(description="文件名称")
    article: str = Field(description="条目")
    quote: str = Field(description="原文")


class DepartmentTold(BaseModel):
    """单位, as the rule set in force knows it."""

    code: str = Field(description="单位代码")
    name: str = Field(description="名称")
    aliases: list[str] = Field(description="其他写法")
    duty: str = Field(description="职责")
    categories: list[str] = Field(description="主管的机构类别代码")
    external: bool = Field(description="是否为本规则集之外的单位")
    basis: Basis | None = Field(description="依据")


class Departments(BaseModel):
    """All departments of the rule set in force."""

    departments: list[DepartmentTold] = Field(description="单位")


@router.get(
    "",
    summary="列出单位",
    response_model=Departments,
    response_description="在用规则集的单位",
    responses=RESPONSES,
)
async def departments(rules: Rules, condition: etag.Condition = None) -> Response:
    """在用规则集里的全部单位：代码、名称、职责、主管的机构类别和所依据的条款。"""
    return by_digest(rules.engine.ruleset, condition, _all)


def _all(ruleset: RuleSet) -> dict[str, Any]:
    return {"departments": [_told(department, ruleset).model_dump() for department in ruleset.departments]}


def _told(department: Department, ruleset: RuleSet) -> DepartmentTold:
    categories = ruleset.ruleset.categories.items()
    return DepartmentTold(
        code=department.code,
        name=department.name,
        aliases=list(department.aliases),
        duty=department.duty,
        categories=[code for code, category in categories if category.department == department.code],
        external=department.external,
        basis=_basis(department.clause, ruleset),
    )


def _basis(clause_id: str | None, ruleset: RuleSet) -> Basis | None:
    if clause_id is None:
        return None
    clause = ruleset.clauses[clause_id]
    return Basis(id=clause_id, document=ruleset.documents[clause.document].title, article=clause.article, quote=clause.quote)
