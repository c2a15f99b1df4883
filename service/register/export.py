"""The register as a CSV file that Excel opens, and that can be brought in again unchanged."""

import csv
import io
from collections.abc import Iterable

from models.register import Institution
from models.ruleset import RuleSet
from service.register.columns import HEADINGS
from service.sheets import guarded


def as_csv(rows: Iterable[Institution], ruleset: RuleSet) -> bytes:
    """UTF-8 with the mark by which Excel knows it."""
    names = {unit.code: unit.name for unit in ruleset.departments}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS.values())
    writer.writerows([guarded(cell) for cell in _cells(row, names)] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cells(row: Institution, names: dict[str, str]) -> list[str]:
    department = names.get(row.department or "", row.department or "")
    return [row.name, "；".join(row.aliases), row.category or "", department, row.licence, row.address, row.street, row.status]
