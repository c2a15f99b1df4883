"""The schema: how it moves forward, what is refused, and what the database itself forbids."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from models.tables import metadata
from service import db, store
from service.db import Database
from service.errors import DatabaseInUse, DatabaseMissing, DatabaseOutdated, DatabaseTooNew, DatabaseUrlInvalid, Fault, StorageUnavailable
from tests.builders import new_case


class TestUpgrading:
    def test_makes_exactly_the_tables_of_the_code(self, database: Database) -> None:
        assert db.differences(database) == []

    def test_a_second_time_changes_nothing(self, database: Database) -> None:
        before = db.revision(database)
        db.upgrade(database)
        assert db.revision(database) == before

    def test_keeps_what_is_stored(self, database: Database) -> None:
        with database.write() as conn:
            store.insert_cases(conn, [new_case(1)])
        db.upgrade(database)
        with database.read() as conn:
            assert store.feed_head(conn) == 1

    def test_by_several_replicas_at_once_is_done_once(self, postgres_database: Database) -> None:
        empty(postgres_database)
        faults: list[Exception] = []

        def start() -> None:
            try:
                with closing(db.connect(postgres_database.url)) as replica:
                    db.upgrade(replica)
            except Exception as error:  # noqa: BLE001 (told by the main thread)
                faults.append(error)

        replicas = [threading.Thread(target=start) for _ in range(4)]
        for replica in replicas:
            replica.start()
        for replica in replicas:
            replica.join()
        assert faults == []
        db.check(postgres_database)

    def test_that_fails_half_way_leaves_nothing_behind(self, database: Database) -> None:
        empty(database)
        with database.write() as conn:
            conn.execute(text("CREATE TABLE idempotency (n int)"))
        with pytest.raises((Fault, StorageUnavailable)):
            db.upgrade(database)
        with pytest.raises(DatabaseMissing):
            db.check(database)
        with database.write() as conn:
            conn.execute(text("DROP TABLE idempotency"))
        db.upgrade(database)
        db.check(database)

    def test_waits_for_no_server_but_is_refused_while_one_writes(self, sqlite_database: Database) -> None:
        with db.write_lock(sqlite_database), pytest.raises(DatabaseInUse, match="进程号"):
            db.upgrade(sqlite_database)


class TestChecking:
    def test_accepts_the_schema_of_the_code(self, database: Database) -> None:
        db.check(database)

    def test_refuses_an_empty_database(self, database: Database) -> None:
        empty(database)
        with pytest.raises(DatabaseMissing, match="fenpai db upgrade"):
            db.check(database)

    def test_refuses_a_missing_file_and_does_not_make_it(self, tmp_path: Path) -> None:
        with closing(db.connect(f"sqlite:///{tmp_path / 'none.db'}")) as missing, pytest.raises(DatabaseMissing):
            db.check(missing)
        assert list(tmp_path.iterdir()) == []

    def test_refuses_a_database_of_a_newer_program(self, database: Database) -> None:
        stamp(database, "9999")
        with pytest.raises(DatabaseTooNew, match="升级 fenpai"):
            db.check(database)
        with pytest.raises(DatabaseTooNew):
            db.upgrade(database)

    def test_refuses_an_older_database(self, database: Database) -> None:
        with database.write() as conn:
            conn.execute(text("DELETE FROM alembic_version"))
        with pytest.raises(DatabaseMissing):
            db.check(database)

    def test_names_the_command_for_an_older_database(self, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """As it will be when a second step exists."""
        later = tmp_path / "migrations"
        (later / "versions").mkdir(parents=True)
        for step in (*db.MIGRATIONS.glob("*.py"), *db.MIGRATIONS.glob("versions/*.py")):
            (later / step.relative_to(db.MIGRATIONS)).write_text(step.read_text())
        newest = later / "versions" / "0002.py"
        newest.write_text('revision = "next"\ndown_revision = "0001"\n\ndef upgrade() -> None: ...\n')
        monkeypatch.setattr(db, "MIGRATIONS", later)
        with pytest.raises(DatabaseOutdated, match="fenpai db upgrade"):
            db.check(database)
        db.upgrade(database)
        db.check(database)


class TestOpening:
    @pytest.mark.parametrize(
        "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://root@host/fenpai", "postgresql+asyncpg://h/x"]
    )
    def test_refuses_what_is_no_address_of_a_database(self, url: str) -> None:
        with pytest.raises(DatabaseUrlInvalid):
            db.connect(url)

    @pytest.mark.parametrize("url", ["postgresql://u:p@h/x", "postgres://u:p@h/x", "postgresql+psycopg://u:p@h/x"])
    def test_knows_postgresql_by_all_its_names(self, url: str) -> None:
        with closing(db.connect(url)) as opened:
            assert (opened.dialect, opened.url) == ("postgresql", "postgresql+psycopg://u:p@h/x")

    def test_does_not_show_the_password(self) -> None:
        with closing(db.connect("postgresql://u:secret@h/x")) as opened:
            assert "secret" not in repr(opened)

    def test_says_so_when_nobody_answers(self) -> None:
        with (
            closing(db.connect("postgresql://u:secret@127.0.0.1:1/x")) as gone,
            pytest.raises(StorageUnavailable, match="暂时不可用") as told,
        ):
            db.ping(gone)
        assert "secret" not in told.value.detail

    def test_a_database_that_answers_is_silent(self, database: Database) -> None:
        db.ping(database)

    def test_a_file_that_is_no_database_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "fenpai.db").write_bytes(b"this is a letter, not a database" * 200)
        with (
            closing(db.connect(f"sqlite:///{tmp_path / 'fenpai.db'}")) as letter,
            pytest.raises(StorageUnavailable, match=r"不是 SQLite 数据库.*not a database"),
        ):
            db.check(letter)

    def test_sqlite_keeps_its_promises_through_a_power_cut(self, sqlite_database: Database) -> None:
        with sqlite_database.write() as conn:
            told = [conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")]
        assert told == ["wal", 2, 1]


class TestWhatTheDatabaseForbids:
    @pytest.mark.parametrize("change", ["UPDATE events SET actor = 'someone else'", "DELETE FROM events"])
    def test_nobody_changes_the_events(self, database: Database, change: str) -> None:
        with database.write() as conn:
            store.insert_cases(conn, [new_case(1)])
        with pytest.raises(Fault, match="append-only"), database.write() as conn:
            conn.execute(text(change))
        with database.read() as conn:
            assert store.verify_chain(conn).broken is None

    def test_nobody_empties_the_events(self, postgres_database: Database) -> None:
        with pytest.raises(Fault, match="append-only"), postgres_database.write() as conn:
            conn.execute(text("TRUNCATE events"))

    def test_a_part_without_its_case_is_refused(self, database: Database) -> None:
        columns = "case_id, department, role, rank, created_at"
        orphan = f"INSERT INTO case_departments ({columns}) VALUES ('nobody', 'tax', 'lead', 0, '2026-11-24T00:00:00.000000Z')"  # noqa: S608
        with pytest.raises(Fault, match=r"(?i)foreign key"), database.write() as conn:
            conn.execute(text(orphan))

    def test_two_writers_cannot_both_hold_sqlite(self, sqlite_database: Database) -> None:
        assert sqlite_database.path is not None
        with closing(sqlite3.connect(sqlite_database.path, isolation_level=None, timeout=0)) as other, sqlite_database.write() as conn:
            store.take_head(conn)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")


def empty(database: Database) -> None:
    with database.write() as conn:
        if conn.dialect.name == "sqlite":
            metadata.drop_all(conn)
            conn.execute(text("DROP TABLE alembic_version"))
        else:
            conn.execute(text("DROP SCHEMA public CASCADE"))
            conn.execute(text("CREATE SCHEMA public"))


def stamp(database: Database, revision: str) -> None:
    with database.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
