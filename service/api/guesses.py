"""Wrong keys are counted by the address they come from; beyond a few a minute they are answered 429. A right key is never asked about it.

So those behind one proxy do not slow each other: whoever shows what opens a door is let in before anything is counted.
"""

from contextlib import suppress

from service import store
from service.api.meters import Meters
from service.errors import TooManyGuesses, Unavailable
from service.sessions import NOBODY, neighbourhood
from service.throttle import Throttle
from service.writer import Writer

GUESS_SECONDS = 60
TELL_SECONDS = 600
"""How often one address may stand in the audit for its wrong keys: the audit is for ever, and guessing costs nothing."""
KIND = "key.guessed"


class Guesses:
    """Counts wrong keys, on this replica."""

    def __init__(self, writer: Writer, meters: Meters, most: int) -> None:
        self._writer, self._meters, self._most = writer, meters, most
        self._counted = Throttle(most, GUESS_SECONDS)
        self._told = Throttle(1, TELL_SECONDS)

    async def note(self, address: str) -> None:
        """One more wrong key from there; raises where it is one too many."""
        where = neighbourhood(address)
        within = self._counted.note(where)
        self._meters.refused_key("refused" if within else "limited")
        if within:
            return
        if self._told.note(where):
            with suppress(Unavailable):
                await self._writer.submit(
                    lambda conn: store.tell_session(
                        conn, KIND, NOBODY, store.now(conn), address=address, within=GUESS_SECONDS, most=self._most
                    )
                )
        raise TooManyGuesses(self._counted.wait(where))
