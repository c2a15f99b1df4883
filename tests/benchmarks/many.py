"""What a million cases cost: lists, the feed, one case, "unchanged", figures and moves, beside a thousand in the same run.

Run: python -m tests.benchmarks.many [FEW MANY] (1,000 and 1,000,000 by default). Seeding a million takes some minutes and 5 GB of disk.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from models.moves import MOVES, Move
from service import db, rulebook, store
from service.casework import Handbook, Ordered, carry_out
from service.db import Database
from service.store import Filters
from tests import postgres
from tests.benchmarks._seed import seed
from tests.casework.house import FrozenClock, arriving
from tests.casework.people import BODIES, TUESDAY, person
from tests.packs.build import tiny

FEW, MANY = 1_000, 1_000_000
GOAL = 1.5
ROUNDS = 9
LEAST_SECONDS = 0.05
MOVED = 400

Ask = Callable[[Any], object]


@dataclass
class House:
    """A database with so many cases, and the times that each question took there, in microseconds."""

    database: Database
    ids: list[str] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)

    def median(self, what: str) -> float:
        return statistics.median(self.times[what])


def furnished(stack: ExitStack, url: str, count: int) -> House:
    house = House(stack.enter_context(closing(db.connect(url))))
    db.upgrade(house.database)
    began = time.perf_counter()
    seed(house.database, count)
    took = time.perf_counter() - began
    say(f"  {count:>9,} cases seeded, {count / took:,.0f}/s")
    fresh = [arriving(TUESDAY) for _ in range(MOVED)]
    with house.database.write() as conn:
        store.insert_cases(conn, fresh)
        conn.execute(text("ANALYZE"))
    house.ids = [case.id for case in fresh]
    return house


def questions(house: House) -> Iterator[tuple[str, Ask]]:
    """What is asked of a house; each answer is as long at few cases as at many."""
    with house.database.read() as conn:
        head = store.feed_head(conn)
        page = store.list_cases(conn, Filters(department="education"), limit=50)
    filters: dict[str, dict[str, Any]] = {
        "the newest 50 cases": {},
        "of a department": {"department": "education"},
        "of a lead and a status": {"lead": "science", "status": "dispatched"},
        "of a category": {"category": "arts"},
        "of a number": {"source_order_no": "S000000007"},
    }
    for what, given in filters.items():
        yield what, partial(store.list_cases, filters=Filters(**given), limit=50)
    yield "of a department, second page", partial(store.list_cases, filters=Filters(department="education"), limit=50, cursor=page.next)
    yield "500 rows of the feed", partial(store.changes, after=head // 2, limit=500)
    yield "one case", partial(store.get_case, case_id=house.ids[7])
    yield "a list is unchanged (304)", partial(store.list_position, filters=Filters(department="education"))
    yield "what happened to a case", partial(store.case_events, case_id=house.ids[7])
    yield "figures of a day", figures_of_a_day


def figures_of_a_day(conn: Any) -> None:
    """What /v1/stats asks of the day on which the last cases came in, as many in each house."""
    day = store.Period(TUESDAY, TUESDAY + timedelta(days=1))
    store.count_together(conn, day, ["decision", "status", "lead", "hops", "category", "street", "issues"])
    store.count_hours(conn, day)
    store.count_parts(conn, day)
    store.count_hand_backs(conn, day)
    store.count_on_time(conn, day, ["receipt"], ["case.accepted"])


def moves(house: House) -> Callable[[], None]:
    """A case that is accepted, in a transaction of its own."""
    clock, terms, waiting = FrozenClock(TUESDAY), Handbook(lambda: RULESET), iter(house.ids)
    body = MOVES[Move.ACCEPT].body.model_validate(BODIES[Move.ACCEPT])

    def accept() -> None:
        ordered = Ordered(next(waiting), frozenset({1}), Move.ACCEPT, body, person(Move.ACCEPT))
        with house.database.write() as conn:
            carry_out(conn, ordered, terms(), clock)

    return accept


RULESET = rulebook.load(tiny())


def measure(houses: list[House]) -> None:
    """Turn by turn, so that a busy neighbour disturbs both alike."""
    asked = [dict(questions(house)) for house in houses]
    moved = [moves(house) for house in houses]
    for _ in range(ROUNDS):
        for house, named, accept in zip(houses, asked, moved, strict=True):
            for what, ask in named.items():
                with house.database.read() as conn:
                    note(house, what, partial(ask, conn))
            note(house, "a move", accept, times=MOVED // ROUNDS)
    few, many = houses
    say(f"  {'':<32}{'few':>9}{'many':>9}   times")
    for what in few.times:
        one, other = few.median(what), many.median(what)
        say(f"  {what:<32}{one:>6,.0f} us{other:>6,.0f} us{other / one:>8.2f}{'' if other / one <= GOAL else '   missed'}")


def note(house: House, what: str, ask: Callable[[], object], times: int = 0) -> None:
    done, began = 0, time.perf_counter()
    while done < times or (not times and time.perf_counter() < began + LEAST_SECONDS):
        ask()
        done += 1
    house.times.setdefault(what, []).append((time.perf_counter() - began) / done * 1e6)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(few: int = FEW, many: int = MANY) -> None:
    with tempfile.TemporaryDirectory(prefix="fenpai-bench-") as folder, ExitStack() as stack:
        say(f"SQLite, synchronous=FULL; load {os.getloadavg()[0]:.1f}")
        measure([furnished(stack, f"sqlite:///{Path(folder) / f'{count}.db'}", count) for count in (few, many)])
    with postgres.server(careless=False) as server, ExitStack() as stack:
        say(f"PostgreSQL, fsync on; load {os.getloadavg()[0]:.1f}")
        names = [stack.enter_context(postgres.database(server, f"fenpai_{count}_{uuid4().hex[:8]}")) for count in (few, many)]
        measure([furnished(stack, url, count) for url, count in zip(names, (few, many), strict=True)])


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
