"""/v1/rulesets/drafts/{id}/...: a draft is checked, tested, proved, tried on the past, approved by a second person, published."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from models.complaint import ComplaintIn
from models.decision import Decision
from models.drafts import DraftDifference, DraftMerged, DraftPublishIn, DraftWhole, JobTold, MergeIn, Overlay, Proved, RulesInDraft, WordsIn
from models.publication import Checked, Published, Tested
from service import impact, prover, rulebook, rulelife, ruletest, store
from service.api import responses
from service.api.bodies import read_json
from service.api.deps import ByPerson, Office, WholeOffice
from service.api.drafts import CHANGE, KNOWN, TAGGED, WHO, DraftId, Versions, now, versions_of, whole
from service.api.jobs import Progress
from service.api.longwork import BEGUN, IMPACT, Asked, begin
from service.api.moves import body_given
from service.api.packs import MOST_BYTES, checked, draft_here, published
from service.api.plain import Json, body_of, door, validated
from service.errors import Overloaded, RulesetNotFound
from service.rulelife import (
    ApprovalMissing,
    ApprovalNotOpen,
    AuthorMissing,
    BaseMoved,
    CasesFail,
    ConfirmedBreak,
    DraftBroken,
    MergeConflict,
    NothingNew,
    OwnApproval,
    PackMismatch,
    Proposal,
    Ready,
    approval,
    kept,
    merge,
)
from service.store import ApprovalRow, DraftRow

router = door("/v1/rulesets/drafts", "规则")

T = TypeVar("T")

SOUND = (*KNOWN, Overloaded, DraftBroken, PackMismatch)


# Examining ----------------------------------------------------------------------------------------------------------------------


@router.post(
    "/{draft_id}/check",
    summary="检查这个草稿",
    response_model=Checked,
    response_description="错误与提醒",
    responses=responses.problems(*responses.BODY, *KNOWN, Overloaded),
    openapi_extra=body_of(Overlay, required=False),
)
async def draft_check(draft_id: DraftId, request: Request, here: WholeOffice) -> Response:
    """一次列出草稿的所有错误：文件、行、列、怎样改。有错误也答复 200，`ok` 为 false。

    正在编辑、还没有保存的文件可以放在 `files` 里一起检查，草稿不变。
    """
    typed = await body_given(request, Overlay, MOST_BYTES)
    return Json(await _seen(draft_id, here, lambda held: checked(rulelife.check({**held.files, **typed.files}))))


@router.get(
    "/{draft_id}/rules",
    summary="列出草稿里的规则",
    response_model=RulesInDraft,
    response_description="规则和所在的文件与行",
    responses=responses.problems(*KNOWN, Overloaded),
)
async def draft_rules(draft_id: DraftId, here: WholeOffice) -> Response:
    """每条规则写在哪个文件的第几行、支持什么、有哪些词语。草稿有错误时，读得出的照样列出。"""
    return Json(
        await _seen(draft_id, here, lambda held: {"version": held.row.version, "rules": [*map(asdict, rulebook.rules_in(held.files))]})
    )


@router.post(
    "/{draft_id}/test",
    summary="测试这个草稿",
    response_model=Tested,
    response_description="用例的结果",
    responses=responses.problems(*SOUND),
)
async def draft_test(draft_id: DraftId, here: WholeOffice) -> Response:
    """运行草稿里的用例，说明哪些不符、为什么，以及覆盖了多少规则和词语。"""
    return Json(await _seen(draft_id, here, lambda held: ruletest.as_json(ruletest.run(draft_here(held.files, here).engine, held.files))))


@router.post(
    "/{draft_id}/triage",
    summary="用这个草稿研判一件诉求",
    response_model=Decision,
    response_description="研判结果",
    responses=responses.problems(*responses.BODY, *SOUND),
    openapi_extra=body_of(ComplaintIn),
)
async def draft_triage(draft_id: DraftId, request: Request, here: WholeOffice) -> Response:
    """与 `POST /v1/triage` 相同，只是按草稿的规则；什么也不保存。草稿改动之后的第一次要一秒钟。"""
    complaint = validated(ComplaintIn, await read_json(request, here.settings.max_case_bytes)).complaint()
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    engine = await here.workshop(lambda: here.workshop.engine(held.row.digest, lambda: draft_here(held.files, here).engine))
    return Json(engine.triage(here.register.look_up(complaint)))


@router.post(
    "/{draft_id}/prove",
    status_code=202,
    summary="查证这个草稿",
    response_model=JobTold,
    response_description="任务已开始",
    responses={202: BEGUN, **responses.problems(*SOUND, *WHO, *responses.WRITE)},
)
async def draft_prove(draft_id: DraftId, here: WholeOffice, actor: ByPerson) -> Response:
    """用规则自己的词语造句，找出永远不命中、从不起作用、一词两属的规则和词语，每处附例句。

    要十几秒钟：立即答复一个任务，查询任务得知进度和结果，也可以取消。
    """
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    engine = await here.workshop(lambda: draft_here(held.files, here).engine)
    asked = Asked("prove", held.row.digest, prover.steps(engine), actor.name, draft_id)
    return await begin(here, asked, lambda progress: _proved(prover.prove(engine, progress)))


@router.get(
    "/{draft_id}/diff",
    summary="草稿改了什么",
    response_model=DraftDifference,
    response_description="逐项变化",
    responses=responses.problems(*SOUND),
)
async def draft_diff(draft_id: DraftId, here: WholeOffice) -> Response:
    """草稿与在用的版本相比，每一项会影响研判的变化。"""
    ruleset = here.rules.engine.ruleset
    changes = await _seen(draft_id, here, lambda held: rulelife.compare(ruleset, draft_here(held.files, here).ruleset))
    listed = [asdict(change) | {"text": change.text} for change in changes]
    return Json({"before": ruleset.version, "changes": listed, "text": rulelife.told(changes)})


async def _seen(draft_id: str, here: Office, look: Callable[[kept.Held], T]) -> T:
    """What a look at a draft as it stands finds."""
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    return await here.workshop(lambda: look(held))


@router.post(
    "/{draft_id}/impact",
    status_code=202,
    summary="试算这个草稿的影响",
    response_model=JobTold,
    response_description="任务已开始",
    responses={202: BEGUN, **responses.problems(*SOUND, *WHO, *responses.WRITE)},
)
async def draft_impact(draft_id: DraftId, here: WholeOffice, actor: ByPerson) -> Response:
    """把已受理的全部案件在在用的规则和草稿下各研判一遍。立即答复一个任务，查询任务得知进度和结果，也可以取消。"""
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    draft = await here.workshop(lambda: draft_here(held.files, here))
    engine, database = here.rules.engine, here.database
    total = await here.reads(store.count_cases)

    def work(progress: Progress) -> dict[str, Any]:
        return impact.as_json(rulelife.replay_stored(database, (engine, draft.engine), fork=False, told=progress))

    return await begin(here, Asked(IMPACT, held.row.digest, total, actor.name, draft_id), work)


@router.post(
    "/{draft_id}/merge",
    summary="合并在用的版本",
    response_model=DraftMerged,
    response_description="已合并",
    responses={
        200: TAGGED,
        **responses.problems(*responses.BODY, *CHANGE, MergeConflict, NothingNew, BaseMoved, RulesetNotFound, Overloaded),
    },
    openapi_extra=body_of(MergeIn, required=False),
)
async def draft_merge(draft_id: DraftId, request: Request, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
    """开草稿之后又启用了别的版本：把草稿的改动合到在用的版本上，草稿从此依据它。

    按规则编号逐条合并：只有一方改过的用改过的；同一条规则两方都改，一方增删词语的照样合并；其余改了同一处的逐处说明，
    不作改动（409），除非 `prefer` 写明以谁为准。合并之后随即检查、测试、查证，答复中有各项结果。
    """
    named, given = versions_of(versions), await body_given(request, MergeIn, here.settings.max_case_bytes)
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    if held.row.version not in named or held.row.state != "open":
        await here.writer.submit(lambda conn: kept.still(conn, held.row, named))
    active = here.rules.row
    if held.row.base in (None, active.version):
        raise NothingNew(
            f"草稿依据的就是在用的第 {active.version} 版，不必合并。" if held.row.base else "草稿没有写明依据哪一版，无从合并。"
        )
    way = merge.Way(held.row.base, active.version, given.prefer)
    files = await here.workshop(lambda: merge.joined(here.database, held.row.pack, held.files, way))
    row = await here.writer.submit(lambda conn: kept.rebase(conn, held, files, active.version, actor, now()))
    found = await here.workshop(lambda: merge.examined(files, prove=given.prove))
    return whole(row, files, await here.reads(store.last_approval, draft_id), more=_found(found))


def _found(found: merge.Examined) -> dict[str, Any]:
    return {
        "checked": checked(found.mistakes),
        "tested": found.report and ruletest.as_json(found.report),
        "proved": found.proof and _proved(found.proof),
    }


def _proved(proof: prover.Proof) -> dict[str, Any]:
    whole = prover.as_json(proof)
    return {name: whole[name] for name in Proved.model_fields}


# Publishing ---------------------------------------------------------------------------------------------------------------------


@router.post(
    "/{draft_id}/publish",
    status_code=201,
    summary="发布这个草稿",
    response_model=Published,
    response_description="已发布并启用",
    responses=responses.problems(
        *responses.BODY,
        *CHANGE,
        DraftBroken,
        PackMismatch,
        AuthorMissing,
        CasesFail,
        ConfirmedBreak,
        BaseMoved,
        NothingNew,
        ApprovalMissing,
    ),
    openapi_extra=body_of(DraftPublishIn),
)
async def draft_publish(draft_id: DraftId, request: Request, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
    """检查、测试，都通过才发布并立即启用；草稿就此结束。

    在用的版本已不是开草稿时的那一版则拒绝（409）；看过差异后可在 `base` 写明新的版本。
    """
    named = versions_of(versions)
    given = validated(DraftPublishIn, await read_json(request, here.settings.max_case_bytes))
    held = await here.reads(kept.read, here.rules.row.pack, draft_id)
    if held.row.version not in named or held.row.state != "open":
        await here.writer.submit(lambda conn: kept.still(conn, held.row, named))
    proposal = Proposal(actor.name, given.note, given.base or held.row.base, given.overrule, actor.key or None)
    ready = await here.workshop(lambda: _prepared(held.files, proposal, here))
    here.rules.keep(ready.draft.engine)
    row = await here.writer.submit(lambda conn: kept.publish_draft(conn, held, ready, now()))
    await here.rules.follow()
    return Json(published(row, ready), 201)


def _prepared(files: Mapping[str, str], proposal: Proposal, here: Office) -> Ready:
    proposal, draft, engine = rulelife.signed(proposal), draft_here(files, here), here.rules.engine
    rulelife.something_new(draft, engine.ruleset)
    broken = rulelife.replay_confirmed(here.database, (engine, draft.engine), fork=False).broken
    second = rulelife.needs_second(engine.ruleset, here.settings.second_person)
    return rulelife.prepare(draft, proposal, engine.ruleset.version, broken, second=second)


# The second person --------------------------------------------------------------------------------------------------------------

STEPS = {
    "ask": ("请求审批", "请另一人批准草稿现在的内容；此后再改动，须重新请求。", ()),
    "approve": ("批准", "批准草稿现在的内容。请求审批的人、改过草稿的人不能批准。", (OwnApproval,)),
    "refuse": ("不批准", "不批准，写明理由；已批准而尚未发布的也可改为不批准。", ()),
    "withdraw": ("撤回审批请求", "撤回请求，写明理由；已批准而尚未发布的也可撤回。", ()),
}
DECISIONS = {"approve": "approved", "refuse": "refused", "withdraw": "withdrawn"}


def _step(step: str) -> Callable[..., Any]:
    """The door for one step of an approval."""

    async def take(draft_id: DraftId, request: Request, here: WholeOffice, actor: ByPerson, versions: Versions = None) -> Response:
        named = versions_of(versions)
        given = validated(WordsIn, await read_json(request, here.settings.max_case_bytes))
        said = approval.Said(actor, given.reason, named)
        held = await here.reads(kept.read, here.rules.row.pack, draft_id)

        def job(conn: Any) -> tuple[DraftRow, ApprovalRow]:
            if step == "ask":
                return approval.ask(conn, held.row, said, now())
            return approval.decide(conn, held.row, said, DECISIONS[step], now())

        row, asked = await here.writer.submit(job)
        return whole(row, held.files, asked)

    return take


for _name, (_summary, _description, _more) in STEPS.items():
    router.add_api_route(
        f"/{{draft_id}}/{_name}",
        _step(_name),
        methods=["POST"],
        name=f"draft_{_name}",
        summary=_summary,
        description=f"{_description}记入审计链。",
        response_model=DraftWhole,
        response_description="草稿与审批",
        responses={200: TAGGED, **responses.problems(*responses.BODY, *CHANGE, ApprovalNotOpen, *_more)},
        openapi_extra=body_of(WordsIn),
    )
