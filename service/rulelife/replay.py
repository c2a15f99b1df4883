"""Replaying the past: each stored decision made again from the stored complaint, the published version and what the register knew then.

It must come out bit for bit, whatever has become of rules and register since; a difference is named, never explained away.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from models.past import PastCase
from service.db import Database
from service.engine import ENGINE_VERSION, Engine
from service.errors import RulesetNotFound
from service.impact.past import recall
from service.rulelife.draft import read_version
from service.rulelife.errors import VersionBroken

AT_HAND = 3
"""Engines kept: cases come in order of time, so versions seldom alternate."""
SHOWN = 200

Kind = Literal["engine", "decision", "version"]
"""Another engine made it; the same engine makes it otherwise; its version is gone or cannot be read."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that does not come out as it is stored: why it may not, and which of its fields differ."""

    case: str
    kind: Kind
    version: int
    detail: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Replayed:
    """What came of it. `kinds` counts all differences, `differences` holds the first."""

    cases: int = 0
    same: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def note(self, difference: Difference | None) -> None:
        self.cases += 1
        if difference is None:
            self.same += 1
        else:
            self.kinds[difference.kind] += 1
            if len(self.differences) < SHOWN:
                self.differences.append(difference)

    @property
    def sound(self) -> bool:
        """Nothing differs that the same engine made."""
        return not self.kinds["decision"] and not self.kinds["version"]


class Shelf:
    """The engines of published versions, made ready as they are asked for."""

    def __init__(self, database: Database, pack: str) -> None:
        self._database = database
        self._pack = pack
        self._engines: dict[int, Engine | str] = {}

    def engine(self, version: int) -> Engine | str:
        """The engine of a version, or in Chinese why there is none."""
        if version not in self._engines:
            while len(self._engines) >= AT_HAND:
                del self._engines[next(iter(self._engines))]
            self._engines[version] = self._made(version)
        return self._engines[version]

    def _made(self, version: int) -> Engine | str:
        try:
            return Engine(read_version(self._database, self._pack, version))
        except (RulesetNotFound, VersionBroken) as error:
            return error.detail


def replay(stretches: Iterable[list[PastCase]], shelf: Shelf, told: Callable[[int], None] = lambda _: None) -> Replayed:
    """Make every decision again; memory does not grow with the cases."""
    found = Replayed()
    for stretch in stretches:
        for case in stretch:
            found.note(difference(case, shelf))
        told(len(stretch))
    return found


def difference(case: PastCase, shelf: Shelf) -> Difference | None:
    """How a stored decision differs from the one made again; None where they are the same bytes."""
    engine = shelf.engine(case.ruleset_version)
    if isinstance(engine, str):
        return Difference(case.id, "version", case.ruleset_version, engine)
    again = orjson.dumps(engine.triage(recall(case))).decode()
    if again == case.triage:
        return None
    stored, anew = orjson.loads(case.triage), orjson.loads(again)
    fields = tuple(name for name in dict.fromkeys((*stored, *anew)) if stored.get(name) != anew.get(name))
    return _named(case, stored, fields)


def _named(case: PastCase, stored: dict[str, Any], fields: tuple[str, ...]) -> Difference:
    if stored.get("engine") != ENGINE_VERSION:
        detail = f"当时的引擎是第 {stored.get('engine')} 版，现在是第 {ENGINE_VERSION} 版"
        return Difference(case.id, "engine", case.ruleset_version, detail, fields)
    detail = "保存的研判与重算的不同" if fields else "内容相同而写法不同"
    return Difference(case.id, "decision", case.ruleset_version, detail, fields)


def as_text(found: Replayed) -> str:
    """The result for a terminal."""
    lines = [
        f"{one.case}（第 {one.version} 版）：{one.detail}{'：' + '、'.join(one.fields) if one.fields else ''}"
        for one in found.differences[:20]
    ]
    counts = [f"{KINDS[kind]} {found.kinds[kind]} 件" for kind in KINDS if found.kinds[kind]]
    return "\n".join([*lines, f"重算 {found.cases} 件：逐字一致 {found.same} 件{''.join('，' + count for count in counts)}。"])


KINDS: dict[Kind, str] = {"engine": "引擎版本已变", "decision": "不一致", "version": "规则版本读不了"}
