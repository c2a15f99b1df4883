"""Retention: the shape of retention.yaml, which says for how long what a case holds is kept, and by which law."""

from typing import Annotated

from pydantic import Field, StringConstraints

from models.complaint import DemandType
from models.decision import Outcome
from models.strict import Label, Prose, Strict

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class RetentionClass(Strict):
    """一类案件，保存多久."""

    id: Code = Field(description="类别代码")
    name: Label = Field(description="名称")
    months: int = Field(ge=6, le=1200, description="归档满多少个月，清除诉求人、原文和所写的文字")
    basis: Prose = Field(description="依据的法律或档案规定")
    demand_types: tuple[DemandType, ...] = Field((), description="只限这些诉求类型；不写则不论")
    decisions: tuple[Outcome, ...] = Field((), description="只限这些研判结果；不写则不论")


class RetentionFile(Strict):
    """retention.yaml：保存期限."""

    classes: tuple[RetentionClass, ...] = Field(min_length=1, max_length=50, description="逐类写；一件案件属于它符合的第一类")
