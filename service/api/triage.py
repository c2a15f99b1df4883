"""POST /v1/triage: a decision on a complaint, with nothing kept."""

from starlette.requests import Request
from starlette.responses import Response

from models.complaint import ComplaintIn
from models.decision import Decision
from service.api import responses
from service.api.bodies import read_json
from service.api.deps import office
from service.api.plain import Json, PlainRoute, body_of, door, validated

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
    return Json(here.desk.triage(validated(ComplaintIn, body).complaint()))
