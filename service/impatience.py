"""Patience with those who connect and say nothing: a request's head must come within its time and its size, or the line is cut.

uvicorn waits for ever for the rest of a head, and keeps all of it; a few thousand such connections would be all that a server can hold.
And it loses the body of a request that offers to go on by another protocol, as Java's own client does with each first one (h2c): such an
offer may be passed over, so the head is read again without it.
"""

import asyncio
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
HEAD_BYTES = 65_536
OFFERS = frozenset({b"upgrade", b"http2-settings"})


class Unfit(Exception):
    """This head is too large, or does not name its host once: to uvicorn a request that it cannot read."""


class Impatient(HttpToolsProtocol):
    """uvicorn's protocol with a watch in its hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch: asyncio.TimerHandle | None = None
        self._heading = False
        self._size = 0
        self._is_large = False
        self._again, self._rest = b"", 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._heading:
            self._size += len(data)
            if self._size > HEAD_BYTES:
                self.send_400_response("Request header fields too large.")
                return
        self._is_large = len(data) > HEAD_BYTES
        super().data_received(data)
        if self._again:
            head, self._again = self._again, b""
            self.data_received(head + data[self._rest :])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._heading, self._size = True, 0
        self._begin()

    def on_headers_complete(self) -> None:
        self._heading = False
        self._end()
        self._check()
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._again = self._plain()
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._again:
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Called where uvicorn leaves off reading; what caused it says how far it has read."""
        upgrade = sys.exception()
        self._rest = upgrade.args[0] if upgrade else 0

    def _check(self) -> None:
        named = sum(name == b"host" for name, _ in self.headers)
        if named != 1 and (named or self.parser.get_http_version() != "1.0"):
            raise Unfit
        if self._is_large and sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            raise Unfit

    def _plain(self) -> bytes:
        """The same head without the offer."""
        first = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        return first + b"".join(b"%s: %s\r\n" % header for header in self.headers if header[0] not in OFFERS) + b"\r\n"

    def _begin(self) -> None:
        if self._watch is None:
            self._watch = self.loop.call_later(HEAD_SECONDS, self._cut)

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _cut(self) -> None:
        self._watch = None
        if not self.transport.is_closing():
            self.transport.close()
