"""Problem details of the HTTP API (RFC 9457): Chinese for people, stable English codes for programs."""

from typing import Any

from pydantic import BaseModel, Field


class FieldError(BaseModel):
    """One field that is wrong: a JSON pointer (RFC 6901) to it, what is wrong, and a stable code."""

    pointer: str = Field(description="出错字段的 JSON 指针", examples=["/content"])
    detail: str = Field(description="错在哪里、怎样改", examples=["不能为空"])
    code: str = Field(description="错误代码", examples=["missing"])


class Problem(BaseModel):
    """The body of every error, as `application/problem+json`."""

    type: str = Field(description="错误类型的稳定标识", examples=["urn:fenpai:problem:invalid"])
    title: str = Field(description="错误名称", examples=["请求内容不合格式"])
    status: int = Field(description="HTTP 状态码", examples=[422])
    code: str = Field(description="稳定的英文错误代码", examples=["invalid"])
    detail: str = Field(description="这一次错在哪里、怎样改")
    instance: str | None = Field(None, description="本次请求的编号，报障时请附上")
    errors: list[FieldError] = Field(default_factory=list, description="逐个字段的错误")
    present: dict[str, Any] | None = Field(None, description="动作被拒绝时：案件现在的版本、状态、主办单位、派单次数")
    allowed: list[str] | None = Field(None, description="动作被拒绝时：现在可以做的动作")
    guard: str | None = Field(None, description="动作因条件被拒绝时：哪个条件")
