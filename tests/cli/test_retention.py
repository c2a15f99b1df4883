"""`fenpai retention apply`: counts first, strikes out only when told to, and needs a pack that says for how long."""

from contextlib import closing
from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import update

from models.tables import cases
from service import db, rulebook, store
from service.store import NewRuleset
from tests.builders import new_case
from tests.cli.conftest import Fenpai
from tests.packs.build import tiny

FILE = "classes:\n  - {id: all, name: 全部, months: 12, basis: 某法第一条}\n"


def test_counts_first_and_strikes_only_when_told_to(fenpai: Fenpai, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)
    assert fenpai("retention", "apply").code == 2  # no version in force
    with closing(db.connect(sqlite_url)) as database:
        publish(database, tiny())
        assert "retention.yaml" in fenpai("retention", "apply").err
        publish(database, tiny() | {"retention.yaml": FILE})
        with database.write() as conn:
            store.insert_cases(conn, [new_case(1, status="archived"), new_case(2, status="archived")])
            conn.execute(update(cases).where(cases.c.source_order_no == "TJ00000001").values(updated_at=datetime(2024, 1, 1, tzinfo=UTC)))
        counted = fenpai("retention", "apply")
        assert [word for word in ("全部", "某法第一条", "1 件已到期") if word not in counted.out] == []
        assert orjson.loads(fenpai("retention", "apply", "--json").out)[0]["ripe"] == 1
        with database.read() as conn:
            assert len(list(store.archived_cases(conn))) == 2
        assert "已清除 1 件" in fenpai("retention", "apply", "--yes").out
        with database.read() as conn:
            assert len(list(store.archived_cases(conn))) == 1
        with db.write_lock(database):
            assert fenpai("retention", "apply", "--yes").code == 2  # a server writes


def publish(database: db.Database, files: dict[str, str]) -> None:
    new = NewRuleset(pack="tiny", digest=rulebook.digest(files), files=files, author="a", created_at=datetime.now(UTC))
    with database.write() as conn:
        row = store.publish_ruleset(conn, new)
        store.activate_ruleset(conn, "tiny", row.version, actor="a", at=datetime.now(UTC))
