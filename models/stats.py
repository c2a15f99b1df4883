"""Figures of a period (统计) on the wire: each share with how many it rests on and how far it may be from the truth."""

from pydantic import AwareDatetime, BaseModel, Field

from models.case import Code, Moment, Query


class Share(BaseModel):
    """A share with its interval."""

    n: int = Field(description="分母：多少件")
    count: int = Field(description="分子：其中多少件")
    share: float | None = Field(description="比例；分母为 0 时为 null")
    low: float | None = Field(description="95% 置信区间（Wilson）的下限")
    high: float | None = Field(description="95% 置信区间（Wilson）的上限")


class PartCount(BaseModel):
    """How often a department has a part."""

    lead: int = Field(description="主办多少件")
    assist: int = Field(description="协办多少件")


class Hops(BaseModel):
    """How often cases were sent."""

    n: int = Field(description="派过单的案件数")
    mean: float | None = Field(description="每件平均派单次数")
    counts: dict[int, int] = Field(description="派单次数 -> 件数")


class Stats(BaseModel):
    """统计."""

    since: AwareDatetime = Field(description="自何时，含")
    until: AwareDatetime = Field(description="至何时，不含")
    department: str | None = Field(description="只计这个单位主办或协办的；null 为全部")
    cases: int = Field(description="这段时间受理的案件数，不含群体事件本身")
    incidents: int = Field(description="这段时间立案的群体事件数")
    status: dict[str, int] = Field(description="现在的状态 -> 件数")
    lead_status: dict[str, dict[str, int]] = Field(description="主办单位代码 -> 现在的状态 -> 件数；空串为没有主办")
    overdue: int = Field(description="此刻办理期限已过、还在办理的件数，不论何时受理；其清单见 `/v1/cases?overdue=true`")
    decision: dict[str, int] = Field(description="研判结果 -> 件数")
    departments: dict[str, PartCount] = Field(description="现在的主办、协办单位代码 -> 件数")
    category: dict[str, int] = Field(description="机构类别代码 -> 件数；空串为没有类别")
    issue: dict[str, int] = Field(description="问题类型代码 -> 件数；一件可有几个问题类型")
    street: dict[str, int] = Field(description="镇街 -> 件数；空串为没有写明")
    day: dict[str, int] = Field(description="受理的日子（北京时间）-> 件数")
    first_dispatch: Share = Field(
        description="一次派准率：派给单位、首派单位已经签收或退单的案件中，没有因派错而退单并经认可的；还没有签收的不计"
    )
    handed_back: Share = Field(description="退单率：派给单位的案件中，被首派单位退单的，不论是否认可")
    returned: Share = Field(description="退回率：受理的案件中，研判为退回热线的")
    escalated: Share = Field(description="提级率：派给单位的案件中，研判为提级牵头的")
    hops: Hops = Field(description="派单次数")
    on_time: dict[str, Share] = Field(description="按时率：这段时间签收、退单、办结、回访的，各有多少在期限之内；键为期限的种类")
    solved: Share = Field(description="解决率：这段时间回访中表态的，有多少说已解决")
    satisfied: Share = Field(description="满意率：这段时间回访中表态的，有多少说满意")


class StatsQuery(Query):
    """Which period, and whose."""

    since: Moment | None = Field(None, description="自何时，含；缺省为 30 天前的零时。时间须带时区")
    until: Moment | None = Field(None, description="至何时，不含；缺省为明日零时。与 since 至多相距 366 天")
    department: Code | None = Field(None, description="只计这个单位主办或协办的案件（代码）")
