"""Tables for office programs, CSV and Excel, row by row into a file; no cell of theirs is ever taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import IO, Literal, Protocol

Format = Literal["xlsx", "csv"]

FORMULA = re.compile(r"^'*[=+\-@＝＋－＠\t\r\n]")
"""A table program takes such a cell for a formula, and would run it; one that is guarded already is guarded once more."""

LONGEST = 32_000
CUT = "……（过长，未尽）"
"""Excel keeps no longer text in a cell, and xlsxwriter would leave it empty."""

PLAIN = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def guarded(cell: str) -> str:
    """The cell of a CSV file, with a quote before what would be a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


class Sheet(Protocol):
    """A table that is being written."""

    def write(self, rows: Iterable[Sequence[str]]) -> None: ...

    def close(self) -> None: ...


class Csv:
    """UTF-8 with the mark by which Excel knows it."""

    def __init__(self, file: IO[bytes], headings: Sequence[str]) -> None:
        self._file = file
        file.write(b"\xef\xbb\xbf")
        self.write([headings])

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        self._file.flush()


class Excel:
    """A workbook of one sheet. Its cells are texts, which Excel does not run whatever they begin with."""

    def __init__(self, file: IO[bytes], headings: Sequence[str]) -> None:
        self._book = import_module("xlsxwriter").Workbook(file, PLAIN)  # a tenth of a second of every start, and few ask for Excel
        self._sheet = self._book.add_worksheet()
        self._at = 0
        self.write([headings])
        self._sheet.freeze_panes(1, 0)

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                self._sheet.write_string(self._at, column, cell if len(cell) <= LONGEST else cell[:LONGEST] + CUT)
            self._at += 1

    def close(self) -> None:
        self._book.close()


SHEETS: dict[Format, tuple[type[Csv] | type[Excel], str]] = {
    "csv": (Csv, "text/csv"),
    "xlsx": (Excel, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
"""By format: how it is written, and its media type."""
