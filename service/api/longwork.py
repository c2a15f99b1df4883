"""/v1/rulesets/jobs: long work is begun, told how far it is and what came of it, and ended."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response
from ulid import ULID

from models.drafts import Jobs, JobsQuery, JobTold
from service import store
from service.api import responses, told, veil
from service.api.access import caller
from service.api.deps import Office, WholeOffice
from service.api.jobs import Work, as_told
from service.api.plain import Json, door
from service.errors import ParameterInvalid
from service.rulelife import JobNotFound
from service.store import JobRow

router = door("/v1/rulesets/jobs", "规则")

IMPACT = "impact"

JobId = Annotated[str, Path(description="任务编号（ULID）")]


@router.get(
    "",
    summary="列出任务",
    response_model=Jobs,
    response_description="任务",
    responses=responses.problems(*responses.READ, ParameterInvalid),
)
async def list_jobs(query: Annotated[JobsQuery, Query()], here: WholeOffice) -> Response:
    """最近的任务，新的在前，不含结果；保留最近 50 个。"""
    rows = await here.reads(store.list_jobs, here.rules.row.pack, query.limit)
    return Json({"jobs": [job_told(row) for row in rows]})


@router.get(
    "/{job_id}",
    summary="查询任务",
    response_model=JobTold,
    response_description="任务",
    responses=responses.problems(*responses.READ, JobNotFound),
)
async def get_job(job_id: JobId, request: Request, here: WholeOffice) -> Response:
    """任务的进度；完成之后有结果。服务重启会使没做完的任务失败，须再做一次。"""
    row = await _found(here, job_id)
    shown = job_told(row)
    if row.kind == IMPACT and row.result:
        shown["result"] = await veil.discreet_flips(orjson.loads(row.result), here.reads, here.vault, caller(request.scope))
    return Json(shown)


@router.delete(
    "/{job_id}",
    summary="取消任务",
    response_model=JobTold,
    response_description="任务",
    responses=responses.problems(*responses.WRITE, JobNotFound),
)
async def cancel_job(job_id: JobId, here: WholeOffice) -> Response:
    """取消一个没有做完的任务；已经结束的不变。"""
    await _found(here, job_id)
    await here.jobs.cancel(job_id)
    return Json(job_told(await _found(here, job_id)))


async def _found(here: Office, job_id: str) -> JobRow:
    row = await here.reads(store.get_job, job_id) if job_id.isalnum() else None
    if row is None:
        raise JobNotFound
    return row


# Beginning ----------------------------------------------------------------------------------------------------------------------

BEGUN: dict[str, Any] = {"headers": responses.headers(Location="任务的地址")}
"""How the answer to the beginning of a job is declared."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Long work that somebody asks for: of which kind, on what content, how many pieces; on which draft, if on one."""

    kind: str
    digest: str
    total: int
    actor: str
    draft: str = ""


async def begin(here: Office, asked: Asked, work: Work) -> Response:
    """Keep and begin a job, and answer where it can be followed."""
    moment, rules = datetime.now(UTC), here.rules.row
    job = JobRow(
        id=str(ULID.from_datetime(moment)),
        kind=asked.kind,
        pack=rules.pack,
        draft_id=asked.draft,
        digest=asked.digest,
        against=rules.version,
        state="waiting",
        done=0,
        total=asked.total,
        actor=asked.actor,
        created_at=moment,
        seen_at=moment,
    )
    row = await here.jobs.begin(job, work)
    return Json(job_told(row), 202, headers={"Location": f"/v1/rulesets/jobs/{row.id}"})


def job_told(row: JobRow) -> dict[str, Any]:
    """A job on the wire."""
    shown = asdict(as_told(row, datetime.now(UTC)))
    return {name: shown[name] for name in JobTold.model_fields if name in shown} | {
        "draft": row.draft_id or None,
        "created_at": told.local(row.created_at),
        "finished_at": row.finished_at and told.local(row.finished_at),
        "result": orjson.Fragment(row.result) if row.result else None,
    }
