"""`fenpai keys`: made, listed, exchanged and revoked by whoever may open the database."""

import pytest

from tests.cli.conftest import Fenpai


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)


def test_keys_come_and_go(fenpai: Fenpai) -> None:
    made = fenpai("keys", "create", "--name", "热线平台", "--scope", "hotline", "--scope", "viewer")
    assert (made.code, "第一把钥匙" in made.out) == (0, True)
    key = made.out.splitlines()[0].removeprefix("钥匙：")
    number = key.split("_")[1]
    new = fenpai("keys", "rotate", number, "--overlap", "1").out.splitlines()[0].split("_")[1]
    assert fenpai("keys", "revoke", number).code == 0
    assert fenpai("keys", "revoke", number).code == 0
    assert (fenpai("keys", "rotate", number).code, fenpai("keys", "revoke", "nobody").code) == (2, 2)
    listed = fenpai("keys", "list", "--json")
    assert key not in listed.out
    assert {row["id"]: (row["scopes"], row["replaced_by"], bool(row["revoked_at"])) for row in listed.rows} == {
        new: (["hotline", "viewer"], None, False),
        number: (["hotline", "viewer"], new, True),
    }
    assert "已吊销" in fenpai("keys", "list").out


@pytest.mark.parametrize("wrong", [("--scope", "root"), ("--scope", "department:甲"), ("--scope", "viewer", "--days", "99999")])
def test_what_makes_no_sense_is_refused(fenpai: Fenpai, wrong: tuple[str, ...]) -> None:
    assert fenpai("keys", "create", "--name", "x", *wrong).code == 2


def test_what_makes_no_sense_is_told_and_not_made(fenpai: Fenpai) -> None:
    assert "没有 root 这种权限" in fenpai("keys", "create", "--name", "x", "--scope", "root").err
    unknown = fenpai("keys", "create", "--name", "x", "--scope", "department:nowhere")
    assert (unknown.code, "没有 nowhere 这个单位，只能是" in unknown.err, "gym_office" in unknown.err) == (2, True, True)
    assert fenpai("keys", "list", "--json").rows == []
    first = fenpai("keys", "create", "--name", "x", "--scope", "department:gym_office")
    assert (first.code, "它不是管理员的" in first.out) == (0, True)
