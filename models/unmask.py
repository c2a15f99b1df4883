"""Who complained, on the wire: masked for all, and in clear for whoever says why, which is kept."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from models.complaint import Text, Wire

FEWEST_LETTERS = 4


def _in_words(reason: str) -> str:
    """Points, spaces that nobody sees, and one letter over and over say nothing."""
    if sum(map(str.isalnum, reason)) < FEWEST_LETTERS or len(set(reason)) < FEWEST_LETTERS - 1:
        raise ValueError("请用文字写明为什么要看")
    return reason


class Masked(BaseModel):
    """诉求人（已遮盖）."""

    name: str = Field(description="姓名，只留第一个字")
    phone: str = Field(description="电话，只留头尾")
    address: str = Field(description="住址，只留开头")


class UnmaskIn(Wire):
    """为什么要看."""

    reason: Annotated[Text, Field(min_length=4, max_length=500), AfterValidator(_in_words)] = Field(
        description="为什么要看，例如“回访核实退款”；记入审计，不能删改"
    )


class Unmasked(BaseModel):
    """诉求人与原文，未遮盖."""

    case_id: str = Field(description="案件编号")
    name: str = Field(description="姓名")
    phone: str = Field(description="电话")
    address: str = Field(description="住址")
    title: str = Field(description="标题，原文")
    content: str = Field(description="诉求内容，原文")
    seq: int = Field(description="这次查看在审计链中的位置")
