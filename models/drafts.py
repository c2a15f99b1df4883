"""Drafts on the wire: opened, edited, approved, and the long work that is done on them."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from models.audit import AuditTold
from models.case import Query
from models.complaint import Text, Wire
from models.mending import Repaired
from models.publication import MAX_VERSION, Checked, DraftIn, Files, ImpactTold, Tested

Words = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=2_000)]
DraftState = Literal["open", "published", "discarded"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
ApprovalState = Literal["asked", "approved", "refused", "withdrawn", "used"]

_TITLE = Field("", max_length=200, description="草稿的标题：打算改什么")


# What is asked ------------------------------------------------------------------------------------------------------------------


class DraftOpenIn(DraftIn):
    """开草稿: from files, from a version, or (neither given) from the version in force."""

    files: Files | None = Field(None, max_length=400, description="规则包的文件；不写则取 version 的文件")  # type: ignore[assignment]
    version: int | None = Field(None, ge=1, le=MAX_VERSION, description="由哪一版改起；不写则为在用的版本")
    title: Words = _TITLE


class DraftOpenQuery(Query):
    """What goes with a zip, which is the body."""

    version: int | None = Field(None, ge=1, le=MAX_VERSION, description="由哪一版改起；不写则为在用的版本")
    title: Words = _TITLE


class DraftsQuery(Query):
    """Which drafts."""

    state: DraftState = Field("open", description="状态：open 未结束，published 已发布，discarded 已丢弃")
    limit: int = Field(50, ge=1, le=500, description="最多多少个")


class JobsQuery(Query):
    """How many jobs."""

    limit: int = Field(50, ge=1, le=200, description="最多多少个")


class EditIn(Wire):
    """一处修改: a word more or less, or another value."""

    op: Literal["add", "remove", "set"] = Field(description="add 增一个词，remove 删一个词，set 改一个值")
    field: Literal["terms", "unless", "near", "list", "within", "strength", "status"] = Field(
        description="terms 词语、unless 排除、near 语境词、list 词表可增删；within、strength、status 可改"
    )
    where: str = Field(min_length=1, max_length=80, description="规则编号；field 为 list 时是词表的名称")
    value: Text = Field(min_length=1, max_length=40, description="词语，或新的值")


class EditsIn(Wire):
    """逐条修改: all of them are made, or none."""

    edits: list[EditIn] = Field(min_length=1, max_length=200, description="依次改；有一处改不了，就都不改")


class DraftPublishIn(Wire):
    """发布草稿: why, and over what."""

    note: Words = Field("", description="说明：改了什么、为什么，必填")
    base: int | None = Field(None, ge=1, le=MAX_VERSION, description="看过差异之后，在哪一版上发布；不写则为开草稿时所据的版本")
    overrule: Words = Field("", description="有用例未通过、或确认过的案件会出错而仍要发布的理由；记入版本与审计链，不能代替审批")


class MergeIn(Wire):
    """合并: what to do where both sides changed the same."""

    prefer: Literal["ours", "theirs"] | None = Field(
        None, description="两方改了同一处时以谁为准：ours 草稿，theirs 在用的版本；不写则不合并，说明是哪些"
    )
    prove: bool = Field(True, description="合并之后也查证：规则包大时要几十秒；false 则只检查、测试")


class WordsIn(Wire):
    """审批的话: what is said with asking, approving, refusing, withdrawing."""

    reason: Words = Field(min_length=1, description="说明或理由")


# What is answered ---------------------------------------------------------------------------------------------------------------


class ApprovalTold(BaseModel):
    """审批."""

    state: ApprovalState = Field(description="asked 等待批准，approved 已批准，refused 未批准，withdrawn 已撤回，used 已批准并发布")
    current: bool = Field(description="所批的就是草稿现在的内容；又改过则为 false，须重新请求")
    digest: str = Field(description="请求批准的内容的摘要")
    asked_by: str = Field(description="谁请求")
    asked_at: AwareDatetime = Field(description="何时请求")
    note: str = Field(description="请求时的说明")
    decided_by: str | None = Field(description="谁决定")
    decided_at: AwareDatetime | None = Field(description="何时决定")
    reason: str | None = Field(description="决定的理由")


class DraftTold(BaseModel):
    """草稿: what is known of it besides its files."""

    id: str = Field(description="草稿编号")
    pack: str = Field(description="规则包代码")
    title: str = Field(description="标题")
    base: int | None = Field(description="由哪一版改起")
    version: int = Field(description="第几稿；写在 If-Match 中")
    state: DraftState = Field(description="状态")
    digest: str = Field(description="内容摘要（SHA-256）")
    author: str = Field(description="谁开的")
    editors: list[str] = Field(description="改过它的人")
    created_at: AwareDatetime = Field(description="何时开的")
    updated_at: AwareDatetime = Field(description="最近一次改动")
    updated_by: str = Field(description="最近一次谁改的")
    published: int | None = Field(description="发布为哪一版；没有发布则为 null")


class DraftWhole(DraftTold):
    """草稿 with its files and its approval."""

    files: list[str] = Field(description="文件名")
    approval: ApprovalTold | None = Field(description="最近一次审批请求；没有则为 null")


class RuleInDraft(BaseModel):
    """规则, as it is written in a draft and where."""

    rule: str = Field(description="规则编号")
    name: str = Field(description="名称；没有写则为空")
    file: str = Field(description="文件名")
    line: int = Field(description="从第几行开始")
    supports: str = Field(description="支持什么：category:类别、scope:范围、issue:问题类型、signal:信号；没有写则为空")
    terms: list[str] = Field(description="词语")
    unless: list[str] = Field(description="排除的词语")
    strength: str = Field(description="强度，如所写；没有写则为缺省值")
    status: str = Field(description="状态，如所写；没有写则为缺省值")
    clause: str | None = Field(description="条款代码")


class RulesInDraft(BaseModel):
    """草稿里的全部规则, mistakes or not."""

    version: int = Field(description="第几稿")
    rules: list[RuleInDraft] = Field(description="规则，按文件与行排列")


class Overlay(BaseModel):
    """正在编辑的文件: what is being typed and not yet kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Files = Field(default_factory=dict, max_length=400, description="以这些内容代替草稿里的同名文件：文件名 -> 内容")


