"""A process that strikes timers, for tests that race and kill it: python -m tests.casework.ticker URL MOMENT [LIFE].

Told to begin by a line, it claims what is due at the moment, a few at a time, strikes them, prints each strike that is committed,
and ends when nothing is left to claim. With LIFE it goes on looking for so many seconds.
"""

import sys
import time
from contextlib import closing
from datetime import datetime

from service import db, store
from service.casework import carry
from service.db import Database
from tests.casework.house import FrozenClock
from tests.casework.people import terms


def tick(database: Database, clock: FrozenClock) -> int:
    with database.write() as conn:
        claims = store.claim_timers(conn, clock(), 3)
    for claim in claims:
        with database.write() as conn:
            event = carry.strike(conn, claim, terms(), clock)
        if event is not None:
            sys.stdout.write(f"{claim.case_id} {claim.kind}\n")
            sys.stdout.flush()
    return len(claims)


def main(url: str, moment: str, life: float = 0) -> None:
    end = time.monotonic() + life
    clock = FrozenClock(datetime.fromisoformat(moment))
    with closing(db.connect(url)) as database:
        sys.stdout.write("open\n")
        sys.stdout.flush()
        sys.stdin.readline()  # all begin together
        while tick(database, clock) or time.monotonic() < end:
            pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(float(life) for life in sys.argv[3:]))
