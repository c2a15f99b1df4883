"""How fast new cases find their incident and their duplicates among a thousand marked cases and among a million, on both databases.

Run: python -m tests.benchmarks.sorting [FEW MANY [DAYS]] (1,000 and 1,000,000 by default, received within ten years). Each marked case has
the marks of a real one: a name of one in five thousand institutions and the bands of its text; one in ten names none. The sorter looks
back for thirty days: with DAYS at 30 all of them are looked at.
"""

import random
import re
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from service import db, store
from service.db import Database
from service.incidents.likeness import BANDS, bands
from service.store import Mark
from tests import postgres
from tests.benchmarks._seed import seed
from tests.incidents.hall import BEGIN, Hall

FEW, MANY = 1_000, 1_000_000
DAYS = 3650
FRESH = 200
TOGETHER = 2_000
INSTITUTIONS = 5_000
WORDS = re.findall("..", "篮球退费老师教练课时合同关门失联校区家长孩子承诺续费试听转让排课缺课更换拖延经理前台协议余额学期周末")


def mark_all(database: Database, days: int) -> None:
    """Mark every case that there is, as received within so many days."""
    chance = random.Random(1)  # noqa: S311 (marks, not secrets)
    with database.read() as conn:
        ids = list(conn.execute(text("SELECT id FROM cases ORDER BY id")).scalars())
    for begin in range(0, len(ids), TOGETHER):
        with database.write() as conn:
            store.add_marks(conn, [mark for id_ in ids[begin : begin + TOGETHER] for mark in _marks(chance, id_, days)])
    with database.write() as conn:
        conn.execute(text("ANALYZE"))


def _marks(chance: random.Random, case_id: str, days: int) -> list[Mark]:
    at = BEGIN - timedelta(minutes=chance.randrange(days * 24 * 60))
    told = [("band", f"{chance.getrandbits(64):016x}") for _ in range(BANDS)]
    told.append(("mute", "") if chance.random() < 0.1 else ("name", f"机构{chance.randrange(INSTITUTIONS):05d}"))
    return [Mark(kind=kind, mark=mark, received_at=at, case_id=case_id) for kind, mark in told]


def fresh(chance: random.Random, number: int) -> tuple[str, str]:
    """The text of a new complaint, and its institution if it names one."""
    told = "，".join("".join(chance.choices(WORDS, k=4)) for _ in range(12))
    return f"云溪区篮球班不给退费，孩子没法上课。{told}。", "" if number % 10 == 0 else f"机构{chance.randrange(INSTITUTIONS):05d}篮球"


def measured(stack: ExitStack, url: str, count: int, days: int) -> float:
    """Cases sorted a second among so many of so many days."""
    database = stack.enter_context(closing(db.connect(url)))
    db.upgrade(database)
    seed(database, count)
    mark_all(database, days)
    hall, chance = Hall(database), random.Random(2)  # noqa: S311 (texts, not secrets)
    for number in range(FRESH):
        content, institution = fresh(chance, number)
        hall.send(content, institution=institution)
    began = time.perf_counter()
    assert hall.sort() == FRESH
    return FRESH / (time.perf_counter() - began)


def main(few: int, many: int, days: int = DAYS) -> None:
    sample = "孩子上篮球班，教练换了三次，说好的小班变成二十人，要求退费。" * 10
    began = time.perf_counter()
    for _ in range(20):
        bands(sample)
    say(f"bands of a text of {len(sample)} characters: {(time.perf_counter() - began) / 20 * 1000:.1f} ms")
    with postgres.server(careless=False) as server, tempfile.TemporaryDirectory() as folder:
        for kind in ("sqlite", "postgresql"):
            rates = []
            for count in (few, many):
                with ExitStack() as stack:
                    url = f"sqlite:///{Path(folder) / f'{count}.db'}"
                    if kind == "postgresql":
                        url = stack.enter_context(postgres.database(server, f"sorting_{uuid4().hex[:8]}"))
                    rates.append(measured(stack, url, count, days))
                say(f"{kind}: {rates[-1]:,.0f} cases sorted a second among {count:,} of {days:,} days")
            say(f"{kind}: {rates[0] / rates[1]:.2f} times slower among many")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*([int(argument) for argument in sys.argv[1:]] or [FEW, MANY]))
