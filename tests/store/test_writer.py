"""The writer: who waits is answered after the commit, and only their own fault is theirs."""

import asyncio
import resource
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from ulid import ULID

from service import db, store
from service.db import Database
from service.errors import CaseNotFound, DatabaseInUse, Fault, FenpaiError, Overloaded, StorageUnavailable, WriterStopped
from service.store import NewCase, NewEvent, Outcome
from service.writer import Writer
from tests import postgres
from tests.builders import NOON, new_case


@asynccontextmanager
async def writing(database: Database, limit: int = 4096) -> AsyncIterator[Writer]:
    writer = Writer(database, limit=limit)
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def stored(database: Database, limit: int = 500) -> list[str]:
    with database.read() as conn:
        return sorted(case.source_order_no for case in store.list_cases(conn, store.Filters(), limit=limit).cases)


def note(kind: str) -> Callable[[Connection], int]:
    """A job that writes one event."""
    return lambda conn: store.append_events(conn, [NewEvent(at=NOON, kind=kind, actor="test")])[0].seq


def kinds(database: Database) -> list[str]:
    with database.read() as conn:
        return [told.kind for told in store.changes(conn, 0, 1000)]


@dataclass
class Gate:
    """A job that holds the writer's thread until it is opened, so that others gather behind it."""

    opened: threading.Event
    reached: threading.Event

    def __call__(self, _conn: Connection) -> None:
        self.reached.set()
        assert self.opened.wait(20)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate(threading.Event(), threading.Event())
    yield made
    made.opened.set()


async def behind(writer: Writer, gate: Gate, *jobs: Awaitable[object]) -> list[object]:
    """Let the jobs gather behind the gate, so that they run together, and give what became of each."""
    first = asyncio.ensure_future(writer.submit(gate))
    await asyncio.to_thread(gate.reached.wait, 20)
    waiting = [asyncio.ensure_future(job) for job in jobs]
    await asyncio.sleep(0)
    gate.opened.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Writing beyond the size fails, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    silent = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, silent)


def wal_of(database: Database) -> Path:
    assert database.path is not None
    return database.path.with_name(database.path.name + "-wal")


def cut_connections(database: Database) -> None:
    """All but the one that cuts, as when PostgreSQL is restarted."""
    with closing(db.connect(database.url)) as other, other.write() as conn:
        conn.execute(text(postgres.OTHERS_OUT))


class TestSubmitting:
    def test_a_job_is_answered_with_its_result(self, database: Database) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                assert await writer.submit(note("a")) == 1

        run(story)
        assert kinds(database) == ["a"]

    def test_the_answer_comes_after_the_commit(self, database: Database) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                outcome: Outcome = await writer.submit_item(store.insert_cases, new_case(1))
                with database.read() as conn:
                    assert store.get_case(conn, outcome.case.id) is not None

        run(story)

    def test_items_that_wait_are_handed_over_together(self, database: Database, gate: Gate) -> None:
        sizes: list[int] = []

        def counted(conn: Connection, cases: Sequence[NewCase]) -> list[Outcome]:
            sizes.append(len(cases))
            return store.insert_cases(conn, cases)

        async def story() -> None:
            async with writing(database) as writer:
                outcomes = await behind(writer, gate, *(writer.submit_item(counted, new_case(n)) for n in range(50)))
            assert [outcome.case.source_order_no for outcome in outcomes] == [f"TJ{n:08d}" for n in range(50)]  # type: ignore[attr-defined]

        run(story)
        assert sizes == [50]
        assert len(stored(database)) == 50

    def test_those_who_wait_share_one_commit(self, database: Database, gate: Gate) -> None:
        commits: list[object] = []
        event.listen(database.writer, "commit", commits.append)

        async def story() -> None:
            async with writing(database) as writer:
                items = (writer.submit_item(store.insert_cases, new_case(n)) for n in range(10))
                await behind(writer, gate, *items, *(writer.submit(note(f"{n}")) for n in range(10)))

        run(story)
        assert len(commits) == 2  # the gate's own, and one for all twenty
        with database.read() as conn:
            assert store.verify_chain(conn).rows == 20

    def test_a_caller_who_goes_away_stops_nobody(self, database: Database, gate: Gate) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                first = asyncio.ensure_future(writer.submit(gate))
                gone = asyncio.ensure_future(writer.submit(note("gone")))
                await asyncio.sleep(0)
                gone.cancel()
                gate.opened.set()
                await first
                assert await writer.submit(note("here")) == 2
                assert writer.waiting == 0

        run(story)
        assert kinds(database) == ["gone", "here"]


