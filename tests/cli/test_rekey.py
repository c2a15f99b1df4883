"""`fenpai db rekey`: what is sealed gets the newest key, and the old one may go."""

from contextlib import closing

import pytest
from cryptography.fernet import Fernet

from service import db, store
from service.vault import Vault
from tests.builders import new_case
from tests.cli.conftest import Fenpai


def test_everything_is_sealed_anew_and_the_old_key_may_go(fenpai: Fenpai, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    with closing(db.connect(sqlite_url)) as database:
        with database.write() as conn:
            store.bind_data_key(conn, Vault([old]).fingerprints)
            store.insert_cases(conn, [new_case(n, complainant=Vault([old]).seal(b"{}") if n else None) for n in range(250)])
        monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)
        monkeypatch.setenv("FENPAI_DATA_KEY", new)
        assert fenpai("db", "rekey").code == 2  # the old key is needed once more
        monkeypatch.setenv("FENPAI_DATA_KEY", f"{new},{old}")
        assert "诉求人 249 件" in fenpai("db", "rekey").out
        with database.read() as conn:
            assert {Vault([new]).unseal(sealed) for _, sealed in store.sealed_cases(conn)} == {b"{}"}
    monkeypatch.setenv("FENPAI_DATA_KEY", new)
    assert fenpai("audit", "verify").code == 0
