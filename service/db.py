"""The database: one door for SQLite and PostgreSQL, how to open it, and how its schema moves forward."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from models.tables import metadata
from service.errors import (
    BackupElsewhere,
    BackupUnsound,
    DatabaseInUse,
    DatabaseMissing,
    DatabaseOutdated,
    DatabaseTooNew,
    DatabaseUnreachable,
    DatabaseUrlInvalid,
    Fault,
    StorageUnavailable,
)

MIGRATIONS = Path(__file__).parent / "migrations"
UPGRADE_LOCK = 0x66656E706169  # "fenpai": PostgreSQL's advisory locks are numbers
BUSY_SECONDS = 5
READERS = 16

Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Database:
    """Two ways into one database: the writer's connections and those that only read."""

    url: str = field(repr=False)  # it may hold a password
    dialect: Dialect
    writer: Engine
    reader: Engine
    path: Path | None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end; on SQLite no other writer runs beside it."""
        with _told(), self.writer.connect() as conn:
            conn.begin()
            yield conn
            commit(conn)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write; on SQLite it sees one moment, on PostgreSQL each statement does."""
        with _told(), self.reader.connect() as conn:
            yield conn

    def close(self) -> None:
        """Close every connection: those at rest now, those still reading as soon as they come back."""
        for engine in (self.writer, self.reader):
            event.listen(engine.pool, "checkin", _close_late)
            engine.dispose()


def _close_late(_raw: object, record: Any) -> None:
    record.invalidate()


def connect(url: str) -> Database:
    """Open nothing yet: the engines connect when they are first used."""
    target = _target(url)
    if target.get_backend_name() == "sqlite":
        return _sqlite(target)
    return _postgresql(target)


def _target(url: str) -> URL:
    try:
        target = make_url(url)
    except ArgumentError as error:
        raise DatabaseUrlInvalid("数据库地址无法识别，应形如 sqlite:///fenpai.db 或 postgresql://用户@主机/库名。") from error
    if target.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return target.set(drivername="postgresql+psycopg")
    if target.drivername != "sqlite":
        raise DatabaseUrlInvalid(f"不支持 {target.drivername} 数据库，只支持 sqlite 与 postgresql。")
    if target.database in {None, "", ":memory:"}:
        raise DatabaseUrlInvalid("SQLite 须存为文件，例如 sqlite:///fenpai.db；内存数据库在停止后会丢失工单。")
    return target


