"""Timers: each strikes once, whichever process comes first, whoever is killed on the way, however the clock jumps."""

import asyncio
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.clocks import ClockKind
from models.decision import Outcome
from models.moves import Move
from service import rulebook, store
from service.casework import Clockwork, Handbook, carry
from service.db import Database
from service.errors import StorageUnavailable
from service.writer import Writer
from tests.casework.house import FrozenClock, House, decided
from tests.casework.people import BEIJING, TUESDAY
from tests.packs.build import tiny

ROOT = Path(__file__).parents[2]
LATER = TUESDAY + timedelta(days=30)
STRIKES = ["receipt.urge", "receipt.overdue", "handling.urge", "handling.overdue"]
"""What strikes, in this order, on a case that nobody touches."""


def strikes(house: House, case_id: str) -> list[str]:
    """The timers that struck, as the case's events tell."""
    return [told["timer"] for event in house.events(case_id) if "timer" in (told := orjson.loads(event.data))]


def claim(house: House, most: int = 100) -> list[store.Claim]:
    with house.database.write() as conn:
        return store.claim_timers(conn, house.clock.moment, most)


def strike(house: House, one: store.Claim) -> store.Event | None:
    with house.database.write() as conn:
        return carry.strike(conn, one, house.rules(), house.clock)


def strike_all(house: House) -> None:
    while claims := claim(house):
        for one in claims:
            strike(house, one)


