"""A complaint: what the engine reads, and the work order in which the hotline sends it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_validator

MAX_CONTENT = 100_000
"""Longest content accepted, in characters; a real work order stays under 8,000."""


class DemandType(StrEnum):
    """诉求类型, the six of DB12/T 1438—2025."""

    CONSULT = "咨询"
    HELP = "求助"
    COMPLAIN = "投诉"
    REPORT = "举报"
    SUGGEST = "建议"
    PRAISE = "表扬"


ABSENT = "absent"
"""How a register answers that does not hold the institution it was asked for."""


@dataclass(frozen=True, slots=True)
class RegisterHit:
    """What the register (名录) knows of the institution that a complaint names, looked up before triage so that triage stays pure.

    `how` is exact, alias or fuzzy, or absent: the field names an institution, by this name, that the register does not hold.
    `category` is the licensed one, None where the licence does not say. `start` and `end` are the place of `quote` in the
    original text of `field`, where the institution is named.
    """

    name: str
    category: str | None
    status: str
    how: str
    score: int = 100
    quote: str = ""
    field: str = ""
    start: int = 0
    end: int = 0
    id: str = ""
    department: str | None = None
    licence: str = ""

    @property
    def listed(self) -> bool:
        """Whether the register holds it."""
        return self.how != ABSENT

    @property
    def mentioned(self) -> bool:
        """Whether only the text names it: it may be another than the one complained of."""
        return self.field in {"title", "content"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What triage reads. Texts are as sent; `asserted_scope` means the hotline itself says it is about off-campus training.

    `answers` holds what the caller said to the one question of an earlier decision: question code -> answer code.
    """

    content: str
    title: str = ""
    institution: str = ""
    address: str = ""
    street: str = ""
    demand_type: str | None = None
    asserted_scope: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    register: RegisterHit | None = None


def _storable(text: str) -> str:
    """Refuse what no database keeps: lone surrogates and NUL."""
    if "\x00" in text:
        raise ValueError("含有空字符（NUL），请去掉后重发")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("含有不完整的 Unicode 字符（孤立代理项），请按 UTF-8 重新编码") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]


class Wire(BaseModel):
    """Base of what comes in over HTTP: unknown fields are refused, surrounding blanks are cut."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ComplaintIn(Wire):
    """The part of a work order that triage reads; the body of `POST /v1/triage`."""

    title: Text = Field("", max_length=500, description="标题")
    content: Text = Field(min_length=1, max_length=MAX_CONTENT, description="诉求内容，原文")
    institution: Text = Field("", max_length=200, description="被反映机构名称")
    address: Text = Field("", max_length=500, description="机构地址或问题发生地")
    street: Text = Field("", max_length=100, description="镇街")
    demand_type: DemandType | None = Field(None, description="诉求类型")
    asserted_scope: bool = Field(False, description="热线已判定为校外培训问题")
    answers: dict[str, Text] = Field(default_factory=dict, max_length=10, description="对追问的回答：问题代码 -> 答案代码")

    def complaint(self, register: RegisterHit | None = None) -> Complaint:
        """The engine's view of this work order."""
        return Complaint(
            content=self.content,
            title=self.title,
            institution=self.institution,
            address=self.address,
            street=self.street,
            demand_type=self.demand_type.value if self.demand_type else None,
            asserted_scope=self.asserted_scope,
            answers=dict(self.answers),
            register=register,
        )


class Complainant(Wire):
    """诉求人. Encrypted at rest, never delivered, masked by default."""

    name: Text = Field("", max_length=100, description="姓名")
    phone: Text = Field("", max_length=40, description="电话")
    address: Text = Field("", max_length=500, description="住址")


class WorkOrderIn(ComplaintIn):
    """One work order of the 12345 hotline (12345 工单); the body of `POST /v1/cases`."""

    source_system: Text = Field(min_length=1, max_length=64, description="来源系统代码，例如 tj12345")
    source_order_no: Text = Field(min_length=1, max_length=64, description="来源工单编号，在来源系统内唯一")
    received_at: AwareDatetime | None = Field(None, description="热线受理时间，带时区；缺省为本服务收到的时间")
    occurred_at: AwareDatetime | None = Field(None, description="问题发生时间")
    channel: Text = Field("", max_length=50, description="来源渠道：电话、网站、小程序等")
    is_repeat: bool = Field(False, description="热线标记的重复诉求")
    is_confidential: bool = Field(False, description="诉求人要求保密")
    related_order_no: Text = Field("", max_length=64, description="关联工单编号")
    requested_outcome: Text = Field("", max_length=2000, description="期望结果")
    complainant: Complainant | None = Field(None, description="诉求人，加密保存")
    attachments: list[Text] = Field(default_factory=list, max_length=50, description="附件的引用地址")
    extra: dict[str, Any] = Field(
        default_factory=dict,
        max_length=100,
        description="来源系统的其他字段，原样保存，只给热线和管理员看；与正文一样不加密，诉求人的姓名、电话、住址请写在 complainant",
    )

    @field_validator("received_at", "occurred_at")
    @classmethod
    def _sane_year(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and not 2000 <= moment.year <= 2100:
            raise ValueError("年份应在 2000 至 2100 之间")
        return moment
