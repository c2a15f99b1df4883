"""Moves on the wire: what was made of a case, and what may be made of it now."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from models.case import Status
from models.moves import Move


class Moved(BaseModel):
    """动作回执: made of what never changes, so that the same key gets the same bytes."""

    case_id: str = Field(description="案件编号")
    move: Move = Field(description="动作")
    version: int = Field(description="由它产生的版本，也是新的 ETag")
    status: Status = Field(description="状态")
    lead: str | None = Field(description="主办单位代码")
    hops: int = Field(description="派单次数")
    seq: int = Field(description="在变更流中的位置")
    at: AwareDatetime = Field(description="时间")
    actor: str = Field(description="谁做的")
    department: str = Field(description="以哪个单位的身份")
    data: dict[str, Any] = Field(description="变更流中的内容，随动作而定")


class MoveNow(BaseModel):
    """一个动作现在能不能做."""

    move: Move = Field(description="动作")
    name: str = Field(description="名称")
    allowed: bool = Field(description="现在能不能做")
    why_not: str | None = Field(description="为什么不能")
    needs: str | None = Field(description="能做，但请求体里须另写什么，例如免除还没有的协办意见；没有则为 null")
    required: list[str] = Field(description="请求体中必填的字段")


class MovesNow(BaseModel):
    """各个动作现在能不能做."""

    version: int = Field(description="案件的版本，用作 If-Match")
    status: Status = Field(description="状态")
    moves: list[MoveNow] = Field(description="全部动作")
