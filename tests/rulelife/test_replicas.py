"""Real processes under load: each decides by a new version within two seconds, and no request is lost on the way."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import rulebook
from tests.api.conftest import KEY
from tests.packs.build import edited
from tests.rulelife.conftest import BADMINTON

WITHIN = timedelta(seconds=15)  # two seconds on a quiet machine; here other tests use the same cores
NEW = edited(*BADMINTON)


@contextmanager
def replica(url: str, pack: Path, log: Path) -> Iterator[str]:
    """A serving process; gives its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FENPAI_")}
    environment |= {"FENPAI_DATABASE_URL": url, "FENPAI_PACK": str(pack), "FENPAI_DATA_KEY": KEY, "FENPAI_PORT": "0"}
    command = [sys.executable, "-m", "service", "serve"]
    with log.open("wb") as err, subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=err) as process:
        assert process.stdout
        said = process.stdout.readline().decode()
        assert "http://" in said, log.read_text()
        try:
            yield said.split("：")[1].split("（")[0]
        finally:
            process.terminate()
            process.wait(30)


class Caller(threading.Thread):
    """Sends work orders without a pause, and remembers every answer."""

    def __init__(self, address: str, name: str) -> None:
        super().__init__()
        self.address, self.label, self.ended = address, name, threading.Event()
        self.answers: list[tuple[float, int, Any]] = []
        self.lost: list[Exception] = []

    def run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=30) as client:
            for number in count():
                if self.ended.is_set():
                    return
                order = {"source_system": self.label, "source_order_no": str(number), "content": "孩子的羽毛球班不退费。"}
                began = time.monotonic()
                try:
                    answer = client.post("/v1/cases", json=order)
                    self.answers.append((began, answer.status_code, answer.json().get("triage")))
                except httpx.HTTPError as error:
                    self.lost.append(error)
                time.sleep(0.005)


@contextmanager
def under_load(addresses: list[str]) -> Iterator[list[Caller]]:
    callers = [Caller(address, f"caller-{number}") for number, address in enumerate(addresses)]
    for caller in callers:
        caller.start()
    time.sleep(0.5)
    try:
        yield callers
        time.sleep(0.5)
    finally:
        for caller in callers:
            caller.ended.set()
            caller.join()


@pytest.mark.parametrize(("kind", "replicas"), [("sqlite", 1), ("postgres", 3)])
def test_every_replica_follows_and_drops_nothing(
    request: pytest.FixtureRequest, kind: str, replicas: int, pack: Path, tmp_path: Path
) -> None:
    url: str = request.getfixturevalue(f"{kind}_url")
    with ExitStack() as stack:
        addresses = [stack.enter_context(replica(url, pack, tmp_path / f"{number}.log")) for number in range(replicas)]
        callers = stack.enter_context(under_load(addresses))
        signed = {"author": "王科长", "note": "收羽毛球"}
        published = httpx.post(f"{addresses[0]}/v1/rulesets", json={"files": NEW, **signed}, timeout=30).json()["published_at"]
        _all_at(addresses, rulebook.digest(NEW))
        assert datetime.now(UTC) - datetime.fromisoformat(published) < WITHIN
        in_force = time.monotonic()
        _each_is_listed(addresses, version=2)
        time.sleep(0.3)
        assert httpx.post(f"{addresses[-1]}/v1/rulesets/1/activate", json=signed, timeout=30).status_code == 200
        back = time.monotonic()
        _all_at(addresses, rulebook.digest(rulebook.read_folder(pack)))
        assert time.monotonic() - back < WITHIN.total_seconds()
        rolled_back = time.monotonic()
    for caller in callers:
        assert caller.lost == []
        assert {status for _, status, _ in caller.answers} == {201}
        between = {triage["ruleset"]["version"] for began, _, triage in caller.answers if in_force < began < back - 0.2}
        assert between == {2}
        assert {triage["lead"] for _, _, triage in caller.answers if triage["ruleset"]["version"] == 2} == {"gym_office"}
        assert {triage["ruleset"]["version"] for began, _, triage in caller.answers if began > rolled_back} == {1}


def _all_at(addresses: list[str], digest: str) -> None:
    patience = time.monotonic() + 20
    while {httpx.get(f"{address}/readyz").json()["ruleset"]["digest"] for address in addresses} != {digest}:
        assert time.monotonic() < patience
        time.sleep(0.02)


def _each_is_listed(addresses: list[str], version: int) -> None:
    """Any of them tells what all decide by."""
    patience = time.monotonic() + 20
    while True:
        listed = [httpx.get(f"{address}/v1/rulesets/active").json()["replicas"] for address in addresses]
        if all([replica["version"] for replica in told] == [version] * len(addresses) for told in listed):
            return
        assert time.monotonic() < patience, listed
        time.sleep(0.05)
