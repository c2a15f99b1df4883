"""/v1/rulesets: which rule set decides now, all its versions and what changed between them; checking, testing, publishing, taking back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from models.publication import (
    MAX_VERSION,
    ActivateIn,
    Checked,
    Difference,
    DraftIn,
    ImpactTold,
    Published,
    PublishIn,
    PublishQuery,
    Tested,
    Versions,
    VersionTold,
    VersionWhole,
)
from models.ruleset import RuleSet
from service import impact, rulebook, rulelife, ruletest, store
from service.api import etag, responses, told, veil
from service.api.access import caller
from service.api.bodies import read_json
from service.api.deps import Office, WholeOffice, key_of_caller
from service.api.packs import DRAFT, ZIPPED, body, checked, draft_here, draft_in, published, version_told, zip_of
from service.api.plain import Json, body_of, door, validated
from service.engine import ENGINE_VERSION
from service.errors import Overloaded, ParameterInvalid, RulesetNotFound
from service.rulelife import (
    ApprovalMissing,
    ArchiveBroken,
    AuthorMissing,
    BaseMoved,
    CasesFail,
    ConfirmedBreak,
    NothingNew,
    PackMismatch,
    Proposal,
    Ready,
    VersionBroken,
)
from service.store import Replica, RulesetRow

router = door("/v1/rulesets", "规则")

Version = Annotated[int, Path(ge=1, le=MAX_VERSION, description="版本")]
ACTIVATE = (RulesetNotFound, ParameterInvalid, AuthorMissing, BaseMoved, NothingNew, VersionBroken)


class Counts(BaseModel):
    """How much there is in a rule set."""

    categories: int = Field(description="机构类别")
    departments: int = Field(description="单位")
    issues: int = Field(description="问题类型")
    clauses: int = Field(description="条款")
    rules: int = Field(description="规则")
    terms: int = Field(description="词语（各规则合计）")
    cases: int = Field(description="规则旁的用例")


class ReplicaTold(BaseModel):
    """A process that serves, and by what it decides."""

    id: str = Field(description="副本编号，每次启动一个")
    version: int = Field(description="在用的版本")
    digest: str = Field(description="在用规则集的摘要")
    seen_at: datetime = Field(description="最近一次报告的时间")


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
    replicas: list[ReplicaTold] = Field(description="近 15 秒报告过的各副本所用的版本；SQLite 只有一个副本")


# Reading ------------------------------------------------------------------------------------------------------------------------


@router.get(
    "/active",
    summary="查看在用的规则集",
    response_model=RulesetTold,
    response_description="在用的规则集",
    responses={
        200: {"headers": responses.headers(ETag="各副本所用规则集的摘要", Cache_Control="每次都要再问")},
        304: {"description": "规则集没有变，各副本也没有变"},
        **responses.problems(*responses.READ),
    },
)
async def active_ruleset(here: WholeOffice, condition: etag.Condition = None) -> Response:
    """本副本正在使用的规则集，以及各副本所用的版本。发布新版本之后，各副本在两秒内换用。"""
    row, ruleset = here.rules.row, here.rules.engine.ruleset
    replicas = await here.reads.run(here.rules.replicas)
    tag = f'"{row.version}-{row.digest}-{"-".join(f"{replica.id}.{replica.version}" for replica in replicas)}"'
    if etag.holds(condition, tag):
        return etag.unchanged(tag)
    return Json(_told(row, ruleset, replicas).model_dump(mode="json"), headers=etag.headers(tag))


@router.get(
    "",
    summary="列出各版本",
    response_model=Versions,
    response_description="全部版本",
    responses=responses.problems(*responses.READ),
)
async def list_versions(here: WholeOffice) -> Response:
    """在用规则包的全部已发布版本：谁、何时、为什么、由哪一版改来。已发布的版本永不改变。"""
    pack = here.rules.row.pack
    rows = await here.reads(store.list_rulesets, pack)
    return Json({"pack": pack, "versions": [version_told(row) for row in rows]})


@router.get("/schema", summary="规则文件的格式", response_model=dict[str, Any], response_description="格式（JSON Schema）")
async def ruleset_schema() -> Response:
    """规则包里各种 YAML 文件的 JSON Schema，与 `rules/schema.json` 相同；供编辑器补全和检查。"""
    return Json(rulebook.schema())


@router.get(
    "/{version:int}",
    summary="查看一个版本",
    response_model=VersionWhole,
    response_description="版本与文件",
    responses=responses.problems(*responses.READ, RulesetNotFound, ParameterInvalid),
)
async def get_version(version: Version, here: WholeOffice) -> Response:
    """一个版本的来历和全部文件，文件与发布时逐字相同。"""
    pack = here.rules.row.pack
    files = await here.reads(store.ruleset_files, pack, version)
    row = await here.reads(store.get_ruleset, pack, version)
    return Json({**version_told(row), "files": files})


@router.get(
    "/{version:int}/export",
    summary="导出一个版本",
    response_class=Response,
    response_description="规则包的 zip",
    responses={200: ZIPPED, **responses.problems(*responses.READ, RulesetNotFound, ParameterInvalid)},
)
async def export_version(version: Version, here: WholeOffice) -> Response:
    """一个版本的文件打成 zip，同一版本每次逐字节相同；解开即可由 git 保管，也可再次发布。"""
    pack = here.rules.row.pack
    return zip_of(await here.reads(store.ruleset_files, pack, version), f"{pack}-{version}")


@router.get(
    "/{before:int}/diff/{after:int}",
    summary="比较两个版本",
    response_model=Difference,
    response_description="逐项变化",
    responses=responses.problems(*responses.READ, Overloaded, RulesetNotFound, ParameterInvalid, VersionBroken),
)
async def diff_versions(before: Version, after: Version, here: WholeOffice) -> Response:
    """两个版本之间每一项会影响研判的变化：哪条规则增了哪些词、删了哪些词、强度从什么改成什么。注释、写法和规则在哪个文件里不算。"""
    pack, database = here.rules.row.pack, here.database
    old, new = await here.workshop(lambda: [rulelife.read_version(database, pack, version) for version in (before, after)])
    changes = rulelife.compare(old, new)
    listed = [asdict(change) | {"text": change.text} for change in changes]
    return Json({"pack": pack, "before": before, "after": after, "changes": listed, "text": rulelife.told(changes)})


# Trying -------------------------------------------------------------------------------------------------------------------------


@router.post(
    "/check",
    summary="检查草稿",
    response_model=Checked,
    response_description="错误与提醒",
    responses=responses.problems(*responses.BODY, *responses.WRITE, ArchiveBroken),
    openapi_extra=body(DraftIn),
)
async def check_draft(request: Request, here: WholeOffice) -> Response:
    """一次列出规则包的所有错误：文件、行、列、怎样改。有错误也答复 200，`ok` 为 false；什么也不改变。"""
    given = await draft_in(request, DraftIn)
    mistakes = await here.workshop(lambda: rulelife.check(given.files))
    return Json(checked(mistakes))


@router.post(
    "/test",
    summary="测试草稿",
    response_model=Tested,
    response_description="用例的结果",
    responses=responses.problems(*DRAFT),
    openapi_extra=body(DraftIn),
)
async def test_draft(request: Request, here: WholeOffice) -> Response:
    """运行规则旁边的用例（*.test.yaml），说明哪些不符、为什么，以及覆盖了多少规则和词语；什么也不改变。"""
    given = await draft_in(request, DraftIn)
    report = await here.workshop(lambda: _tried(given.files))
    return Json(ruletest.as_json(report))


@router.post(
    "/impact",
    summary="试算草稿的影响",
    response_model=ImpactTold,
    response_description="影响",
    responses=responses.problems(*DRAFT, PackMismatch, VersionBroken, RulesetNotFound),
    openapi_extra=body(DraftIn),
)
async def impact_of_draft(request: Request, here: WholeOffice) -> Response:
    """把已受理的全部案件在在用的规则和草稿下各研判一遍：哪些改变去向、为什么，确认过的案件是更对还是更错；什么也不改变。

    案件很多时要几分钟，由另外的进程来做，不耽误受理。
    """
    given = await draft_in(request, DraftIn)
    found = await here.workshop(lambda: _replayed(given.files, here))
    return Json(await veil.discreet_flips(impact.as_json(found), here.reads, here.vault, caller(request.scope)))


# Publishing ---------------------------------------------------------------------------------------------------------------------


@router.post(
    "",
    status_code=201,
    summary="发布新版本",
    response_model=Published,
    response_description="已发布并启用",
    responses=responses.problems(*DRAFT, AuthorMissing, CasesFail, ConfirmedBreak, BaseMoved, NothingNew, PackMismatch, ApprovalMissing),
    openapi_extra=body(PublishIn, PublishQuery),
)
async def publish_draft(request: Request, here: WholeOffice) -> Response:
    """检查、测试，都通过才发布并立即启用；答复时本副本已经换用，其他副本在两秒内换用。

    请求体是 JSON（`files` 与 `author`、`note` 等），或规则包文件夹的 zip（`author`、`note` 等写在查询参数中）。
    有用例未通过时拒绝，除非 `overrule` 写明理由。写入版本、启用和审计事件在同一个事务里。
    """
    given = await draft_in(request, PublishIn, PublishQuery)
    key = key_of_caller(request)
    ready = await here.workshop(lambda: _prepared(given, key, here))
    here.rules.keep(ready.draft.engine)
    row = await here.writer.submit(lambda conn: rulelife.publish(conn, ready, datetime.now(UTC)))
    await here.rules.follow()
    return Json(published(row, ready), 201)


@router.post(
    "/{version:int}/activate",
    summary="启用一个版本（撤回、恢复）",
    response_model=VersionTold,
    response_description="已启用",
    responses=responses.problems(*responses.BODY, *responses.WRITE, *ACTIVATE),
    openapi_extra=body_of(ActivateIn),
)
async def activate_version(version: Version, request: Request, here: WholeOffice) -> Response:
    """启用一个已发布的版本：撤回到旧版或再回到新版都是这一步。本程序装不进来的版本不能启用。"""
    given = validated(ActivateIn, await read_json(request, here.settings.max_case_bytes))
    proposal, pack = Proposal(given.author, given.note, given.base, key=key_of_caller(request)), here.rules.row.pack
    await here.workshop(lambda: rulelife.read_version(here.database, pack, version))
    row = await here.writer.submit(lambda conn: rulelife.activate(conn, pack, version, proposal, datetime.now(UTC)))
    await here.rules.follow()
    return Json(version_told(row))


def _tried(files: Mapping[str, str]) -> ruletest.Report:
    draft = rulelife.read_draft(files)
    return ruletest.run(draft.engine, draft.files)


def _prepared(given: PublishIn, key: str | None, here: Office) -> Ready:
    proposal = rulelife.signed(Proposal(given.author, given.note, given.base, given.overrule, key))
    draft, engine = draft_here(given.files, here), here.rules.engine
    rulelife.something_new(draft, engine.ruleset)
    broken = rulelife.replay_confirmed(here.database, (engine, draft.engine), fork=False).broken
    second = rulelife.needs_second(engine.ruleset, here.settings.second_person)
    return rulelife.prepare(draft, proposal, engine.ruleset.version, broken, second=second)


def _replayed(files: Mapping[str, str], here: Office) -> impact.Impact:
    draft = draft_here(files, here)
    return rulelife.replay_stored(here.database, (here.rules.engine, draft.engine), fork=False)


# Answers -----------------------------------------------------------------------------------------------------------------------


def _told(row: RulesetRow, ruleset: RuleSet, replicas: list[Replica]) -> RulesetTold:
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
        replicas=[
            ReplicaTold(id=replica.id, version=replica.version, digest=replica.digest, seen_at=told.local(replica.seen_at))
            for replica in replicas
        ],
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
