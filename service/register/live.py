"""The register in force: compiled, looked up before each triage, exchanged whole when its revision or the rule set changes."""

import asyncio

import structlog

from models.complaint import Complaint
from service import store
from service.active import ActiveRules
from service.db import Database
from service.engine.register import Register
from service.errors import FenpaiError
from service.store import RegisterMark

POLL_SECONDS = 1.0
"""How often a replica asks for the revision."""


class ActiveRegister:
    """Holds the compiled register. Nothing stands still while another is made: it is exchanged when it is ready."""

    def __init__(self, database: Database, rules: ActiveRules) -> None:
        self._database = database
        self._rules = rules
        self._of: tuple[int, str] | None = None
        self._register = Register.of((), None, rules.engine.plan.cutter)
        self._turn = asyncio.Lock()
        self.mark = RegisterMark(0, "")
        self.trouble: str | None = None

    def look_up(self, complaint: Complaint) -> Complaint:
        """The complaint, with what the register knows of the institution that it names."""
        return self._register.look_up(complaint)

    @property
    def size(self) -> int:
        """How many institutions it holds."""
        return len(self._register.rows)

    async def watch(self) -> None:
        """Follow the register for ever."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.follow()
            except Exception as error:  # noqa: BLE001 (the edge: whatever goes wrong, the register in force stays)
                self._complain(error)

    async def follow(self) -> None:
        """Look once, and exchange the register if it has changed."""
        async with self._turn:  # one at a time, or an older one could come last
            mark = await asyncio.to_thread(self._read_mark)
            of = (mark.revision, self._rules.row.digest)
            if of != self._of:
                self._register = await asyncio.to_thread(self._compile)
                self._of, self.mark = of, mark
                structlog.get_logger().info("register_changed", revision=mark.revision, digest=mark.digest, institutions=self.size)
            self.trouble = None

    def _read_mark(self) -> RegisterMark:
        with self._database.read() as conn:
            return store.register_mark(conn)

    def _compile(self) -> Register:
        with self._database.read() as conn:
            rows = store.read_register(conn)
        engine = self._rules.engine
        return Register.of(rows, engine.ruleset, engine.plan.cutter)

    def _complain(self, error: Exception) -> None:
        trouble = (
            f"名录没有更新，仍用第 {self.mark.revision} 版：{error.detail if isinstance(error, FenpaiError) else type(error).__name__}"
        )
        if trouble != self.trouble:
            self.trouble = trouble
            structlog.get_logger().error("register_trouble", detail=trouble, exc_info=error)
