"""POST /v1/rulesets/repair: the smallest edits that mend what went wrong and break nothing that is right. Nothing is changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models.drafts import JobTold
from models.mending import RepairIn
from models.ruleset import RuleSet
from service import batch, repair, rulelife
from service.api import responses
from service.api.bodies import read_json
from service.api.deps import ByPerson, Office, WholeOffice
from service.api.drafts import WHO
from service.api.jobs import Progress
from service.api.longwork import BEGUN, Asked, begin
from service.api.packs import MOST_BYTES, draft_here
from service.api.plain import body_of, door, validated
from service.errors import FieldFault, Invalid, Overloaded
from service.repair import Lessons
from service.rulelife import DraftBroken, PackMismatch
from service.ruletest import Sample

router = door("/v1/rulesets", "规则")

NOTHING = Lessons((), (), 0)


@router.post(
    "/repair",
    status_code=202,
    summary="修补规则",
    response_model=JobTold,
    response_description="任务已开始",
    responses={202: BEGUN, **responses.problems(*responses.BODY, *responses.WRITE, *WHO, Overloaded, DraftBroken, PackMismatch)},
    openapi_extra=body_of(RepairIn),
)
async def repair_ruleset(request: Request, here: WholeOffice, actor: ByPerson) -> Response:
    """从判错的诉求（自己给出的，或台账里判错的）提出最小的修改：改好最多，不弄坏规则旁的用例和确认过的案件。

    附 YAML 差异和守住每处修改的用例；什么也不改变，采用与否由人决定。

    要试几千种修改，可能要几十秒：立即答复一个任务，查询任务得知进度和结果，也可以取消。
    """
    given = validated(RepairIn, await read_json(request, MOST_BYTES))
    task = await here.workshop(lambda: _task(given, here))
    return await begin(here, Asked("repair", task.ruleset.digest, given.most, actor.name), lambda told: _repaired(task, here, told))


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be repaired, read and found to be sound."""

    files: Mapping[str, str]
    ruleset: RuleSet
    wrong: Sequence[Sample]
    right: Sequence[Sample]
    most: int
    left_out: int


def _task(given: RepairIn, here: Office) -> _Task:
    files, ruleset = _files(given, here)
    wrong, right = _samples(given.wrong, "wrong", ruleset), _samples(given.confirmed, "confirmed", ruleset)
    lessons = _lessons(ruleset, here) if given.from_ledger else NOTHING
    return _Task(files, ruleset, [*wrong, *lessons.wrong], [*right, *lessons.right], given.most, lessons.left_out)


def _repaired(task: _Task, here: Office, told: Progress) -> dict[str, Any]:
    rounds = chain([0], repeat(1))  # what is told at the beginning of a round is that the one before is done
    mended = repair.repair(task.files, task.wrong, task.right, most=task.most, tell=lambda _: told(next(rounds)))
    told(0)
    broken = repair.still_broken(here.database, mended, fork=False)[:500] if mended.steps else []
    changed = {name: text for name, text in mended.after.items() if text != task.files.get(name)}
    return {**repair.as_json(mended), "left_out": task.left_out, "broken": broken, "files": changed}


def _files(given: RepairIn, here: Office) -> tuple[Mapping[str, str], RuleSet]:
    if given.files is not None:
        draft = draft_here(given.files, here)
        return draft.files, draft.ruleset
    row = here.rules.row
    return rulelife.files_of(here.database, row.pack, row.version), here.rules.engine.ruleset


def _lessons(ruleset: RuleSet, here: Office) -> Lessons:
    with here.database.read() as conn:
        return repair.from_ledger(conn, ruleset, here.vault)


def _samples(rows: Iterable[Mapping[str, Any]], field: str, ruleset: RuleSet) -> list[Sample]:
    """Labelled cases; every one that is wrong is named."""
    found, faults = list[Sample](), list[FieldFault]()
    for number, row in enumerate(rows):
        try:
            line = json.dumps({"id": number, **row}).encode()  # orjson refuses the numbers that JSON may hold
            found.append(Sample(field, number, 0, repair.case_of(line, ruleset)))
        except batch.LineWrong as mistake:
            faults.append(FieldFault(f"/{field}/{number}", str(mistake), "case_wrong"))
    if faults:
        raise Invalid(f"有 {len(faults)} 件写得不对，见 errors。", faults[:50])
    return found
