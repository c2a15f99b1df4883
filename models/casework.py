"""Casework on the wire: how a case's clocks, progress and corrections are told."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.clocks import Citation, ClockKind


class Interval(BaseModel):
    """暂停."""

    began: AwareDatetime = Field(description="暂停自何时")
    ended: AwareDatetime | None = Field(description="恢复于何时；null 表示仍在暂停")


ClockState = Literal["running", "paused", "unknown", "met", "late", "stopped"]


class Clock(BaseModel):
    """期限: one deadline of a case."""

    kind: ClockKind = Field(description="receipt 签收，hand_back 退单，handling 办理，follow_up 回访")
    name: str = Field(description="名称")
    state: ClockState = Field(
        description="running 计时中，paused 暂停，unknown 缺少日历而算不出，met 按期完成，late 逾期完成，stopped 不再计时"
    )
    start: AwareDatetime = Field(description="起算")
    due: AwareDatetime | None = Field(description="届满；暂停或算不出时为 null")
    urge: AwareDatetime | None = Field(description="催办；暂停或算不出时为 null")
    ended_at: AwareDatetime | None = Field(description="完成或停止于何时")
    minutes: int | None = Field(description="多少分钟，不分工作日")
    working_days: int | None = Field(description="多少个工作日，不含延期")
    extensions: list[int] = Field(description="各次延期的工作日")
    pauses: list[Interval] = Field(description="各次暂停")
    provisional: bool = Field(description="暂定：用到的年份放假安排尚未公布")
    citation: Citation | None = Field(description="依据")
    why: str | None = Field(description="依据之外的说明")
    ruleset_version: int = Field(description="按哪一版规则集计算")


class ClockSteps(Clock):
    """期限, with its computation."""

    steps: list[str] = Field(description="计算过程，逐步")


class CaseClocks(BaseModel):
    """一个案件的各项期限."""

    version: int = Field(description="案件的版本")
    clocks: list[ClockSteps] = Field(description="各项期限")


class Progress(BaseModel):
    """进展."""

    designated: bool = Field(description="是否指定承办（不能退单）")
    hand_backs: int = Field(description="退单次数")
    redone: int = Field(description="重办次数")
    urged: int = Field(description="催办次数")
    supervised: bool = Field(description="是否督办件")
    receipt_missed: bool = Field(description="本次派单是否签收超时")


class Last(BaseModel):
    """最近一次某个动作的内容; what else was said with the move stands beside these."""

    model_config = ConfigDict(extra="allow")

    version: int = Field(description="由它产生的版本")
    at: AwareDatetime = Field(description="时间")
    by: str = Field(description="单位代码，或 hotline、admin、system")


class Truth(BaseModel):
    """更正: what an officer said would have been right."""

    category: str | None = Field(description="正确的机构类别代码")
    lead: str | None = Field(description="正确的主办单位代码")
    decided_category: str | None = Field(description="原来的机构类别代码")
    decided_lead: str | None = Field(description="原来的主办单位代码")
    version: int = Field(description="由更正产生的版本")
    ruleset_version: int = Field(description="更正时在用的规则集版本")
    at: AwareDatetime = Field(description="时间")
    actor: str = Field(description="谁更正的")
    department: str = Field(description="以哪个单位的身份")
