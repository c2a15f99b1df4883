"""The demonstration: the real server on a SQLite file, the sample work orders through its HTTP API, and what became of each."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx
import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from models.decision import Outcome, Reason
from service.config import Settings
from service.errors import StartError
from service.show import OUTCOME_COLOURS, OUTCOMES, REASONS

ORDERS = Path("samples", "orders.jsonl")
INSTITUTIONS = Path("samples", "institutions.csv")
PATIENCE = 60.0
"""Seconds that the server may take to open; a cold disk is slow."""
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 (addresses that mean every one of this machine; named to avoid calling them)


@dataclass(frozen=True, slots=True)
class Sent:
    """A work order and what the API answered: the receipt, or the problem."""

    number: str
    status: int
    answer: dict[str, Any]

    @property
    def taken(self) -> bool:
        return self.status in {httpx.codes.OK, httpx.codes.CREATED}

    @property
    def triage(self) -> dict[str, Any]:
        triage: dict[str, Any] = self.answer["triage"]
        return triage


@dataclass(frozen=True, slots=True)
class Names:
    """Departments and issues by code, as the API tells them."""

    departments: Mapping[str, str]
    digest: str


def orders(folder: Path) -> list[bytes]:
    """The sample work orders of a pack."""
    path = folder / ORDERS
    if not path.is_file():
        raise StartError(f"规则包 {folder} 没有示例工单（{ORDERS}）")
    return [line for line in path.read_bytes().splitlines() if line.strip()]


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """The server in a process of its own, ready, and a client that speaks to it. It ends with the block, however that ends."""
    port = settings.port if settings.port and _is_free(settings.host, settings.port) else _free(settings.host)
    environment = os.environ | {
        "FENPAI_DATABASE_URL": settings.database_url,
        "FENPAI_PACK": settings.folder,
        "FENPAI_PORT": str(port),
        "FENPAI_LOG_LEVEL": os.environ.get("FENPAI_LOG_LEVEL") or "error",
    }
    signal.signal(signal.SIGTERM, _end)
    with subprocess.Popen([sys.executable, "-m", "service", "serve"], env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            with httpx.Client(base_url=_address(settings.host, port), timeout=30, trust_env=False) as client:
                _await_ready(client, server)
                yield client, server
        finally:
            server.terminate()


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    # Without this, SIGTERM would end us alone and leave the server behind.
    sys.exit(0)


def _address(host: str, port: int) -> str:
    named = "127.0.0.1" if host in ANYWHERE else host
    return f"http://{f'[{named}]' if ':' in named else named}:{port}"


def _is_free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def _free(host: str) -> int:
    return _bind(host, 0)


def _bind(host: str, port: int) -> int:
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as door:
        bound: int = door.getsockname()[1]
    return bound


def _await_ready(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise StartError("服务没有启动起来，原因见上")
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise StartError(f"等了 {PATIENCE:.0f} 秒，服务还没有就绪")


def bring_register(client: httpx.Client, folder: Path) -> int:
    """Bring in the sample register of a pack, where it has one, and say how many institutions are listed."""
    path = folder / INSTITUTIONS
    if not path.is_file():
        return 0
    response = client.post("/v1/institutions/import", content=path.read_bytes(), headers={"Content-Type": "text/csv"})
    answer = response.json()
    if not response.is_success:
        raise StartError(f"示例名录 {path} 没有导入：{answer['detail']}")
    total: int = answer["total"]
    return total


def send(client: httpx.Client, lines: Iterable[bytes], told: Callable[[int], None]) -> list[Sent]:
    """Hand each order in, as the hotline would."""
    sent = []
    for line in lines:
        response = client.post("/v1/cases", content=line, headers={"Content-Type": "application/json"})
        sent.append(Sent(orjson.loads(line)["source_order_no"], response.status_code, orjson.loads(response.content)))
        told(1)
    return sent


def names(client: httpx.Client) -> Names:
    """What the codes of the answers mean."""
    departments = client.get("/v1/departments").raise_for_status().json()["departments"]
    active = client.get("/v1/rulesets/active").raise_for_status().json()
    return Names({item["code"]: item["name"] for item in departments}, active["digest"])


def decisions(sent: Iterable[Sent], known: Names) -> Table:
    """What was decided on each order, and why, in one line."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), expand=True)
    for column, width, ratio in (("工单编号", 10, None), ("研判", 13, None), ("主办", None, 4), ("协办", None, 4), ("依据", None, 7)):
        table.add_column(column, no_wrap=True, overflow="ellipsis", min_width=width, ratio=ratio)
    for item in sent:
        table.add_row(*(_cells(item, known) if item.taken else (item.number, Text("未收", "bold red"), "", "", _problem(item))))
    return table


def _cells(item: Sent, known: Names) -> tuple[str | Text, ...]:
    triage = item.triage
    outcome = Outcome(triage["decision"])
    verdict = Text(OUTCOMES[outcome], OUTCOME_COLOURS[outcome])
    if item.status == httpx.codes.OK:
        verdict.append(" 已收", "dim")
    assists = "、".join(known.departments[assist["department"]] for assist in triage["assists"])
    return item.number, verdict, known.departments.get(triage["lead"], ""), assists, _why(triage)


def _why(triage: Mapping[str, Any]) -> Text:
    quotes = list(dict.fromkeys(piece["quote"] for piece in triage["evidence"]))[:4]
    if triage["reason_code"] == Reason.REGISTER:
        quotes = [triage["register"]["name"]]
    return Text(REASONS[Reason(triage["reason_code"])] + ("：" if quotes else "") + "".join(f"“{quote}”" for quote in quotes))


def _problem(item: Sent) -> Text:
    return Text(f"{item.answer.get('title', '')}：{item.answer.get('detail', '')}")


def totals(sent: Sequence[Sent], known: Names) -> Table:
    """How many went where: by decision, and by department as lead and as assist."""
    taken = [item for item in sent if item.taken]
    outcomes = Counter(OUTCOMES[Outcome(item.triage["decision"])] for item in taken)
    leads = Counter(item.triage["lead"] for item in taken if item.triage["lead"])
    assists = Counter(assist["department"] for item in taken for assist in item.triage["assists"])
    grid = Table.grid(padding=(0, 4))
    grid.add_row(
        _count_table(("研判", "件数"), ((name, outcomes[name]) for name in OUTCOMES.values())),
        _count_table(
            ("单位", "主办", "协办"), ((known.departments[code], leads[code], assists[code]) for code in _busiest(leads, assists))
        ),
    )
    return grid


def _busiest(leads: Counter[str], assists: Counter[str]) -> list[str]:
    return sorted(leads | assists, key=lambda code: (-leads[code], -assists[code], code))


def _count_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at else "left")
    for row in rows:
        table.add_row(*(str(cell or "·") for cell in row))
    return table
