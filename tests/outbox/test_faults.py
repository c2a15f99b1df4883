"""The database fails while orders come in: full, read-only, restarted in between. No accepted case is lost, none is there twice."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from psycopg import sql
from sqlalchemy import event, text

from service import store
from service.app import create_app
from service.db import Database
from tests import postgres
from tests.api.conftest import served, settings_for
from tests.outbox.receiver import Receiver, in_order

CALLERS, EACH = 4, 12
SEGMENT = 16 << 20
"""What PostgreSQL writes its log in; its tables may become no larger while the disk is full."""
LEAD = "gym_office"
DATABASE = "fenpai_restarted"

Fault = Callable[[Database], AbstractContextManager[None]]


def said_to_each_connection(database: Database, words: str, otherwise: str) -> AbstractContextManager[None]:
    """SQLite: whoever takes a connection to write is told this while the fault lasts, and the other before and after.

    It listens from this call on, before anybody writes: a pool that is in use takes no new listener safely.
    """
    lasts = threading.Event()
    event.listen(database.writer, "checkout", lambda raw, *_: raw.execute(words if lasts.is_set() else otherwise))

    @contextmanager
    def fault() -> Iterator[None]:
        lasts.set()
        yield
        lasts.clear()

    return fault()


def full(database: Database) -> AbstractContextManager[None]:
    """SQLITE_FULL, as from a disk without room: the file may not grow by a page."""
    return said_to_each_connection(database, "PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823")


def read_only(database: Database) -> AbstractContextManager[None]:
    if database.dialect == "sqlite":
        return said_to_each_connection(database, "PRAGMA query_only = ON", "PRAGMA query_only = OFF")
    return read_only_server(database)


@contextmanager
def read_only_server(database: Database) -> Iterator[None]:
    url = database.writer.url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as admin:
        for words in ("SET default_transaction_read_only = on", "RESET default_transaction_read_only"):
            admin.execute(sql.SQL(f"ALTER DATABASE {{}} {words}").format(sql.Identifier(url.database or "")))
            admin.execute(postgres.OTHERS_OUT)
            if words.startswith("SET"):
                yield


class TestTheDatabase:
    def test_full_or_read_only_refuses_and_afterwards_takes_all(self, database_url: str) -> None:
        faults: dict[str, Fault] = {"read-only": read_only}
        if database_url.startswith("sqlite"):
            faults["full disk"] = full
        with house(database_url) as (client, app, receiver):
            database = app.state.office.database
            for name, fault in faults.items():
                accepted, refused = under(client, name, fault(database))
                check(client, database, receiver, accepted)
                assert refused > 0
                told(f"{database.dialect}, {name}", accepted, refused, receiver)

    def test_restarted_or_without_room_to_grow_loses_nothing(self) -> None:
        """PostgreSQL: killed and started again; then its tables may not grow by a page, as on a full disk."""
        with (
            postgres.restartable() as server,
            postgres.database(server.get_uri(), DATABASE) as url,
            house(url) as (client, app, receiver),
        ):
            accepted, refused = under(client, "restart", killed(server))
            check(client, app.state.office.database, receiver, accepted)
            told("postgresql, killed and started again", accepted, refused, receiver)
            with psycopg.connect(url, autocommit=True) as admin:
                swell(admin)
                accepted, refused = under(client, "full", full_server(server.get_pid()))
            check(client, app.state.office.database, receiver, accepted)
            told("postgresql, full disk", accepted, refused, receiver)


@contextmanager
def killed(server: Any) -> Iterator[None]:
    """The server dies at once, without a checkpoint, and is started again."""
    ends = os.pidfd_open(server.get_pid())
    signal.pidfd_send_signal(ends, signal.SIGQUIT)
    yield
    select.select([ends], [], [])  # as it ends it takes its socket away, which would be that of the next
    os.close(ends)
    server.start()


@contextmanager
def full_server(postmaster: int) -> Iterator[None]:
    """No table may grow beyond its log's segment: a write behind that fails as it does on a full disk, while the log has room still."""
    limited(postmaster, str(SEGMENT))
    yield
    limited(postmaster, "unlimited")


def swell(admin: psycopg.Connection[Any]) -> None:
    """Bring the table of cases to the limit, by rows of transactions that are taken back: nothing uses their room before a vacuum."""
    admin.execute("ALTER TABLE cases SET (autovacuum_enabled = off)")
    while not admin.execute("SELECT pg_relation_size('cases') > %s", [SEGMENT]).fetchall()[0][0]:
        with admin.transaction(force_rollback=True):
            admin.execute("DO $$ BEGIN FOR n IN 1..100 LOOP UPDATE cases SET version = version; END LOOP; END $$")
    admin.execute("SELECT pg_switch_wal()")


