"""What a rule set says about casework: departments, clauses, time limits and the calendar, ready for use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from models.clocks import ClocksFile, Designation
from models.ruleset import RuleSet
from service import rulebook, store
from service.clocks import Calendar, Policy
from service.errors import RulesetNotFound

KEPT = 8
"""Earlier versions whose terms are kept at hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Made once for each version of the rules and compared by identity. Without clocks.yaml there are no time limits."""

    version: int
    coordinator: str
    departments: Mapping[str, str]
    outside: Mapping[str, str]
    categories: frozenset[str]
    issues: frozenset[str]
    clauses: frozenset[str]
    policy: Policy | None
    calendar: Calendar
    most_dispatches: int

    @classmethod
    def of(cls, ruleset: RuleSet) -> Self:
        file = ruleset.clocks
        return cls(
            version=ruleset.version,
            coordinator=ruleset.ruleset.coordinator,
            departments={unit.code: unit.name for unit in ruleset.departments if not unit.external},
            outside={unit.code: unit.name for unit in ruleset.departments if unit.external},
            categories=frozenset(ruleset.ruleset.categories),
            issues=frozenset(ruleset.issues),
            clauses=frozenset(ruleset.clauses),
            policy=Policy.of(file, ruleset.clauses, ruleset.documents) if file else None,
            calendar=Calendar(ruleset.calendar),
            most_dispatches=_designation(file).after,
        )

    def name(self, department: str | None) -> str:
        """What a department is called; the code where the rules no longer know it."""
        if department is None:
            return "（无）"
        return self.departments.get(department) or self.outside.get(department) or department


def _designation(file: ClocksFile | None) -> Designation:
    return file.designation if file else Designation()


class Handbook:
    """The terms of the rule set in force, made anew when another one is, and those of earlier versions for who asks about the past."""

    def __init__(self, in_force: Callable[[], RuleSet]) -> None:
        self._in_force = in_force
        self._ruleset: RuleSet | None = None
        self._earlier: dict[int, Terms] = {}

    def __call__(self) -> Terms:
        ruleset = self._in_force()
        if ruleset is not self._ruleset:
            self._terms, self._ruleset = Terms.of(ruleset), ruleset
        return self._terms

    def of_version(self, conn: Any, version: int) -> Terms:
        """The terms of a version; those in force where it can no longer be read."""
        now = self()
        if version in {now.version, 0}:
            return now
        found = self._earlier.get(version)
        if found is None:
            found = _read(conn, self._in_force().pack, version) or now
            # Exchanged whole: several threads read.
            self._earlier = dict([*self._earlier.items(), (version, found)][-KEPT:])
        return found


def _read(conn: Any, pack: str, version: int) -> Terms | None:
    try:
        return Terms.of(rulebook.load(store.ruleset_files(conn, pack, version), version))
    except (rulebook.PackError, RulesetNotFound):
        return None
