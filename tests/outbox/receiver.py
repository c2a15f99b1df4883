"""A department's system: a real HTTP server that verifies what it gets with the public `standardwebhooks`, and behaves as it is told.

Also a process: python -m tests.outbox.receiver FILE SECRET [FAULTY] prints its address and appends one line for each letter it takes.
"""

import os
import random
import socket
import ssl
import struct
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
from standardwebhooks import Webhook, WebhookVerificationError

from service.channels import new_secret


@dataclass(frozen=True)
class Got:
    """One request, verified; `status` is what it was answered."""

    id: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    at: float
    connection: int

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.body)
        return told

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.event["data"]
        return data


class Reset(Exception):
    """Raised by a behaviour: the connection is cut without an answer."""


@dataclass(frozen=True)
class Reply:
    """What a behaviour answers with."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0


Behaviour = Callable[[str, int], Reply]
"""What to do with a letter, by its number and how often it has come."""


def takes_all(_id: str, _times: int) -> Reply:
    return Reply()


class Receiver:
    """The server, its secret, and all it got, in order."""

    def __init__(self, behaviour: Behaviour = takes_all, secret: str | None = None, note: Callable[[Got], None] | None = None) -> None:
        self.secret = secret or new_secret()
        self.behaviour = behaviour
        self.got: list[Got] = []
        self.forged = 0
        self.busy = self.busiest = 0
        self._times: dict[str, int] = defaultdict(int)
        self._note = note
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_: object) -> None:
                pass  # dispatchers are killed in the midst of it

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/letters"

    def speak_tls(self, context: ssl.SSLContext) -> None:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @contextmanager
    def open(self) -> Iterator["Receiver"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    @property
    def taken(self) -> list[Got]:
        """What it answered with 2xx."""
        return [got for got in self.got if got.status < 300]

    def wait(self, until: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"waited {seconds} s in vain; got {[(got.id, got.status) for got in self.got][-10:]}"
            time.sleep(0.005)

    def wait_taken(self, count: int, seconds: float = 20.0) -> list[Got]:
        self.wait(lambda: len({got.id for got in self.taken}) >= count, seconds)
        return self.taken

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["content-length"])
        body = request.rfile.read(length)
        if len(body) < length:
            return  # the sender was killed in the midst of it
        id_ = request.headers["webhook-id"]
        with self._lock:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
            self._times[id_] += 1
            times = self._times[id_]
        try:
            Webhook(self.secret).verify(body, dict(request.headers.items()), json_parse=False)
            self._answer(request, body, self.behaviour(id_, times))
        except Reset:
            self._keep(request, body, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close_connection = True
            request.connection.close()
        except WebhookVerificationError:
            self.forged += 1
            raise
        finally:
            with self._lock:
                self.busy -= 1

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes, reply: Reply) -> None:
        time.sleep(reply.after)
        self._keep(request, body, reply.status)
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        if reply.status != 204:
            request.send_header("Content-Length", str(len(reply.body)))
        request.end_headers()
        request.wfile.write(reply.body)

    def _keep(self, request: BaseHTTPRequestHandler, body: bytes, status: int) -> None:
        got = Got(request.headers["webhook-id"], dict(request.headers.items()), body, status, time.monotonic(), request.client_address[1])
        with self._lock:
            self.got.append(got)
            if self._note:
                self._note(got)


def in_order(taken: list[Got]) -> bool:
    """Whether first arrivals of each case and department came in the order of their versions."""
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for got in taken:
        data = got.data
        versions = seen[data["case_id"], data["department"]]
        if data["version"] not in versions:
            versions.append(data["version"])
    return all(versions == sorted(versions) for versions in seen.values())


def faulty(_id: str, _times: int) -> Reply:
    """Now and then slow, in trouble, or gone in the midst of it."""
    chance = random.random()  # noqa: S311 (any will do)
    if chance < 0.05:
        raise Reset
    return Reply(500) if chance < 0.15 else Reply(after=random.uniform(0, 0.02))  # noqa: S311


def main() -> None:
    path, secret, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    with path.open("ab", buffering=0) as file:

        def note(got: Got) -> None:
            if got.status and got.status < 300:
                data = got.data
                file.write(f"{got.id}\t{data['case_id']}\t{data['department']}\t{data['version']}\t{data['source_order_no']}\n".encode())

        with Receiver(faulty if kind == "faulty" else takes_all, secret, note).open() as receiver:
            sys.stdout.write(f"{receiver.url}\n")
            sys.stdout.flush()
            while os.getppid() != 1:
                time.sleep(0.2)


if __name__ == "__main__":
    main()
