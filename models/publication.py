"""Rule sets on the wire: drafts that come in, versions, what changed between two of them, what a check and a test found."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.case import Query
from models.complaint import Text, Wire

MAX_VERSION = 2**31 - 1

Files = dict[str, Text]
_AUTHOR = Field("", max_length=100, description="发布人，必填")
_NOTE = Field("", max_length=2_000, description="说明：改了什么、为什么，必填")
_BASE = Field(None, ge=1, le=MAX_VERSION, description="草稿依据的版本；此刻在用的若不是它，则拒绝（409）。不写则不比较")
_OVERRULE = Field("", max_length=2_000, description="有用例未通过、或确认过的案件会出错而仍要发布的理由；记入版本与审计链")


# What is asked ------------------------------------------------------------------------------------------------------------------


class DraftIn(BaseModel):
    """草稿: the files of a pack by name. Not a Wire: blanks in a file stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Files = Field(max_length=400, description="规则包的文件：文件名 -> 内容，例如 categories/arts.yaml")


class PublishIn(DraftIn):
    """发布: a draft, who publishes it and why."""

    author: Text = _AUTHOR
    note: Text = _NOTE
    base: int | None = _BASE
    overrule: Text = _OVERRULE


class PublishQuery(Query):
    """What goes with a zip, which is the body."""

    author: Text = _AUTHOR
    note: Text = _NOTE
    base: int | None = _BASE
    overrule: Text = _OVERRULE


class ActivateIn(Wire):
    """启用: who puts a version in force, or takes one back, and why."""

    author: Text = _AUTHOR
    note: Text = _NOTE
    base: int | None = _BASE


# What is answered ---------------------------------------------------------------------------------------------------------------


class VersionTold(BaseModel):
    """版本: what is known of a published version besides its files."""

    pack: str = Field(description="规则包代码")
    version: int = Field(description="版本")
    digest: str = Field(description="内容摘要（SHA-256）")
    author: str = Field(description="发布人")
    note: str = Field(description="发布说明")
    published_at: AwareDatetime = Field(description="发布时间")
    parent: int | None = Field(description="由哪一版改来；第一版为 null")
    overruled: str | None = Field(description="不顾未通过的用例、会出错的案件而发布的理由；没有则为 null")
    active: bool = Field(description="是否在用")


class Versions(BaseModel):
    """All versions of the pack."""

    pack: str = Field(description="规则包代码")
    versions: list[VersionTold] = Field(description="版本，新的在前")


class VersionWhole(VersionTold):
    """版本 with its files."""

    files: dict[str, str] = Field(description="文件名 -> 内容，与发布时逐字相同")


class Published(VersionTold):
    """What came of publishing."""

    cases: int = Field(description="运行的用例数")
    failed: int = Field(description="未通过、经说明理由放行的用例数")
    warnings: list[str] = Field(description="不妨碍发布的提醒")


class ChangeTold(BaseModel):
    """One difference."""

    section: str = Field(description="部分：rules、lists、issues、categories、departments、clauses、words、aliases、cases、ruleset……")
    key: str = Field(description="哪一个：规则编号、单位代码……")
    name: str = Field(description="名称")
    field: str = Field(description="字段；空串表示整个")
    kind: Literal["added", "removed", "changed"] = Field(description="added 新增，removed 删除，changed 修改")
    before: Any = Field(description="原值；列表只在 added、removed 中列出增减")
    after: Any = Field(description="新值")
    added: list[str] = Field(description="列表中增加的")
    removed: list[str] = Field(description="列表中减少的")
    reordered: bool = Field(description="只有次序变了")
    text: str = Field(description="一句话")


class Difference(BaseModel):
    """What changed between two versions."""

    pack: str = Field(description="规则包代码")
    before: int = Field(description="从哪一版")
    after: int = Field(description="到哪一版")
    changes: list[ChangeTold] = Field(description="逐项变化；只改了注释、写法或用例以外的文件名时为空")
    text: str = Field(description="给人看的说明，一行一项")


class MistakeTold(BaseModel):
    """One mistake of a pack."""

    file: str = Field(description="文件")
    line: int = Field(description="行，从 1 起")
    column: int = Field(description="列，从 1 起")
    field: str = Field(description="字段")
    rule: str = Field(description="规则编号")
    code: str = Field(description="错误代码")
    message: str = Field(description="错在哪里")
    hint: str = Field(description="怎样改")
    severity: Literal["error", "warning"] = Field(description="error 错误，warning 提醒")


