"""Cases on the wire: what the API answers about a case, its timeline and the feed, and how lists are asked for."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticKnownError

from models.casework import Clock, Last, Progress, Truth
from models.complaint import Text
from models.decision import Decision, Outcome, Urgency
from models.problem import Problem
from models.unmask import Masked

MAX_SEQ = 2**63 - 1
"""The largest feed position that a database can hold."""


class Status(StrEnum):
    """案件状态; the first three are those a case is born with."""

    DISPATCHED = "dispatched"
    ESCALATED = "escalated"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    HANDED_BACK = "handed_back"
    REPLIED = "replied"
    COMPLETED = "completed"
    FOLLOWED_UP = "followed_up"
    ARCHIVED = "archived"
    MERGED = "merged"


BIRTH: dict[Outcome, Status] = {
    Outcome.DISPATCH: Status.DISPATCHED,
    Outcome.ESCALATE: Status.ESCALATED,
    Outcome.RETURN: Status.RETURNED,
}
"""The status that a decision gives to a new case."""


# What is answered ---------------------------------------------------------------------------------------------------------------


class Receipt(BaseModel):
    """受理回执: what the hotline gets for a work order. Immutable: the same order sent again gets the same bytes."""

    id: str = Field(description="案件编号（ULID）")
    source_system: str = Field(description="来源系统代码")
    source_order_no: str = Field(description="来源工单编号")
    received_at: AwareDatetime = Field(description="热线受理时间；工单未写明时为本服务收到的时间")
    status: Status = Field(description="受理时的状态")
    triage: Decision = Field(description="研判结果")


class Part(BaseModel):
    """One department's part in a case."""

    department: str = Field(description="单位代码")
    role: Literal["lead", "assist"] = Field(description="lead 主办，assist 协办")
    issue: str | None = Field(description="因哪个问题类型协办")
    opinion: Literal["given", "waived"] | None = Field(description="协办意见：given 已反馈，waived 已免除，null 还没有")
    opinion_at: AwareDatetime | None = Field(description="何时反馈或免除")


class CaseSummary(BaseModel):
    """案件 in a list."""

    id: str = Field(description="案件编号（ULID）")
    version: int = Field(description="版本，每次变更加一；单个案件的 ETag")
    seq: int = Field(description="最近一次变更在变更流中的位置")
    source_system: str = Field(description="来源系统代码")
    source_order_no: str = Field(description="来源工单编号")
    received_at: AwareDatetime = Field(description="热线受理时间")
    created_at: AwareDatetime = Field(description="本服务受理时间")
    updated_at: AwareDatetime = Field(description="最近一次变更的时间")
    status: Status = Field(description="状态")
    decision: Outcome = Field(description="研判结果")
    reason_code: str = Field(description="理由代码")
    lead: str | None = Field(description="主办单位代码")
    category: str | None = Field(description="机构类别代码")
    issues: list[str] = Field(description="问题类型代码")
    urgency: Urgency = Field(description="紧急程度")
    demand_type: str | None = Field(description="诉求类型")
    street: str | None = Field(description="镇街")
    title: str = Field(description="标题")
    institution: str = Field(description="被反映机构名称")
    departments: list[Part] = Field(description="主办与协办单位，主办在前")
    hops: int = Field(description="派单次数")
    complex: bool = Field(description="是否复杂、疑难")
    due: AwareDatetime | None = Field(description="办理期限；没有在计时则为 null")
    supervised: bool = Field(description="是否督办件")
    receipt_missed: bool = Field(description="本次派单是否签收超时")
    merged_into: str | None = Field(description="并入的案件编号")


class Details(BaseModel):
    """The rest of what the hotline sent; only what the order held."""

    model_config = ConfigDict(extra="allow")

    occurred_at: AwareDatetime | None = Field(None, description="问题发生时间")
    channel: str = Field("", description="来源渠道")
    is_repeat: bool = Field(False, description="热线标记的重复诉求")
    is_confidential: bool = Field(False, description="诉求人要求保密")
    related_order_no: str = Field("", description="关联工单编号")
    requested_outcome: str = Field("", description="期望结果")
    asserted_scope: bool = Field(False, description="热线已判定为校外培训问题")
    answers: dict[str, str] = Field(default_factory=dict, description="对追问的回答")
    attachments: list[str] = Field(default_factory=list, description="附件的引用地址")
    extra: dict[str, Any] = Field(default_factory=dict, description="来源系统的其他字段")


class Case(CaseSummary):
    """案件, whole. Who complained is not in it."""

    content: str = Field(description="诉求内容，原文")
    address: str = Field(description="机构地址或问题发生地")
    details: Details = Field(description="工单中的其他内容")
    has_complainant: bool = Field(description="是否留有诉求人信息（加密保存）")
    struck_at: AwareDatetime | None = Field(None, description="何时按保存期限清除了诉求人、原文和所写的文字；没有清除为 null")
    complainant: Masked | None = Field(description="诉求人，已遮盖；没有，或要求保密、举报而不提供，则为 null")
    triage: Decision = Field(description="研判结果，含依据")
    clocks: list[Clock] = Field(description="各项期限；计算过程见 `/v1/cases/{id}/clocks`")
    progress: Progress = Field(description="进展")
    last: dict[str, Last] = Field(description="各动作最近一次的内容，含所写的文字")
    opinions: dict[str, str] = Field(description="协办单位的意见：单位代码 -> 内容")
    truth: Truth | None = Field(description="更正后的类别与主办；没有更正则为 null")


