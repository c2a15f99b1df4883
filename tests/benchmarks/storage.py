"""How many cases a second are stored durably, beside what the bare driver can do on the same tables. Run: python -m tests.benchmarks.storage [URL]."""

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

import orjson
from ulid import ULID

from service import db, store
from service.db import Database
from service.store.receive import _case_row, _department_rows
from service.writer import Writer

TEXT = "家长反映孩子在某艺术培训中心报名舞蹈课，缴费一万二千元共九十六课时，现机构关门，老师失联，要求退还剩余课时费用。" * 6
TRIAGE = orjson.dumps({"decision": "dispatch", "reason": TEXT[:120], "evidence": [{"quote": "舞蹈课", "start": 18, "end": 21}] * 8}).decode()
SECONDS = 3.0
_number = count(1)


def new_case() -> store.NewCase:
    """A case as the hotline sends them: 330 characters, a lead, an assist, the decision."""
    number = next(_number)
    now = datetime.now(UTC)
    return store.NewCase(
        id=str(ULID()),
        source_system="12345",
        source_order_no=f"TJ{number:012d}",
        body_hash=sha256(str(number).encode()).hexdigest(),
        received_at=now,
        created_at=now,
        status="dispatched",
        decision="dispatch",
        reason_code="clear",
        lead="culture_sports",
        category="arts",
        urgency="normal",
        demand_type="投诉",
        street="果园新村街",
        title="舞蹈培训退费",
        content=TEXT[:330],
        institution="某艺术培训中心",
        address="北辰区某路 1 号",
        details="{}",
        complainant=None,
        triage=TRIAGE,
        issues='["refund","closed"]',
        ruleset_version=1,
        ruleset_digest="d" * 64,
        departments=(
            store.CaseDepartment(department="culture_sports", role="lead"),
            store.CaseDepartment(department="market_regulation", role="assist", issue="refund"),
        ),
        actor="hotline",
    )


def rate(step: Callable[[], int]) -> float:
    """Steps a second, each counted as many as it says: the median of three rounds."""
    rounds = []
    for _ in range(3):
        done, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS / 3:
            done += step()
        rounds.append(done / (time.perf_counter() - begin))
    return statistics.median(rounds)


def store_in_groups(database: Database, size: int) -> float:
    """The store itself, `size` cases a transaction, the making of the rows not counted."""
    made = [[new_case() for _ in range(size)] for _ in range(40_000 // size if size > 1 else 20_000)]
    groups = iter(made)

    def step() -> int:
        group = next(groups, None) or [new_case() for _ in range(size)]
        with database.write() as conn:
            store.insert_cases(conn, group)
        return size

    return rate(step)


def floor_in_groups(path: Path, size: int) -> float:
    """The bare driver: the same rows into the same tables and indexes, without looking, chaining or telling outcomes."""
    columns = ",".join("?" * 27)
    seq = count(10_000_000 * size)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = FULL")

        def step() -> int:
            group = [new_case() for _ in range(size)]
            rows = [_case_row(c, "2026-11-24T00:00:00.000000Z", "2026-11-24T00:00:00.000000Z", next(seq)) for c in group]
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(f"INSERT INTO cases VALUES ({columns})", rows)
            raw.executemany("INSERT INTO case_departments VALUES (?,?,?,?,?,?)", [r for c in group for r in _department_rows(c, "2026")])
            raw.executemany(
                "INSERT INTO events VALUES (?,?,?,?,?,?,?,?)",
                [(row[8], row[4], "case.received", row[0], "hotline", "{}" + " " * 500, "0" * 64, "0" * 64) for row in rows],
            )
            raw.execute("COMMIT")
            return size

        return rate(step)


async def through_the_writer(database: Database, waiters: int) -> tuple[float, float, float]:
    """The writer with so many who wait: cases a second, median and 99th percentile of the wait in ms."""
    writer = Writer(database)
    writer.start()
    waits: list[float] = []
    end = time.perf_counter() + SECONDS

    async def client() -> None:
        while (begin := time.perf_counter()) < end:
            await writer.submit_item(store.insert_cases, new_case())
            waits.append((time.perf_counter() - begin) * 1000)

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(waiters)))
    took = time.perf_counter() - begin
    await writer.stop()
    waits.sort()
    return len(waits) / took, waits[len(waits) // 2], waits[len(waits) * 99 // 100]


def fsync_p50(folder: Path) -> float:
    """What one fsync of 4 kB costs here, in microseconds."""
    path, times = folder / "fsync", []
    with path.open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder / 'bench.db'}"
        database = db.connect(url)
        db.upgrade(database)
        print(f"{database.dialect}, fsync p50 {fsync_p50(folder):.0f} us")
        for size in (1, 10, 32, 64, 128):
            line = f"{size:>4} a transaction: store {store_in_groups(database, size):>8,.0f} cases/s"
            if database.path is not None:
                line += f"   bare sqlite3 {floor_in_groups(database.path, size):>8,.0f}"
            print(line)
        for waiters in (1, 32, 128):
            speed, median, worst = asyncio.run(through_the_writer(database, waiters))
            print(f"{waiters:>4} who wait: writer {speed:>8,.0f} cases/s   p50 {median:.2f} ms   p99 {worst:.2f} ms")
        database.close()


if __name__ == "__main__":
    main()
