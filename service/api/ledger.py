"""/v1/rules: the ledger of each rule, by what people confirmed about cases."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from models.ledger import LedgerOverview, LedgerQuery, LedgerTold, ReleaseIn
from models.publication import VersionTold
from models.ruleset import RuleSet
from service import ledger, store
from service.api import access, responses, told, veil
from service.api.bodies import read_json
from service.api.deps import Reading, Rules, WholeOffice, key_of_caller
from service.api.packs import version_told
from service.api.plain import Json, body_of, door, validated
from service.errors import ParameterInvalid
from service.ledger import RuleAccount, RuleUnknown, output, quarantine
from service.ledger.errors import CannotRelease, NotQuarantined
from service.rulelife import ApprovalMissing, AuthorMissing, BaseMoved, NothingNew, Proposal
from service.store import Quarantine

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
    found, quarantines = await reads(_overview, ruleset)
    floor = ruleset.ruleset.floor
    return Json(
        {
            "pack": rules.row.pack,
            "version": rules.row.version,
            "floor": floor.model_dump() if floor else None,
            "rules": [output.head_json(head) for head in found],
            "quarantines": [_quarantine(each) for each in quarantines],
        }
    )


def _overview(conn: Any, ruleset: RuleSet) -> tuple[list[RuleAccount], list[Quarantine]]:
    return ledger.overview(conn, ruleset), store.list_quarantines(conn, ruleset.pack)


def _quarantine(each: Quarantine) -> dict[str, Any]:
    whole = output.quarantine_json(each)
    return whole | {name: whole[name] and told.local(whole[name]) for name in ("at", "released_at")}


@router.get(
    "/{rule_id}/ledger",
    summary="一条规则的台账",
    response_model=LedgerTold,
    response_description="台账",
    responses=responses.problems(RuleUnknown, ParameterInvalid, *responses.READ),
)
async def rule_ledger(rule_id: RuleId, asked: Annotated[LedgerQuery, Query()], request: Request, here: WholeOffice) -> Response:
    """一条规则逐词、逐月判对了多少，以及判错的每一件：当时怎样说、应当是什么、谁何时确认的。

    规则只为起了决定作用的案件负责；只有认定成立、说明归属的退单才计为判错。
    """
    found = await here.reads(ledger.ledger_of, here.rules.engine.ruleset, rule_id, asked.limit)
    if found is None:
        raise RuleUnknown(f"在用的规则集和台账里都没有规则 {rule_id}。")
    whole = output.ledger_json(found)
    for shown, case in zip(whole["wrong"], found.wrongs, strict=True):
        shown["at"] = shown["at"] and told.local(shown["at"])
        shown["text"] = veil.discreet(shown["text"], case.complainant, here.vault, access.caller(request.scope))
    return Json(whole)


@router.post(
    "/{rule_id}/release",
    summary="恢复一条停用待查的规则",
    response_model=VersionTold,
    response_description="已发布并启用",
    responses=responses.problems(
        *responses.BODY,
        *responses.WRITE,
        ParameterInvalid,
        AuthorMissing,
        NotQuarantined,
        CannotRelease,
        BaseMoved,
        NothingNew,
        ApprovalMissing,
    ),
    openapi_extra=body_of(ReleaseIn),
)
async def release_rule(rule_id: RuleId, request: Request, here: WholeOffice) -> Response:
    """台账停用的规则由人恢复：发布一个它重新计分的版本并启用，此后重新计数，以前判错的不再算在它头上。理由记入版本与审计链。"""
    given = validated(ReleaseIn, await read_json(request, here.settings.max_case_bytes))
    proposal, ruleset = Proposal(given.author, given.note, key=key_of_caller(request)), here.rules.engine.ruleset
    second = here.settings.second_person
    ready = await here.workshop(lambda: quarantine.prepare_release(here.database, ruleset, rule_id, proposal, second))
    here.rules.keep(ready.draft.engine)
    row = await here.writer.submit(lambda conn: quarantine.publish_release(conn, ready, rule_id, given.note, datetime.now(UTC)))
    await here.rules.follow()
    return Json(version_told(row))