class CasePage(BaseModel):
    """One page of cases."""

    cases: list[CaseSummary] = Field(description="案件")
    next: str | None = Field(description="下一页的游标；null 表示没有下一页")


class CaseCount(BaseModel):
    """件数: how many cases a list has."""

    count: int = Field(description="件数：按最窄的一个条件至多看 10000 件，其中符合的")
    more: bool = Field(description="true：没有看完，实际不少于 count")


class Change(BaseModel):
    """变更: one row of the feed, which is also one row of a case's timeline."""

    seq: int = Field(description="在变更流中的位置：从 1 起，不缺号，次序就是提交的次序")
    at: AwareDatetime = Field(description="时间")
    kind: str = Field(description="种类，例如 case.received、rules.activated")
    case_id: str | None = Field(description="案件编号；与案件无关的变更为 null")
    actor: str = Field(description="谁做的")
    data: dict[str, Any] = Field(description="内容，随种类而定；不含个人信息")


class Happened(Change):
    """事件: a change of one case, with what was written."""

    note: dict[str, Any] | None = Field(description="所写的文字；没有则为 null")


class Timeline(BaseModel):
    """The events of one case."""

    events: list[Happened] = Field(description="事件，从早到晚")
    next: int | None = Field(description="还有更多时，下一次请求的 after；null 表示到头了")


class Changes(BaseModel):
    """A stretch of the feed."""

    changes: list[Change] = Field(description="变更，从早到晚")
    next: int = Field(description="下一次请求的 after；没有新变更时与本次相同")


class BatchRow(BaseModel):
    """What became of one line of a batch: a receipt or a problem."""

    line: int = Field(description="行号，从 1 起，空行也计数；0 表示整批")
    status: int = Field(description="这一行的状态码，与单个提交时相同：201、200、409、413、422……")
    receipt: Receipt | None = Field(None, description="受理回执")
    problem: Problem | None = Field(None, description="错误说明")


# What is asked ------------------------------------------------------------------------------------------------------------------


class Query(BaseModel):
    """Base of the queries: an unknown parameter is refused, since a mistyped filter would silently ask for everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Position = Annotated[int, Field(ge=0, le=MAX_SEQ)]


def _spelt_out(moment: object) -> object:
    """No bare numbers, which could be seconds or milliseconds; and a `+` that the address turned into a blank is one again."""
    if isinstance(moment, str):
        if _NUMBER.fullmatch(moment):
            raise PydanticKnownError("datetime_parsing", {"error": "a number"})
        return _LOST_PLUS.sub(r"\1+\2", moment)
    return moment


_NUMBER = re.compile(r"[-+\d.eE_ ]+")
_LOST_PLUS = re.compile(r"(:[\d.]+) (\d\d:?\d\d)$")
Moment = Annotated[AwareDatetime, BeforeValidator(_spelt_out)]


class CaseFilters(Query):
    """Which cases."""

    status: Status | None = Field(None, description="状态")
    decision: Outcome | None = Field(None, description="研判结果")
    department: Code | None = Field(None, description="单位代码，主办或协办")
    lead: Code | None = Field(None, description="主办单位代码")
    category: Code | None = Field(None, description="机构类别代码")
    urgency: Urgency | None = Field(None, description="紧急程度")
    source_system: Text | None = Field(None, max_length=64, description="来源系统代码")
    source_order_no: Text | None = Field(None, max_length=64, description="来源工单编号")
    merged_into: Text | None = Field(None, max_length=26, description="并入了哪个案件")
    created_from: Moment | None = Field(None, description="受理时间不早于；时间须带时区")
    created_to: Moment | None = Field(None, description="受理时间早于")
    updated_since: Moment | None = Field(None, description="最近一次变更不早于")
    street: Text | None = Field(None, max_length=64, description="镇街，与工单所写的相同")
    issue: Code | None = Field(None, description="问题类型代码")
    institution: Text | None = Field(
        None, min_length=2, max_length=100, description="被反映机构：全称、简称或名录中的别名；写法不同、音近误写的同一家也查得到"
    )
    missing: Literal["lead", "category", "street"] | None = Field(None, description="没有这一项的：lead 主办、category 类别、street 镇街")
    incident: bool | None = Field(None, description="false：不要群体事件本身（与统计的件数一致）；true：只要群体事件本身")
    overdue: bool = Field(False, description="true：只要办理期限已过、还在办理的")


class CaseQuery(CaseFilters):
    """Which cases, in which order, from where on."""

    order: Literal["created", "changed"] = Field("created", description="created：新受理的在前；changed：最久未变更的在前，适合轮询")
    limit: int = Field(50, ge=1, le=500, description="每页多少个")
    cursor: str | None = Field(None, max_length=512, description="上一页给出的 next，其他条件须与上一页相同")


class CaseExportQuery(CaseFilters):
    """Which cases, as which kind of table."""

    format: Literal["xlsx", "csv"] = Field("xlsx", description="xlsx：Excel 工作簿；csv：UTF-8，Excel 能直接打开")


class TimelineQuery(Query):
    """Which events of a case."""

    after: Position = Field(0, description="只要此位置之后的事件")
    limit: int = Field(200, ge=1, le=1000, description="最多多少个")


class FeedQuery(Query):
    """Which changes, and how long to wait for one."""

    after: Position | Literal["now"] = Field(
        0, description="只要此位置之后的变更；第一次用 0，以后用上一次答复的 next；now：不要以前的，立即得到现在的位置"
    )
    limit: int = Field(200, ge=1, le=1000, description="最多多少个")
    wait: float = Field(0, ge=0, le=60, allow_inf_nan=False, description="没有新变更时最多等待多少秒，有了立即答复")