class TestWhenAJobFails:
    def test_a_poisoned_item_fails_alone(self, database: Database, gate: Gate) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                cases = [new_case(n, status=None if n == 3 else "dispatched") for n in range(6)]
                told = await behind(writer, gate, *(writer.submit_item(store.insert_cases, case) for case in cases))
            assert [isinstance(answer, Exception) for answer in told] == [False, False, False, True, False, False]
            assert isinstance(told[3], Fault)

        run(story)
        assert stored(database) == [f"TJ{n:08d}" for n in (0, 1, 2, 4, 5)]
        assert kinds(database) == ["case.received"] * 5

    def test_text_that_the_database_cannot_hold_fails_alone(self, postgres_database: Database, gate: Gate) -> None:
        async def story() -> None:
            async with writing(postgres_database) as writer:
                cases = [new_case(n, content="a\x00b" if n == 1 else "a") for n in range(12)]
                told = await behind(writer, gate, *(writer.submit_item(store.insert_cases, case) for case in cases))
            assert [n for n, answer in enumerate(told) if isinstance(answer, Exception)] == [1]

        run(story)
        assert len(stored(postgres_database)) == 11

    def test_a_poisoned_job_fails_alone(self, database: Database, gate: Gate) -> None:
        def poisoned(conn: Connection) -> None:
            conn.execute(text("INSERT INTO heads (name, value, hash) VALUES ('events', 1, '')"))

        async def story() -> None:
            async with writing(database) as writer:
                told = await behind(writer, gate, writer.submit(note("a")), writer.submit(poisoned), writer.submit(note("b")))
            assert isinstance(told[1], Fault)
            assert sorted([told[0], told[2]]) == [1, 2]  # type: ignore[type-var]

        run(story)
        assert kinds(database) == ["a", "b"]

    def test_a_refusal_undoes_its_own_writing_and_nothing_else(self, database: Database, gate: Gate) -> None:
        runs: list[str] = []

        def refused(conn: Connection) -> None:
            note("never")(conn)
            raise CaseNotFound

        def counted(conn: Connection) -> int:
            runs.append("once")
            return note("b")(conn)

        async def story() -> None:
            async with writing(database) as writer:
                told = await behind(writer, gate, writer.submit(refused), writer.submit(counted))
            assert isinstance(told[0], CaseNotFound)
            assert told[1] == 1

        run(story)
        assert (kinds(database), runs) == (["b"], ["once"])

    def test_a_mistake_in_our_own_code_reaches_its_caller(self, database: Database) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                with pytest.raises(ZeroDivisionError):
                    await writer.submit(lambda _: 1 // 0)
                assert await writer.submit(note("after")) == 1

        run(story)


class TestWhenTheDatabaseFails:
    def test_a_commit_that_fails_fails_all_who_wait(self, sqlite_database: Database, gate: Gate) -> None:
        """The pages of a transaction reach SQLite's log at the commit; here the log may not grow."""

        async def story() -> None:
            async with writing(sqlite_database) as writer:
                await writer.submit_item(store.insert_cases, new_case(0))
                items = [writer.submit_item(store.insert_cases, new_case(n, content="课" * 9000)) for n in range(1, 6)]
                with files_no_longer_than(wal_of(sqlite_database).stat().st_size):
                    told = await behind(writer, gate, *items, writer.submit(note("a")))
                assert [type(answer) for answer in told] == [StorageUnavailable] * 6
                assert await writer.submit(note("after")) == 2

        run(story)
        assert stored(sqlite_database) == ["TJ00000000"]
        assert kinds(sqlite_database) == ["case.received", "after"]

    def test_a_commit_that_is_refused_fails_all_who_wait(self, postgres_database: Database, gate: Gate) -> None:
        """PostgreSQL refuses a commit over a check that was put off until then."""
        with postgres_database.write() as conn:
            conn.execute(text("CREATE TABLE picky (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))

        async def story() -> None:
            async with writing(postgres_database) as writer:
                twice = [writer.submit(lambda conn: conn.execute(text("INSERT INTO picky VALUES (1)")).rowcount) for _ in range(2)]
                told = await behind(writer, gate, *twice, writer.submit_item(store.insert_cases, new_case(1)))
                assert [type(answer) for answer in told] == [Fault] * 3
                assert await writer.submit(note("after")) == 1

        run(story)
        assert (stored(postgres_database), kinds(postgres_database)) == ([], ["after"])

    def test_connections_that_were_cut_are_made_anew(self, postgres_database: Database) -> None:
        async def story() -> None:
            async with writing(postgres_database) as writer:
                await writer.submit(note("before"))
                cut_connections(postgres_database)
                assert await writer.submit(note("after")) == 2

        run(story)
        assert kinds(postgres_database) == ["before", "after"]

    def test_connections_cut_again_and_again_under_load_lose_no_case_that_was_told(self, postgres_database: Database) -> None:
        told: list[str] = []
        failed: list[NewCase] = []

        async def send(writer: Writer, case: NewCase) -> None:
            try:
                outcome: Outcome = await writer.submit_item(store.insert_cases, case)
                told.append(outcome.case.source_order_no)
            except StorageUnavailable:
                failed.append(case)

        async def client(writer: Writer, numbers: Iterator[int]) -> None:
            for n in numbers:
                await send(writer, new_case(n, id=str(ULID())))

        async def story() -> None:
            numbers = iter(range(1500))
            async with writing(postgres_database) as writer:
                clients = asyncio.gather(*(client(writer, numbers) for _ in range(16)))
                while not clients.done():
                    await asyncio.sleep(0.05)
                    await asyncio.to_thread(cut_connections, postgres_database)
                await clients
                for case in failed:
                    await send(writer, case)  # as the hotline does: it cannot know

        run(story)
        kept = stored(postgres_database, 2000)
        assert len(told) == len(set(told)) == 1500
        assert sorted(told) == kept
        with postgres_database.read() as conn:
            assert store.verify_chain(conn) == store.ChainReport(1500, 1500, None, None)


class TestLimits:
    def test_a_full_queue_refuses_at_once(self, database: Database, gate: Gate) -> None:
        async def story() -> None:
            async with writing(database, limit=2) as writer:
                told = await behind(writer, gate, writer.submit(note("a")), writer.submit(note("b")))
                assert told[0] == 1
                assert isinstance(told[1], Overloaded)

        run(story)

    def test_stopping_finishes_what_waits(self, database: Database) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                waiting = [asyncio.ensure_future(writer.submit(note(f"{n}"))) for n in range(300)]
                await asyncio.sleep(0)
            assert len(await asyncio.gather(*waiting)) == 300

        run(story)
        assert len(kinds(database)) == 300

    def test_after_stopping_nothing_is_taken(self, database: Database) -> None:
        async def story() -> None:
            async with writing(database) as writer:
                pass
            with pytest.raises(WriterStopped):
                await writer.submit(note("late"))

        run(story)

    def test_a_second_writer_of_one_sqlite_file_is_refused(self, sqlite_database: Database) -> None:
        async def story() -> None:
            async with writing(sqlite_database):
                with pytest.raises(DatabaseInUse, match="只能有一个写进程"):
                    Writer(sqlite_database).start()
            async with writing(sqlite_database) as again:
                await again.submit(note("a"))

        run(story)

    def test_several_writers_of_one_postgresql_are_welcome(self, postgres_database: Database) -> None:
        async def story() -> None:
            async with writing(postgres_database) as one, writing(postgres_database) as other:
                jobs = [writer.submit(note("x")) for writer in (one, other) for _ in range(40)]
                assert sorted(await asyncio.gather(*jobs)) == list(range(1, 81))

        run(story)

    def test_all_refusals_are_errors_of_ours(self) -> None:
        assert all(issubclass(error, FenpaiError) for error in (Overloaded, WriterStopped, StorageUnavailable, DatabaseInUse))