class Drafts(BaseModel):
    """Drafts of the pack."""

    pack: str = Field(description="规则包代码")
    drafts: list[DraftTold] = Field(description="草稿，最近改动的在前")


class DraftDifference(BaseModel):
    """What a draft changes."""

    before: int = Field(description="与哪一版比较：在用的版本")
    changes: list[dict[str, Any]] = Field(description="逐项变化，写法与版本之间的差异相同")
    text: str = Field(description="给人看的说明，一行一项")


class Proved(BaseModel):
    """What the prover found."""

    digest: str = Field(description="内容摘要（SHA-256）")
    faults: int = Field(description="须处理的处数")
    findings: list[dict[str, Any]] = Field(description="逐处：种类、规则、词语、说明、怎样改、例句")


class DraftMerged(DraftWhole):
    """草稿 after merging, and what is wrong with what came of it: nobody ever saw these files together before."""

    checked: Checked = Field(description="检查的结果")
    tested: Tested | None = Field(description="用例的结果；有错误则为 null")
    proved: Proved | None = Field(description="查证的结果；有错误或没有要求则为 null")


class JobTold(BaseModel):
    """任务: a long piece of work, how far it is and what came of it."""

    id: str = Field(description="任务编号")
    kind: str = Field(description="种类：impact 试算影响，prove 查证草稿，repair 修补规则，audit 核对审计链")
    draft: str | None = Field(description="草稿编号；不是在草稿上做的则为 null")
    digest: str = Field(description="草稿或规则包当时内容的摘要；核对审计链的为空")
    against: int = Field(description="与哪一版比较")
    state: JobState = Field(description="waiting 排队，running 进行中，done 完成，failed 失败，cancelled 已取消")
    done: int = Field(description="已做多少：试算影响是多少件案件，查证是多少步，修补是多少处修改")
    total: int = Field(description="至多多少")
    actor: str = Field(description="谁要做的")
    created_at: AwareDatetime = Field(description="何时要求")
    finished_at: AwareDatetime | None = Field(description="何时结束")
    error: str | None = Field(description="为什么失败；没有失败则为 null")
    result: ImpactTold | Proved | Repaired | AuditTold | None = Field(None, description="结果；完成之后才有，列表中没有")


class Jobs(BaseModel):
    """The newest jobs."""

    jobs: list[JobTold] = Field(description="任务，新的在前")
