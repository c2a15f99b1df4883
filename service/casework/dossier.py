"""The dossier of a case: the case with its clocks in words, what officers wrote, and what they corrected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from models.clocks import Deadline
from models.moves import Move
from service import store
from service.casework import timing
from service.casework.terms import Handbook
from service.casework.work import CaseClock, Work, work_of
from service.store import CaseRow, Truth


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is told of one case. `notes`: what was written, by the version that the move made."""

    row: CaseRow
    case: Work
    clocks: tuple[tuple[CaseClock, Deadline], ...]
    notes: Mapping[int, Mapping[str, Any]]
    truth: Truth | None


def open_dossier(conn: Any, row: CaseRow, terms: Handbook, *, steps: bool = False) -> Dossier:
    """Gather it; with `steps` the computation of each clock, too."""
    case = work_of(row)
    tell = timing.explain if steps else timing.describe
    clocks = tuple((clock, tell(terms.of_version(conn, clock.ruleset), case, clock)) for clock in case.clocks)
    truth = store.get_truth(conn, case.id) if Move.RECLASSIFY in case.progress.last else None
    return Dossier(row, case, clocks, read_notes(conn, row), truth)


def read_notes(conn: Any, row: CaseRow) -> dict[int, dict[str, Any]]:
    """What officers wrote; a case that was never moved has none."""
    if row.version == 1:
        return {}
    return {version: orjson.loads(note) for version, note in store.case_notes(conn, row.id).items()}