def limited(postmaster: int, size: str) -> None:
    """How large files may become that the server's sessions write, those to come as well."""
    limit(postmaster, size)  # first: who is born from now on has it from there
    for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        with suppress(subprocess.CalledProcessError, FileNotFoundError):  # a session may have ended meanwhile
            title = Path(f"/proc/{child}/cmdline").read_text()
            if not title.startswith("postgres: ") or DATABASE in title:  # the server's own writers may write on
                limit(int(child), size)


def limit(pid: int, size: str) -> None:
    owner = Path(f"/proc/{pid}").stat()  # the server's own user: root may not do it in every container
    words = ["prlimit", "--pid", str(pid), f"--fsize={size}:unlimited"]
    subprocess.run(words, check=True, capture_output=True, user=owner.st_uid, group=owner.st_gid, extra_groups=[])


@contextmanager
def house(url: str) -> Iterator[tuple[httpx.Client, FastAPI, Receiver]]:
    """A server over a real socket, whose lead department takes deliveries."""
    app = create_app(settings_for(url, allow_private_targets="yes", delivery_timeout=1.0, delivery_pause=0.05))
    with Receiver().open() as receiver, served(app) as address, httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        channel = {"url": receiver.url, "secret": receiver.secret}
        client.put(f"/v1/departments/{LEAD}/channel", json=channel).raise_for_status()
        yield client, app, receiver


def under(client: httpx.Client, name: str, fault: AbstractContextManager[None]) -> tuple[dict[str, str], int]:
    """Several hotlines send, each order until it is accepted, while the fault comes and goes: numbers with cases, and how many refusals."""
    accepted: dict[str, str] = {}
    refusals: list[int] = []
    begun, over = threading.Event(), threading.Event()
    with ThreadPoolExecutor(CALLERS) as callers:
        sent = [callers.submit(send_all, client, f"{name}-{caller}", accepted, refusals, begun, over) for caller in range(CALLERS)]
        try:
            begun.wait(20)
            with fault:
                patience = time.monotonic() + 20
                while not refusals:
                    assert time.monotonic() < patience
                    time.sleep(0.02)
                assert client.get("/healthz").status_code == 200
        finally:
            over.set()
    assert sum(orders.result() for orders in sent) == len(accepted)
    return accepted, len(refusals)


def send_all(
    client: httpx.Client, name: str, accepted: dict[str, str], refusals: list[int], begun: threading.Event, over: threading.Event
) -> int:
    """Send until the fault is over, however long it took to come: how many orders."""
    number = 0
    while number < EACH or not over.is_set():
        order = {"source_system": "hotline", "source_order_no": f"{name}-{number}", "content": "某篮球班不给退费，孩子没课上。"}
        while (answer := client.post("/v1/cases", json=order)).status_code not in {200, 201}:
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable"), answer.text
            refusals.append(answer.status_code)
            time.sleep(0.05)
        accepted[order["source_order_no"]] = answer.json()["id"]
        if number == 2:
            begun.set()
        number += 1
        time.sleep(0.01)
    return number


def check(client: httpx.Client, database: Database, receiver: Receiver, accepted: dict[str, str]) -> None:
    """Every accepted case is there once, with its event, its timer and its letter; the feed has no gap and the chain holds."""
    try:
        receiver.wait(lambda: set(accepted.values()) <= {got.data["case_id"] for got in receiver.taken}, 60)
    except AssertionError as vain:
        raise AssertionError(f"{vain}; cases without their letter: {left(client, accepted, receiver)}") from None
    assert in_order(receiver.taken)
    with database.read() as conn:
        rows = [store.find_case(conn, "hotline", number) for number in accepted]
        assert [row.id for row in rows if row] == list(accepted.values())
        timers = conn.execute(text("SELECT count(*), count(DISTINCT case_id) FROM timers")).one()
        cases = conn.execute(text("SELECT count(*) FROM cases")).scalar_one()
        assert tuple(timers) == (cases, cases)
        assert store.verify_chain(conn).broken is None
    changes = client.get("/v1/changes", params={"limit": 1000}).json()["changes"]
    assert [change["seq"] for change in changes] == list(range(1, len(changes) + 1))
    births = [change["case_id"] for change in changes if change["kind"] == "case.received"]
    assert len(births) == len(set(births)) == cases


def left(client: httpx.Client, accepted: dict[str, str], receiver: Receiver) -> list[tuple[str, Any]]:
    """What became of the letters that did not come."""
    missing = set(accepted.values()) - {got.data["case_id"] for got in receiver.taken}
    return [(case, client.get("/v1/deliveries", params={"case": case}).json()) for case in missing]


def told(what: str, accepted: dict[str, str], refused: int, receiver: Receiver) -> None:
    letters = [got.id for got in receiver.taken if got.data["case_id"] in set(accepted.values())]
    again = len(letters) - len(set(letters))
    counts = f"{len(accepted)} accepted, {refused} refused and sent again, 0 lost, 0 twice, {len(letters)} delivered"
    print(f"{what}: {counts} ({again} again)")  # noqa: T201 (the counts are the finding)
