"""The hot path: statements compiled once for each database and handed straight to its driver.

SQLAlchemy spends about 40 us on every statement it runs, which is more than SQLite needs for most of ours; so the few that
every arriving case goes through do without. Their text still comes from the tables, one for both databases.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, cast

import orjson
from sqlalchemy import Column, Connection, Dialect, Select, Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from models.tables import to_text

Rows = list[tuple[Any, ...]]

MOST_ROWS = 64
"""Rows that one statement inserts: SQLite takes at most 32,766 values."""

# Both with values by position: that is how rows are handed over.
_DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call] # SQLAlchemy left this one untyped
}


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

    def text(self, conn: Connection) -> str:
        dialect = conn.dialect.name
        found = self._texts.get(dialect)
        if found is None:
            found = self._texts[dialect] = str(self._statement.compile(dialect=_DIALECTS[dialect]))
        return found


class Named:
    """The same with values by name; beyond moments they must be what the driver takes."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, tuple[str, list[str]]] = {}

    def send(self, conn: Connection, values: dict[str, Any]) -> DBAPICursor:
        text, names = self._text(conn.dialect.name)
        cursor = conn.connection.cursor()
        cursor.execute(text, tuple(values[name] for name in names))
        return cursor

    def _text(self, dialect: str) -> tuple[str, list[str]]:
        found = self._texts.get(dialect)
        if found is None:
            compiled = cast("SQLCompiler", self._statement.compile(dialect=_DIALECTS[dialect]))
            found = self._texts[dialect] = str(compiled), list(compiled.positiontup or ())
        return found


class Insert:
    """Rows into a table, each a tuple in the order of its columns."""

    def __init__(self, table: Table) -> None:
        self._names = [str(column.name) for column in table.columns]
        names = ", ".join(self._names)
        self._many = f"INSERT INTO {table.name} ({names}) VALUES "  # noqa: S608 (names of our own tables)
        self._row = f"({', '.join('?' * len(self._names))})"
        types = ", ".join(f"{column.name} {column.type.compile(_DIALECTS['postgresql'])}" for column in table.columns)
        self.from_json = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM json_to_recordset(%s::json) AS given ({types})"  # noqa: S608 (names of our own tables)

    def on_sqlite(self, conn: Connection, rows: Rows) -> None:
        """Many rows by each statement: between two of them the driver gives the interpreter up, and waits to get it back.

        The counts are powers of two, so that they make few texts, which the driver keeps prepared.
        """
        cursor, done = conn.connection.cursor(), 0
        while done < len(rows):
            count = min(MOST_ROWS, 1 << ((len(rows) - done).bit_length() - 1))
            cursor.execute(self._many + ",".join([self._row] * count), tuple(chain.from_iterable(rows[done : done + count])))
            done += count

    def as_json(self, rows: Rows) -> str:
        named = [dict(zip(self._names, row, strict=True)) for row in rows]
        return orjson.dumps(named, default=_hexadecimal).decode()


def insert_all(conn: Connection, parts: Sequence[tuple[Insert, Rows]]) -> None:
    """Insert into several tables: on PostgreSQL by one statement and so in one round trip, which carries the rows as JSON."""
    parts = [(table, rows) for table, rows in parts if rows]
    if conn.dialect.name == "sqlite":
        for table, rows in parts:
            table.on_sqlite(conn, rows)
    elif parts:
        steps = ", ".join(f"part{n} AS ({table.from_json})" for n, (table, _) in enumerate(parts))
        conn.connection.cursor().execute(f"WITH {steps} SELECT 1", tuple(table.as_json(rows) for table, rows in parts))


def _hexadecimal(blob: bytes) -> str:
    return "\\x" + blob.hex()


@contextmanager
def together(conn: Connection) -> Iterator[None]:
    """Statements sent within cost PostgreSQL one round trip."""
    if conn.dialect.name == "postgresql":
        raw: Any = conn.connection.dbapi_connection
        with raw.pipeline():
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
