"""The register in the database: changed as a whole, from the revision it was read at, searched, told in the feed."""

from dataclasses import replace

import pytest

from models.register import Institution
from service import store
from service.db import Database
from service.store import Listed, RegisterChange, RegisterMark
from tests.builders import NOON

DANCE = Institution(
    id="01A",
    name="蔓汀舞蹈艺术培训有限公司",
    aliases=("蔓汀舞蹈", "蔓汀"),
    category="arts",
    department="culture",
    licence="艺007",
    status="在办",
)
SWIM = Institution(id="01B", name="鲸豆湾体育发展有限公司", aliases=("鲸豆湾",), category="sports", department="culture", status="注销")
CODE = Institution(id="01C", name="码筏信息科技有限公司", address="100%大道_1号", status="在办")


def write(database: Database, *rows: Institution, removed: tuple[str, ...] = (), expected: int | None = None) -> RegisterMark | None:
    put = tuple(Listed(row, "\n".join((row.name, *row.aliases, row.licence, row.address)).lower()) for row in rows)
    with database.write() as conn:
        at = store.register_mark(conn).revision if expected is None else expected
        return store.write_register(conn, RegisterChange(put, removed, {"added": len(rows)}), at, actor="tester", at=NOON)


def read(database: Database) -> list[Institution]:
    with database.read() as conn:
        return store.read_register(conn)


class TestWriting:
    def test_a_new_database_has_an_empty_register(self, database: Database) -> None:
        with database.read() as conn:
            assert store.register_mark(conn).revision == 0
            assert store.read_register(conn) == []

    def test_keeps_every_field_and_the_order_of_names(self, database: Database) -> None:
        write(database, DANCE, SWIM, CODE)
        assert read(database) == [DANCE, SWIM, CODE]

    def test_raises_the_revision_and_changes_the_digest(self, database: Database) -> None:
        first, second = write(database, DANCE), write(database, SWIM)
        assert first is not None
        assert second is not None
        assert (first.revision, second.revision) == (1, 2)
        assert first.digest != second.digest
        with database.read() as conn:
            assert store.register_mark(conn) == second

    def test_from_an_older_revision_is_refused_and_writes_nothing(self, database: Database) -> None:
        write(database, DANCE)
        assert write(database, SWIM, expected=0) is None
        assert read(database) == [DANCE]

    def test_nothing_new_is_no_new_revision(self, database: Database) -> None:
        before = write(database, DANCE)
        assert write(database) == before
        with database.read() as conn:
            assert store.feed_head(conn) == 1

    def test_replaces_the_row_of_the_same_id(self, database: Database) -> None:
        write(database, DANCE, SWIM)
        write(database, replace(DANCE, status="注销", aliases=("蔓汀少儿舞蹈",)))
        assert read(database) == [replace(DANCE, status="注销", aliases=("蔓汀少儿舞蹈",)), SWIM]

    def test_lets_two_institutions_exchange_their_names(self, database: Database) -> None:
        write(database, DANCE, SWIM)
        exchanged = [replace(DANCE, name=SWIM.name, aliases=SWIM.aliases), replace(SWIM, name=DANCE.name, aliases=DANCE.aliases)]
        write(database, *exchanged)
        assert read(database) == exchanged

    def test_takes_out_what_is_removed(self, database: Database) -> None:
        write(database, DANCE, SWIM)
        write(database, removed=("01A",))
        assert read(database) == [SWIM]

    def test_is_told_in_the_feed(self, database: Database) -> None:
        mark = write(database, DANCE)
        assert mark is not None
        with database.read() as conn:
            (event,) = store.changes(conn, 0, 10)
            assert (event.kind, event.actor) == ("register.changed", "tester")
            assert f'"revision":1,"digest":"{mark.digest}","added":1' in event.data
            assert store.verify_chain(conn).broken is None

    def test_holds_thousands(self, database: Database) -> None:
        many = [Institution(id=f"02{number:05}", name=f"第{number}所", aliases=(f"别名{number}",)) for number in range(2100)]
        write(database, *many)
        assert read(database) == many


class TestSearching:
    @pytest.fixture(autouse=True)
    def _register(self, database: Database) -> None:
        write(database, DANCE, SWIM, CODE)

    def find(self, database: Database, search: str = "", **wanted: str) -> list[str]:
        with database.read() as conn:
            return [row.id for row in store.list_institutions(conn, search=search, limit=10, **wanted)]

    @pytest.mark.parametrize(("search", "found"), [("蔓汀", ["01A"]), ("艺007", ["01A"]), ("公司", ["01A", "01B", "01C"]), ("无", [])])
    def test_finds_by_name_alias_and_number(self, database: Database, search: str, found: list[str]) -> None:
        assert self.find(database, search) == found

    @pytest.mark.parametrize(("search", "found"), [("%", ["01C"]), ("_", ["01C"]), ("蔓%", []), ("'", []), ("\\", [])])
    def test_signs_of_patterns_are_plain_characters(self, database: Database, search: str, found: list[str]) -> None:
        assert self.find(database, search) == found

    def test_keeps_to_a_category_and_a_status(self, database: Database) -> None:
        assert self.find(database, category="arts") == ["01A"]
        assert self.find(database, status="在办") == ["01A", "01C"]

    def test_goes_on_behind_the_last_one(self, database: Database) -> None:
        assert self.find(database, after="01A") == ["01B", "01C"]

    def test_finds_one_by_its_id(self, database: Database) -> None:
        with database.read() as conn:
            assert store.get_institution(conn, "01B") == SWIM
            assert store.get_institution(conn, "nobody") is None
