"""The ledger of many confirmed cases: what it costs to read it and to rule, in processor time.

Run: python -m tests.benchmarks.ledger [CASES] (100,000 by default).
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import orjson
from sqlalchemy import text

from models.decision import CategoryScore, Evidence
from models.moves import Move
from models.ruleset import Floor
from models.tables import cases
from service import db, ledger, rulebook, store
from service.casework import carry_out
from service.ledger import quarantine
from tests.casework.house import FrozenClock, House, arriving, decided
from tests.packs.build import tiny

CASES = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
RULES, TERMS, MONTHS, VERSIONS = 300, 10, 12, 25
MOVED = 300


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        with closing(db.connect(url)) as database:
            db.upgrade(database)
            _fill(database)
            _read(database)
            _move(database)


@contextmanager
def timed(what: str, times: int = 1) -> Iterator[None]:
    began = process_time()
    yield
    sys.stdout.write(f"{what}: {(process_time() - began) / times * 1000:.2f} ms\n")


def _fill(database: db.Database) -> None:
    """Cases with verdicts, made by the database itself; accounts of every rule, term, version and month; a wrong case in twenty."""
    names = [column.name for column in cases.columns]
    with database.write() as conn:
        store.insert_cases(conn, [replace(arriving(), triage=_triage())])
        given = {"id": "printf('%026d', n)", "source_order_no": "'N' || n", "seq": "1000000000 + n", "category": "'c' || (n % 9)"}
        columns = ", ".join(given.get(name, f"c.{name}") for name in names)
        count = f"WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {CASES}) "  # noqa: S608
        first = "(SELECT * FROM cases LIMIT 1) c"
        conn.execute(text(f"{count} INSERT INTO cases ({', '.join(names)}) SELECT {columns} FROM {first}, counted"))  # noqa: S608
        body = '{"lead":"gym_office"}'
        conn.execute(text(f"INSERT INTO verdicts SELECT id, 'gym_office', NULL, substr(id, 26) <> '7', '{body}' FROM cases"))  # noqa: S608
        wrong = "'r' || (CAST(id AS INTEGER) % 300), id, created_at, 'category:ball', '[]'"
        conn.execute(text(f"INSERT INTO wrongs SELECT {wrong} FROM cases WHERE CAST(id AS INTEGER) % 20 = 0"))  # noqa: S608
        rows = [
            {"rule": f"r{rule}", "term": f"t{term}" if term else "", "version": version, "month": f"2026-{version % MONTHS + 1:02}"}
            for rule in range(RULES)
            for term in range(TERMS + 1)
            for version in range(VERSIONS)
        ]
        counts = "rights, wrongs, beside, handed_back, upheld, rejected"
        values = ":rule, :term, :version, :month, 90, 3, 1, 0, 0, 0"
        conn.execute(text(f"INSERT INTO tallies (rule, term, version, month, {counts}) VALUES ({values})"), rows)  # noqa: S608


def _triage() -> str:
    pieces = tuple(
        Evidence(rule, supports, term, "content", 0, 2, term, 9, None)
        for rule, supports, term in (
            ("ball.programs", "category:ball", "篮球"),
            ("ball.programs", "category:ball", "足球"),
            ("scope.training", "scope:in", "篮球班"),
            ("issue.refund", "issue:refund", "退费"),
        )
    )
    return orjson.dumps(replace(decided(), evidence=pieces, categories=(CategoryScore("ball", 9),))).decode()


def _read(database: db.Database) -> None:
    ruleset = rulebook.load(tiny(), 1)
    questions: dict[str, Callable[[Any], Any]] = {
        "overview": lambda conn: ledger.overview(conn, ruleset),
        "one rule": lambda conn: ledger.ledger_of(conn, ruleset, "r7", 50),
        "the newest wrong cases": lambda conn: store.lessons(conn, 200, stands=False),
    }
    for name, ask in questions.items():
        with database.read() as conn:
            ask(conn)
            with timed(f"{name} of {CASES} cases", 5):
                for _ in range(5):
                    ask(conn)
    with timed("the warden's look", 5):
        for _ in range(5):
            quarantine.fallen(database, ruleset.model_copy(update={"ruleset": _with_floor(ruleset.ruleset)}))


def _with_floor(head: Any) -> Any:
    return head.model_copy(update={"floor": Floor()})


def _move(database: db.Database) -> None:
    house = House(database, FrozenClock())
    for name, moves in (("accept", (Move.ACCEPT,)), ("hand back and uphold", (Move.HAND_BACK, Move.UPHOLD))):
        born = [replace(arriving(house.clock.moment), triage=_triage()) for _ in range(MOVED)]
        with database.write() as conn:
            store.insert_cases(conn, born)
        with timed(f"{name} (each case, its own transaction)", MOVED):
            for case in born:
                for move in moves:
                    ordered = house.order(case.id, move)
                    with database.write() as conn:
                        carry_out(conn, ordered, house.rules(), house.clock)


if __name__ == "__main__":
    main()
