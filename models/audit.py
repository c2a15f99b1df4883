"""The audit on the wire: which rows of the log, what a check of the chain found."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from models.case import MAX_SEQ, Moment, Position, Query
from models.complaint import Text, Wire

Noted = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}:[0-9a-f]{64}$")]


class AuditQuery(Query):
    """Which rows, the newest first."""

    kind: Text | None = Field(
        None, max_length=64, description="种类，例如 audit.unmasked；以点结尾的为一类，例如 key.（钥匙）、session.（登录）、rules.（规则）"
    )
    actor: Text | None = Field(None, max_length=100, description="谁做的")
    key: Text | None = Field(None, max_length=16, description="用哪把钥匙做的：钥匙编号")
    case_id: Text | None = Field(None, max_length=26, description="案件编号")
    at_from: Moment | None = Field(None, description="时间不早于；时间须带时区")
    at_to: Moment | None = Field(None, description="时间早于")
    before: Position | None = Field(None, description="只要此位置之前的：上一页给出的 next")
    limit: int = Field(50, ge=1, le=500, description="每页多少行")


class AuditRow(BaseModel):
    """审计记录的一行."""

    seq: int = Field(description="在审计链中的位置")
    at: AwareDatetime = Field(description="何时")
    kind: str = Field(description="种类")
    case_id: str | None = Field(description="案件编号；与案件无关的为 null")
    actor: str = Field(description="谁做的")
    data: dict[str, Any] = Field(description="详情，随种类不同")
    hash: str = Field(description="这一行的摘要，连着前一行的")


class AuditPage(BaseModel):
    """一页审计记录."""

    rows: list[AuditRow] = Field(description="记录，新的在前")
    next: int | None = Field(description="下一页的 before；没有下一页为 null")


class AuditVerifyIn(Wire):
    """核对什么."""

    noted: Noted | None = Field(None, description="以前核对时得到并另处存好的链尾（位置:摘要）：链须经过它，链尾被截去也就看得出")


class AuditTold(BaseModel):
    """审计链核对的结果."""

    rows: int = Field(description="核对了多少行")
    mark: str = Field(description="链尾（位置:摘要），请另处存好，下次核对时写入 noted")
    broken: int | None = Field(description="第一处不符的行；完整为 null")
    why: str = Field(description="不符在哪里；完整为空")


class AuditExportQuery(Query):
    """From where on."""

    after: int = Field(0, ge=0, le=MAX_SEQ, description="只要此位置之后的")
