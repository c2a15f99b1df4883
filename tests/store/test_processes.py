"""Real processes: killed under load, writing side by side, and a poller that keeps nothing but its cursor."""

import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from service import db, store
from service.db import Database
from service.store import NewEvent
from tests.builders import NOON

ROOT = Path(__file__).parents[2]


@contextmanager
def pounder(url: str, name: str, count: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.store.pounder", url, name, str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told_until_killed(url: str, name: str, seconds: float) -> list[str]:
    """The numbers of the cases that a process said are stored before it was killed in the midst of it."""
    with pounder(url, name, 1_000_000) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # it is under load now
        killer = threading.Timer(seconds, process.kill)
        killer.start()
        told = [line.strip() for line in (first, *process.stdout) if line.endswith("\n")]
        killer.join()
    return told


def stored(database: Database) -> Counter[str]:
    with database.read() as conn:
        return Counter(conn.execute(text("SELECT source_order_no FROM cases")).scalars())


class TestKilledUnderLoad:
    def test_no_case_that_was_told_is_lost_and_none_is_stored_twice(self, database: Database) -> None:
        told: list[str] = []
        for life in range(3):
            told += told_until_killed(database.url, f"life{life}", random.uniform(0.1, 0.6))  # noqa: S311 (any moment will do)
        kept = stored(database)
        assert len(told) > 30
        assert set(told) <= set(kept)
        assert set(kept.values()) == {1}
        with database.read() as conn:
            report = store.verify_chain(conn)
        assert (report.broken, report.rows) == (None, len(kept))
        print(f"{database.dialect}: {len(told)} told, {len(kept)} kept, 0 lost, 0 twice")  # noqa: T201 (the counts are the finding)

    def test_the_hotline_may_send_all_of_it_again(self, database: Database) -> None:
        """It cannot know which of its last cases were stored; sent again, each is there once."""
        told = told_until_killed(database.url, "a", 0.3)
        with pounder(database.url, "a", len(told) + 200) as process:
            assert process.stdout is not None
            again = [line.strip() for line in process.stdout]
        assert process.returncode == 0
        assert set(told) <= set(again)
        assert set(stored(database).values()) == {1}


class TestASecondProcess:
    def test_may_not_write_to_the_same_sqlite_file(self, sqlite_database: Database) -> None:
        command = [sys.executable, "-m", "tests.store.pounder", sqlite_database.url, "second", "1"]
        with db.write_lock(sqlite_database):
            refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "SQLite 只能有一个写进程" in refused.stderr
        assert stored(sqlite_database) == Counter()


class TestAPoller:
    def test_sees_every_change_exactly_once_while_two_replicas_write(self, postgres_database: Database) -> None:
        """Commits take from 0 to 10 ms at random here, so that transactions would overtake one another if they could."""
        with postgres_database.write() as conn:
            for statement in SLOW_COMMITS:
                conn.exec_driver_sql(statement)
        seen: list[store.Event] = []
        with pounder(postgres_database.url, "one", 400) as one, pounder(postgres_database.url, "two", 400) as two:
            drains = [threading.Thread(target=process.communicate) for process in (one, two)]
            for drain in drains:
                drain.start()
            running = True
            while running:
                running = any(drain.is_alive() for drain in drains)  # asked before reading: what ended in between is still read
                seen += poll(postgres_database, seen[-1].seq if seen else 0)
        assert (one.returncode, two.returncode) == (0, 0)
        assert [event.seq for event in seen] == list(range(1, 801))
        assert len({event.case_id for event in seen}) == 800
        writers = ["one" if '"one-' in event.data else "two" for event in seen]
        assert len(set(writers[200:600])) == 2  # they did write side by side

    def test_of_numbers_drawn_early_would_miss_rows_where_ours_waits(self, postgres_database: Database) -> None:
        """Two transactions, the first to begin being the last to commit."""
        with postgres_database.write() as conn:
            conn.execute(text("CREATE TABLE naive (id bigserial PRIMARY KEY)"))
        assert overtaken(postgres_database, "INSERT INTO naive DEFAULT VALUES", "SELECT id FROM naive WHERE id > :last ORDER BY id") == [2]
        assert overtaken(postgres_database, None, "SELECT seq FROM events WHERE seq > :last ORDER BY seq") == [1, 2]


# Runs at the commit, once for each transaction that wrote events.
SLOW_COMMITS = (
    "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(random() * 0.01); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER slow_commit AFTER UPDATE ON heads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()",
)


def poll(database: Database, after: int) -> list[store.Event]:
    with database.read() as conn:
        return store.changes(conn, after, 37)


def overtaken(database: Database, naive: str | None, polling: str) -> list[int]:
    """What a poller sees that asks once while the first transaction is open, and once when both are committed."""

    def write(conn: Connection) -> None:
        if naive:
            conn.execute(text(naive))
        else:
            store.append_events(conn, [NewEvent(at=NOON, kind="a", actor="test")])

    def second() -> None:
        with database.write() as conn:
            write(conn)

    seen: list[int] = []
    overtaker = threading.Thread(target=second)
    with database.write() as conn:
        write(conn)
        overtaker.start()
        overtaker.join(timeout=0.5)
        seen += ask(database, polling, seen)
    overtaker.join()
    return seen + ask(database, polling, seen)


def ask(database: Database, polling: str, seen: list[int]) -> list[int]:
    with database.read() as conn:
        return list(conn.execute(text(polling), {"last": seen[-1] if seen else 0}).scalars())
