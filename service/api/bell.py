"""The bell: those who wait for a change sleep here, holding neither a thread nor a connection, and are woken by the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from service.errors import FenpaiError

POLL_SECONDS = 0.5
"""How often the feed is looked at for changes that others wrote (replicas, the command line); our own ring at once."""


class Bell:
    """Knows where the feed ends, as far as has been heard, and wakes all who wait for more."""

    def __init__(self, look: Callable[[], Awaitable[int]]) -> None:
        self._look = look
        self._next = asyncio.Event()
        self._heard = 0
        self.listeners: list[Callable[[], None]] = []
        self._closed = False
        self.waiting = 0

    def ring(self, position: int) -> None:
        """Tell that the feed now reaches this far."""
        if position > self._heard:
            self._heard = position
            self._wake()
            for listener in self.listeners:
                listener()

    async def wait_beyond(self, position: int, seconds: float) -> None:
        """Sleep until the feed goes beyond this position, the time is up, or the house closes."""
        self.waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while self._heard <= position and not self._closed:
                        await self._next.wait()
        finally:
            self.waiting -= 1

    async def watch(self) -> None:
        """Look at the feed for ever, as long as somebody waits."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self.waiting:
                with suppress(FenpaiError):  # the pollers' own reads will tell of it
                    self.ring(await self._look())

    def close(self) -> None:
        """Send all home, so that the house can close without waiting for them."""
        self._closed = True
        self._wake()

    @property
    def closed(self) -> bool:
        return self._closed

    def _wake(self) -> None:
        # A new event for the next sleepers; whoever holds the old one is awake from now on.
        self._next.set()
        self._next = asyncio.Event()
