"""The layout of a pack: which files there are, and which model reads each. A new kind of file is one more line here."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydantic import BaseModel

from models.clocks import CalendarFile, ClocksFile
from models.incidents import IncidentsFile
from models.retention import RetentionFile
from models.ruleset import AliasesFile, CasesFile, ClausesFile, DepartmentsFile, IssuesFile, RulesetFile, RulesFile
from service.rulebook.shape import every_key

WORDS = "words.txt"
"""The one file that is no YAML: a word a line, for the tokeniser."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: the pattern of its name, its model, whether a pack must have it."""

    pattern: str
    model: type[BaseModel]
    required: bool = False


LAYOUT = (
    Kind("*.test.yaml", CasesFile),
    Kind("ruleset.yaml", RulesetFile, required=True),
    Kind("departments.yaml", DepartmentsFile, required=True),
    Kind("clauses.yaml", ClausesFile, required=True),
    Kind("scope.yaml", RulesFile, required=True),
    Kind("signals.yaml", RulesFile),
    Kind("categories/*.yaml", RulesFile, required=True),
    Kind("issues.yaml", IssuesFile, required=True),
    Kind("aliases.yaml", AliasesFile),
    Kind("clocks.yaml", ClocksFile),
    Kind("incidents.yaml", IncidentsFile),
    Kind("retention.yaml", RetentionFile),
    Kind("calendar/*.yaml", CalendarFile),
)
"""The first pattern that fits a name decides."""
KEYS = frozenset(key for kind in LAYOUT for key in every_key(kind.model))
"""Every field name that may stand in a pack."""


def kind_of(name: str) -> Kind | None:
    """The kind of the file with this name; None where a pack has no such file."""
    return next((kind for kind in LAYOUT if fnmatchcase(name, kind.pattern)), None)


def missing(names: Iterable[str]) -> list[str]:
    """The patterns of required files that no name fits."""
    present = {kind.pattern for name in names if (kind := kind_of(name))}
    return [kind.pattern for kind in LAYOUT if kind.required and kind.pattern not in present]


def belongs(name: str) -> bool:
    """Whether a file is part of the rule set."""
    return name == WORDS or kind_of(name) is not None
