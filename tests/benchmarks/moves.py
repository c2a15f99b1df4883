"""How many moves a second are made durably, how many timers strike, and what it costs to tell a case; at few cases and at many.

Run: python -m tests.benchmarks.moves [CASES] (1,000 by default); us: processor time of this process for each.
"""

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

from ulid import ULID

from models.moves import MOVES, Move
from service import db, rulebook, store
from service.api import told
from service.casework import Clockwork, Handbook, Ordered, carry_out, open_dossier
from service.db import Database
from service.store import NewCase
from service.writer import Writer
from tests import postgres
from tests.casework.house import FrozenClock, arriving
from tests.casework.people import BODIES, TUESDAY, person
from tests.packs.build import tiny

TO_THE_FOLLOW_UP = (Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP)
WAY = (Move.ACCEPT, Move.ASSIST_REPLY, *TO_THE_FOLLOW_UP, Move.REDO, *TO_THE_FOLLOW_UP, Move.ARCHIVE)
WAITERS = (1, 32)
SECONDS = 3.0
MOVED = 2_000
RULESET = rulebook.load(tiny())

_numbers = count(1)


def cases(how_many: int) -> Iterator[list[NewCase]]:
    """Cases in groups of 500."""
    for begin in range(0, how_many, 500):
        yield [_case() for _ in range(min(500, how_many - begin))]


def _case() -> NewCase:
    made = arriving(TUESDAY)
    fields = {name: getattr(made, name) for name in NewCase.__dataclass_fields__}
    return NewCase(**fields | {"id": str(ULID()), "source_order_no": f"B{next(_numbers):012d}"})


def fill(database: Database, how_many: int) -> list[str]:
    ids: list[str] = []
    for group in cases(how_many):
        with database.write() as conn:
            store.insert_cases(conn, group)
        ids += [case.id for case in group]
    return ids[-MOVED:]


async def moving(writer: Writer, ids: list[str], waiters: int) -> str:
    """So many officers, each taking one case after the other all the way."""
    waits: list[float] = []
    clock, terms, waiting = FrozenClock(TUESDAY), Handbook(lambda: RULESET), iter(ids)
    begin, busy = time.perf_counter(), time.process_time()

    async def officer() -> None:
        for case_id in waiting:
            for version, move in enumerate(WAY, 1):
                body = MOVES[move].body.model_validate(BODIES[move])
                ordered = Ordered(case_id, frozenset({version}), move, body, person(move))
                sent = time.perf_counter()
                await writer.submit(partial(carry_out, ordered=ordered, terms=terms(), now=clock))
                waits.append((time.perf_counter() - sent) * 1000)
            if time.perf_counter() > begin + SECONDS:
                return

    await asyncio.gather(*(officer() for _ in range(waiters)))
    took = time.perf_counter() - begin
    cost = (time.process_time() - busy) / len(waits) * 1e6
    waits.sort()
    p99 = waits[len(waits) * 99 // 100]
    return f"{len(waits) / took:>7,.0f}/s {cost:>6.0f} us   p50 {statistics.median(waits):.2f} ms   p99 {p99:.2f} ms"


async def striking(database: Database, writer: Writer) -> str:
    """All receipts are missed at once, as when an office closes."""

    async def read(ask: Callable[..., object], *args: object) -> object:
        with database.read() as conn:
            return ask(conn, *args)

    clockwork = Clockwork(read, writer, Handbook(lambda: RULESET), FrozenClock(TUESDAY + timedelta(days=3)), lambda _seq: None)
    begin, busy = time.perf_counter(), time.process_time()
    struck = await clockwork.tick()
    cost = (time.process_time() - busy) / struck * 1e6
    return f"{struck / (time.perf_counter() - begin):>7,.0f}/s {cost:>6.0f} us   ({struck} timers)"


def telling(database: Database, ids: list[str]) -> str:
    terms, done, begin = Handbook(lambda: RULESET), 0, time.perf_counter()
    with database.read() as conn:
        while time.perf_counter() < begin + 1:
            row = store.get_case(conn, ids[done % len(ids)])
            assert row is not None
            told.whole(open_dossier(conn, row, terms))
            done += 1
    return f"{done / (time.perf_counter() - begin):>7,.0f}/s"


async def measure(database: Database, how_many: int) -> None:
    db.upgrade(database)
    ids = fill(database, how_many)
    say(f"  a case told whole, one after the other: {telling(database, ids)}")
    writer = Writer(database)
    writer.start()
    for waiters in WAITERS:
        fresh = fill_beside(writer, MOVED)
        say(f"  moves, {waiters:>2} officers: {await moving(writer, await fresh, waiters)}")
    say(f"  timers: {await striking(database, writer)}")
    await writer.stop()


async def fill_beside(writer: Writer, how_many: int) -> list[str]:
    made = [case for group in cases(how_many) for case in group]
    await asyncio.gather(*(writer.submit_item(store.insert_cases, case) for case in made))
    return [case.id for case in made]


@contextmanager
def somewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fenpai-bench-") as name:
        yield Path(name)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(how_many: int = 1_000) -> None:
    with somewhere() as folder, closing(db.connect(f"sqlite:///{folder / 'bench.db'}")) as database:
        say(f"SQLite {sqlite3.sqlite_version}, synchronous=FULL, {how_many:,} cases")
        asyncio.run(measure(database, how_many))
    name = f"fenpai_bench_{uuid4().hex[:8]}"
    with postgres.server(careless=False) as server, postgres.database(server, name) as url, closing(db.connect(url)) as database:
        say(f"PostgreSQL, fsync and synchronous_commit on, {how_many:,} cases")
        asyncio.run(measure(database, how_many))


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
