"""The audit: change one byte anywhere, and it is found, with the row at which it no longer agrees."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Column, Connection, select, update
from sqlalchemy.exc import IntegrityError

from models.moves import Move
from models.tables import api_keys, case_departments, cases, events, heads, notes, rulesets
from service import audit, keyring, rulebook, store
from service.audit import Mark
from service.store import NewRuleset
from service.vault import Vault
from tests.casework.house import House
from tests.casework.people import TUESDAY
from tests.store.test_feed import unlocked

TABLES = (events, cases, case_departments, notes, api_keys)
SPARED = {
    "cases.complainant": "sealed, and so authenticated; `audit.verify` tries each seal",
    "case_departments.rank": "only the order counts, and it is hashed",
}


@pytest.fixture
def lived(house: House) -> House:
    """A house in which something of each kind has happened."""
    case_id = house.receive()
    house.receive()
    house.move(case_id, Move.ACCEPT)
    house.move(case_id, Move.ASSIST_REPLY)
    house.move(case_id, Move.EXTEND)
    with house.database.write() as conn:
        old = keyring.create(conn, "热线", ("hotline",), 365, keyring.By("cli")).row
        keyring.rotate(conn, old.id, timedelta(hours=1), None, keyring.By("cli"))
        keyring.revoke(conn, old.id, keyring.By("cli"))
    return house


class TestOneChangedByte:
    def test_is_found_wherever_it_is(self, lived: House) -> None:
        assert lived.ask(store.verify_chain).broken is None
        with lived.database.writer.connect() as conn:
            conn.begin()
            unlocked(conn)
            if conn.dialect.name == "sqlite":
                conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            missed = [f"{table.name}.{column.name}" for table in TABLES for column in table.columns if not _found(conn, column)]
            conn.rollback()
        assert set(missed) <= SPARED.keys()

    def test_of_the_feeds_end_is_found(self, lived: House) -> None:
        for values in ({"value": heads.c.value - 1}, {"hash": "0" * 64}):
            with lived.database.writer.connect() as conn:
                conn.begin()
                conn.execute(update(heads).where(heads.c.name == "events").values(values))
                assert store.verify_chain(conn).broken is not None
                conn.rollback()


def _found(conn: Connection, column: Column[Any]) -> bool:
    """Change this column by one byte in one row, and see whether it is found; then take the change back."""
    table = column.table
    [key, *_] = table.primary_key.columns
    row = conn.execute(select(column, key).order_by(*table.primary_key.columns)).first()
    assert row is not None
    point = conn.begin_nested()
    try:
        conn.execute(
            update(table)
            .where(key == row[1], column.is_(None) if row[0] is None else column == row[0])
            .values({column: _other(row[0], column)})
        )
        return store.verify_chain(conn).broken is not None
    except IntegrityError:
        return True  # the database itself refuses it
    finally:
        point.rollback()


def _other(value: Any, column: Column[Any]) -> Any:
    if value is None:
        return TUESDAY if "at" in column.name.split("_") else 7 if column.type.python_type is int else "x"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, bytes):
        return value[:-1] + b"?"
    return value[:-1] + ("y" if value[-1:] != "y" else "z")


class TestTheAudit:
    def test_goes_through_a_mark_that_was_noted_before(self, lived: House) -> None:
        mark = audit.verify(lived.database).mark
        lived.receive()
        assert audit.verify(lived.database, noted=mark).broken is None
        assert "以前记下" in audit.verify(lived.database, noted=Mark(mark.seq, "0" * 64)).why

    def test_tries_every_seal(self, lived: House) -> None:
        vault = Vault([Fernet.generate_key().decode()])
        assert "解不开" in audit.verify(lived.database, vault).why
        with lived.database.write() as conn:
            conn.execute(update(cases).values(complainant=vault.seal(b"{}")))
        assert audit.verify(lived.database, vault).broken is None

    def test_reads_the_files_of_published_rules(self, lived: House) -> None:
        files = {"ruleset.yaml": "x: 1\n"}
        new = NewRuleset(pack="p", digest=rulebook.digest(files), files=files, author="a", created_at=TUESDAY)
        with lived.database.write() as conn:
            store.publish_ruleset(conn, new)
        assert audit.verify(lived.database).broken is None
        with lived.database.write() as conn:
            conn.execute(update(rulesets).values(files=orjson.dumps({"ruleset.yaml": "x: 2\n"}).decode()))
        assert "不是当时发布的" in audit.verify(lived.database).why

    def test_writes_out_what_anybody_can_check(self, lived: House) -> None:
        previous = "0" * 64
        lines = [orjson.loads(line) for line in audit.export(lived.database)]
        assert len(lines) == lived.ask(store.feed_head)
        for line in lines:
            assert line["prev_hash"] == previous
            previous = audit.row_hash(previous, line["row"])
            assert line["hash"] == previous
