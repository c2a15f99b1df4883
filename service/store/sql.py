"""The hot path: statements compiled once for each database and handed straight to its driver.

SQLAlchemy spends about 40 us on every statement it runs, which is more than SQLite needs for most of ours; so the few that
every arriving case goes through do without. Their text still comes from the tables, one for both databases.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Select, Table, bindparam, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

from models.tables import to_text

MANY = 8
"""From so many rows on PostgreSQL's COPY is the faster way in; for fewer its own round trips are not."""


class Prepared:
    """A statement whose values come in the order in which its text asks for them, as the driver wants them (see `moments`)."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, str] = {}

    def send(self, conn: Connection, values: tuple[Any, ...] = ()) -> DBAPICursor:
        """Run it; within `together` the rows are only waited for when they are fetched."""
        cursor = conn.connection.cursor()
        cursor.execute(self.text(conn), values)
        return cursor

    def send_many(self, conn: Connection, rows: list[tuple[Any, ...]]) -> None:
        conn.connection.cursor().executemany(self.text(conn), rows)

    def text(self, conn: Connection) -> str:
        dialect = conn.dialect.name
        found = self._texts.get(dialect)
        if found is None:
            found = self._texts[dialect] = str(self._statement.compile(dialect=_positional(dialect)))
        return found


class Insert:
    """Rows into a table, each a tuple in the order of its columns."""

    def __init__(self, table: Table) -> None:
        self._one = Prepared(insert(table))
        self._copy = f"COPY {table.name} ({', '.join(column.name for column in table.columns)}) FROM STDIN"

    def run(self, conn: Connection, rows: list[tuple[Any, ...]], *, many: bool) -> None:
        if many and conn.dialect.name == "postgresql":
            self._stream(conn, rows)
        elif rows:
            self._one.send_many(conn, rows)

    def _stream(self, conn: Connection, rows: list[tuple[Any, ...]]) -> None:
        with _psycopg(conn).cursor().copy(self._copy) as copy:
            for row in rows:
                copy.write_row(row)


@contextmanager
def together(conn: Connection, *, many: bool = False) -> Iterator[None]:
    """Statements within cost PostgreSQL one round trip, unless they bring `many` rows: COPY goes alone."""
    if conn.dialect.name == "postgresql" and not many:
        with _psycopg(conn).pipeline():
            yield
    else:
        yield


@cache
def one_of(statement: Select[Any], column: Column[str], count: int) -> Prepared:
    """The statement for as many values of a column; few counts make few texts, which drivers keep prepared."""
    return Prepared(statement.where(column.in_([bindparam(f"v{n}") for n in range(count)])))


def padded(values: list[str]) -> tuple[str, ...]:
    """The values, the last repeated until their count is a power of two."""
    return (*values, *values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values)))


def moments(conn: Connection) -> Callable[[datetime], Any]:
    """How the driver of this database wants a moment."""
    return to_text if conn.dialect.name == "sqlite" else _as_it_is


def _as_it_is(moment: datetime) -> datetime:
    return moment


def _psycopg(conn: Connection) -> Any:
    return conn.connection.dbapi_connection


def _positional(dialect: str) -> Dialect:
    if dialect == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    return psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call] # SQLAlchemy left this one untyped
