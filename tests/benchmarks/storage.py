"""How many cases a second are stored durably, beside what the bare driver does with the same rows, tables and indexes."""

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any
from uuid import uuid4

from ulid import ULID

from models.tables import to_text
from service import db, store
from service.db import Database
from service.store.receive import _case_row, _department_rows
from service.writer import Writer
from tests import postgres
from tests.builders import new_case

CONTENT = ("家长反映孩子在某艺术培训中心报名舞蹈课，缴费一万二千元共九十六课时，现机构关门，老师失联，要求退还剩余课时费用。" * 6)[:330]
TRIAGE = '{"decision":"dispatch","evidence":[' + ",".join(['{"rule":"arts.dance","quote":"舞蹈课","start":18,"end":21}'] * 12) + "]}"
AT = "2026-11-24T00:00:00.000000Z"
ROUNDS, SECONDS = 3, 1.0
MADE = 40_000
SIZES, WAITERS = (1, 10, 32, 64, 128), (1, 32, 128)

_numbers = count(1)


def arriving(count: int) -> list[store.NewCase]:
    """Cases as the hotline sends them: 330 characters, a lead, an assist, a decision of 900 bytes."""
    now = datetime.now(UTC)
    common = replace(new_case(0), received_at=now, created_at=now, content=CONTENT, triage=TRIAGE)
    return [replace(common, id=str(ULID()), source_order_no=f"TJ{next(_numbers):012d}") for _ in range(count)]


def rate(step: Callable[[], int]) -> str:
    """What is done in a second, as a median of rounds, and the processor time each one takes in this process."""
    speeds, done, busy = [], 0, time.process_time()
    for _ in range(ROUNDS):
        before, begin = done, time.perf_counter()
        while (took := time.perf_counter() - begin) < SECONDS:
            done += step()
        speeds.append((done - before) / took)
    return f"{statistics.median(speeds):>9,.0f}/s {(time.process_time() - busy) / done * 1e6:>6.0f} us"


def groups(size: int) -> Iterator[list[store.NewCase]]:
    """Groups of cases, made beforehand, for the making is not what is measured."""
    made = [arriving(size) for _ in range(MADE // size if size > 1 else MADE // 4)]
    return chain(made, (arriving(size) for _ in count()))


def by_the_store(database: Database, size: int) -> str:
    made = groups(size)

    def step() -> int:
        with database.write() as conn:
            return len(store.insert_cases(conn, next(made)))

    return rate(step)


def by_the_bare_driver(path: Path, size: int) -> str:
    """The floor: nothing looked up, nothing hashed, nothing told."""
    made, seq = groups(size), count(size * 10_000_000)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = FULL")

        def step() -> int:
            cases = next(made)
            rows = [_case_row(case, to_text, (AT, AT), next(seq)) for case in cases]
            raw.execute("BEGIN IMMEDIATE")
            insert(raw, "cases", rows)
            insert(raw, "case_departments", [row for case in cases for row in _department_rows(case, AT)])
            insert(raw, "events", [(row[8], AT, "case.received", row[0], "x", " " * 500, "0" * 64, "0" * 64) for row in rows])
            raw.execute("COMMIT")
            return size

        return rate(step)


def insert(raw: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    raw.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)  # noqa: S608 (names of our own tables)


async def through_the_writer(database: Database, waiters: int) -> str:
    """So many who wait, each sending the next case when the last is stored."""
    writer = Writer(database)
    writer.start()
    made = chain(arriving(MADE), (case for _ in count() for case in arriving(100)))
    waits: list[float] = []
    begin = time.perf_counter()

    async def client() -> None:
        while (sent := time.perf_counter()) < begin + ROUNDS * SECONDS:
            await writer.submit_item(store.insert_cases, next(made))
            waits.append((time.perf_counter() - sent) * 1000)

    await asyncio.gather(*(client() for _ in range(waiters)))
    took = time.perf_counter() - begin
    await writer.stop()
    waits.sort()
    return f"{len(waits) / took:>9,.0f}/s   p50 {waits[len(waits) // 2]:.2f} ms   p99 {waits[len(waits) * 99 // 100]:.2f} ms"


def reading(database: Database) -> Iterator[tuple[str, str]]:
    with database.read() as conn:
        ids = [case.id for case in store.list_cases(conn, store.Filters(), limit=200).cases]
        yield "one case", rate(lambda: len([store.get_case(conn, case_id) for case_id in ids[:20]]))
        yield "rows of the feed, 500 at once", rate(lambda: len(store.changes(conn, 100, 500)))
        yield (
            "cases of a page of 50",
            rate(lambda: len(store.list_cases(conn, store.Filters(department="market_regulation"), limit=50).cases)),
        )


def fsync_p50(folder: Path) -> float:
    """What it costs here to have 4 kB on the disk, in microseconds."""
    times = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def measure(database: Database) -> None:
    db.upgrade(database)
    for size in SIZES:
        floor = f"   bare sqlite3 {by_the_bare_driver(database.path, size)}" if database.path else ""
        say(f"  {size:>3} in a transaction: store {by_the_store(database, size)}{floor}")
    for waiters in WAITERS:
        say(f"  {waiters:>3} who wait: writer {asyncio.run(through_the_writer(database, waiters))}")
    for what, speed in reading(database):
        say(f"  {what}: {speed}")


@contextmanager
def somewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fenpai-bench-") as name:
        yield Path(name)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    with somewhere() as folder, closing(db.connect(f"sqlite:///{folder / 'bench.db'}")) as database:
        say(f"SQLite {sqlite3.sqlite_version}, synchronous=FULL; fdatasync p50 {fsync_p50(folder):.0f} us")
        measure(database)
    name = f"fenpai_bench_{uuid4().hex[:8]}"
    with postgres.server(careless=False) as server, postgres.database(server, name) as url, closing(db.connect(url)) as database:
        say("PostgreSQL, fsync and synchronous_commit on; us: processor time of this process alone")
        measure(database)


if __name__ == "__main__":
    main()
