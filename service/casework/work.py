"""A case as casework sees it: its state, parts, clocks and what was done last. Frozen; a move makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import orjson

from models.case import Status
from models.clocks import ClockKind, Pause
from models.decision import Urgency
from models.moves import Move
from service.store import CaseDepartment, CaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClock:
    """期限 of a case: a deadline's numbers without its words, which `timing.explain` finds again.

    `due` is None while a pause lasts, and where the calendar does not reach (`unknown`). `urged` and `told` say that the timers at
    the urging and at the end have fired, or were past when the clock was set. `on_time` is None for a clock that was only stopped.
    """

    kind: ClockKind
    start: datetime
    due: datetime | None = None
    urge: datetime | None = None
    minutes: int | None = None
    working_days: int | None = None
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[int, ...] = ()
    provisional: bool = False
    unknown: bool = False
    ruleset: int = 0
    urged: bool = False
    told: bool = False
    ended_at: datetime | None = None
    on_time: bool | None = None

    @property
    def running(self) -> bool:
        return self.ended_at is None

    @property
    def paused(self) -> bool:
        return self.running and bool(self.pauses) and self.pauses[-1].ended is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What has happened so far, as far as later moves and readers ask. `last`: the facts of the last move of each kind."""

    designated: bool = False
    hand_backs: int = 0
    redone: int = 0
    urged: int = 0
    supervised: bool = False
    receipt_missed: bool = False
    rejected: bool = False
    before: Status | None = None
    last: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The case."""

    id: str
    version: int
    status: Status
    lead: str | None
    category: str | None
    urgency: Urgency
    hops: int
    complex: bool
    assists: tuple[CaseDepartment, ...]
    clocks: tuple[CaseClock, ...]
    progress: Progress
    merged_into: str | None = None
    struck: bool = False

    def clock(self, kind: ClockKind) -> CaseClock | None:
        """The clock of this kind that runs."""
        return next((clock for clock in self.clocks if clock.kind is kind and clock.running), None)

    @property
    def departments(self) -> tuple[CaseDepartment, ...]:
        lead = [CaseDepartment(department=self.lead, role="lead")] if self.lead else []
        return (*lead, *self.assists)


def work_of(row: CaseRow) -> Work:
    """The stored case as casework sees it."""
    return Work(
        id=row.id,
        version=row.version,
        status=Status(row.status),
        lead=row.lead,
        category=row.category,
        urgency=Urgency(row.urgency),
        hops=row.hops,
        complex=row.complex,
        assists=tuple(part for part in row.departments if part.role == "assist"),
        clocks=read_clocks(row.clocks),
        progress=read_progress(row.progress),
        merged_into=row.merged_into,
        struck=row.struck_at is not None,
    )


# As text ------------------------------------------------------------------------------------------------------------------------

_CLOCK_DEFAULTS = {part.name: part.default for part in fields(CaseClock)}
_PROGRESS_DEFAULTS = {part.name: part.default for part in fields(Progress)}
_MOMENTS = ("start", "due", "urge", "ended_at")

Written = dict[str, Any]


def write_clocks(clocks: tuple[CaseClock, ...]) -> str:
    """Clocks as text, without what stands at its default: every case carries three."""
    return orjson.dumps([written(clock) for clock in clocks]).decode()


def written(clock: CaseClock) -> Written:
    return _sparse(clock, _CLOCK_DEFAULTS)


def read_clocks(text: str) -> tuple[CaseClock, ...]:
    return tuple(_read_clock(clock) for clock in orjson.loads(text))


def _read_clock(told: Written) -> CaseClock:
    moments = {name: datetime.fromisoformat(told[name]) for name in _MOMENTS if name in told}
    pauses = tuple(Pause(datetime.fromisoformat(pause["began"]), _moment(pause["ended"])) for pause in told.get("pauses", ()))
    parts = told | moments | {"kind": ClockKind(told["kind"]), "pauses": pauses, "extensions": tuple(told.get("extensions", ()))}
    return CaseClock(**parts)


def write_progress(progress: Progress) -> str:
    return orjson.dumps({name: value for name, value in _sparse(progress, _PROGRESS_DEFAULTS).items() if value != {}}).decode()


def read_progress(text: str) -> Progress:
    told = orjson.loads(text)
    if "before" in told:
        told["before"] = Status(told["before"])
    return Progress(**told)


def at_a_glance(row: CaseRow) -> Written:
    """What officers look for in a list, read from the texts alone: a page has hundreds of cases."""
    clocks, progress = orjson.loads(row.clocks), orjson.loads(row.progress)
    due = next((clock.get("due") for clock in clocks if clock["kind"] == ClockKind.HANDLING and "ended_at" not in clock), None)
    return {"due": due, "supervised": progress.get("supervised", False), "receipt_missed": progress.get("receipt_missed", False)}


def _sparse(record: CaseClock | Progress, defaults: Written) -> Written:
    return {name: value for name, default in defaults.items() if (value := getattr(record, name)) != default}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def latest(work: Work, move: Move) -> Mapping[str, Any]:
    """The facts of the last move of this kind; nothing if there was none."""
    return work.progress.last.get(move, {})
