"""`fenpai audit`: says that nothing was touched, or where; writes the log out, and says in it that it did."""

import pytest

from tests.cli.conftest import Fenpai


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)


def test_the_chain_is_verified_and_written_out(fenpai: Fenpai) -> None:
    fenpai("keys", "create", "--name", "x", "--scope", "viewer", "--days", "0")
    said = fenpai("audit", "verify")
    assert (said.code, "审计链完整：1 行" in said.out) == (0, True)
    mark = said.out.splitlines()[1].split()[1].partition("（")[0]
    rows = fenpai("audit", "export").rows
    assert [row["row"][2] for row in rows] == ["key.created", "audit.exported"]
    assert fenpai("audit", "verify", "--noted", mark).code == 0
    other = fenpai("audit", "verify", "--noted", f"1:{'0' * 64}")
    assert (other.code, "第 1 行不符" in other.err) == (1, True)
    assert fenpai("audit", "verify", "--noted", "x").code == 2
