"""Repair on the wire: cases that went wrong come in, the smallest edits that mend them go out."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.publication import Files


class RepairIn(BaseModel):
    """修补的要求: from which cases, of which pack. Not a Wire: blanks in a file stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Files | None = Field(None, max_length=400, description="要修补的规则包的文件：文件名 -> 内容；不写则为在用的版本")
    from_ledger: bool = Field(False, description="取台账里判错的，并守住台账里确认判对的")
    wrong: tuple[dict[str, Any], ...] = Field(
        (), max_length=200, description="判错的诉求：text、title、institution，以及应有的 decision、lead、category、issues 等"
    )
    confirmed: tuple[dict[str, Any], ...] = Field((), max_length=2_000, description="确认判对、不得弄坏的诉求，写法相同")
    most: int = Field(5, ge=1, le=20, description="至多提几处修改")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.wrong and not self.from_ledger:
            raise ValueError("wrong 与 from_ledger 至少写一个")
        return self


class EditTold(BaseModel):
    """一处改动."""

    field: str = Field(description="改什么：terms、unless、near、list、within、strength")
    where: str = Field(description="哪条规则或哪个清单")
    value: str = Field(description="加的词，或改成的值")


class PinTold(BaseModel):
    """守住它的用例."""

    file: str = Field(description="写在哪个文件")
    case: str = Field(description="用例，一行 YAML")


class StepTold(BaseModel):
    """一处修改."""

    edits: list[EditTold] = Field(description="改动")
    message: str = Field(description="一句话")
    mended: int = Field(description="整件改好的件数")
    lifted: int = Field(description="消去的不符之处")
    others: list[str] = Field(description="效果相近的其他改法")
    test: PinTold | None = Field(description="守住它的用例；没有短的用例则为 null")


class Repaired(BaseModel):
    """修补的建议."""

    pack: str = Field(description="规则包代码")
    digest: str = Field(description="修补前的内容摘要")
    wrong: int = Field(description="判错的件数")
    right_already: int = Field(description="其中现在已经判对的")
    unmended: int = Field(description="没有小而稳妥的改法的")
    confirmed: int = Field(description="守住的判对的件数，含规则旁的用例")
    left_out: int = Field(description="台账里靠名录或追问的回答才判得出、没有用的")
    broken: list[str] = Field(description="重放全部确认过的案件，仍会变错的（案件编号，至多 500 个）；应当为空")
    steps: list[StepTold] = Field(description="修改，先做的在前")
    diff: str = Field(description="YAML 差异（unified diff）")
    files: dict[str, str] = Field(description="改了的文件：文件名 -> 修补后的内容")
