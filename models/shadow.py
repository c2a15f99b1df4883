"""Shadows on the wire: a draft that runs beside the version in force, and where it disagrees."""

from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from models.case import Query
from models.complaint import Text, Wire
from models.publication import MAX_VERSION, Files


class ShadowIn(BaseModel):
    """开始影子运行: which draft, who lets it run and why. Not a Wire: blanks in a file stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Files | None = Field(None, max_length=400, description="规则包的文件：文件名 -> 内容")
    version: int | None = Field(None, ge=1, le=MAX_VERSION, description="或一个已发布的版本")
    draft: str | None = Field(None, max_length=26, description="或服务里保存的一个草稿（编号）")
    author: Text = Field("", max_length=100, description="谁开始的，必填")
    note: Text = Field("", max_length=2_000, description="为什么，必填")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(given is not None for given in (self.files, self.version, self.draft)) != 1:
            raise ValueError("files、version、draft 须且只须写一个")
        return self


class ShadowStopIn(Wire):
    """停止影子运行: who ends it, and why."""

    author: Text = Field("", max_length=100, description="谁停止的，必填")
    note: Text = Field("", max_length=2_000, description="为什么，必填")


class ShadowQuery(Query):
    """How many disagreements are wanted."""

    limit: int = Field(50, ge=0, le=500, description="最多列出多少件不同的")


class ShadowTold(BaseModel):
    """影子运行 as it stands."""

    id: str = Field(description="编号")
    pack: str = Field(description="规则包代码")
    digest: str = Field(description="草稿内容的摘要（SHA-256）")
    origin: str = Field(description="草稿从哪里来：files、version:版本、draft:编号")
    author: str = Field(description="谁开始的")
    note: str = Field(description="为什么")
    started_at: AwareDatetime = Field(description="何时开始")
    stopped_at: AwareDatetime | None = Field(description="何时停止；还在运行则为 null")
    stopped_by: str | None = Field(description="谁停止的")
    running: bool = Field(description="是否还在运行")
    cases: int = Field(description="运行以来的新案")
    agreed: int = Field(description="其中去向（结果与主办）相同的")
    issues_changed: int = Field(description="问题类型不同的")
    agreement: float | None = Field(description="一致率；还没有新案则为 null")
    low: float | None = Field(description="一致率的 95% 区间（Clopper-Pearson）下限")
    high: float | None = Field(description="区间上限")


class ShadowSide(BaseModel):
    """一种研判."""

    decision: str = Field(description="研判结果")
    lead: str | None = Field(description="主办单位代码")
    category: str | None = Field(description="机构类别代码")
    issues: list[str] = Field(description="问题类型代码")
    reason_code: str = Field(description="理由代码")
    reason: str = Field(description="理由")


class Disagreement(BaseModel):
    """不同的一件."""

    case_id: str = Field(description="案件编号")
    seq: int = Field(description="受理在变更流中的位置")
    text: str = Field(description="诉求开头，电话、证件号已遮盖")
    ruleset_version: int = Field(description="作出研判的版本")
    moved: bool = Field(description="去向不同")
    issues_changed: bool = Field(description="问题类型不同")
    was: ShadowSide = Field(description="实际的研判")
    would: ShadowSide = Field(description="草稿的研判")
    gained: list[str] = Field(description="草稿新增的依据")
    lost: list[str] = Field(description="草稿失去的依据")


class ShadowWhole(ShadowTold):
    """影子运行, with its disagreements."""

    disagreements: list[Disagreement] = Field(description="不同的，新的在前；至多保存一万件")
