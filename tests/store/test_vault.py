"""The vault: what is sealed is opened by its key and by nothing else; weak keys are refused."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service import store
from service.db import Database
from service.errors import DataKeyInvalid, DataKeyMismatch, DataKeyMissing, SealBroken
from service.vault import Vault

SECRET = "张三 13800000000".encode()


def key() -> str:
    return Fernet.generate_key().decode()


class TestSealing:
    def test_opens_what_it_sealed(self) -> None:
        vault = Vault([key()])
        sealed = vault.seal(SECRET)
        assert vault.unseal(sealed) == SECRET
        assert SECRET not in sealed

    def test_seals_the_same_differently_each_time(self) -> None:
        vault = Vault([key()])
        assert vault.seal(SECRET) != vault.seal(SECRET)

    def test_another_key_does_not_open(self) -> None:
        with pytest.raises(SealBroken):
            Vault([key()]).unseal(Vault([key()]).seal(SECRET))

    @pytest.mark.parametrize("sealed", [b"", b"nonsense", b"gAAAAA" + b"x" * 100])
    def test_what_is_no_seal_does_not_open(self, sealed: bytes) -> None:
        with pytest.raises(SealBroken):
            Vault([key()]).unseal(sealed)

    def test_an_old_key_still_opens_and_renewing_seals_with_the_newest(self) -> None:
        old, new = key(), key()
        renewed = Vault.open(f"{new}, {old}", None).renew(Vault([old]).seal(SECRET))
        assert Vault([new]).unseal(renewed) == SECRET
        with pytest.raises(SealBroken):
            Vault([old]).renew(renewed)


class TestKeys:
    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            ("password", "应为 32 字节"),
            ("密码", "base64"),
            ("not base64 at all!", "base64"),
            (base64.urlsafe_b64encode(b"a" * 32).decode(), "太弱"),
            (base64.urlsafe_b64encode(b"changeme" * 4).decode(), "太弱"),
            (base64.urlsafe_b64encode(bytes(16)).decode(), "应为 32 字节"),
            (base64.urlsafe_b64encode(bytes(range(32))).decode() + ",", "第 2 把"),
        ],
    )
    def test_that_are_weak_or_broken_are_refused_and_not_shown(self, bad: str, why: str) -> None:
        with pytest.raises(DataKeyInvalid, match=why) as told:
            Vault.open(bad, None)
        assert bad not in told.value.detail

    def test_are_told_apart_by_fingerprints_that_do_not_show_them(self) -> None:
        first, second = key(), key()
        vault = Vault([first, second])
        assert vault.fingerprints == (*Vault([first]).fingerprints, *Vault([second]).fingerprints)
        assert first not in vault.fingerprints

    def test_are_needed_for_a_shared_database(self) -> None:
        with pytest.raises(DataKeyMissing, match="FENPAI_DATA_KEY"):
            Vault.open("  ", None)


class TestTheKeyFile:
    def test_is_made_once_and_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "fenpai.key"
        sealed = Vault.open(None, path, fresh=True).seal(SECRET)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert Vault.open(None, path).unseal(sealed) == SECRET
        assert [file.name for file in tmp_path.iterdir()] == ["fenpai.key"]

    def test_is_not_made_where_a_key_is_given(self, tmp_path: Path) -> None:
        Vault.open(key(), tmp_path / "fenpai.key")
        assert list(tmp_path.iterdir()) == []

    def test_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "fenpai.key"
        Vault.open(None, path, fresh=True)
        path.chmod(0o644)
        with pytest.raises(DataKeyInvalid, match="chmod 600"):
            Vault.open(None, path)

    def test_that_is_empty_is_refused_and_left_as_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "fenpai.key"
        path.touch(mode=0o600)
        with pytest.raises(DataKeyInvalid):
            Vault.open(None, path)
        assert path.read_bytes() == b""


class TestTheKeyOfADatabase:
    def test_is_noted_at_first_use_and_then_needed(self, database: Database) -> None:
        first, other = Vault([key()]), Vault([key()])
        with database.write() as conn:
            store.bind_data_key(conn, first.fingerprints)
            store.bind_data_key(conn, first.fingerprints)
        with pytest.raises(DataKeyMismatch, match="另一把密钥"), database.write() as conn:
            store.bind_data_key(conn, other.fingerprints)

    def test_may_be_the_older_one_on_the_ring(self, database: Database) -> None:
        old, new = key(), key()
        with database.write() as conn:
            store.bind_data_key(conn, Vault([old]).fingerprints)
            store.bind_data_key(conn, Vault([new, old]).fingerprints)

    def test_is_the_new_one_once_all_is_sealed_anew(self, database: Database) -> None:
        old, new = key(), key()
        with database.write() as conn:
            store.bind_data_key(conn, Vault([old]).fingerprints)
            store.note_data_key(conn, Vault([new]).fingerprints[0])
            store.bind_data_key(conn, Vault([new]).fingerprints)
