"""The feed: every change once, in order, and a chain that shows what was touched."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from service import store
from service.db import Database
from service.store import ChainReport, NewEvent
from tests.builders import NOON, new_case


def write(database: Database, *kinds: str, case_id: str | None = None) -> list[store.Event]:
    with database.write() as conn:
        return store.append_events(conn, [NewEvent(at=NOON, kind=kind, actor="officer", case_id=case_id) for kind in kinds])


def verify(database: Database, after: int = 0) -> ChainReport:
    with database.read() as conn:
        return store.verify_chain(conn, after=after)


class TestReading:
    def test_an_empty_feed_ends_at_nought(self, database: Database) -> None:
        with database.read() as conn:
            assert (store.feed_head(conn), store.changes(conn, 0, 10)) == (0, [])
        assert verify(database) == ChainReport(0, 0, None, None)

    def test_what_was_appended_is_read_in_order(self, database: Database) -> None:
        appended = write(database, "a", "b") + write(database, "c")
        with database.read() as conn:
            assert store.changes(conn, 0, 10) == appended
            assert store.changes(conn, 1, 1) == appended[1:2]
            assert store.changes(conn, 3, 10) == []
            assert store.feed_head(conn) == 3
        assert [event.seq for event in appended] == [1, 2, 3]

    def test_a_case_has_its_own_timeline(self, database: Database) -> None:
        case = new_case(1)
        with database.write() as conn:
            store.insert_cases(conn, [new_case(0), case])
        write(database, "accepted", "replied", case_id=case.id)
        write(database, "something else")
        with database.read() as conn:
            assert [event.kind for event in store.case_events(conn, case.id)] == ["case.received", "accepted", "replied"]
            assert [event.kind for event in store.case_events(conn, case.id, after=2, limit=1)] == ["accepted"]

    def test_what_was_rolled_back_leaves_no_gap(self, database: Database) -> None:
        write(database, "a")
        with database.writer.connect() as conn:
            assert store.append_events(conn, [NewEvent(at=NOON, kind="never", actor="officer")])[0].seq == 2
            conn.rollback()
        assert [event.seq for event in write(database, "b")] == [2]

    def test_appending_nothing_is_nothing(self, database: Database) -> None:
        assert write(database) == []


FORGERIES: list[tuple[str, int, str]] = [
    ("UPDATE events SET actor = 'someone else' WHERE seq = 700", 700, "与当时的摘要不符"),
    ("UPDATE events SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 2", 2, "与当时的摘要不符"),
    ("UPDATE events SET hash = repeat_x WHERE seq = 5", 5, "与当时的摘要不符"),
    ("DELETE FROM events WHERE seq = 3", 3, "缺了这一行"),
    ("DELETE FROM events WHERE seq > 600", 601, "缺了这一行"),
    ("UPDATE heads SET hash = repeat_x WHERE name = 'events'", 705, "链尾"),
    ("UPDATE cases SET triage = '{}' WHERE seq = 4", 4, "不是当时受理"),
    ("UPDATE cases SET content = 'all is well' WHERE seq = 4", 4, "不是当时受理"),
    ("DELETE FROM cases WHERE seq = 1", 1, "缺了案件"),
]


class TestTheChain:
    def test_of_what_was_only_appended_is_whole(self, database: Database) -> None:
        fill(database)
        assert verify(database) == ChainReport(705, 705, None, None)
        assert verify(database, after=600) == ChainReport(105, 705, None, None)

    @pytest.mark.parametrize(("forgery", "row", "why"), FORGERIES)
    def test_names_the_first_row_that_was_touched(self, database: Database, forgery: str, row: int, why: str) -> None:
        """By someone who may do as they like in the database, and who also hides it from its triggers."""
        fill(database)
        with database.write() as conn:
            unlocked(conn)(forgery.replace("repeat_x", f"'{'x' * 64}'"))
        report = verify(database)
        assert report.broken == row
        assert report.why is not None
        assert why in report.why

    def test_that_begins_at_a_missing_row_is_broken_there(self, database: Database) -> None:
        fill(database)
        with database.write() as conn:
            unlocked(conn)("DELETE FROM events WHERE seq = 600")
        assert verify(database, after=600).broken == 600

    def test_is_the_same_on_both_databases(self, sqlite_database: Database, postgres_database: Database) -> None:
        """A hash does not depend on how a database keeps time or text."""
        for database in (sqlite_database, postgres_database):
            with database.write() as conn:
                store.insert_cases(conn, [new_case(1, id="0" * 26)])
        assert write(sqlite_database, "a") == write(postgres_database, "a")


def fill(database: Database) -> None:
    with database.write() as conn:
        store.insert_cases(conn, [new_case(n, departments=(), issues="[]") for n in range(5)])
    write(database, *("noted" for _ in range(700)))


def unlocked(conn: Connection) -> Callable[[str], object]:
    """Run statements as a forger would: without triggers."""
    if conn.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            conn.execute(text(f"DROP TRIGGER events_no_{verb}"))
    else:
        conn.execute(text("ALTER TABLE events DISABLE TRIGGER ALL"))
    return lambda statement: conn.execute(text(statement))
