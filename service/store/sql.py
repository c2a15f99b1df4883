"""One SQL for both databases: a statement is compiled once for each and then handed straight to the driver.

SQLAlchemy's own execution costs about 60 us a row, which is more than the row itself; the statements of the hot path go this way.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, Dialect, Select, Table, bindparam, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql import ClauseElement

from models.tables import to_text

COPY_FROM = 8
"""From so many rows on PostgreSQL's COPY is the faster way in; for fewer its extra round trip is not."""


class Prepared:
    """A statement whose values are given in the order of `names`, ready for the driver (see `moments`)."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, str] = {}

    def run(self, conn: Connection, values: tuple[Any, ...] = ()) -> CursorResult[Any]:
        return conn.exec_driver_sql(self._text(conn.dialect.name), values)

    def run_many(self, conn: Connection, rows: list[tuple[Any, ...]]) -> None:
        conn.exec_driver_sql(self._text(conn.dialect.name), rows)

    def _text(self, dialect: str) -> str:
        found = self._texts.get(dialect)
        if found is None:
            found = self._texts[dialect] = str(self._statement.compile(dialect=_positional(dialect)))
        return found


class Insert:
    """Rows into a table, each a tuple in the order of its columns."""

    def __init__(self, table: Table) -> None:
        self._one = Prepared(insert(table))
        self._copy = f"COPY {table.name} ({', '.join(column.name for column in table.columns)}) FROM STDIN"

    def run(self, conn: Connection, rows: list[tuple[Any, ...]]) -> None:
        if len(rows) >= COPY_FROM and conn.dialect.name == "postgresql":
            self._stream(conn, rows)
        elif rows:
            self._one.run_many(conn, rows)

    def _stream(self, conn: Connection, rows: list[tuple[Any, ...]]) -> None:
        cursor = conn.connection.cursor()
        with closing(cursor), cursor.copy(self._copy) as copy:
            for row in rows:
                copy.write_row(row)


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


def _positional(dialect: str) -> Dialect:
    if dialect == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    return psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call] # SQLAlchemy left this one untyped
