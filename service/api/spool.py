"""The spool: results that wait for a caller who sends everything first and reads afterwards."""

import asyncio
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

IN_MEMORY = 1_000_000
CHUNK = 65_536


class Spool:
    """One end puts in, the other takes out, in order. What waits lies in memory up to a megabyte, then in a file without a name.

    Without it a batch could lock up: the caller does not read before all is sent, and we would not read on before the
    results are taken.
    """

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (close() closes it)
        self._news = asyncio.Event()
        self._ended = False
        self._put = self._taken = 0

    @property
    def waiting(self) -> int:
        """How many bytes nobody has taken yet."""
        return self._put - self._taken

    def put(self, data: bytes) -> None:
        self._file.seek(self._put)
        self._file.write(data)
        self._put += len(data)
        self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._news.set()

    async def take(self) -> AsyncIterator[bytes]:
        """All that was and will be put in, in pieces."""
        while not (self._ended and not self.waiting):
            if not self.waiting:
                self._rewind()
                self._news.clear()
                await self._news.wait()
                continue
            self._file.seek(self._taken)
            data = self._file.read(CHUNK)
            self._taken += len(data)
            yield data

    def _rewind(self) -> None:
        """All is taken: begin again at the front, so that the file grows only with what waits."""
        self._put = self._taken = 0
        self._file.truncate(0)

    def close(self) -> None:
        self._file.close()
