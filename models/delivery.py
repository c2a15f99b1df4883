"""Deliveries and channels on the wire: where a department's own system takes letters, and what became of each."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from models.case import Code, Query
from models.complaint import Wire

DeliveryState = Literal["pending", "done", "dead"]

Printable = Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]


class ChannelIn(Wire):
    """通道: what is set."""

    url: Printable = Field(min_length=8, max_length=2000, description="对方系统的接收地址，http 或 https；国际域名请写成 xn-- 形式")
    secret: Printable | None = Field(
        None,
        max_length=200,
        description="签名密钥，whsec_ 加 base64（解码后 24 至 64 字节）；不写则新通道由本服务生成，已有的通道沿用原来的",
    )
    active: bool = Field(True, description="false：暂停送达，也不再为它留存新的消息")
    seen: AwareDatetime | None = Field(None, description="读到的通道的 updated_at：此后别人改过或删掉了则不作改动，答复 412；不写则不核对")


class ChannelTold(BaseModel):
    """通道 of a department."""

    department: str = Field(description="单位代码")
    url: str = Field(description="接收地址")
    active: bool = Field(description="是否在用")
    trouble: str | None = Field(description="停用的原因，例如对方答复 410；没有则为 null")
    created_at: AwareDatetime = Field(description="设置时间")
    updated_at: AwareDatetime = Field(description="最近一次改动的时间")
    secret: str | None = Field(None, description="只在本服务生成密钥的那一次答复中给出，以后不再显示；请存好")


class ChannelList(BaseModel):
    """各单位的通道."""

    channels: list[ChannelTold] = Field(description="通道，按单位代码")


class TestAnswer(BaseModel):
    """试送 and what came of it."""

    __test__ = False  # pytest takes the name for a test

    taken: bool = Field(description="对方是否收下（答复 2xx）")
    status: int | None = Field(description="对方答复的状态码；没有答复时为 null")
    trouble: str = Field(description="没有收下的原因；收下时为空")
    answer: str = Field(description="对方答复的开头，号码已遮盖")
    milliseconds: float = Field(description="用时，毫秒")


class DeliveryTold(BaseModel):
    """送达: one message to one department's system."""

    id: str = Field(description="编号，即 webhook-id：重试和重发都用同一个，对方据此去重")
    case_id: str = Field(description="案件编号")
    department: str = Field(description="单位代码")
    kind: str = Field(description="事件种类，与变更流中的相同")
    version: int = Field(description="案件的版本")
    seq: int = Field(description="事件在变更流中的位置")
    state: DeliveryState = Field(description="pending 待送达，done 已送达，dead 多次失败后放弃")
    attempts: int = Field(description="已试次数")
    created_at: AwareDatetime = Field(description="产生的时间")
    due_at: AwareDatetime = Field(description="下一次最早何时送")
    status: int | None = Field(description="最近一次答复的状态码")
    last_error: str | None = Field(description="最近一次为什么没有送到")
    finished_at: AwareDatetime | None = Field(description="送达或放弃的时间")


class DeliveryPage(BaseModel):
    """一页送达, the newest first."""

    deliveries: list[DeliveryTold] = Field(description="送达，新的在前")
    next: str | None = Field(description="下一页的游标；null 表示没有下一页")


class DeliveryQuery(Query):
    """Which deliveries."""

    state: DeliveryState | None = Field(None, description="状态")
    department: Code | None = Field(None, description="单位代码")
    case: str | None = Field(None, max_length=26, pattern=r"^[0-9A-Za-z]+$", description="案件编号")
    limit: int = Field(50, ge=1, le=500, description="每页多少个")
    cursor: str | None = Field(None, max_length=512, description="上一页给出的 next，其他条件须与上一页相同")
