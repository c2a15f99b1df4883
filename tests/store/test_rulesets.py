"""Published rule sets: numbered, never changed, one in force."""

from dataclasses import replace

import pytest

from service import store
from service.db import Database
from service.errors import RulesetNotFound
from service.store import NewRuleset, RulesetRow
from tests.builders import NOON

FIRST = NewRuleset(
    pack="beichen", digest="a" * 64, files={"ruleset.yaml": "name: 北辰\n", "words.txt": "学科类\n"}, author="规则员", created_at=NOON
)


def publish(database: Database, new: NewRuleset) -> RulesetRow:
    with database.write() as conn:
        return store.publish_ruleset(conn, new)


def activate(database: Database, version: int) -> RulesetRow:
    with database.write() as conn:
        return store.activate_ruleset(conn, "beichen", version, actor="规则员", at=NOON)


class TestPublishing:
    def test_gives_the_next_number_of_the_pack(self, database: Database) -> None:
        versions = [publish(database, replace(FIRST, digest=letter * 64)).version for letter in "abc"]
        assert versions == [1, 2, 3]
        assert publish(database, replace(FIRST, pack="hedong")).version == 1

    def test_the_same_content_again_is_the_same_version(self, database: Database) -> None:
        assert publish(database, FIRST) == publish(database, replace(FIRST, author="又一人"))
        with database.read() as conn:
            assert store.feed_head(conn) == 1

    def test_an_older_content_again_is_a_new_version(self, database: Database) -> None:
        for letter in "aba":
            publish(database, replace(FIRST, digest=letter * 64))
        with database.read() as conn:
            assert [row.version for row in store.list_rulesets(conn, "beichen")] == [3, 2, 1]

    def test_keeps_every_file_as_it_was(self, database: Database) -> None:
        publish(database, FIRST)
        with database.read() as conn:
            assert store.ruleset_files(conn, "beichen", 1) == FIRST.files

    def test_puts_nothing_in_force(self, database: Database) -> None:
        assert publish(database, FIRST).active is False
        with database.read() as conn:
            assert store.active_ruleset(conn, "beichen") is None

    def test_is_told_in_the_feed(self, database: Database) -> None:
        publish(database, FIRST)
        activate(database, 1)
        with database.read() as conn:
            assert [event.kind for event in store.changes(conn, 0, 10)] == ["rules.published", "rules.activated"]
            assert store.verify_chain(conn).broken is None


class TestActivating:
    def test_puts_exactly_one_version_in_force(self, database: Database) -> None:
        for letter in "ab":
            publish(database, replace(FIRST, digest=letter * 64))
        for version in (1, 2, 1):
            assert activate(database, version).active
            with database.read() as conn:
                assert [row.version for row in store.list_rulesets(conn, "beichen") if row.active] == [version]
                active = store.active_ruleset(conn, "beichen")
            assert active is not None
            assert active.version == version

    def test_a_second_time_is_no_change(self, database: Database) -> None:
        publish(database, FIRST)
        assert activate(database, 1) == activate(database, 1)
        with database.read() as conn:
            assert store.feed_head(conn) == 2

    def test_an_unknown_version_is_refused(self, database: Database) -> None:
        with pytest.raises(RulesetNotFound, match="第 7 版"):
            activate(database, 7)

    def test_an_unknown_version_has_no_files(self, database: Database) -> None:
        with database.read() as conn:
            assert store.get_ruleset(conn, "beichen", 1) is None
            with pytest.raises(RulesetNotFound):
                store.ruleset_files(conn, "beichen", 1)
