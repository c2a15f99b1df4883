"""What changed between two rule sets, in words of the domain: rule arts.dance, terms: 街舞 came, 形体 went; strength: medium -> strong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import orjson

from models.ruleset import RuleSet
from service.rulelife.labels import CASES, FIELDS, SECTIONS, VALUES

Kind = Literal["added", "removed", "changed"]
Tree = Mapping[str, Any]
LONGEST = 60
"""Characters of one value that a line shows."""
MOST = 30
"""Words that a line shows; the change itself holds all."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: which thing of which section, which of its fields ("" is the whole thing), what was there and what is.

    Of lists only what came and what went is told; `reordered` where neither did.
    """

    section: str
    key: str
    name: str
    field: str
    kind: Kind
    before: Any = None
    after: Any = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reordered: bool = False

    @property
    def text(self) -> str:
        """The change as an official reads it, without the thing's own name."""
        label = FIELDS.get(self.field, self.field)
        if not self.field and self.kind != "changed":
            return {"added": "新增", "removed": "删除"}[self.kind] + _held(self.after if self.kind == "added" else self.before)
        if self.added or self.removed:
            return "；".join([*_listed(f"增{label}", self.added), *_listed(f"删{label}", self.removed)])
        if self.reordered:
            return f"{label}次序变了"
        return f"{label} {_shown(self.before)} → {_shown(self.after)}".strip()


def compare(before: RuleSet, after: RuleSet) -> list[Change]:
    """Every difference that can make a difference; comments, order and the file in which a rule stands do not."""
    old, new = _sections(before), _sections(after)
    return [change for section in SECTIONS for change in _compared(section, old[section], new[section])]


def told(changes: Iterable[Change]) -> str:
    """A line for each thing that changed."""
    lines = []
    for (section, key, name), group in groupby(changes, key=lambda change: (change.section, change.key, change.name)):
        title = " ".join(filter(None, [SECTIONS[section], key])) + (f"（{name}）" if name and name != key else "")
        lines.append(f"{title}：{'；'.join(change.text for change in group)}")
    return "\n".join(lines)


# Rule sets as plain trees -------------------------------------------------------------------------------------------------------


def _sections(ruleset: RuleSet) -> dict[str, Tree]:
    """Each section as things by their keys; what has no key of its own is one thing under ""."""
    whole = ruleset.model_dump(mode="json", by_alias=True)
    head = whole["ruleset"]
    return {
        "rules": _keyed(whole["rules"], "id"),
        "departments": _keyed(whole["departments"], "code"),
        "cases": {file: {"": [_case(case) for case in cases]} for file, cases in whole["cases"].items()},
        "categories": head.pop("categories"),
        "questions": head.pop("questions"),
        "returns": head.pop("returns"),
        "ruleset": {"": head},
        "words": {"": {"": whole["words"]}},
        "aliases": {"": whole["aliases"]},
        "lists": {name: {"": words} for name, words in whole["lists"].items()},
        "clocks": {"": whole["clocks"] or {}},
        "incidents": {"": whole["incidents"] or {}},
        "calendar": {str(year["year"]): year for year in whole["calendar"]},
        **{name: whole[name] for name in ("issues", "clauses", "documents")},
    }


def _keyed(things: Iterable[dict[str, Any]], key: str) -> dict[str, Any]:
    return {thing.pop(key): thing for thing in things}


def _case(case: Tree) -> str:
    """A case as one word of a list: its text, and what it expects."""
    expected = {name: value for name, value in case.items() if name not in {"text", "why"} and value not in (None, "", [], False)}
    said = [f"{CASES.get(name, name)} {'、'.join(value) if isinstance(value, list) else value}" for name, value in expected.items()]
    return f"“{case['text']}”（{'，'.join(said)}）"


# Comparing ----------------------------------------------------------------------------------------------------------------------


def _compared(section: str, old: Tree, new: Tree) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        name = str((after or before or {}).get("name", ""))
        if before is None or after is None:
            yield Change(section, key, name, "", "added" if before is None else "removed", before, after)
        else:
            yield from _fields(section, key, name, "", before, after)


def _fields(section: str, key: str, name: str, field: str, before: Any, after: Any) -> Iterator[Change]:
    """The differences below one field, down to the last that are still trees."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for inner in dict.fromkeys((*before, *after)):
            path = ".".join(filter(None, (field, inner)))
            yield from _fields(section, key, name, path, before.get(inner), after.get(inner))
    elif isinstance(before, list) and isinstance(after, list):
        old, new = [_word(item) for item in before], [_word(item) for item in after]
        added, removed = _less(new, old), _less(old, new)
        yield Change(section, key, name, field, "changed", None, None, added, removed, reordered=not added and not removed)
    else:
        yield Change(section, key, name, field, "changed", before, after)


def _less(words: list[str], others: list[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(word for word in words if word not in known)


def _word(item: Any) -> str:
    return item if isinstance(item, str) else orjson.dumps(item).decode()


# In words -----------------------------------------------------------------------------------------------------------------------


def _listed(label: str, words: tuple[str, ...]) -> list[str]:
    if not words:
        return []
    more = f"……共 {len(words)} 个" if len(words) > MOST else ""
    return [f"{label} {'、'.join(_cut(word) for word in words[:MOST])}{more}"]


def _held(thing: Any) -> str:
    """What a new or lost thing holds that says most about it."""
    words = next((thing[field] for field in ("terms", "") if isinstance(thing, dict) and thing.get(field)), None)
    if isinstance(words, list):
        return f"（{'、'.join(_cut(_word(word)) for word in words[:MOST])}{'……' if len(words) > MOST else ''}）"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return _cut(orjson.dumps(value).decode())
    return VALUES.get(str(value), _cut(str(value)))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
