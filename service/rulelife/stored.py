"""Replaying what the database holds: all cases, or those that officers confirmed, under two engines."""

from collections.abc import Callable
from datetime import datetime

from service import store
from service.db import Database
from service.engine import Engine
from service.impact import Impact, Pair, of_cases, run
from service.rulelife.draft import active_version, read_version

Told = Callable[[int], None]


def replay_stored(database: Database, pair: Pair, *, fork: bool, since: datetime | None = None, told: Told = lambda _: None) -> Impact:
    """All stored cases, or those that came in since a moment."""
    with database.read() as conn:
        return run(of_cases(store.past_cases(conn, since=since)), pair, fork=fork, told=told)


def replay_confirmed(database: Database, pair: Pair, *, fork: bool) -> Impact:
    """The confirmed cases: what stops a publishing."""
    with database.read() as conn:
        return run(of_cases(store.confirmed_cases(conn)), pair, fork=fork)


def active_engine(database: Database, pack: str) -> Engine:
    """The engine of the version in force."""
    return Engine(read_version(database, pack, active_version(database, pack)))
