"""Patience with those who connect and say nothing: a request's head must come within its time and its size, or the line is cut.

uvicorn waits for ever for the rest of a head, and keeps all of it; a few thousand such connections would be all that a server can hold.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
HEAD_BYTES = 65_536


class Impatient(HttpToolsProtocol):
    """uvicorn's protocol with a watch in its hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch: asyncio.TimerHandle | None = None
        self._heading = False
        self._size = 0

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
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._heading, self._size = True, 0
        self._begin()

    def on_headers_complete(self) -> None:
        self._heading = False
        self._end()
        super().on_headers_complete()

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
