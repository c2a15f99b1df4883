"""The ledger on the wire: how often a rule was right, by what people confirmed."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from models.case import Query
from models.complaint import Text, Wire


class LedgerQuery(Query):
    """How much of the wrong instances is wanted."""

    limit: int = Field(50, ge=0, le=500, description="最多列出多少件判错的")


class ReleaseIn(Wire):
    """恢复: who lets a rule out of quarantine, and why."""

    author: Text = Field("", max_length=100, description="谁恢复的，必填")
    note: Text = Field("", max_length=2_000, description="理由，必填")


class AccountTold(BaseModel):
    """账目: what was counted."""

    n: int = Field(description="规则起决定作用、结果已经人确认的案件数")
    rights: int = Field(description="其中判对的")
    wrongs: int = Field(description="其中判错的")
    precision: float | None = Field(description="判对的比例；还没有确认的案件则为 null")
    low: float | None = Field(description="比例的 95% 区间（Clopper-Pearson）下限")
    high: float | None = Field(description="区间上限")
    beside: int = Field(description="命中而没有起决定作用的（被别的依据压过、试用、停用待查、信号），不计对错")
    handed_back: int = Field(description="首次派往的单位退单的件数")
    upheld: int = Field(description="其中认定成立的；只有说明归属的退单才计为判错")
    rejected: int = Field(description="其中被驳回的")


class RuleAccountTold(AccountTold):
    """一条规则的账目."""

    rule: str = Field(description="规则编号")
    name: str | None = Field(description="名称；在用的规则集里没有这条规则则为 null")
    supports: str | None = Field(description="支持什么，例如 category:arts")
    status: Literal["active", "trial", "quarantined", "retired"] | None = Field(description="在用的规则集里的状态")


class QuarantineTold(BaseModel):
    """一次停用待查."""

    rule: str = Field(description="规则编号")
    version: int = Field(description="由哪一版停用")
    at: AwareDatetime = Field(description="何时停用")
    why: str = Field(description="为什么")
    released_at: AwareDatetime | None = Field(description="何时恢复；没有恢复则为 null")
    released_by: str | None = Field(description="谁恢复的")
    released_version: int | None = Field(description="由哪一版恢复")
    reason: str | None = Field(description="恢复的理由")


class FloorTold(BaseModel):
    """停用的下限."""

    precision: int = Field(description="正确率下限（百分之几）")
    cases: int = Field(description="至少多少件经人确认")
    confidence: int = Field(description="区间的把握（百分之几）")


class LedgerOverview(BaseModel):
    """台账总览."""

    pack: str = Field(description="规则包代码")
    version: int = Field(description="在用的版本")
    floor: FloorTold | None = Field(description="低于它的规则自动停用待查；规则包没有写则为 null，不停用")
    rules: list[RuleAccountTold] = Field(description="全部规则，区间上限最低的在前")
    quarantines: list[QuarantineTold] = Field(description="历次停用待查，新的在前")


class TermAccountTold(AccountTold):
    """一个词语的账目."""

    term: str = Field(description="词语")


class MonthAccountTold(AccountTold):
    """一个月的账目."""

    month: str = Field(description="案件受理的年月，例如 2026-11")


class RightTold(BaseModel):
    """确认的结果."""

    lead: str | None = Field(description="应由哪个单位主办")
    category: str | None = Field(description="更正后的机构类别；没有更正则为 null")
    issues: list[str] | None = Field(description="更正后的问题类型；没有更正则为 null")
    outside: str | None = Field(description="不归校外培训管的理由代码，没有说明理由则为空串；归校外培训管则为 null")
    not_leads: list[str] = Field(description="退单成立、不归其主办的单位")


class WrongTold(BaseModel):
    """判错的一件."""

    case_id: str = Field(description="案件编号")
    text: str = Field(description="诉求开头，电话、证件号已遮盖")
    terms: list[str] = Field(description="由哪些词语命中")
    said: str = Field(description="规则说是什么，例如 category:arts")
    decision: str | None = Field(description="当时的研判结果；原文已按期清除的为 null")
    lead: str | None = Field(description="当时的主办单位")
    ruleset_version: int = Field(description="研判所用的规则集版本")
    right: RightTold = Field(description="确认的结果")
    by: str | None = Field(description="由哪个动作确认，事件种类去掉 case.")
    actor: str | None = Field(description="谁确认的")
    department: str | None = Field(description="以哪个单位的身份")
    at: AwareDatetime | None = Field(description="何时确认")


class LedgerTold(RuleAccountTold):
    """一条规则的台账."""

    terms: list[TermAccountTold] = Field(description="逐词，判错多的在前；同一件中几个词命中，各记一次")
    months: list[MonthAccountTold] = Field(description="逐月")
    wrong: list[WrongTold] = Field(description="判错的案件，新的在前")
