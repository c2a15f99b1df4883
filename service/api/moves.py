"""POST /v1/cases/{id}/{move}: what officers do with a case; one door for each row of the table of moves."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from fastapi import Header
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from models.moved import Moved, MovesNow
from models.moves import MOVES, Row
from models.requests import Request as Body
from service import store
from service.api import etag, responses, told
from service.api.bodies import read_json
from service.api.cases import CaseId, found
from service.api.deps import Acting, Reach, Reading, WholeOffice
from service.api.keys import HEADER, key_of
from service.api.plain import Json, body_of, door, validated
from service.casework import Actor, Ground, Ordered, Standing, standings, work_of
from service.casework.errors import ActorMissing, ActorUnknown, GuardRefused, NotNow, NotYours, Stale
from service.casework.table import description
from service.errors import CaseNotFound, KeyConflict, KeyInvalid, VersionMissing, VersionUnreadable
from service.store import MoveKey

router = door("/v1/cases", "办理")

M = TypeVar("M", bound=BaseModel)

Versions = Annotated[
    str | None,
    Header(alias="If-Match", description='读到的案件版本，即 `ETag`，例如 `"3"`；案件在此之后有了变更，答复 412'),
]

REFUSED = (
    ActorMissing,
    ActorUnknown,
    CaseNotFound,
    VersionMissing,
    VersionUnreadable,
    Stale,
    NotYours,
    NotNow,
    GuardRefused,
    KeyInvalid,
    KeyConflict,
)


def _endpoint(row: Row) -> Callable[..., Awaitable[Response]]:
    """The door for one move."""

    async def move(
        case_id: CaseId, request: Request, here: WholeOffice, actor: Acting, reach: Reach, versions: Versions = None
    ) -> Response:
        body = await body_given(request, row.body, here.settings.max_case_bytes)
        ordered = Ordered(case_id, etag.versions(versions), row.move, body, actor, _key(request, case_id, row, body, actor), reach)
        made = await here.casework.move(ordered)
        here.bell.ring(made.event.seq)
        receipt = told.moved(made.event)
        return Json(receipt, headers=etag.headers(f'"{told.version(made.event)}"'))

    return move


async def body_given(request: Request, model: type[M], limit: int) -> M:
    """What is said. A move that needs nothing said may come without a body."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers and not _required(model):
        return model()
    return validated(model, await read_json(request, limit))


def _required(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()]


def _key(request: Request, case_id: str, row: Row, body: Body, actor: Actor) -> MoveKey | None:
    key = key_of(request)
    if key is None:
        return None
    said = f"{case_id}\n{row.move}\n{body.model_dump_json()}"
    return MoveKey(client=actor.department, key=key, request_hash=sha256(said.encode()).hexdigest())


for _row in MOVES.values():
    if _row.by_people:
        router.add_api_route(
            f"/{{case_id}}/{_row.move}",
            _endpoint(_row),
            methods=["POST"],
            name=f"{_row.move.replace('-', '_')}_case",
            summary=_row.name,
            description=description(_row),
            response_model=Moved,
            response_description="动作回执；在提交到数据库之后才发出",
            responses={
                200: {"headers": responses.headers(ETag="案件的新版本", Cache_Control="每次都要再问")},
                **responses.problems(*responses.BODY, *REFUSED, *responses.WRITE),
            },
            openapi_extra=body_of(_row.body, required=bool(_required(_row.body))) | {"parameters": [HEADER]},
        )


@router.get(
    "/{case_id}/moves",
    summary="现在可以做什么",
    response_model=MovesNow,
    response_description="各个动作现在能不能做",
    responses=responses.problems(ActorMissing, ActorUnknown, CaseNotFound, *responses.READ),
)
async def moves(case_id: CaseId, actor: Acting, here: WholeOffice, reads: Reading, reach: Reach) -> Response:
    """请求头所说的人现在可以对案件做哪些动作，其余的为什么不能。取决于请求体的条件（例如延期的天数）到提交时才检查。"""
    case, at, members = await reads(_stand, case_id, here.casework.now)
    work = work_of(found(case, case_id, reach))
    ground = Ground(at, here.casework.terms(), actor, members=members)
    shown = [_standing(standing) for standing in standings(work, ground)]
    return Json({"version": work.version, "status": work.status, "moves": shown})


def _stand(conn: Any, case_id: str, now: Callable[[Any], Any]) -> tuple[Any, Any, int]:
    return store.get_case(conn, case_id), now(conn), store.count_members(conn, case_id)


def _standing(standing: Standing) -> dict[str, Any]:
    row = standing.row
    return {
        "move": row.move,
        "name": row.name,
        "allowed": standing.allowed,
        "why_not": standing.why_not,
        "needs": standing.needs,
        "required": _required(row.body),
    }
