"""/v1/rules: the ledger of each rule, by what people confirmed about cases."""

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from models.ledger import LedgerOverview, LedgerQuery, LedgerTold
from service import ledger
from service.api import responses, told
from service.api.deps import Reading, Rules
from service.api.plain import Json, door
from service.errors import ParameterInvalid
from service.ledger import RuleUnknown, output

router = door("/v1/rules", "规则")

RuleId = Annotated[str, Path(min_length=1, max_length=80, description="规则编号，例如 arts.dance")]


@router.get(
    "/ledger",
    summary="台账总览",
    response_model=LedgerOverview,
    response_description="各条规则的账目",
    responses=responses.problems(*responses.READ),
)
async def rules_ledger(rules: Rules, reads: Reading) -> Response:
    """每条规则判对了多少：由退单的裁定、更正、指定承办、退回热线、办结、归档汇总，附 95% 区间。最值得看的在前。"""
    ruleset = rules.engine.ruleset
    found = await reads(ledger.overview, ruleset)
    told = {"pack": rules.row.pack, "version": rules.row.version, "rules": [output.head_json(head) for head in found]}
    return Json(told)


@router.get(
    "/{rule_id}/ledger",
    summary="一条规则的台账",
    response_model=LedgerTold,
    response_description="台账",
    responses=responses.problems(RuleUnknown, ParameterInvalid, *responses.READ),
)
async def rule_ledger(rule_id: RuleId, asked: Annotated[LedgerQuery, Query()], rules: Rules, reads: Reading) -> Response:
    """一条规则逐词、逐月判对了多少，以及判错的每一件：当时怎样说、应当是什么、谁何时确认的。

    规则只为起了决定作用的案件负责；只有认定成立、说明归属的退单才计为判错。
    """
    found = await reads(ledger.ledger_of, rules.engine.ruleset, rule_id, asked.limit)
    if found is None:
        raise RuleUnknown(f"在用的规则集和台账里都没有规则 {rule_id}。")
    whole = output.ledger_json(found)
    for case in whole["wrong"]:
        case["at"] = case["at"] and told.local(case["at"])
    return Json(whole)
