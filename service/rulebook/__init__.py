"""The rulebook: reads a pack of YAML files, tells every mistake at once, and makes the rule set of it. Nothing else reads YAML.

files = read_folder(find_pack("beichen"))
ruleset = load(files)          # or PackError, with all mistakes
"""

from collections.abc import Mapping

from models.ruleset import RuleSet
from service.engine.text import Reader
from service.rulebook.borders import check_borders
from service.rulebook.folder import find_pack, read_folder, survey
from service.rulebook.layout import belongs
from service.rulebook.meaning import check_meaning
from service.rulebook.mistakes import Mistake, PackError, Severity, in_order
from service.rulebook.pack import Pack, assemble, cases_of, digest, read_pack
from service.rulebook.places import RulePlace, rules_in
from service.rulebook.references import check_circles, check_references, check_twice, gather
from service.rulebook.schema import schema
from service.rulebook.sense import check_sense
from service.rulebook.terms import check_terms

__all__ = [
    "Mistake",
    "PackError",
    "RulePlace",
    "Severity",
    "belongs",
    "case_lines",
    "check",
    "digest",
    "examine",
    "find_pack",
    "load",
    "read_folder",
    "restore",
    "rules_in",
    "schema",
    "survey",
]


def load(files: Mapping[str, str], version: int = 0) -> RuleSet:
    """The rule set that these files make; PackError with every mistake where they have errors."""
    return _assembled(_examined(files), version)


def examine(files: Mapping[str, str]) -> tuple[list[Mistake], RuleSet | None]:
    """As `check` and `load` in one: every mistake and warning, and the rule set where none of them is an error."""
    pack = _examined(files)
    mistakes = in_order(pack.all_mistakes())
    broken = any(mistake.severity == "error" for mistake in mistakes)
    return mistakes, None if broken else assemble(pack, 0)


def restore(files: Mapping[str, str], version: int) -> RuleSet:
    """The rule set of a published version.

    It was examined as it came in: what its terms and patterns come to, which takes longest, is not asked again.
    """
    return _assembled(_sound(files), version)


def _assembled(pack: Pack, version: int) -> RuleSet:
    mistakes = in_order(pack.all_mistakes())
    if any(mistake.severity == "error" for mistake in mistakes):
        raise PackError(tuple(mistakes))
    return assemble(pack, version)


def check(files: Mapping[str, str]) -> list[Mistake]:
    """Every mistake and every warning of a pack, in the order of reading."""
    return in_order(_examined(files).all_mistakes())


def case_lines(files: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """The line on which each case begins, by file of cases."""
    return {sheet.name: tuple(case.line for _, case in sheet.walk("cases.*")) for sheet in cases_of(files)}


def _examined(files: Mapping[str, str]) -> Pack:
    pack = _sound(files)
    reader = Reader({}, ())
    check_terms(pack, reader.fold)
    check_meaning(pack, gather(pack), reader)
    check_sense(pack)
    if not any(mistake.severity == "error" for mistake in pack.all_mistakes()):
        check_borders(pack, assemble(pack, 0))
    return pack


def _sound(files: Mapping[str, str]) -> Pack:
    """A pack with all that would keep it from being used looked for."""
    pack = read_pack(files)
    check_references(pack, gather(pack))
    check_twice(pack)
    check_circles(pack)
    return pack
