"""Incidents (群体事件) and suspected duplicates: the shape of incidents.yaml, and how both are told and asked for on the wire."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from models.case import CaseSummary, Query, Status
from models.complaint import Text
from models.strict import ClauseId, Prose, Strict

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
CaseId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{26}$")]

# incidents.yaml -----------------------------------------------------------------------------------------------------------------


class Opening(Strict):
    """立为群体事件的条件."""

    members: int = Field(ge=2, le=1000, description="至少多少件诉求反映同一家机构")
    hours: int = Field(ge=1, le=8760, description="这些诉求的受理时间相距不超过多少小时")
    attach_hours: int = Field(ge=1, le=8760, description="立案之后，距最近一件多少小时之内又来的，继续并入")
    issues: tuple[Code, ...] = Field((), description="只计有这些问题类型之一的诉求；不写则不论问题类型")


class Informed(Strict):
    """群体事件须告知的单位，列入协办."""

    department: Code = Field(description="单位代码")
    clause: ClauseId | None = Field(None, description="依据的条款代码")
    why: Prose | None = Field(None, description="没有条款可引时，说明为什么")


class Likeness(Strict):
    """疑似重复的条件."""

    days: int = Field(ge=1, le=366, description="两件的受理时间相距不超过多少天")
    text: int = Field(ge=50, le=100, description="文字相近到百分之几，即提示可能重复，不论是哪家机构")
    story: int = Field(ge=5, le=100, description="反映同一家机构的，内容相近到百分之几，即提示可能重复；按两件共有的词语计，常用词语少计")
    words: int = Field(3, ge=1, le=50, description="按内容比较时，至少要有多少个共有的词语")


class IncidentsFile(Strict):
    """incidents.yaml：群体事件与疑似重复."""

    opening: Opening | None = Field(None, description="立为群体事件的条件；不写则不立")
    informed: tuple[Informed, ...] = Field((), max_length=18, description="群体事件须告知的单位")
    duplicates: Likeness | None = Field(None, description="疑似重复的条件；不写则不提示")


# On the wire --------------------------------------------------------------------------------------------------------------------


class Incident(BaseModel):
    """群体事件 in a list. It is a case like any other, which the members are merged into."""

    case: CaseSummary = Field(description="群体事件本身的案件：主办、协办、期限和状态都在这里")
    institution: str = Field(description="反映的机构")
    opened_at: AwareDatetime = Field(description="何时立案")
    members: int = Field(description="现有多少件并入")
    first_at: AwareDatetime | None = Field(description="并入各件中最早的受理时间；已全部拆出则为 null")
    last_at: AwareDatetime | None = Field(description="并入各件中最晚的受理时间；已全部拆出则为 null")


class IncidentPage(BaseModel):
    """One page of incidents."""

    incidents: list[Incident] = Field(description="群体事件，新立的在前")
    next: str | None = Field(description="下一页的游标；null 表示没有下一页")


class IncidentWhole(Incident):
    """群体事件, with its members."""

    linked: list[CaseSummary] = Field(description="并入的案件，按编号排列，至多 500 件；全部见 `/v1/cases?merged_into=`")


class IncidentQuery(Query):
    """Which incidents."""

    status: Status | None = Field(None, description="群体事件案件的状态")
    department: Code | None = Field(None, description="单位代码，主办或协办")
    limit: int = Field(50, ge=1, le=200, description="每页多少个")
    cursor: CaseId | None = Field(None, description="上一页给出的 next，其他条件须与上一页相同")


ProposalState = Literal["pending", "accepted", "dismissed"]
Basis = Literal["text", "story"]


class Proposal(BaseModel):
    """疑似重复: a case that may tell the same as an earlier one. Nothing happens until an officer says so."""

    case_id: str = Field(description="后来的案件，接受后并入另一件")
    other_id: str = Field(description="先来的案件")
    score: int = Field(description="相近的程度，百分之几")
    basis: Basis = Field(description="text 文字相近；story 反映同一家机构且内容相近")
    words: list[str] = Field(description="两件共有的词语，少见的在前；只给热线和管理员看")
    state: ProposalState = Field(description="pending 待定，accepted 已并单，dismissed 不是重复")
    proposed_at: AwareDatetime = Field(description="何时提示")
    decided_at: AwareDatetime | None = Field(description="何时决定")
    actor: str | None = Field(description="谁决定的")
    note: str = Field(description="决定时所写的理由")


class ProposalPage(BaseModel):
    """One page of suspected duplicates."""

    duplicates: list[Proposal] = Field(description="疑似重复，后来的在前")
    next: str | None = Field(description="下一页的游标；null 表示没有下一页")


class ProposalQuery(Query):
    """Which suspected duplicates."""

    state: ProposalState = Field("pending", description="pending 待定，accepted 已并单，dismissed 不是重复")
    case: CaseId | None = Field(None, description="只要涉及这个案件（编号）的，先来后来不论")
    limit: int = Field(50, ge=1, le=200, description="每页多少个")
    cursor: Annotated[Text, StringConstraints(pattern=r"^[0-9A-Za-z]{1,26}-[0-9A-Za-z]{1,26}$")] | None = Field(
        None, description="上一页给出的 next，其他条件须与上一页相同"
    )


# Past cases like one --------------------------------------------------------------------------------------------------------------


class SimilarCase(BaseModel):
    """相似的案件: a past case, how like it is, and what became of it."""

    case: CaseSummary = Field(description="案件，含现在的主办和状态")
    score: int = Field(description="相近的程度，百分之几")
    basis: Literal["text", "institution", "story"] = Field(
        description="text 文字几乎相同，institution 反映同一家机构，story 反映的事相近；依此次序排列，同一种内相近的在前"
    )
    words: list[str] = Field(description="两件共有的词语，少见的在前；只给热线和管理员看")
    upheld: bool | None = Field(description="当时的研判后来是否站得住：true 经办结、裁定等确认，false 被更正或退单被认可，null 尚无定论")
    right_lead: str | None = Field(description="经确认应由哪个单位主办；尚无定论则为 null")


class SimilarPage(BaseModel):
    """Cases like one."""

    similar: list[SimilarCase] = Field(description="相似的案件，最像的在前")


class SimilarQuery(Query):
    """How many cases like one."""

    limit: int = Field(10, ge=1, le=50, description="最多多少件")
