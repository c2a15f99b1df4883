"""Soak: hours of a district in minutes, with the plug pulled now and then; afterwards everything that was promised must be there.

Run: python -m tests.soak [sqlite|postgres] [MINUTES] (both, 20 by default). One server on SQLite, two on PostgreSQL. In the first half
servers are killed at random moments; in the second half they live, and their memory is watched. It ends with 1 where a promise broke.
"""

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson
from cryptography.fernet import Fernet

from service import db, rulebook, store
from tests import postgres

ROOT = Path(__file__).parents[1]
PACK = ROOT / "rules" / "beichen"
ORDERS = [orjson.loads(line) for line in (PACK / "samples" / "orders.jsonl").read_bytes().splitlines()]
PAUSE = 0.05
"""Seconds a caller waits between two requests: a district's busiest hour, not a benchmark."""
KILLS_EVERY = (8.0, 20.0)
PUBLISH_EVERY = 15.0
GROWTH = 1.15
"""By how much the memory of a server may be larger in the last quarter of its life than in the quarter before."""

_numbers = count(1)


class Server:
    """A `fenpai serve` on a port of its own, that can be killed and comes back."""

    def __init__(self, url: str, key: str) -> None:
        names = {"DATABASE_URL": url, "PACK": str(PACK), "DATA_KEY": key, "LOG_LEVEL": "error", "PORT": "0", "RATE": "0"}
        self._environment = os.environ | {f"FENPAI_{name}": value for name, value in names.items()}
        self.start()
        self._environment["FENPAI_PORT"] = self.address.rpartition(":")[2]

    def start(self) -> None:
        command = [sys.executable, "-m", "service", "serve"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().partition("：")[2].partition("（")[0].strip()
        assert self.address, "the server did not start"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    @property
    def megabytes(self) -> float:
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@dataclass
class Tally:
    """What the callers saw."""

    told: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    feeds: dict[str, list[int]] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    memory: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, answer: httpx.Response) -> None:
        self.answers[f"{what} {answer.status_code}"] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self.faults.append(f"{what} {answer.status_code}: {answer.text[:300]}")


class Town:
    """Everybody who calls: hotline, officers, pollers, a rule admin; each a thread that asks any server."""

    def __init__(self, servers: list[Server], tally: Tally) -> None:
        self.servers, self.tally = servers, tally
        self.closing = threading.Event()
        self.client = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=40))
        self.keys = self._make_keys()

    def _make_keys(self) -> dict[str, str]:
        keys: dict[str, str] = {}
        leads = sorted({department.code for department in rulebook.load(rulebook.read_folder(PACK)).departments})
        for scope in ("admin", "hotline", "viewer", "rule_admin", *(f"department:{code}" for code in leads)):
            headers = {"Authorization": f"Bearer {keys['admin']}"} if keys else {}
            made = self.client.post(f"{self.servers[0].address}/v1/keys", json={"name": scope, "scopes": [scope]}, headers=headers)
            keys[scope] = made.raise_for_status().json()["key"]
        return keys

    def ask(self, what: str, method: str, path: str, scope: str, **more: Any) -> httpx.Response | None:
        """One request to any server; None where it is away, as one that was killed is."""
        headers = {"Authorization": f"Bearer {self.keys[scope]}", **more.pop("headers", {})}
        try:
            answer = self.client.request(method, random.choice(self.servers).address + path, headers=headers, **more)  # noqa: S311
        except httpx.TransportError:
            self.tally.answers[f"{what} away"] += 1
            time.sleep(0.2)
            return None
        self.tally.note(what, answer)
        return answer

    def hotline(self) -> None:
        while not self.closing.is_set():
            number = f"SOAK-{next(_numbers)}"
            order = random.choice(ORDERS) | {"source_system": "soak", "source_order_no": number}  # noqa: S311
            answer = None
            while answer is None or answer.status_code not in {200, 201}:  # the hotline sends until it is told
                answer = self.ask("receive", "POST", "/v1/cases", "hotline", json=order)
            self.tally.told.append(number)
            time.sleep(PAUSE)

    def officer(self) -> None:
        while not self.closing.is_set():
            page = self.ask("list", "GET", "/v1/cases?status=dispatched&limit=20", "viewer")
            for case in page.json()["cases"] if page is not None and page.status_code == 200 else []:
                self._work(case)
            time.sleep(PAUSE)

    def _work(self, case: dict[str, Any]) -> None:
        """Sign, answer, complete; another officer may be quicker."""
        scope = f"department:{case['lead']}"
        moves: tuple[tuple[str, dict[str, str]], ...] = (("accept", {}), ("reply", {"text": "已联系诉求人，退费已办理。"}))
        for add, (move, body) in enumerate(moves):
            condition = {"If-Match": f'"{case["version"] + add}"'}
            answer = self.ask(move, "POST", f"/v1/cases/{case['id']}/{move}", scope, json=body, headers=condition)
            if answer is None or answer.status_code != 200:
                return

    def poller(self, name: str) -> None:
        while not self.closing.is_set():
            self.drink(name, 5)

    def drink(self, name: str, wait: int) -> bool:
        """Read on from the last change that was seen; whether there may be more."""
        answer = self.ask("changes", "GET", f"/v1/changes?after={self.tally.cursors.get(name, 0)}&wait={wait}&limit=500", "viewer")
        if answer is None or answer.status_code != 200:
            return True
        body = answer.json()
        self.tally.feeds.setdefault(name, []).extend(change["seq"] for change in body["changes"])
        self.tally.cursors[name] = body["next"]
        return bool(body["changes"])

    def admin(self) -> None:
        """Publishes, and puts versions in force by turns."""
        files = dict(rulebook.read_folder(PACK))
        files["ruleset.yaml"] += "\n# 压测\n"
        versions: list[int] = []
        while not self.closing.wait(PUBLISH_EVERY):
            paper = {"author": "压测", "note": "轮换"}
            if not versions:
                made = self.ask("publish", "POST", "/v1/rulesets", "rule_admin", json={"files": files, **paper})
                versions = [1, made.json()["version"]] if made is not None and made.status_code == 201 else []
            elif self.ask("activate", "POST", f"/v1/rulesets/{versions[0]}/activate", "rule_admin", json=paper) is not None:
                versions.reverse()


