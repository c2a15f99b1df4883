"""The policy of clocks: clocks.yaml made ready for computing, its clauses found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Self
from zoneinfo import ZoneInfo

from models.clocks import Citation, ClocksFile
from models.ruleset import Clause, Document
from service.clocks.errors import ClauseUnknown

SECOND = 1_000_000
"""Moments are counted in microseconds, so that nothing is rounded."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """An office session as microseconds of the day, and how much working time lies before it."""

    opens: int
    closes: int
    before: int


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The rules by which clocks run. One is made per rule set and compared by identity."""

    file: ClocksFile
    zone: ZoneInfo
    stretches: tuple[Stretch, ...]
    day: int
    citations: Mapping[str, Citation]

    @classmethod
    def of(cls, file: ClocksFile, clauses: Mapping[str, Clause], documents: Mapping[str, Document]) -> Self:
        """Make a policy of clocks.yaml and the clauses of its pack."""
        if unknown := sorted(file.clause_ids() - clauses.keys()):
            raise ClauseUnknown(f"clocks.yaml 引用了 clauses.yaml 里没有的条款：{'、'.join(unknown)}。请补上条款或改正代码。")
        stretches = _stretches(file)
        citations = {clause: _citation(clause, clauses[clause], documents) for clause in file.clause_ids()}
        return cls(file, ZoneInfo(file.zone), stretches, stretches[-1].before + stretches[-1].closes - stretches[-1].opens, citations)

    def cite(self, clause: str | None) -> Citation | None:
        return None if clause is None else self.citations[clause]


def _stretches(file: ClocksFile) -> tuple[Stretch, ...]:
    stretches: list[Stretch] = []
    before = 0
    for session in file.office_hours:
        opens, closes = of_day(session.opens), of_day(session.closes)
        stretches.append(Stretch(opens, closes, before))
        before += closes - opens
    return tuple(stretches)


def of_day(clock: time) -> int:
    """The microseconds of the day."""
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND + clock.microsecond


def _citation(code: str, clause: Clause, documents: Mapping[str, Document]) -> Citation:
    document = documents.get(clause.document)
    title = document.title if document else clause.document
    return Citation(code, title.strip("《》"), clause.article, clause.quote)
