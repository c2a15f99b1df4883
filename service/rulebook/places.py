"""Where each rule of a pack stands: read from the text as far as it can be, so that a pack with mistakes has its list too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.ruleset import Status, Strength
from service.rulebook.nodes import Node
from service.rulebook.pack import read_pack

KINDS = ("category", "scope", "issue", "signal")


@dataclass(frozen=True, slots=True)
class RulePlace:
    """A rule as it is written, with its file and line."""

    rule: str
    name: str
    file: str
    line: int
    supports: str
    terms: tuple[str, ...]
    unless: tuple[str, ...]
    strength: str
    status: str
    clause: str | None


def rules_in(files: Mapping[str, str]) -> list[RulePlace]:
    """All rules of a pack, file by file and from top to bottom."""
    return [_place(sheet.name, node) for sheet in read_pack(files).rules() for node in _rules(sheet.root)]


def _rules(root: Node) -> Iterator[Node]:
    for _, node in root.walk(("rules", "*")):
        if node.entries is not None and _text(node, "id"):
            yield node


def _place(file: str, node: Node) -> RulePlace:
    rule = _text(node, "id")
    supports = next((f"{kind}:{code}" for kind in KINDS if (code := _text(node, kind))), "")
    return RulePlace(
        rule=rule,
        name=_text(node, "name"),
        file=file,
        line=node.line,
        supports=supports,
        terms=_texts(node, "terms"),
        unless=_texts(node, "unless"),
        strength=_text(node, "strength") or Strength.MEDIUM,
        status=_text(node, "status") or Status.ACTIVE,
        clause=_text(node, "clause") or None,
    )


def _text(node: Node, key: str) -> str:
    found = node.child(key)
    return (found.text or "") if found else ""


def _texts(node: Node, key: str) -> tuple[str, ...]:
    found = node.child(key)
    return tuple(found.texts()) if found else ()
