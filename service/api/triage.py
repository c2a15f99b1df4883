"""POST /v1/triage: a decision on a complaint, with nothing kept."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from models.complaint import ComplaintIn
from models.decision import Decision
from models.ruleset import Question
from service.api import responses
from service.api.bodies import read_json
from service.api.deps import office
from service.api.faults import pointer
from service.api.plain import Json, PlainRoute, body_of, door, validated
from service.errors import FieldFault, Invalid

router = door("/v1/triage", "研判", PlainRoute)


@router.post(
    "",
    summary="研判一件诉求",
    response_model=Decision,
    response_description="研判结果",
    responses=responses.problems(*responses.BODY),
    openapi_extra=body_of(ComplaintIn),
)
async def triage(request: Request) -> Response:
    """给出分派、提级牵头或退回热线的结论，以及主办、协办、理由和依据。什么也不保存；同一规则集下，同样的内容总是得到同样的结果。"""
    here = office(request)
    body = await read_json(request, here.settings.max_case_bytes)
    asked = validated(ComplaintIn, body)
    _check(asked.answers, here.rules.engine.ruleset.ruleset.questions)
    return Json(here.desk.triage(asked.complaint()))


def _check(answers: Mapping[str, str], questions: Mapping[str, Question]) -> None:
    """Refuse an answer that its question does not have: it would settle nothing, and nobody would be asked again."""
    known = {code: [answer.code for answer in questions[code].answers] for code in answers if code in questions}
    faults = [
        FieldFault(pointer(("answers", code)), f"只能是 {'、'.join(codes)}", "not_allowed")
        for code, codes in known.items()
        if answers[code] not in codes
    ]
    if faults:
        raise Invalid(faults=faults)
