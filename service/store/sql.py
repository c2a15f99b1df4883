"""One SQL for both databases: a statement is compiled once for each and then handed straight to the driver.

SQLAlchemy's own execution costs about 60 us a row, which is more than the row itself; the statements of the hot path go this way.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql import ClauseElement

from models.tables import to_text


class Prepared:
    """A statement whose values are given in the order of `names`, ready for the driver (see `moments`)."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, str] = {}

    def run(self, conn: Connection, values: tuple[Any, ...] = ()) -> CursorResult[Any]:
        return conn.exec_driver_sql(self._text(conn.dialect.name), values)

    def run_many(self, conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            conn.exec_driver_sql(self._text(conn.dialect.name), list(rows))

    def _text(self, dialect: str) -> str:
        found = self._texts.get(dialect)
        if found is None:
            found = self._texts[dialect] = str(self._statement.compile(dialect=_positional(dialect)))
        return found


def moments(conn: Connection) -> Callable[[datetime], Any]:
    """How the driver of this database wants a moment."""
    return to_text if conn.dialect.name == "sqlite" else _as_it_is


def _as_it_is(moment: datetime) -> datetime:
    return moment


def _positional(dialect: str) -> Dialect:
    if dialect == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    return psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call] # SQLAlchemy left this one untyped