@contextmanager
def address(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="fenpai-soak-") as folder:
            yield f"sqlite:///{folder}/fenpai.db"
    else:
        with postgres.server(careless=False) as server, postgres.database(server, "fenpai_soak") as url:
            yield url


def soak(kind: str, minutes: float) -> bool:
    """Live through the minutes, then look whether everything is there."""
    with address(kind) as url, ExitStack() as ending:
        with closing(db.connect(url)) as fresh:
            db.upgrade(fresh)
        key = Fernet.generate_key().decode()
        servers = [Server(url, key) for _ in range(1 if kind == "sqlite" else 2)]
        for server in servers:
            ending.callback(server.kill)
        tally = Tally()
        town = Town(servers, tally)
        threads = [threading.Thread(target=run) for run in _runs(town)]
        for thread in threads:
            thread.start()
        kills = _pull_plugs(servers, minutes * 30)
        _watch(servers, tally, minutes * 30)
        town.closing.set()
        for thread in threads:
            thread.join()
        for name in tally.feeds:
            while town.drink(name, 0):
                pass
        broken = _broken(url, tally, [server.stop() for server in servers])
    _tell(kind, minutes, kills, tally, broken)
    return not broken


def _runs(town: Town) -> list[Callable[[], None]]:
    pollers = [lambda name=name: town.poller(name) for name in ("office", "dashboard")]
    return [town.hotline, town.hotline, town.hotline, town.officer, town.officer, town.admin, *pollers]


def _pull_plugs(servers: list[Server], seconds: float) -> int:
    kills, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > KILLS_EVERY[0]:
        time.sleep(min(random.uniform(*KILLS_EVERY), left))  # noqa: S311 (any moment will do)
        server = random.choice(servers)  # noqa: S311
        server.kill()
        server.start()
        kills += 1
    return kills


def _watch(servers: list[Server], tally: Tally, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for server in servers:
            tally.memory.setdefault(server.address, []).append(server.megabytes)
        time.sleep(1)


def _broken(url: str, tally: Tally, codes: list[int]) -> list[str]:
    """The promises that were not kept."""
    with closing(db.connect(url)) as database, database.read() as conn:
        stored = Counter(conn.exec_driver_sql("SELECT source_order_no FROM cases WHERE source_system = 'soak'").scalars())
        changes = set(conn.exec_driver_sql("SELECT seq FROM events WHERE case_id IS NOT NULL").scalars())
        chain = store.verify_chain(conn)
    broken = [*tally.faults]
    broken += [f"lost: {number}" for number in tally.told if not stored[number]]
    broken += [f"stored {times} times: {number}" for number, times in stored.items() if times > 1]
    broken += [f"the chain is broken: {chain.broken}"] if chain.broken else []
    broken += [f"a server ended with {code}" for code in codes if code]
    for name, seen in tally.feeds.items():
        met = {seq for seq in changes if seq <= tally.cursors[name]}  # what the sorter adds after the last look is not missed
        broken += [f"{name} saw changes twice or in disorder"] * (seen != sorted(set(seen)))
        broken += [f"{name} missed {len(met.difference(seen))} changes"] * (not met <= set(seen))
    for server, samples in tally.memory.items():
        before, after = (statistics.median(part) for part in _quarters(samples))
        broken += [f"{server} grew from {before:.0f} to {after:.0f} MB"] * (after > before * GROWTH)
    return broken


def _quarters(samples: list[float]) -> tuple[list[float], list[float]]:
    """The third and the last quarter: by then everything has been met once."""
    half, last = len(samples) // 2, len(samples) * 3 // 4
    return samples[half:last] or samples, samples[last:] or samples


def _tell(kind: str, minutes: float, kills: int, tally: Tally, broken: list[str]) -> None:
    feeds = ", ".join(f"{name} {len(seen)}" for name, seen in tally.feeds.items())
    memory = ", ".join(" -> ".join(f"{statistics.median(part):.0f}" for part in _quarters(each)) for each in tally.memory.values())
    lines = [
        f"{kind}, {minutes:g} min: {len(tally.told)} cases told, {kills} kills; changes seen: {feeds}; memory {memory} MB",
        "answers: " + ", ".join(f"{what} {times}" for what, times in sorted(tally.answers.items())),
        *(f"BROKEN: {promise}" for promise in broken[:20]),
        f"{len(broken)} promises broken" if broken else "every promise kept",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    kinds = [word for word in sys.argv[1:] if not word.replace(".", "").isdigit()] or ["sqlite", "postgres"]
    minutes = next((float(word) for word in sys.argv[1:] if word.replace(".", "").isdigit()), 20.0)
    kept = [soak(kind, minutes) for kind in kinds]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
