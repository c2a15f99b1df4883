"""Long work that is asked for and polled: one row a job, forgotten when newer ones have come."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from models.tables import jobs
from service.store.rows import JobRow

KEPT = 50
"""Jobs that are remembered."""
GOING = ("waiting", "running")


def add_job(conn: Connection, row: JobRow) -> JobRow:
    """Keep a new job; the oldest beyond the number that is kept are forgotten, but none that goes on."""
    old = select(jobs.c.id).where(jobs.c.state.not_in(GOING)).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).offset(KEPT).limit(KEPT)
    conn.execute(delete(jobs).where(jobs.c.id.in_(conn.execute(old).scalars().all())))
    conn.execute(insert(jobs).values(asdict(row)))
    return row


def get_job(conn: Connection, job_id: str) -> JobRow | None:
    row = conn.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
    return JobRow(**row) if row else None


def list_jobs(conn: Connection, pack: str, limit: int) -> list[JobRow]:
    """The newest first, without their results."""
    told = [column for column in jobs.c if column.name != "result"]
    of = select(*told).where(jobs.c.pack == pack).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    return [JobRow(**row) for row in conn.execute(of).mappings()]


def note_job(conn: Connection, job_id: str, at: datetime, **known: Any) -> bool:
    """Note how far a job is; False if it was ended meanwhile, and nothing is noted."""
    going = (jobs.c.id == job_id, jobs.c.state.in_(GOING))
    return conn.execute(update(jobs).where(*going).values(seen_at=at, **known)).rowcount == 1


def fail_jobs(conn: Connection, before: datetime, why: str, at: datetime) -> int:
    """End the jobs whose process has not been heard of since a moment."""
    lost = (jobs.c.state.in_(GOING), jobs.c.seen_at < before)
    return conn.execute(update(jobs).where(*lost).values(state="failed", error=why, finished_at=at)).rowcount
