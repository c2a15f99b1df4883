"""Nodes: a YAML text as a tree whose every key and value knows its line and column."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.rulebook.mistakes import Loc


@dataclass(slots=True)
class Node:
    """One value: a text, a mapping (`entries`) or a list (`items`). An empty value has none of the three. Places count from 1."""

    line: int
    column: int
    text: str | None = None
    entries: dict[str, tuple["Node", "Node"]] | None = None
    items: list["Node"] | None = None

    def is_empty(self) -> bool:
        """Whether nothing is written here."""
        return self.text is None and self.entries is None and self.items is None

    def children(self) -> Iterator[tuple[str | int, "Node"]]:
        """The values inside, each with its key or number."""
        if self.entries is not None:
            yield from ((key, value) for key, (_, value) in self.entries.items())
        elif self.items is not None:
            yield from enumerate(self.items)

    def child(self, step: str | int) -> "Node | None":
        """The value under a key or number."""
        if isinstance(step, int):
            return self.items[step] if self.items is not None and step < len(self.items) else None
        entry = self.entries.get(step) if self.entries is not None else None
        return entry[1] if entry else None

    def at(self, loc: Loc) -> "Node":
        """The value at the end of a way, or the last one on it that exists."""
        node = self
        for step in loc:
            node = node.child(step) or node
        return node

    def key_at(self, loc: Loc) -> "Node":
        """The key that a way ends with; the value where it ends with a number."""
        parent, last = self.at(loc[:-1]), loc[-1]
        if parent.entries is not None and isinstance(last, str) and last in parent.entries:
            return parent.entries[last][0]
        return self.at(loc)

    def walk(self, steps: tuple[str, ...], loc: Loc = ()) -> Iterator[tuple[Loc, "Node"]]:
        """Every value that a pattern of steps leads to; `*` is any key or number."""
        if not steps:
            yield loc, self
            return
        for step, child in self.children():
            if steps[0] in ("*", step):
                yield from child.walk(steps[1:], (*loc, step))

    def texts(self) -> list[str]:
        """The texts directly inside."""
        return [child.text for _, child in self.children() if child.text is not None]

    def plain(self) -> Any:
        """The tree without its places, as pydantic reads it."""
        if self.entries is not None:
            return {key: value.plain() for key, (_, value) in self.entries.items()}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return self.text