@contextmanager
def ticker(database: Database, moment: datetime, life: float = 0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.casework.ticker", database.url, moment.isoformat(), str(life)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


class TestAClaim:
    def test_takes_what_is_due_the_longest_due_first(self, house: House) -> None:
        late = house.receive()
        house.clock.moment += timedelta(days=7)
        early = house.receive()
        house.clock.moment = LATER
        assert [one.case_id for one in claim(house)] == [late, early]
        assert claim(house) == []

    def test_takes_nothing_that_is_not_due(self, house: House) -> None:
        house.receive()
        assert claim(house) == []
        assert house.ask(store.is_timer_due, house.clock.moment) is False
        assert house.ask(store.is_timer_due, LATER) is True

    def test_holds_until_its_lease_ends_and_then_counts_for_nothing(self, house: House) -> None:
        case_id = house.receive()
        house.clock.moment = LATER
        [slow] = claim(house)
        house.clock.moment += store.LEASE
        [quick] = claim(house)
        assert (quick.case_id, quick.fence) == (slow.case_id, slow.fence + 1)
        assert strike(house, slow) is None
        assert strike(house, quick) is not None
        assert strikes(house, case_id) == ["receipt.urge"]

    def test_counts_for_nothing_once_the_case_was_moved(self, house: House) -> None:
        case_id = house.receive()
        house.clock.moment = LATER
        [one] = claim(house)
        house.move(case_id, Move.ACCEPT)
        assert strike(house, one) is None
        assert strikes(house, case_id) == []

    def test_passes_over_what_another_is_just_taking(self, postgres_database: Database) -> None:
        """Nobody waits for a replica that is slow to commit."""
        house = House(postgres_database)
        ids = {house.receive() for _ in range(4)}
        with postgres_database.write() as conn:
            first = store.claim_timers(conn, LATER, 2)
            with postgres_database.write() as other:
                second = store.claim_timers(other, LATER, 4)
        assert (len(first), len(second)) == (2, 2)
        assert {one.case_id for one in first + second} == ids


class TestTheClock:
    def test_is_the_databases_own(self, database: Database) -> None:
        with database.read() as conn:
            moment = store.now(conn)
        assert abs(moment - datetime.now(UTC)) < timedelta(seconds=5)
        assert moment.utcoffset() == timedelta(0)

    def test_that_jumped_forward_and_back_does_not_hold_up_a_timer(self, house: House) -> None:
        """A lease given far in the future, by a clock that was wrong, counts for nothing."""
        case_id = house.receive()
        house.clock.moment = LATER + timedelta(days=3650)
        claim(house)
        house.clock.moment = LATER
        [one] = claim(house)
        assert strike(house, one) is not None
        assert strikes(house, case_id) == ["receipt.urge"]

    def test_that_jumps_back_makes_nothing_strike_again(self, house: House) -> None:
        case_id = house.receive()
        for moment in (LATER, TUESDAY, LATER, TUESDAY - timedelta(days=400), LATER + timedelta(days=1)):
            house.clock.moment = moment
            strike_all(house)
        assert strikes(house, case_id) == STRIKES
        assert house.ask(store.verify_chain).broken is None

    def test_strikes_when_the_deadline_has_passed_not_at_it(self, house: House) -> None:
        case_id = house.receive()
        due = datetime(2026, 11, 26, 17, 0, tzinfo=BEIJING)
        house.clock.moment = due
        for one in claim(house):
            strike(house, one)
        assert claim(house) == []
        house.clock.moment = due + timedelta(microseconds=1)
        for one in claim(house):
            strike(house, one)
        assert strikes(house, case_id) == ["receipt.urge", "receipt.overdue"]


class TestAStrike:
    def test_is_a_move_of_the_system_with_its_event(self, house: House) -> None:
        case_id = house.receive()
        house.clock.moment = LATER
        for _ in STRIKES:
            [one] = claim(house)
            strike(house, one)
        assert [(event.kind, event.actor) for event in house.events(case_id)[1:]] == [
            ("case.urged", "system"),
            ("case.receipt_missed", "system"),
            ("case.urged", "system"),
            ("case.supervised", "system"),
        ]
        case = house.work(case_id)
        assert (case.version, case.progress.urged, case.progress.receipt_missed, case.progress.supervised) == (5, 2, True, True)
        assert claim(house) == []

    def test_of_the_follow_up_urges_the_hotline(self, house: House) -> None:
        case_id = house.receive()
        for move in (Move.ACCEPT, Move.REPLY, Move.COMPLETE):
            house.move(case_id, move)
        house.clock.moment = LATER
        [one] = claim(house)
        assert one.kind == "follow_up.overdue"
        strike(house, one)
        assert strikes(house, case_id) == ["follow_up.overdue"]
        assert claim(house) == []

    def test_comes_again_for_the_next_department(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.HAND_BACK)
        house.move(case_id, Move.RE_DISPATCH)
        house.clock.moment = LATER
        strike_all(house)
        assert strikes(house, case_id) == STRIKES

    def test_comes_again_after_an_extension(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.ACCEPT)
        house.clock.moment = datetime(2026, 12, 2, 9, 0, tzinfo=BEIJING)
        strike(house, claim(house)[0])
        house.move(case_id, Move.EXTEND)
        house.clock.moment = LATER
        strike_all(house)
        assert strikes(house, case_id) == ["handling.urge", "handling.urge", "handling.overdue"]

    def test_waits_while_the_case_is_paused_or_merged(self, house: House) -> None:
        main, paused, merged = house.receive(), house.receive(), house.receive()
        house.move(paused, Move.PAUSE)
        house.move(merged, Move.MERGE, into=main)
        house.clock.moment = LATER
        strike_all(house)
        assert (strikes(house, paused), strikes(house, merged)) == ([], [])
        house.move(paused, Move.RESUME)
        house.move(merged, Move.UNMERGE)
        assert claim(house) == []
        house.clock.moment = LATER + timedelta(days=30)
        strike_all(house)
        assert (strikes(house, paused), strikes(house, merged)) == (STRIKES, STRIKES)

    def test_does_not_come_for_what_went_back_to_the_hotline(self, house: House) -> None:
        house.receive(decision=decided(Outcome.RETURN))
        house.clock.moment = LATER
        assert claim(house) == []

    def test_that_the_case_does_not_know_is_set_right(self, house: House) -> None:
        """A row that somebody changed by hand."""
        case_id = house.receive()
        with house.database.write() as conn:
            store.set_timer(conn, case_id, store.NewTimer(kind="handling.overdue", due_at=TUESDAY))
        [one] = claim(house)
        assert strike(house, one) is None
        house.clock.moment = LATER
        assert [one.kind for one in claim(house)] == ["receipt.urge"]


@pytest.mark.timeout(300)
class TestProcesses:
    def test_that_race_strike_each_timer_once(self, database: Database) -> None:
        house = House(database)
        ids = [house.receive() for _ in range(30)]
        with ticker(database, LATER, 1) as one, ticker(database, LATER, 1) as two:
            outputs: list[list[str]] = [[], []]
            readers = [
                threading.Thread(target=lambda found=found, process=process: found.extend(process.stdout or ()))
                for found, process in zip(outputs, (one, two), strict=True)
            ]
            for reader in readers:
                reader.start()
            for process in (one, two):
                go(process)
            for reader in readers:
                reader.join()
        assert (one.returncode, two.returncode) == (0, 0)
        told = Counter(line.strip() for output in outputs for line in output)
        assert told == Counter(f"{case_id} {kind}" for case_id in ids for kind in STRIKES)
        assert all(strikes(house, case_id) == STRIKES for case_id in ids)
        assert house.ask(store.verify_chain).broken is None
        print(f"{database.dialect}: {len(outputs[0])} + {len(outputs[1])} strikes of {len(ids) * 4} timers, 0 twice, 0 lost")  # noqa: T201

    def test_that_are_killed_leave_nothing_undone_or_done_twice(self, database: Database) -> None:
        house = House(database)
        ids = [house.receive() for _ in range(30)]
        moment, told = LATER, 0
        for _ in range(4):
            with ticker(database, moment) as process:
                killer = threading.Timer(random.uniform(0.01, 0.15), process.kill)  # noqa: S311 (any moment will do)
                go(process)
                killer.start()
                told += len(list(process.stdout or ()))
                killer.join()
            moment += store.LEASE  # what it had claimed is free again
        with ticker(database, moment) as process:
            go(process)
            rest = len(list(process.stdout or ()))
        assert process.returncode == 0
        assert all(strikes(house, case_id) == STRIKES for case_id in ids)
        assert house.ask(store.verify_chain).broken is None
        print(f"{database.dialect}: {told} strikes told before 4 kills, {rest} after, 0 of {len(ids) * 4} lost or twice")  # noqa: T201


class Room:
    """A clockwork with its writer, as a replica has them."""

    def __init__(self, database: Database, clock: FrozenClock, handbook: Handbook | None = None) -> None:
        self.database = database
        self.told: list[int] = []
        self.writer = Writer(database)
        ruleset = rulebook.load(tiny())
        self.clockwork = Clockwork(self.read, self.writer, handbook or Handbook(lambda: ruleset), clock, self.told.append)

    async def read(self, ask: Callable[..., Any], *args: Any) -> Any:
        def work() -> Any:
            with self.database.read() as conn:
                return ask(conn, *args)

        return await asyncio.to_thread(work)

    async def at_work(self, act: Callable[[], Awaitable[Any]]) -> Any:
        self.writer.start()
        try:
            return await act()
        finally:
            await self.writer.stop()


class RoomWithTrouble(Room):
    """The same, but the database is away the first times it is asked."""

    asked = 0

    async def read(self, ask: Callable[..., Any], *args: Any) -> Any:
        self.asked += 1
        if self.asked < 4:
            raise StorageUnavailable
        return await super().read(ask, *args)


class TestTheClockwork:
    def test_strikes_all_that_is_due_and_tells_those_who_wait(self, house: House) -> None:
        ids = [house.receive() for _ in range(40)]
        house.clock.moment = LATER
        room = Room(house.database, house.clock)
        assert asyncio.run(room.at_work(room.clockwork.tick)) == 160
        assert all(strikes(house, case_id) == STRIKES for case_id in ids)
        assert sorted(room.told) == list(range(41, 201))

    def test_says_how_late_it_is(self, house: House) -> None:
        house.receive()
        room = Room(house.database, house.clock)
        asyncio.run(room.at_work(room.clockwork.tick))
        assert room.clockwork.lag == 0
        house.clock.moment = LATER
        claim(house)  # by a replica that dies with it
        room = Room(house.database, house.clock)
        asyncio.run(room.at_work(room.clockwork.tick))
        assert timedelta(days=25).total_seconds() < room.clockwork.lag < timedelta(days=30).total_seconds()
        house.clock.moment += store.LEASE
        room = Room(house.database, house.clock)
        asyncio.run(room.at_work(room.clockwork.tick))
        assert room.clockwork.lag == 0

    def test_after_a_restart_goes_on_where_it_stood(self, house: House) -> None:
        case_id = house.receive()
        house.clock.moment = datetime(2026, 11, 26, 16, 0, tzinfo=BEIJING)
        first = Room(house.database, house.clock)
        assert asyncio.run(first.at_work(first.clockwork.tick)) == 1
        house.clock.moment = LATER
        second = Room(house.database, house.clock)
        assert asyncio.run(second.at_work(second.clockwork.tick)) == 3
        assert strikes(house, case_id) == STRIKES

    def test_of_two_replicas_strikes_once(self, postgres_database: Database) -> None:
        house = House(postgres_database)
        ids = [house.receive() for _ in range(60)]
        house.clock.moment = LATER
        rooms = [Room(postgres_database, house.clock) for _ in range(2)]

        async def both() -> list[int]:
            return list(await asyncio.gather(*(room.at_work(room.clockwork.tick) for room in rooms)))

        counts = asyncio.run(both())
        assert sum(counts) <= 240  # one may leave early what the other holds
        asyncio.run(rooms[0].at_work(rooms[0].clockwork.tick))
        assert all(strikes(house, case_id) == STRIKES for case_id in ids)

    def test_holds_still_while_the_clock_may_be_wrong(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """It jumps a month ahead between two looks and is set right a moment later: nobody was urged for nothing."""
        case_id = house.receive()
        room = Room(house.database, house.clock)
        monkeypatch.setattr("service.casework.clockwork.DOUBT_SECONDS", 0.3)

        async def life() -> None:
            await room.clockwork.tick()
            house.clock.moment = LATER
            assert await room.clockwork.tick() == 0
            house.clock.moment = TUESDAY
            assert await room.clockwork.tick() == 0
            house.clock.moment = LATER
            assert await room.clockwork.tick() == 0
            await asyncio.sleep(0.35)
            assert await room.clockwork.tick() == len(STRIKES)  # it has gone on like that: so it is late indeed

        asyncio.run(room.at_work(life))
        assert strikes(house, case_id) == STRIKES

    def test_sets_clocks_when_the_calendar_is_filled_in(self, house: House) -> None:
        house.clock.moment = datetime(2036, 12, 24, 10, 0, tzinfo=BEIJING)
        ids = [house.receive() for _ in range(3)]
        files = tiny()
        rules = [rulebook.load(files, 1)]
        room = Room(house.database, house.clock, Handbook(lambda: rules[-1]))

        async def year() -> tuple[int, int, int]:
            first, second = await room.clockwork.recount(), await room.clockwork.recount()
            rules.append(rulebook.load(files | {"calendar/2037.yaml": files["calendar/2036.yaml"].replace("2036", "2037")}, 2))
            return first, second, await room.clockwork.recount()

        assert asyncio.run(room.at_work(year)) == (0, 0, 3)
        for case_id in ids:
            clock = house.work(case_id).clock(ClockKind.HANDLING)
            assert clock is not None
            assert clock.due == datetime(2037, 1, 2, 17, 0, tzinfo=BEIJING)
            assert house.events(case_id)[-1].kind == "case.recomputed"
            assert house.row(case_id).alarm == "provisional"

    def test_waits_for_a_database_that_is_away(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        case_id = house.receive()
        house.clock.moment = LATER
        monkeypatch.setattr("service.casework.clockwork.POLL_SECONDS", 0.01)
        room = RoomWithTrouble(house.database, house.clock)

        async def life() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(room.clockwork.run(), 2)

        asyncio.run(room.at_work(life))
        assert strikes(house, case_id) == STRIKES
