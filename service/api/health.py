"""Is it alive, is it ready, what has it counted: for machines that watch."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service import db
from service.api import responses
from service.api.deps import Office, WholeOffice
from service.api.plain import Json, door
from service.api.problems import answer
from service.engine import ENGINE_VERSION
from service.errors import FenpaiError, Unready

router = door("", "运行")

SETTLED = timedelta(seconds=15)
"""After so long all replicas should decide by the version in force."""

CHECK_SECONDS = 3
"""How long one check may take."""


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(description="总是 ok")
    version: str = Field(description="程序版本")


CheckName = Literal["database", "migrations", "writer", "ruleset", "deliveries", "rules_dir", "replicas"]


NEEDED = frozenset({"database", "migrations", "writer"})
"""Without these nothing can be taken in; what else is wrong only degrades."""


class Check(BaseModel):
    """One thing that must be right before requests may come."""

    name: CheckName = Field(description="检查项")
    ok: bool = Field(description="是否正常")
    detail: str = Field(description="说明")


class RulesetInUse(BaseModel):
    """What this replica decides by, to be compared with the others."""

    pack: str = Field(description="规则包代码")
    version: int = Field(description="版本")
    digest: str = Field(description="摘要")
    engine: str = Field(description="引擎版本")


class Readiness(BaseModel):
    """degraded: it works, but something is wrong that should be seen to."""

    status: Literal["ready", "degraded"] = Field(description="ready 正常；degraded 可用，但有一项需要处理")
    checks: list[Check] = Field(description="检查项")
    ruleset: RulesetInUse = Field(description="本副本在用的规则集")


@router.get("/healthz", summary="进程是否存活", response_model=Health, response_description="存活")
async def healthz(request: Request) -> Response:
    """只说明进程能答复，不检查数据库；用作存活探针。"""
    return Json({"status": "ok", "version": request.app.version})


@router.get(
    "/readyz",
    summary="能否受理",
    response_model=Readiness,
    response_description="可以受理",
    responses=responses.problems(Unready),
)
async def readyz(request: Request, here: WholeOffice) -> Response:
    """数据库能否连接和写入、表结构是否最新、规则集是否就绪；用作就绪探针。

    启用的新版本装不进来时，本副本继续使用原来的版本，答复 200 而 `status` 为 `degraded`：旧规则仍能受理，不应因此停止服务。
    """
    checks = [*await _storage(here), _ruleset(here), *await _replicas(here), _deliveries(here), *_rules_dir(here)]
    broken = [check.detail for check in checks if not check.ok and check.name in NEEDED]
    shown, ruleset = [check.model_dump() for check in checks], _in_use(here)
    if broken:
        return answer(Unready("；".join(broken)), request.scope, checks=shown, ruleset=ruleset)
    status = "ready" if all(check.ok for check in checks) else "degraded"
    return Json({"status": status, "checks": shown, "ruleset": ruleset})


@router.get(
    "/metrics",
    summary="指标（Prometheus）",
    response_class=Response,
    response_description="Prometheus 文本格式",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(here: WholeOffice) -> Response:
    """按路由和状态码的请求数与用时、新案件的研判结果、研判用时、写入队列与每次提交的件数、在用的规则集。不含任何个人信息。"""
    return Response(here.meters.text(), media_type=CONTENT_TYPE_LATEST)


async def _storage(here: Office) -> list[Check]:
    reads, database = here.reads, here.database
    reach = await _tried("database", "数据库可以连接", reads.run(lambda: db.ping(database)))
    if not reach.ok:
        return [reach]
    return [
        reach,
        await _tried("migrations", "表结构是最新的", reads.run(lambda: db.check(database))),
        await _tried("writer", f"可以写入，等待写入 {here.writer.waiting} 件", here.writer.submit(_write_nothing)),
    ]


def _write_nothing(_conn: object) -> None:
    """An empty transaction goes the whole way of a real one: the queue, the lock, the commit."""


async def _tried(name: CheckName, fine: str, trial: Awaitable[None]) -> Check:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await trial
    except TimeoutError:
        return Check(name=name, ok=False, detail=f"数据库 {CHECK_SECONDS} 秒没有答复")
    except FenpaiError as error:
        return Check(name=name, ok=False, detail=error.detail)
    return Check(name=name, ok=True, detail=fine)


def _ruleset(here: Office) -> Check:
    trouble = here.rules.trouble
    return Check(name="ruleset", ok=trouble is None, detail=trouble or f"在用第 {here.rules.row.version} 版")


async def _replicas(here: Office) -> list[Check]:
    """Whether all replicas decide by the same; for a moment after a change of version they may not."""
    try:
        replicas, changed = await here.reads.run(lambda: (here.rules.replicas(), here.rules.changed_at()))
    except FenpaiError:
        return []  # the database has its own check
    told = Counter((replica.version, replica.digest) for replica in replicas)
    shown = "，".join(f"{count} 个用第 {version} 版（{digest[:12]}）" for (version, digest), count in sorted(told.items()))
    settled = changed is None or datetime.now(UTC) - changed > SETTLED
    return [
        Check(name="replicas", ok=len(told) <= 1 or not settled, detail=f"{len(replicas)} 个副本：{shown}" if told else "还没有副本报告")
    ]


def _rules_dir(here: Office) -> list[Check]:
    if here.watch is None:
        return []
    trouble = here.watch.trouble
    told = f"监视的文件夹 {here.watch.folder} 没有启用，仍用第 {here.rules.row.version} 版：{trouble}"
    return [Check(name="rules_dir", ok=trouble is None, detail=told if trouble else f"监视 {here.watch.folder}")]


def _deliveries(here: Office) -> Check:
    dispatcher = here.dispatcher
    state, trouble = dispatcher.state, dispatcher.trouble
    told = f"待送达 {state.pending} 条，最早的已等 {dispatcher.age:.0f} 秒，放弃 {state.dead} 条"
    return Check(name="deliveries", ok=trouble is None, detail=f"送达程序出错：{trouble}" if trouble else told)


def _in_use(here: Office) -> dict[str, Any]:
    row = here.rules.row
    return {"pack": row.pack, "version": row.version, "digest": row.digest, "engine": ENGINE_VERSION}
