"""`fenpai backup`: a copy that was checked, made while others write, from which everything comes back."""

import shutil
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from service import audit, db, store
from service.app import create_app
from service.config import Settings
from service.errors import DataKeyMissing
from service.store import NewEvent
from service.vault import Vault
from tests.api.conftest import opened
from tests.builders import NOON, new_case
from tests.cli.conftest import PACK, Fenpai


@pytest.fixture
def vault(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """That of a database that was used: some cases, sealed by the key file beside it."""
    monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)
    with closing(db.connect(sqlite_url)) as database:
        assert database.path
        vault = Vault.open(None, database.path.with_name("fenpai.key"), fresh=True)
        with database.write() as conn:
            store.bind_data_key(conn, vault.fingerprints)
            store.insert_cases(conn, [new_case(n, complainant=vault.seal(b"who")) for n in range(200)])
    return vault


def test_everything_comes_back_from_it(fenpai: Fenpai, vault: Vault, sqlite_url: str, tmp_path: Path) -> None:
    target, ended = tmp_path / "copy" / "backup.db", threading.Event()
    target.parent.mkdir()
    writing = threading.Thread(target=keep_writing, args=(sqlite_url, ended))
    writing.start()
    said = fenpai("backup", str(target))
    ended.set()
    writing.join()
    assert (said.code, "审计链完整" in said.out) == (0, True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["backup.db"]
    for path in Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("fenpai.db*"):
        path.unlink()
    shutil.copyfile(target, sqlite_url.removeprefix("sqlite:///"))
    with closing(db.connect(sqlite_url)) as database:
        db.check(database)
        assert audit.verify(database, vault).broken is None
        with database.read() as conn:
            assert store.count_cases(conn) == 200
            assert {event.kind for event in store.changes(conn, 200, 1000)} >= {"audit.exported"}
        with database.write() as conn:
            store.insert_cases(conn, [new_case(999)])


def keep_writing(url: str, ended: threading.Event) -> None:
    with closing(db.connect(url)) as database:
        while not ended.wait(0.001):
            with database.write() as conn:
                store.append_events(conn, [NewEvent(at=NOON, kind="noted", actor="a")])


@pytest.mark.usefixtures("vault")
def test_restored_without_its_key_file_is_not_taken_for_one_that_was_touched(fenpai: Fenpai, sqlite_url: str) -> None:
    key_file = Path(sqlite_url.removeprefix("sqlite:///")).with_name("fenpai.key")
    key = key_file.read_bytes()
    key_file.unlink()
    for command in (["audit", "verify"], ["db", "rekey"]):
        said = fenpai(*command)
        assert (said.code, f"密钥文件 {key_file} 不在" in said.err, key_file.exists()) == (2, True, False)
    with (
        pytest.raises(DataKeyMissing),
        opened(create_app(Settings.from_env({"FENPAI_DATABASE_URL": sqlite_url, "FENPAI_PACK": str(PACK)}))),
    ):
        pytest.fail("it must not be served")
    Vault.open(None, key_file, fresh=True)
    said = fenpai("audit", "verify")
    assert (said.code, "请放回原来的密钥文件" in said.err) == (2, True)
    key_file.write_bytes(key)
    assert fenpai("audit", "verify").code == 0


@pytest.mark.usefixtures("vault")
def test_is_never_put_over_a_file_nor_called_one_when_it_is_not_sound(fenpai: Fenpai, sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_bytes(b"mine")
    assert fenpai("backup", str(target)).code == 2
    assert target.read_bytes() == b"mine"
    with closing(db.connect(sqlite_url)) as database, database.write() as conn:
        conn.execute(text("UPDATE cases SET content = 'x' WHERE seq = 7"))
    touched = fenpai("backup", str(tmp_path / "other.db"))
    assert (touched.code, "第 7 行不符" in touched.err) == (2, True)


def test_of_postgresql_says_which_tool_does_it(fenpai: Fenpai, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FENPAI_DATABASE_URL", "postgresql://nobody@localhost:1/x")
    said = fenpai("backup", str(tmp_path / "x"))
    assert (said.code, "pg_dump" in said.err) == (2, True)
