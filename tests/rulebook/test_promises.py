"""What the rulebook promises about the rest of the house: every reference is checked, and no district stands in Python code."""

import ast
import re
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from models.ruleset import RuleId, RuleSet
from models.strict import ClauseId
from service.rulebook import find_pack, load, read_folder
from service.rulebook.layout import LAYOUT
from service.rulebook.references import USES

ROOT = Path(__file__).parents[2]
CODE = sorted(path for folder in ("service", "models") for path in (ROOT / folder).rglob("*.py"))
PATTERNS = {get_args(ClauseId)[1].pattern: "clause", get_args(RuleId)[1].pattern: "rule"}


def paths_of(kind: Any, way: str = "") -> list[tuple[str, str]]:
    """Every way into a model that ends in a clause's or rule's id, and which of the two."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [
            found
            for name, field in kind.model_fields.items()
            for found in [
                *((f"{way}.{field.alias or name}".strip("."), sort) for sort in sorts_of(field.metadata)),
                *paths_of(field.annotation, f"{way}.{field.alias or name}"),
            ]
        ]
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (dict, tuple):
        return paths_of(parts[1] if origin is dict else parts[0], f"{way}.*")
    own = [(way.strip("."), sort) for sort in sorts_of(getattr(kind, "__metadata__", ()))]
    return own + [found for part in parts if part is not type(None) for found in paths_of(part, way)]


def sorts_of(metadata: Any) -> list[str]:
    return [PATTERNS[mark.pattern] for mark in metadata if getattr(mark, "pattern", None) in PATTERNS]


class TestReferences:
    def test_every_clause_and_rule_that_a_file_can_name_is_looked_up(self) -> None:
        checked = {(pattern, sort) for uses in USES.values() for pattern, sort in uses.items()}
        named = {found for kind in LAYOUT for found in paths_of(kind.model)} - {("rules.*.id", "rule")}
        assert ("rules.*.clause", "clause") in named
        assert ("cases.*.not.*", "rule") in named
        assert named - checked == set()


@pytest.fixture(scope="module")
def shipped() -> RuleSet:
    return load(read_folder(find_pack("beichen")))


class TestPythonCode:
    def test_names_no_district(self, shipped: RuleSet) -> None:
        names = {*shipped.ruleset.district, *shipped.ruleset.other_districts, shipped.ruleset.name}
        assert found_in_text({name for name in names if len(name) > 1}) == []

    def test_names_no_department(self, shipped: RuleSet) -> None:
        names = {name for department in shipped.departments for name in (department.name, *department.aliases)}
        assert found_in_text(names) == []

    def test_holds_no_code_of_a_department_category_or_clause(self, shipped: RuleSet) -> None:
        codes = {department.code for department in shipped.departments} | set(shipped.ruleset.categories) | set(shipped.clauses)
        assert [f"{path.relative_to(ROOT)}:{line}: {text}" for path in CODE for line, text in strings_of(path) if text in codes] == []

    def test_holds_no_rule(self, shipped: RuleSet) -> None:
        rules = {rule.id for rule in shipped.rules}
        assert [f"{path.relative_to(ROOT)}:{line}: {text}" for path in CODE for line, text in strings_of(path) if text in rules] == []


def found_in_text(names: set[str]) -> list[str]:
    wanted = re.compile("|".join(map(re.escape, sorted(names))))
    return [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in CODE
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if (found := wanted.search(line))
    ]


def strings_of(path: Path) -> list[tuple[int, str]]:
    """The strings that the code of a file works with; docstrings and comments are no code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]
