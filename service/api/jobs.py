"""Long work: one piece after another beside the serving, kept in the database so that any replica can tell how far it is.

A job ends with its process: after a restart it is told as failed, never as going on.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog

from service import store
from service.db import Database
from service.errors import FenpaiError, Overloaded
from service.store import JobRow
from service.writer import Writer

MOST_WAITING = 4
NOTE_SECONDS = 0.5
"""How often it is noted how far a job is, and heard whether it is to end."""
LOST = timedelta(seconds=30)
"""A job that was not noted for so long has ended with its process."""
STOPPED = "服务在任务完成之前停止或重启了，请再做一次"


class Cancelled(Exception):
    """The work is to end."""


class Progress:
    """How much is done; ends the work, at its next word, when nobody wants it any more."""

    def __init__(self) -> None:
        self.done = 0
        self.begun = False
        self.ended = False

    def __call__(self, more: int) -> None:
        self.done += more
        if self.ended:
            raise Cancelled


Work = Callable[[Progress], dict[str, Any]]


class Jobs:
    """One bench for long work; whoever finds too many waiting is sent away."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._bench = ThreadPoolExecutor(1, thread_name_prefix="fenpai-job")
        self._going: dict[str, tuple[Progress, asyncio.Task[None]]] = {}

    async def open(self) -> None:
        """Tell of the jobs that ended with their process; on SQLite that is every one from before."""
        now = datetime.now(UTC)
        before = now if self._database.dialect == "sqlite" else now - LOST
        await self._writer.submit(lambda conn: store.fail_jobs(conn, before, STOPPED, now))

    async def close(self) -> None:
        """End what goes on; each job is told as failed."""
        tasks = [task for _, task in self._going.values()]
        for progress, _ in self._going.values():
            progress.ended = True
        await asyncio.gather(*tasks, return_exceptions=True)
        self._bench.shutdown()

    async def begin(self, row: JobRow, work: Work) -> JobRow:
        """Keep the job and begin it as soon as those before it are done."""
        if len(self._going) > MOST_WAITING:
            raise Overloaded("正在进行和排队的任务太多，请等它们完成，或取消一些。")
        kept = await self._writer.submit(lambda conn: store.add_job(conn, row))
        progress = Progress()
        self._going[row.id] = progress, asyncio.create_task(self._follow(row.id, progress, work))
        return kept

    async def cancel(self, job_id: str) -> None:
        """End a job, wherever it runs: there it is heard at the next note."""
        at = datetime.now(UTC)
        await self._writer.submit(lambda conn: store.note_job(conn, job_id, at, state="cancelled", finished_at=at))
        if job_id in self._going:
            self._going[job_id][0].ended = True

    async def _follow(self, job_id: str, progress: Progress, work: Work) -> None:
        doing = asyncio.get_running_loop().run_in_executor(self._bench, self._do, progress, work)
        try:
            while not doing.done():
                await asyncio.wait([doing], timeout=NOTE_SECONDS)
                state = "running" if progress.begun else "waiting"
                await self._note(job_id, progress, **({} if doing.done() else {"state": state, "done": progress.done}))
            await self._note(job_id, progress, finished_at=datetime.now(UTC), **_ended(doing, progress))
        finally:
            self._going.pop(job_id, None)

    @staticmethod
    def _do(progress: Progress, work: Work) -> str:
        progress(0)  # one that was cancelled while it waited does not begin
        progress.begun = True
        return orjson.dumps(work(progress)).decode()

    async def _note(self, job_id: str, progress: Progress, **known: Any) -> None:
        with suppress(FenpaiError):  # a database that is away: the next note says more
            if not await self._writer.submit(lambda conn: store.note_job(conn, job_id, datetime.now(UTC), **known)):
                progress.ended = True


def _ended(doing: asyncio.Future[str], progress: Progress) -> dict[str, Any]:
    """How a job that is over is told."""
    error = doing.exception()
    if error is None:
        return {"state": "done", "done": progress.done, "result": doing.result()}
    if isinstance(error, Cancelled):
        return {"state": "failed", "error": STOPPED}
    structlog.get_logger().error("job_failed", exc_info=error)
    said = error.detail if isinstance(error, FenpaiError) and error.frank else f"程序出错（{type(error).__name__}），详情见日志"
    return {"state": "failed", "error": said}


def as_told(row: JobRow, now: datetime) -> JobRow:
    """A job as it is told: one that was not heard of for long has ended with its process."""
    if row.state in {"waiting", "running"} and row.seen_at < now - LOST:
        return replace(row, state="failed", error=STOPPED)
    return row
