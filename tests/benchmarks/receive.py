"""POST /v1/cases over HTTP, stored durably and answered with its whole decision, beside a bare FastAPI echo and the usual build.

The orders are the pack's samples over and over, lengthened to some 250 characters: nearly all of them are judged to the end. One process
each, 127.0.0.1, callers in a process of their own. `us`: processor time of the server for each request, which a busy neighbour
disturbs least. "judging" is POST /v1/triage: all but the keeping.
"""

import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from itertools import count, cycle
from pathlib import Path
from uuid import uuid4

import orjson
from cryptography.fernet import Fernet

from tests import postgres
from tests.benchmarks._load import Run, post
from tests.benchmarks.storage import fsync_p50

SAMPLES = Path(__file__).parents[2] / "rules" / "beichen" / "samples" / "orders.jsonl"
CALLERS = (1, 32, 128)
ROUNDS, SECONDS = 3, 2.0
WARM = 0.5
GOALS = {"sqlite": 0.6, "postgresql": 0.8}
MUCH = 10
"""How many times as many as the usual build are promised."""

UVICORN = "import sys, uvicorn; uvicorn.run(sys.argv[1], port=0, log_level='info', access_log=False)"


@dataclass
class Server:
    """One that is measured: where its door is, its process, and how it did, by the number of callers."""

    name: str
    url: str
    pid: int
    key: str = "none"
    runs: dict[int, list[Run]] = field(default_factory=dict)

    def median(self, callers: int, what: str) -> float:
        figures: list[float] = [getattr(run, what) for run in self.runs[callers]]
        return statistics.median(figures)


def orders() -> Iterator[bytes]:
    """Bodies without end: a sample, as many words of no importance, and a name of its own, so that no two are told to be one story."""
    samples = [orjson.loads(line) for line in SAMPLES.read_bytes().splitlines()]
    words = [word for word in jieba_words() if len(word) == 2]
    run, numbers, chance = uuid4().hex[:8], count(1), random.Random()  # noqa: S311 (texts, no secrets)
    for sample in cycle(samples):
        name, filler = "".join(chance.choices(words, k=3)), "，".join(chance.choices(words, k=60))
        number = f"{run}-{next(numbers)}"
        yield orjson.dumps(
            sample | {"source_order_no": number, "content": f"{sample['content']}{filler}。", "institution": f"{name}培训中心"}
        )


def complaints() -> Iterator[bytes]:
    """The same orders as far as they are judged."""
    for order in map(orjson.loads, orders()):
        yield orjson.dumps({name: order[name] for name in ("title", "content", "institution") if name in order})


def jieba_words() -> list[str]:
    """Jieba's dictionary."""
    with resources.files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        return [line.split(" ", 1)[0] for line in lines]


@contextmanager
def started(name: str, path: str, command: list[str], **environment: str) -> Iterator[Server]:
    """A server of its own process, from the line in which it tells its address to the end of the block."""
    with tempfile.NamedTemporaryFile() as told:
        process = subprocess.Popen([sys.executable, *command], env=os.environ | environment, stdout=told, stderr=told)
        try:
            yield Server(name, _address(process, Path(told.name)) + path, process.pid)
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[bytes], told: Path) -> str:
    while not (found := re.search(r"http://[0-9.]+:\d+", told.read_text())):
        if process.poll() is not None:
            raise RuntimeError(told.read_text())
        time.sleep(0.1)
    return found[0]


def servers(stack: ExitStack, url: str) -> list[Server]:
    ours = {"FENPAI_DATABASE_URL": url, "FENPAI_DATA_KEY": Fernet.generate_key().decode(), "FENPAI_RATE": "0"}
    create = [sys.executable, "-m", "service", "keys", "create", "--name", "bench", "--scope", "hotline"]
    told = subprocess.run(create, env=os.environ | ours, check=True, capture_output=True, text=True).stdout
    key = told.partition("：")[2].split()[0]
    usual = url.replace("postgresql://", "postgresql+psycopg://")
    made = (
        started("bare FastAPI echo", "/echo", ["-c", UVICORN, "tests.benchmarks._echo:app"]),
        started("fenpai", "/v1/cases", ["-m", "service", "serve", "--port", "0"], **ours),
        started("the usual build", "/cases", ["-c", UVICORN, "tests.benchmarks._usual:app"], BENCH_DATABASE=usual),
    )
    echo, ours_, usual_ = (stack.enter_context(server) for server in made)
    ours_.key = key
    judged = replace(ours_, name="fenpai, judging", url=ours_.url.replace("/cases", "/triage"), runs={})
    return [echo, judged, ours_, usual_]


def measure(url: str, dialect: str) -> None:
    with ExitStack() as stack:
        asked = servers(stack, url)
        said = {server.name: complaints() if server is asked[1] else orders() for server in asked}
        for server in asked:
            post(server.url, said[server.name], 8, WARM, server.pid, server.key)
        for callers in CALLERS:
            for _ in range(ROUNDS):
                for server in asked:
                    run = post(server.url, said[server.name], callers, SECONDS, server.pid, server.key)
                    server.runs.setdefault(callers, []).append(run)
            for server in asked:
                tell(server, callers)
    echo, judged, ours, usual = asked
    say(f"  requests a second, judging alone : echo at 32 {judged.median(32, 'rate') / echo.median(32, 'rate'):.2f}")
    tell_goals(echo, ours, usual, GOALS[dialect])


def tell(server: Server, callers: int) -> None:
    rate, p50, p99, cpu = (server.median(callers, what) for what in ("rate", "p50", "p99", "cpu"))
    say(f"  {callers:>3} callers  {server.name:<18}{rate:>8,.0f}/s   p50 {p50:>7.2f} ms   p99 {p99:>7.2f} ms   {cpu:>6.0f} us")


def tell_goals(echo: Server, ours: Server, usual: Server, goal: float) -> None:
    say(f"  requests a second, fenpai : echo at 32        {ours.median(32, 'rate') / echo.median(32, 'rate'):.2f}, goal >= {goal}")
    say(f"  processor time, echo : fenpai at 32           {echo.median(32, 'cpu') / ours.median(32, 'cpu'):.2f}")
    say(f"  p99, fenpai : echo at 32                      {ours.median(32, 'p99') / echo.median(32, 'p99'):.2f}, goal <= 2.5")
    say(f"  median, fenpai : echo at 1                    {ours.median(1, 'p50') / echo.median(1, 'p50'):.2f}, goal <= 3")
    say(f"  requests a second, fenpai : usual build at 32 {ours.median(32, 'rate') / usual.median(32, 'rate'):.1f}, goal >= {MUCH}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fenpai-bench-") as folder:
        fsync = fsync_p50(Path(folder))
        say(f"SQLite {sqlite3.sqlite_version}, synchronous=FULL; fdatasync p50 {fsync:.0f} us; load {os.getloadavg()[0]:.1f}")
        measure(f"sqlite:///{folder}/bench.db", "sqlite")
    with postgres.server(careless=False) as server, postgres.database(server, f"fenpai_bench_{uuid4().hex[:8]}") as url:
        say(f"PostgreSQL, fsync and synchronous_commit on; load {os.getloadavg()[0]:.1f}")
        measure(url, "postgresql")


if __name__ == "__main__":
    main()
