"""The warden: looks at the ledger as rulings come in, and quarantines rules that fell below their floor.

Every replica has one. The version that it publishes must come from the one in force, so that only one of them succeeds; on a database
where nothing happens it asks for nothing but the end of the feed.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from service import store
from service.active import ActiveRules
from service.db import Database
from service.errors import FenpaiError
from service.ledger import quarantine
from service.ledger.quarantine import Fallen
from service.rulelife import BaseMoved, NothingNew
from service.writer import Writer

LOOK_SECONDS = 2.0


class Warden:
    """Follows the feed for ever; what goes wrong is told once and tried again when something new has happened."""

    def __init__(self, database: Database, writer: Writer, rules: ActiveRules) -> None:
        self._database = database
        self._writer = writer
        self._rules = rules
        self._seen = -1
        self.trouble: str | None = None

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (BaseMoved, NothingNew):
                self._seen = -1  # another replica was first, or somebody published: look again
            except Exception as error:  # noqa: BLE001 (the edge: the warden must never stand still)
                self._complain(error)

    async def look(self) -> None:
        """Look once, if the feed has gone on."""
        head = await asyncio.to_thread(self._head)
        if head == self._seen:
            return
        self._seen, ruleset = head, self._rules.engine.ruleset
        found = await asyncio.to_thread(quarantine.fallen, self._database, ruleset)
        if found:
            ready = await asyncio.to_thread(quarantine.prepare, self._database, ruleset, found)
            row = await self._writer.submit(lambda conn: quarantine.publish(conn, ready, found, datetime.now(UTC)))
            self._tell(found, row.version)
            await self._rules.follow()
        self.trouble = None

    def _head(self) -> int:
        with self._database.read() as conn:
            return store.feed_head(conn)

    def _tell(self, found: list[Fallen], version: int) -> None:
        for each in found:
            structlog.get_logger().warning("rule_quarantined", rule=each.rule, version=version, detail=each.why)

    def _complain(self, error: Exception) -> None:
        told = error.detail if isinstance(error, FenpaiError) else f"程序出错（{type(error).__name__}）"
        if told != self.trouble:
            self.trouble = told
            structlog.get_logger().error("warden_trouble", detail=told, exc_info=error)
