"""From drafts to a change of the register: who is new, who is changed, who goes; nobody may take another's name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.register import Institution, RowFault
from service.engine.names import Names
from service.register.drafts import Draft, Drafts, doubled, written
from service.store import Listed, RegisterChange


@dataclass(frozen=True, slots=True)
class Plan:
    """A change, what it comes to, and the rows that cannot be part of it."""

    change: RegisterChange
    after: tuple[Institution, ...]
    added: int
    changed: int
    unchanged: int
    faults: tuple[RowFault, ...]


def plan(drafts: Drafts, register: Sequence[Institution], ids: Iterator[str], *, replace_all: bool, source: str) -> Plan:
    """What becomes of the register. An institution is known again by its name, else by its licence number, and keeps its id."""
    names = Names()
    known = _Known(register, names)
    owners = [(draft, known.owner(draft)) for draft in drafts.sound]
    kept = {owner.id for _, owner in owners if owner}
    staying = [row for row in register if row.id in kept or not replace_all]
    faults = [*_taken(owners, staying, names), *_met_twice(owners)]
    wrong = {fault.line for fault in faults}
    rows = [(_filled(draft, owner, ids, drafts.status), owner) for draft, owner in owners if draft.line not in wrong]
    put = tuple(Listed(row, search_text(row, names)) for row, owner in rows if row != owner)
    removed = tuple(row.id for row in register if row.id not in kept) if replace_all else ()
    added = sum(owner is None for _, owner in rows)
    data: dict[str, Any] = {"added": added, "changed": len(put) - added, "removed": len(removed), "source": source}
    after = {row.id: row for row in staying} | {row.id: row for row, _ in rows}
    return Plan(RegisterChange(put, removed, data), tuple(after.values()), added, len(put) - added, len(rows) - len(put), tuple(faults))


def search_text(row: Institution, names: Names) -> str:
    """All that one may look for, folded."""
    return "\n".join(names.reader.fold(text) for text in (row.name, *row.aliases, row.licence, row.address, row.street) if text)


class _Known:
    """The institutions of the register by what they are known again by."""

    def __init__(self, register: Iterable[Institution], names: Names) -> None:
        self._names = names
        self._by_name = {names.whole(row.name): row for row in register}
        self._by_licence = {names.whole(row.licence): row for row in register if row.licence}

    def owner(self, draft: Draft) -> Institution | None:
        licence = self._names.whole(draft.given.get("licence", ""))
        return self._by_name.get(self._names.whole(draft.name)) or (self._by_licence.get(licence) if licence else None)


def _filled(draft: Draft, owner: Institution | None, ids: Iterator[str], status: str) -> Institution:
    """The institution of a draft; what the file has no column for stays as it was."""
    return replace(owner, **draft.given) if owner else Institution(id=next(ids), **{"status": status, **draft.given})


def _taken(owners: Iterable[tuple[Draft, Institution | None]], staying: Iterable[Institution], names: Names) -> Iterator[RowFault]:
    """Names and numbers that belong to an institution that stays in the register, and is not the row's own."""
    rewritten = {owner.id: draft.given for draft, owner in owners if owner}
    holders: dict[tuple[str, str], list[Institution]] = {}
    for row in staying:
        as_it_will_be = {"name": row.name, "aliases": row.aliases, "licence": row.licence, **rewritten.get(row.id, {})}
        for sort, _, text in written(as_it_will_be, names):
            holders.setdefault((sort, text), []).append(row)
    for draft, owner in owners:
        for sort, column, text in written(draft.given, names):
            other = next((row for row in holders.get((sort, text), ()) if owner is None or row.id != owner.id), None)
            if other is not None:
                yield doubled(draft.line, column, f"名录中“{other.name}”", text, sort)


def _met_twice(owners: Iterable[tuple[Draft, Institution | None]]) -> Iterator[RowFault]:
    """Two rows that are the same institution of the register: one by its name, one by its number."""
    first: dict[str, Draft] = {}
    for draft, owner in owners:
        other = first.setdefault(owner.id, draft) if owner else draft
        if owner and other is not draft:
            detail = f"与第 {other.line} 行都是名录中的“{owner.name}”"
            yield RowFault(line=draft.line, column="名称", detail=detail, hint="请核对名称和许可证号，合并为一行")
