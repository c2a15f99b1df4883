"""The register (名录): which institutions hold a licence, for what, and whether it still stands; how it is asked for and brought in."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from models.case import Query
from models.complaint import Text

RULE_NAMES = {
    "register.listed": "名录：机构登记在册",
    "register.licence": "名录：许可登记的类别",
    "register.status": "名录：登记的状态",
    "register.absent": "名录：机构没有登记",
}
"""What the register says counts as a rule does; no pack names these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """机构: one row of the register. `category` and `department` are codes of the rule set, None where the licence does not say."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    category: str | None = None
    department: str | None = None
    licence: str = ""
    address: str = ""
    street: str = ""
    status: str = ""


class InstitutionTold(BaseModel):
    """机构 on the wire."""

    id: str = Field(description="机构编号（ULID），重新导入时不变")
    name: str = Field(description="名称")
    aliases: list[str] = Field(description="简称、别名")
    category: str | None = Field(description="机构类别代码；null 表示许可未载明")
    department: str | None = Field(description="主管部门代码")
    licence: str = Field(description="办学许可证号")
    address: str = Field(description="地址")
    street: str = Field(description="街道")
    status: str = Field(description="状态")


class InstitutionPage(BaseModel):
    """One page of the register."""

    institutions: list[InstitutionTold] = Field(description="机构，按进入名录的先后")
    next: str | None = Field(description="下一页的游标；null 表示没有下一页")
    revision: int = Field(description="名录的版本，每次变更加一")


Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class InstitutionQuery(Query):
    """Which institutions."""

    q: Text = Field("", max_length=100, description="名称、别名、许可证号、地址中含有的文字")
    category: Code | None = Field(None, description="机构类别代码")
    status: Text | None = Field(None, max_length=40, description="状态")
    limit: int = Field(50, ge=1, le=500, description="每页多少个")
    cursor: str | None = Field(None, max_length=512, description="上一页给出的 next，其他条件须与上一页相同")


class ImportQuery(Query):
    """How a file is brought in."""

    replace: bool = Field(False, description="true：文件就是整个名录，其中没有的机构从名录中去掉")
    dry_run: bool = Field(False, description="true：只检查，不写入")
    skip_errors: bool = Field(False, description="true：跳过有错误的行，导入其余各行；缺省为有一处错误就一行也不导入")


class RowFault(BaseModel):
    """One mistake in a file: where, what, and how to mend it."""

    line: int = Field(description="行号，与表格软件中的一致")
    column: str = Field(description="列名；空串表示整行")
    detail: str = Field(description="错在哪里")
    hint: str = Field(description="怎样改")

    def __str__(self) -> str:
        place = f"第 {self.line} 行" + (f"，{self.column}" if self.column else "")
        return f"{place}：{self.detail}" + (f"。{self.hint}" if self.hint else "")


class ImportReport(BaseModel):
    """What an import did, or would do."""

    revision: int = Field(description="名录的版本")
    rows: int = Field(description="文件中的机构数")
    added: int = Field(description="新增")
    changed: int = Field(description="修改")
    unchanged: int = Field(description="没有变化")
    removed: int = Field(description="去掉")
    total: int = Field(description="名录中的机构总数")
    written: bool = Field(description="是否已写入；只检查或没有变化时为 false")
    skipped: list[RowFault] = Field(description="跳过的行错在哪里；只在 skip_errors 时有")
    remarks: list[str] = Field(description="不妨碍导入、但应知道的事")
