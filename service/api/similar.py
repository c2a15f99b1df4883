"""GET /v1/cases/{id}/similar: what became of past cases like this one."""

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from models.incidents import SimilarPage, SimilarQuery
from service import store
from service.api import responses, told, veil
from service.api.access import caller
from service.api.cases import CaseId, found
from service.api.deps import Reach, Reading, WholeOffice
from service.api.plain import Json, door
from service.engine import Engine
from service.errors import CaseNotFound, ParameterInvalid
from service.incidents import Kin, Similar, similar_to
from service.keyring import Caller
from service.vault import Vault

router = door("/v1/cases", "案件")


@router.get(
    "/{case_id}/similar",
    summary="相似的案件",
    response_model=SimilarPage,
    response_description="相似的案件，最像的在前",
    responses=responses.problems(CaseNotFound, ParameterInvalid, *responses.READ),
)
async def similar_cases(
    case_id: CaseId, query: Annotated[SimilarQuery, Query()], request: Request, here: WholeOffice, reads: Reading, reach: Reach
) -> Response:
    """文字相近、同一家机构、或同一类事的其他案件，以及它们派给了谁、办得怎样、当时的研判是否站得住。

    单位的钥匙只看得到本单位的。比较的件数有限：有相同标记的至多 60 件，同类的至多 150 件，都取新的。
    """
    alike = await reads(_similar, case_id, here.rules.engine, reach, query.limit)
    return Json({"similar": [_told(one, here.vault, caller(request.scope)) for one in alike]})


def _similar(conn: Any, case_id: str, engine: Engine, reach: str | None, limit: int) -> list[Similar]:
    return similar_to(conn, found(store.get_case(conn, case_id), case_id, reach), Kin(engine), reach, limit)


def _told(one: Similar, vault: Vault, who: Caller) -> dict[str, Any]:
    return {
        "case": veil.veil(told.summary(one.row), one.row, vault, who),
        "score": one.score,
        "basis": one.basis,
        "words": list(one.words) if veil.knows(who) else [],  # a part of a name may be among them
        "upheld": one.stands,
        "right_lead": one.right_lead,
    }