def _sqlite(target: URL) -> Database:
    writer = create_engine(target, poolclass=QueuePool, pool_size=1, max_overflow=0, hide_parameters=True)
    reader = create_engine(target, poolclass=QueuePool, pool_size=READERS, max_overflow=READERS, hide_parameters=True)
    event.listen(writer, "connect", _open_sqlite)
    event.listen(reader, "connect", _open_sqlite_to_read)
    # The lock is taken at the start: a transaction that reads first and writes later could be refused half way.
    event.listen(writer, "begin", lambda conn: _raw(conn).execute("BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda conn: _raw(conn).execute("BEGIN"))
    return Database(str(target), "sqlite", writer, reader, Path(target.database or "").absolute())


def _open_sqlite(raw: sqlite3.Connection, _record: object) -> None:
    # None: the driver opens no transaction of its own; the "begin" listeners do.
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    raw.execute("PRAGMA journal_mode = WAL")
    # An answer to the hotline means the case survives a power cut; group commit makes FULL as fast as NORMAL.
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("PRAGMA foreign_keys = ON")
    # Fewer checkpoints write a page of an index once for many cases; 64 MB keep the indexes' growing ends in memory.
    raw.execute("PRAGMA wal_autocheckpoint = 4000")
    raw.execute("PRAGMA cache_size = -65536")


def _open_sqlite_to_read(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    raw.execute("PRAGMA query_only = ON")


def _postgresql(target: URL) -> Database:
    zone = "-c timezone=UTC"
    writer = create_engine(target, pool_size=2, max_overflow=2, hide_parameters=True, connect_args=_hello(zone))
    # Asking before each use costs a round trip and spares the caller an error after PostgreSQL was restarted.
    reader = create_engine(
        target,
        pool_size=READERS,
        max_overflow=READERS,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        connect_args=_hello(f"{zone} -c default_transaction_read_only=on"),
    )
    return Database(target.render_as_string(hide_password=False), "postgresql", writer, reader, None)


def _hello(options: str) -> dict[str, Any]:
    return {"options": options, "connect_timeout": BUSY_SECONDS, "application_name": "fenpai"}


def commit(conn: Connection) -> None:
    """Commit, or drop the connection: nobody knows what it holds after a commit that failed, and the next must not commit that too."""
    try:
        conn.commit()
    except BaseException:
        conn.invalidate()
        raise


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        raise explained(error) from None


# What Python's database drivers agree to raise, and whether the fault then lies with the database or with what was asked of it.
FAULTS = {
    "OperationalError": True,
    "InterfaceError": True,
    "InternalError": True,
    "IntegrityError": False,
    "DataError": False,
    "ProgrammingError": False,
    "NotSupportedError": False,
    "DatabaseError": True,  # last, for all of these are DatabaseErrors: by itself it says that the file is damaged or none of ours
}


def explained(error: Exception) -> Exception:
    """A driver's error, told in our words and without the row: PostgreSQL writes the whole row into it, and that would go into a log."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, (sqlite3.Error, psycopg.Error)):
        return error
    told = f"{type(cause).__name__}: {(str(cause).strip().splitlines() or ['没有说明'])[0]}"
    if type(cause) is sqlite3.DatabaseError:
        return StorageUnavailable(f"数据库文件坏了，或者不是 SQLite 数据库，请检查 FENPAI_DATABASE_URL，或从备份恢复：{told}")
    return StorageUnavailable(f"数据库暂时不可用：{told}") if is_unavailable(cause) else Fault(f"数据库不接受这次写入：{told}")


def is_unavailable(error: BaseException) -> bool:
    """Whether a driver's error says that the database is at fault: gone, full, locked, read-only."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return next((fault for name, fault in FAULTS.items() if name in names), False)


def _raw(conn: Connection) -> Any:
    return conn.connection.dbapi_connection


def ping(database: Database) -> None:
    with database.read() as conn:
        conn.execute(text("SELECT 1"))


def scrub(database: Database) -> None:
    """Give up the room of what was deleted, so that it is not merely out of sight. PostgreSQL's pages are only marked as free."""
    if database.path is None:
        with _told(), database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM"))
        return
    with _told(), closing(sqlite3.connect(database.path, isolation_level=None)) as raw:
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            raw.execute(statement)


def backup(database: Database, target: Path) -> None:
    """A copy of one moment of SQLite's file, whoever writes meanwhile; it appears under its name only when it is whole and sound."""
    if database.path is None:
        raise BackupElsewhere
    part = target.with_name(target.name + ".part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        source = f"file:{quote(str(database.path))}?mode=ro"
        with _told(), closing(sqlite3.connect(source, uri=True)) as whole, closing(sqlite3.connect(part, isolation_level=None)) as copy:
            whole.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            [sound] = copy.execute("PRAGMA integrity_check").fetchone()
        if sound != "ok":
            raise BackupUnsound(f"备份出来的文件不完好（{str(sound)[:200]}），没有留下。数据库本身可能已损坏，请检查磁盘。")
        os.link(part, target)  # never over another file
    finally:
        part.unlink(missing_ok=True)


# The schema -------------------------------------------------------------------------------------------------------------------


def upgrade(database: Database) -> None:
    """Bring the schema to what this code needs. Replicas that start together wait for one another here."""
    with write_lock(database), database.write() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        _refuse_newer(_revision(conn))
        command.upgrade(_alembic(conn), "head")


def prepare(database: Database) -> None:
    """Bring the schema up at a start; a StartError says why it cannot be done."""
    try:
        upgrade(database)
    except StorageUnavailable as error:
        raise DatabaseUnreachable(error.detail) from error
    except OSError as error:
        raise DatabaseUnreachable(f"打不开数据库文件 {database.path}：{error.strerror}。请检查文件夹是否存在、能否写入。") from error


def check(database: Database) -> None:
    """Refuse a database that is older or newer than this code."""
    found = revision(database)
    if found is None:
        raise DatabaseMissing("数据库里还没有 fenpai 的表，请先运行 fenpai db upgrade。")
    _refuse_newer(found)
    if found != _scripts().get_current_head():
        raise DatabaseOutdated(f"数据库结构（{found}）比程序旧，请先备份，再运行 fenpai db upgrade。")


def revision(database: Database) -> str | None:
    """The step at which the schema stands; None where there is none."""
    if database.path is not None and not database.path.exists():
        return None  # asking SQLite would make the file
    with database.read() as conn:
        return _revision(conn)


def differences(database: Database) -> list[Any]:
    """What `alembic check` finds between the tables and the database: nothing, or a migration was forgotten."""
    with database.write() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "render_as_batch": True})
        return list(compare_metadata(context, metadata))


def _revision(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    return MigrationContext.configure(conn).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseTooNew(f"数据库结构（{found}）比程序新，请升级 fenpai，不要用旧程序打开新数据库。")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _alembic(conn: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config


# One writer ---------------------------------------------------------------------------------------------------------------------


@contextmanager
def write_lock(database: Database) -> Iterator[None]:
    """On SQLite only one process may write for long; the operating system frees the lock when that process dies."""
    if database.path is None:
        yield
        return
    path = database.path.with_name(database.path.name + ".lock")
    if not path.parent.is_dir():
        raise DatabaseUnreachable(f"没有文件夹 {path.parent}，放不进数据库文件。请先建立它，或检查 FENPAI_DATABASE_URL。")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(handle, path)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(handle, 20).decode(errors="replace").strip() or "未知"
        raise DatabaseInUse(
            f"数据库正由另一个 fenpai 进程（进程号 {owner}）写入，锁文件 {path}。"
            "SQLite 只能有一个写进程；要多个副本同时运行，请改用 PostgreSQL（FENPAI_DATABASE_URL）。"
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
