"""So many callers who each send the next request when the last is answered, over connections that stay open."""

import asyncio
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

HEAD = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """How one run went: requests a second, the time they took in ms, and the processor time of the server for each in us."""

    rate: float
    p50: float
    p99: float
    cpu: float


def post(url: str, bodies: Iterator[bytes], callers: int, seconds: float, pid: int, key: str = "none") -> Run:
    """Post the bodies for so long; every answer must be 200 or 201."""
    busy = processor_time(pid)
    gc.disable()
    try:
        waits, took = uvloop.run(_post(url, bodies, callers, seconds, key.encode()))
    finally:
        gc.enable()
    waits.sort()
    cpu = (processor_time(pid) - busy) / len(waits) * 1e6
    return Run(len(waits) / took, statistics.median(waits) * 1000, waits[len(waits) * 99 // 100] * 1000, cpu)


def processor_time(pid: int) -> float:
    """Seconds that a process has kept a core busy, as Linux counts it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _post(url: str, bodies: Iterator[bytes], callers: int, seconds: float, key: bytes) -> tuple[list[float], float]:
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or 0
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()

    def request() -> bytes | None:
        if time.perf_counter() > began + seconds:
            return None
        body = next(bodies)
        return HEAD % (place.path.encode(), key, len(body)) + body

    made = [await loop.create_connection(lambda: _Caller(request, waits), host, port) for _ in range(callers)]
    await asyncio.gather(*(caller.done for _, caller in made))
    return waits, time.perf_counter() - began


class _Caller(asyncio.Protocol):
    """One connection. It reads just enough of HTTP to know where an answer ends."""

    def __init__(self, request: Callable[[], bytes | None], waits: list[float]) -> None:
        self._request = request
        self._waits = waits
        self._got = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        request = self._request()
        if request is None:
            self._out.close()
            return
        self._sent = time.perf_counter()
        self._out.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, blank, body = self._got.partition(b"\r\n\r\n")
        if blank and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                raise AssertionError(self._got)
            self._waits.append(time.perf_counter() - self._sent)
            self._got = b""
            self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self.done.set_result(None)
