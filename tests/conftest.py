"""Databases for the tests: each one migrated, empty and its own, on SQLite and on a real PostgreSQL.

PostgreSQL comes from FENPAI_TEST_PG_URL (a role that may create databases) or is started from a package; without either the
tests fail, they are never passed over.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from service import db
from service.db import Database
from tests import postgres

_numbers = count(1)

WAITING = ("outbox/test_processes", "/console/", "cli/test_demo", "/repair/", "/prover/", "rulelife/test_replicas")
"""Files of few tests that take long, most of it in waiting for processes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those first: begun last, one of them would be waited for alone."""
    items.sort(key=lambda item: not any(part in item.path.as_posix() for part in WAITING))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL in which databases may be made."""
    # Tests make hundreds of databases, each with a checkpoint; and they kill our processes, never this server.
    with postgres.server(careless=True) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """A migrated, empty database of which each test gets a copy: 30 ms instead of 300."""
    name = f"fenpai_template_{uuid4().hex[:12]}"
    with postgres.database(postgres_server, name) as url:
        _migrate(url)
        yield name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "fenpai.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    with postgres.database(postgres_server, f"{postgres_template}_{next(_numbers)}", postgres_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """A database on PostgreSQL for a whole file of tests."""
    with postgres.database(postgres_server, f"{postgres_template}_{next(_numbers)}", postgres_template) as url:
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
