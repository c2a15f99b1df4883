"""A process with a writer under load, for tests that kill it: python -m tests.store.pounder URL NAME COUNT.

It sends the cases NAME-0 to NAME-(COUNT-1) from 32 clients at once and prints the number of each case that it was told is stored.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing

from ulid import ULID

from service import db, store
from service.store import Outcome
from service.writer import Writer
from tests.builders import new_case

CLIENTS = 32


async def pound(url: str, name: str, count: int) -> None:
    with closing(db.connect(url)) as database:
        writer = Writer(database)
        writer.start()
        numbers = iter(range(count))
        await asyncio.gather(*(client(writer, name, numbers) for _ in range(CLIENTS)))
        await writer.stop()


async def client(writer: Writer, name: str, numbers: Iterator[int]) -> None:
    for n in numbers:
        case = new_case(n, id=str(ULID()), source_order_no=f"{name}-{n}")
        outcome: Outcome = await writer.submit_item(store.insert_cases, case)
        assert outcome.result in {"created", "same"}
        sys.stdout.write(f"{outcome.case.source_order_no}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(pound(sys.argv[1], sys.argv[2], int(sys.argv[3])))
