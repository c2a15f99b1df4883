"""A database with cases, a dispatcher or two in their own event loops, and a department's system that gets the letters."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from cryptography.fernet import Fernet

from service import log, store
from service.channels import Channels
from service.db import Database
from service.dispatcher import Dispatcher, Pace
from service.store import CaseRow, Channel, DeliveryRow, Event, NewEvent, NewMove
from service.vault import Vault
from service.writer import Writer
from tests.builders import new_case
from tests.outbox.receiver import Behaviour, Receiver, takes_all

T = TypeVar("T")

QUICK = Pace(attempts=4, seconds=1.0, first=0.05, longest=0.4)
LEAD, ASSIST = "culture_sports", "market_regulation"


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    log.configure("error")


@pytest.fixture
def vault() -> Vault:
    return Vault([Fernet.generate_key().decode()])


@dataclass
class Counts:
    """Counts as /metrics would."""

    outcomes: list[str] = field(default_factory=list)

    def delivered(self, outcome: str, seconds: float) -> None:  # noqa: ARG002 (only outcomes are looked at)
        self.outcomes.append(outcome)


class Post:
    """The office's side: cases and moves written, channels set, dispatchers run."""

    def __init__(self, database: Database, vault: Vault, closing: ExitStack) -> None:
        self.database = database
        self.vault = vault
        self.counts = Counts()
        self.clock: Callable[[Any], datetime] = store.now
        self._closing = closing
        self._numbers = iter(range(1, 1_000_000))
        self._dispatchers: list[Running] = []

    def receiver(self, behaviour: Behaviour = takes_all, department: str = LEAD) -> Receiver:
        """A receiver that is the department's channel from now on."""
        receiver = self._closing.enter_context(Receiver(behaviour).open())
        self.channel(department, receiver.url, receiver.secret)
        return receiver

    def channel(self, department: str, url: str, secret: str) -> None:
        now = datetime.now(UTC)
        sealed = self.vault.seal(secret.encode())
        new = Channel(department=department, url=url, secret=sealed, active=True, trouble=None, created_at=now, updated_at=now)
        self.write(lambda conn: store.put_channel(conn, new, actor="test"))

    def births(self, count: int = 1, **changes: Any) -> list[str]:
        now = datetime.now(UTC)
        new = [new_case(next(self._numbers), created_at=now, complainant=None, **changes) for _ in range(count)]
        self.write(lambda conn: store.insert_cases(conn, new))
        return [case.id for case in new]

    def move(self, case_id: str, kind: str = "case.accepted", **changes: Any) -> Event:
        """The case's next version, by a move that changes nothing else but what is said."""

        def job(conn: Any) -> Event:
            case = store.get_case(conn, case_id)
            assert case is not None
            return store.write_move(conn, replace(_next(case, kind), **changes))

        return self.write(job)

    def write(self, job: Callable[[Any], T]) -> T:
        with self.database.write() as conn:
            done = job(conn)
        for each in self._dispatchers:
            each.wake()
        return done

    def deliveries(self, **filters: Any) -> list[DeliveryRow]:
        with self.database.read() as conn:
            return list(reversed(store.list_deliveries(conn, **filters, limit=10_000)))

    def states(self) -> list[tuple[str, int]]:
        return [(row.state, row.attempts) for row in self.deliveries()]

    def events(self, prefix: str) -> list[str]:
        with self.database.read() as conn:
            return [event.kind for event in store.changes(conn, 0, 100_000) if event.kind.startswith(prefix)]

    def dispatch(self, pace: Pace = QUICK) -> "Running":
        self._dispatchers.append(self._closing.enter_context(running(self, pace)))
        return self._dispatchers[-1]

    def replay(self, id_: str) -> DeliveryRow | None:
        return self.write(lambda conn: store.replay_delivery(conn, id_, actor="test", at=datetime.now(UTC)))

    def settle(self, receiver: Receiver) -> None:
        """Wait until nothing waits any more."""
        receiver.wait(lambda: not self.deliveries(state="pending"))


def _next(case: CaseRow, kind: str) -> NewMove:
    return NewMove(
        case_id=case.id,
        version=case.version + 1,
        status="accepted",
        lead=case.lead,
        category=case.category,
        hops=case.hops,
        complex=case.complex,
        clocks=case.clocks,
        progress=case.progress,
        merged_into=None,
        alarm=None,
        due_at=case.due_at,
        departments=None,
        timer=None,
        event=NewEvent(at=datetime.now(UTC), kind=kind, actor="officer", case_id=case.id),
    )


@dataclass
class Running:
    """A dispatcher at work in a loop of its own."""

    loop: asyncio.AbstractEventLoop
    dispatcher: Dispatcher
    stop: Callable[[], None]

    def wake(self) -> None:
        """As the bell does where a house writes and sends."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.dispatcher.wake)


@contextmanager
def running(post: Post, pace: Pace) -> Iterator[Running]:
    ready: threading.Event = threading.Event()
    held: dict[str, Running] = {}

    async def main() -> None:
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        writer = Writer(post.database)
        if post.database.dialect == "sqlite":
            writer.start()
        channels = Channels(seconds=pace.seconds, private=True)
        dispatcher = Dispatcher(post.database, writer, post.vault, channels, pace, post.counts, post.clock)
        dispatcher.start()
        held["it"] = Running(loop, dispatcher, end.set)
        ready.set()
        await end.wait()
        await dispatcher.stop()
        await channels.close()
        await writer.stop()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(10)

    end = held["it"].stop

    def stop() -> None:
        if thread.is_alive():
            held["it"].loop.call_soon_threadsafe(end)
        thread.join(20)

    held["it"].stop = stop
    try:
        yield held["it"]
    finally:
        stop()


@pytest.fixture
def post(database: Database, vault: Vault) -> Iterator[Post]:
    """Once on each kind of database."""
    with ExitStack() as closing:
        yield Post(database, vault, closing)


@pytest.fixture
def postgres_post(postgres_database: Database, vault: Vault) -> Iterator[Post]:
    """For what only PostgreSQL allows: several who write."""
    with ExitStack() as closing:
        yield Post(postgres_database, vault, closing)
