"""Orders that come into a real database and are sorted there, by the tiny pack with incidents or by the shipped one with its samples."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from models.complaint import WorkOrderIn
from models.moves import Move
from models.requests import Request
from service import intake, register, rulebook, store
from service.casework import Actor, Handbook, Made, Ordered, Terms, carry_out
from service.db import Database
from service.engine import Engine
from service.engine.register import Register
from service.incidents import Sorter
from service.store import CaseRow
from service.vault import Vault
from service.writer import Writer
from tests.casework.house import FrozenClock
from tests.casework.people import HOTLINE, body
from tests.packs.build import tiny

SAMPLES = Path(__file__).parents[2] / "rules" / "beichen" / "samples"
INCIDENTS = """
opening: {members: 3, hours: 48, attach_hours: 96, issues: [refund]}
informed:
  - {department: money_office, why: 涉及资金}
duplicates: {days: 30, text: 80, story: 25, words: 3}
"""
NOISE = """  - id: issue.noise
    name: 吵闹
    issue: noise
    terms: [吵闹]
"""
BEGIN = datetime(2026, 11, 23, 1, tzinfo=UTC)

_numbers = count(1)


@cache
def tiny_engine(file: str = INCIDENTS) -> Engine:
    files = tiny()
    issues = files["issues.yaml"].replace("rules:", "  noise:\n    name: 吵闹\nrules:") + NOISE
    return Engine(rulebook.load(files | {"issues.yaml": issues} | ({"incidents.yaml": file} if file else {})))


@cache
def shipped() -> tuple[Engine, Register]:
    """The shipped pack and its sample register."""
    engine = Engine(rulebook.load(rulebook.read_folder(rulebook.find_pack("beichen"))))
    rows = register.from_file(SAMPLES / "institutions.csv", engine.ruleset, 10_000_000)
    return engine, Register.of(rows, engine.ruleset, engine.plan.cutter)


@dataclass
class Hall:
    """A database, the rules, a clock; orders come in and are sorted."""

    database: Database
    engine: Engine = field(default_factory=tiny_engine)
    register: Register | None = None
    clock: FrozenClock = field(default_factory=FrozenClock)

    def __post_init__(self) -> None:
        self.handbook = Handbook(lambda: self.engine.ruleset)
        self.vault = Vault.open(Fernet.generate_key().decode(), None)
        with self.database.write() as conn:
            if self.engine.ruleset.incidents:
                store.begin_sorting(conn)

    @property
    def terms(self) -> Terms:
        return self.handbook()

    def send(self, content: str, hours: float = 0, **order: Any) -> str:
        """An order, received so many hours after the beginning; its case."""
        whole = {
            "source_system": "hotline",
            "source_order_no": f"N{next(_numbers)}",
            "received_at": BEGIN + timedelta(hours=hours),
            "content": content,
        }
        return self.receive(WorkOrderIn.model_validate(whole | order))

    def receive(self, order: WorkOrderIn) -> str:
        complaint = order.complaint()
        decision = self.engine.triage(self.register.look_up(complaint) if self.register else complaint)
        desk = intake.Desk(self.engine.triage, lambda: self.terms, _nobody, self.vault)
        with self.database.write() as conn:
            return store.insert_cases(conn, [intake.open_case(order, decision, self.clock(), desk)])[0].case.id

    def sort(self, sorters: int = 1) -> int:
        """Let so many sorters at once, each with a writer of its own, look at all that came in; how many cases they looked at."""
        return asyncio.run(_sort(self, sorters))

    def row(self, case_id: str) -> CaseRow:
        return self.ask(store.cases_by_id, [case_id])[case_id]  # type: ignore[no-any-return]

    def ask(self, question: Callable[..., Any], *args: Any, **how: Any) -> Any:
        with self.database.read() as conn:
            return question(conn, *args, **how)

    def move(self, case_id: str, move: Move, actor: Actor = HOTLINE, **said: Any) -> Made:
        said_: Request = body(move, **said)
        ordered = Ordered(case_id, frozenset({self.row(case_id).version}), move, said_, actor)
        with self.database.write() as conn:
            return carry_out(conn, ordered, self.terms, self.clock)

    def kinds(self, case_id: str) -> list[str]:
        return [event.kind for event in self.ask(store.case_events, case_id)]


async def _nobody(_: object) -> Any:
    raise AssertionError


async def _sort(hall: Hall, sorters: int) -> int:
    writers = [Writer(hall.database) for _ in range(sorters)]
    for writer in writers:
        writer.start()
    try:
        return sum(await asyncio.gather(*(sorter(hall, writer).tick() for writer in writers)))
    finally:
        for writer in writers:
            await writer.stop()


def sorter(hall: Hall, writer: Writer) -> Sorter:
    return Sorter(_reads(hall.database), writer, lambda: hall.engine, hall.handbook, hall.clock, lambda _: None)


def _reads(database: Database) -> Callable[..., Awaitable[Any]]:
    def ask(question: Callable[..., Any], *args: Any) -> Any:
        with database.read() as conn:
            return question(conn, *args)

    async def aside(question: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(ask, question, *args)

    return aside


def samples() -> list[WorkOrderIn]:
    """The sample orders of the shipped pack."""
    return [WorkOrderIn.model_validate_json(line) for line in (SAMPLES / "orders.jsonl").read_bytes().splitlines()]