class Checked(BaseModel):
    """What a check found."""

    ok: bool = Field(description="没有错误（可以有提醒）")
    errors: int = Field(description="错误数")
    warnings: int = Field(description="提醒数")
    mistakes: list[MistakeTold] = Field(description="错误与提醒，至多 500 条，按文件与行排列")


class TriedTold(BaseModel):
    """One case of a pack, tried."""

    file: str = Field(description="文件")
    line: int | None = Field(description="行，从 1 起；不知道则为 null")
    number: int = Field(description="文件中的第几个用例，从 1 起；一个用例展开成几件的，几件同号")
    text: str = Field(description="诉求文字")
    passed: bool = Field(description="是否通过")
    messages: list[str] = Field(description="不符之处，一处一句；通过则为空")
    decision: str = Field(description="得到的研判结果")
    lead: str | None = Field(description="得到的主办单位代码")


class Tested(BaseModel):
    """What a test found."""

    pack: str = Field(description="规则包代码")
    version: int = Field(description="版本；草稿为 0")
    digest: str = Field(description="内容摘要（SHA-256）")
    passed: bool = Field(description="是否全部通过")
    cases: int = Field(description="用例数")
    failed: list[dict[str, Any]] = Field(description="未通过的用例：文件、行、文字、期望与所得")
    results: list[TriedTold] = Field(description="每个用例的结果，按文件与次序排列")
    coverage: dict[str, Any] = Field(description="用例触及的规则和词语")
    seconds: float = Field(description="用时（秒）")


class MoveTold(BaseModel):
    """So many cases go from one place to another."""

    before: str = Field(description="原来：单位代码，escalate:单位代码（提级），或 return（退回热线）；outcomes 中为研判结果")
    after: str = Field(description="现在，写法相同")
    cases: int = Field(description="多少件")


class ScoreTold(BaseModel):
    """How a rule set does on confirmed cases."""

    right: int = Field(description="正确的件数")
    dispatched: int = Field(description="自动分派的件数")
    dispatched_right: int = Field(description="其中主办单位正确的")
    precision: float | None = Field(description="自动分派的准确率；没有自动分派时为 null")
    low: float | None = Field(description="95% 置信区间的下限（Clopper-Pearson）")
    high: float | None = Field(description="上限")


class ConfirmedTold(BaseModel):
    """What becomes of confirmed cases."""

    cases: int = Field(description="经人确认的案件，怎样算确认与台账相同：更正、指定、裁定过的，办结的，按范围退回并归档的")
    before: ScoreTold = Field(description="按在用的规则")
    after: ScoreTold = Field(description="按草稿")
    breaks: int = Field(description="原来对、现在错的件数；不为 0 时不能发布，除非写明理由")
    mends: int = Field(description="原来错、现在对的件数")
    broken: list[str] = Field(description="改错的案件编号，至多 500 个")


class SeenTold(BaseModel):
    """One side of a flip."""

    decision: str = Field(description="研判结果")
    lead: str | None = Field(description="主办单位代码")
    reason_code: str = Field(description="理由代码")
    reason: str = Field(description="理由")


class FlipTold(BaseModel):
    """A case that would go elsewhere."""

    id: str = Field(description="案件编号")
    text: str = Field(description="标题与内容的开头，电话与证件号已遮盖")
    before: SeenTold = Field(description="按在用的规则")
    after: SeenTold = Field(description="按草稿")
    gained: list[str] = Field(description="新增的依据")
    lost: list[str] = Field(description="失去的依据")
    breaks: bool = Field(description="是否经人确认、会因此出错")


class ImpactTold(BaseModel):
    """What a draft would change."""

    cases: int = Field(description="重放的件数")
    unreadable: int = Field(description="读不了而没有计入的")
    flipped: int = Field(description="去向改变的件数")
    moves: list[MoveTold] = Field(description="从哪里到哪里各多少件，多的在前")
    outcomes: list[MoveTold] = Field(description="分派、提级、退回之间的改变")
    issues_gained: dict[str, int] = Field(description="新认出的问题类型 -> 件数")
    issues_lost: dict[str, int] = Field(description="不再认出的问题类型 -> 件数")
    assists_changed: int = Field(description="协办改变的件数")
    confirmed: ConfirmedTold = Field(description="经人确认的案件")
    flips: list[FlipTold] = Field(description="去向改变的案件，至多 200 件")
