"""GET /v1/clocks/preview: what the deadlines of a case would be, step by step."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, Field, field_validator
from starlette.responses import Response

from models.case import Query as Asked
from models.clocks import Preview
from models.decision import Urgency
from service import clocks
from service.api import responses
from service.api.deps import WholeOffice
from service.api.plain import Json, door
from service.casework.errors import ClocksMissing
from service.clocks import CalendarUnpublished, CalendarYearMissing
from service.errors import FieldFault, ParameterInvalid

router = door("/v1/clocks", "期限")


class PreviewQuery(Asked):
    """When a case arrives, and how urgent and complex it is."""

    received: AwareDatetime = Field(description="单位收到的时间；须带时区，`+` 在地址中写作 `%2B`")
    urgency: Urgency = Field(Urgency.NORMAL, description="紧急程度")
    complex: bool = Field(False, description="是否复杂、疑难")

    @field_validator("received")
    @classmethod
    def _sane_year(cls, moment: datetime) -> datetime:
        if not 2000 <= moment.year <= 2100:
            raise ValueError("年份应在 2000 至 2100 之间")
        return moment


@router.get(
    "/preview",
    summary="试算期限",
    response_model=Preview,
    response_description="各项期限及计算过程",
    responses=responses.problems(ParameterInvalid, ClocksMissing),
)
async def preview(query: Annotated[PreviewQuery, Query()], here: WholeOffice) -> Response:
    """按在用规则集的时限和日历，试算某时收到的工单何时应签收、退单、办结、回访，最长可延到何时；每项都有依据和逐步的计算。"""
    terms = here.casework.terms()
    if terms.policy is None:
        raise ClocksMissing
    try:
        return Json(clocks.preview(terms.policy, terms.calendar, query.received, urgency=query.urgency, complex_case=query.complex))
    except (CalendarYearMissing, CalendarUnpublished) as missing:
        # Nothing is wrong with us: the question reaches beyond the calendar.
        raise ParameterInvalid(missing.detail, [FieldFault("/received", missing.detail, missing.code)]) from None
