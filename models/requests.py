"""What must be said with a move: the bodies of `POST /v1/cases/{id}/{move}`."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from models.complaint import Text, Wire
from models.strict import ClauseId

IN_OWN_WORDS = "in own words"
"""Marks what people write freely: it is kept as a note of the case and never stands in the feed."""

Words = Annotated[Text, Field(max_length=10_000), IN_OWN_WORDS]
Reason = Annotated[Text, Field(min_length=1, max_length=2_000), IN_OWN_WORDS]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Days = Annotated[int, Field(ge=1, le=60)]
Answer = Literal["yes", "no", "unknown"]


class HandBackReason(StrEnum):
    """退单理由."""

    NOT_OURS = "not_ours"
    INCOMPLETE = "incomplete"
    DUPLICATE = "duplicate"
    UNCLEAR = "unclear"
    OUT_OF_SCOPE = "out_of_scope"
    OTHER_DISTRICT = "other_district"


class ReturnReason(StrEnum):
    """退回热线的理由."""

    SCHOOL = "out_school"
    KINDERGARTEN = "out_kindergarten"
    ADULT = "out_adult"
    CHILDCARE = "out_childcare"
    CARE_ONLY = "out_care_only"
    OTHER_MATTER = "out_other_matter"
    OTHER_DISTRICT = "out_other_district"
    IN_LITIGATION = "in_litigation"
    DUPLICATE = "duplicate"
    NO_FACTS = "no_facts"
    EMERGENCY = "emergency_redirect"
    NO_EVIDENCE = "no_evidence"


class Request(Wire):
    """Base of the bodies."""

    def facts(self) -> dict[str, Any]:
        """What may stand in the feed: codes, numbers, choices."""
        return self.model_dump(mode="json", include=self._names(in_own_words=False), exclude_none=True)

    def words(self) -> dict[str, Any]:
        """What people wrote."""
        return self.model_dump(mode="json", include=self._names(in_own_words=True), exclude_defaults=True)

    @classmethod
    def _names(cls, *, in_own_words: bool) -> set[str]:
        return {name for name, field in cls.model_fields.items() if (IN_OWN_WORDS in field.metadata) is in_own_words}


class Plain(Request):
    """A move that needs no words."""

    note: Words = Field("", description="备注")


class Because(Request):
    """A move that needs a reason and nothing else."""

    reason: Reason = Field(description="理由")


class Accept(Plain):
    """签收."""

    contacted: bool = Field(False, description="是否已先行联系诉求人")


class HandBack(Request):
    """退单."""

    reason_code: HandBackReason = Field(
        description="退单理由：not_ours 非本单位职责，incomplete 要素不全，duplicate 重复工单，unclear 诉求不明，"
        "out_of_scope 不属于校外培训，other_district 不属于本区"
    )
    text: Reason = Field(description="退单说明：事实与理由")
    clause: ClauseId = Field(description="依据的条款代码，见在用规则集")
    suggested: Code | None = Field(None, description="建议的承办单位代码；理由为 not_ours 时必填")

    @model_validator(mode="after")
    def _whose_then(self) -> Self:
        if self.reason_code is HandBackReason.NOT_OURS and self.suggested is None:
            raise ValueError("以非本单位职责（not_ours）退单时，须用 suggested 写明建议的承办单位")
        return self


class Dispatch(Because):
    """改派、指定承办."""

    lead: Code = Field(description="主办单位代码")
    assists: tuple[Code, ...] | None = Field(None, max_length=18, description="协办单位代码；不写则不变")
    complex: bool | None = Field(None, description="是否复杂、疑难；不写则不变")


class Extend(Because):
    """延期."""

    working_days: Days = Field(description="延长多少个工作日")
    approver: Reason = Field(description="批准人")


class Reply(Request):
    """答复、协办意见."""

    text: Annotated[Text, Field(min_length=1, max_length=10_000), IN_OWN_WORDS] = Field(description="内容")


class Waiver(Wire):
    """免除一个单位的协办意见."""

    department: Code = Field(description="协办单位代码")
    reason: Text = Field(min_length=1, max_length=2_000, description="为什么不需要它的意见")


class Complete(Plain):
    """办结."""

    waivers: Annotated[tuple[Waiver, ...], IN_OWN_WORDS] = Field((), max_length=18, description="不等其意见的协办单位及理由")


class FollowUp(Plain):
    """回访."""

    reached: bool = Field(True, description="是否成功回访")
    solved: Answer = Field(description="是否解决：yes、no、unknown（未表态）")
    satisfied: Answer = Field(description="是否满意：yes、no、unknown（未表态）")

    @model_validator(mode="after")
    def _from_whom(self) -> Self:
        if not self.reached and (self.solved, self.satisfied) != ("unknown", "unknown"):
            raise ValueError("没有回访成功（reached 为 false）时，solved 与 satisfied 只能是 unknown")
        if not self.reached and not self.note:
            raise ValueError("没有回访成功（reached 为 false）时，须在 note 中写明原因")
        return self


class Reclassify(Because):
    """更正."""

    category: Code | None = Field(None, description="正确的机构类别代码；不写则不变")
    lead: Code | None = Field(None, description="正确的主办单位代码；不写则不变")
    issues: tuple[Code, ...] | None = Field(None, max_length=40, description="正确的问题类型代码，全部列出；只作为正确答案留存，不改变协办")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.category is None and self.lead is None and self.issues is None:
            raise ValueError("category、lead、issues 至少写一个")
        return self


class Merge(Because):
    """并单."""

    into: str = Field(min_length=1, max_length=26, pattern=r"^[0-9A-Za-z]+$", description="并入哪个案件（编号）")


class Return(Request):
    """退回热线."""

    reason_code: ReturnReason = Field(
        description="退回理由：与研判的退回理由代码相同，另有 in_litigation 已在诉讼等程序中、duplicate 重复、no_facts 要素不全、"
        "emergency_redirect 应拨打紧急电话"
    )
    text: Reason = Field(description="退回说明")
    clause: ClauseId | None = Field(None, description="依据的条款代码")
    suggest: Words = Field("", description="建议热线转给谁")
