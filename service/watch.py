"""FENPAI_RULES_DIR: a pack's folder that is watched. A saved edit is checked, tested and published at once; a bad one is only told of.

Editors save in several steps (empty, then written; a new file renamed over the old), and git writes many files: a folder is read only
when it has been quiet for a while and says the same twice.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from watchfiles import awatch

from service import rulebook, rulelife, store
from service.active import ActiveRules
from service.db import Database
from service.errors import FenpaiError, Invalid, Refusal
from service.rulebook import PackError
from service.rulelife import BaseMoved, CasesFail, NothingNew, Proposal, Ready
from service.writer import Writer

QUIET_MS = 400
"""Changes that follow one another within this time are one edit."""
TWICE_SECONDS = 0.3
"""How long the folder must say the same."""
PATIENCE = 40
"""So often it is read again while it keeps changing."""
LOOK_MS = 5_000
"""How often the folder is looked at when no change is reported."""
AGAIN_SECONDS = 5.0
"""How long a folder that is gone is waited for."""
AUTHOR = "system"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class House:
    """What a watch works with."""

    database: Database
    writer: Writer
    rules: ActiveRules
    second_person: str


class Watch:
    """Follows a folder. `trouble` says why what stands in it is not in force; None while it is, or nothing is watched."""

    def __init__(self, folder: Path, house: House) -> None:
        self.folder = folder
        self.trouble: str | None = None
        self._house = house
        self._seen: str | None = None

    async def run(self) -> None:
        """Watch for ever. What was edited while nobody watched is published first, but nothing that was in force before comes back."""
        await self._look(again=False)
        while True:
            try:
                # Now and then without a change, too: some network folders report none, and a database that was away may be back.
                async for _ in awatch(self.folder, debounce=QUIET_MS * 4, step=QUIET_MS, rust_timeout=LOOK_MS, yield_on_timeout=True):
                    await self._look(again=True)
            except FileNotFoundError:
                self._complain(f"监视的文件夹 {self.folder} 不见了")
            except OSError as error:
                self._complain(f"无法监视文件夹 {self.folder}：{error.strerror or error}")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _look(self, *, again: bool) -> None:
        """Read the folder once it is quiet, and publish what it says if that is new."""
        try:
            files = await self._settled()
            digest = rulebook.digest(files)
            if not self._is_in_force(digest) and digest != self._seen:
                self._seen = digest
                if again or not await self._was_published(digest):
                    await self._publish(files)
        except PackError as broken:
            self._seen = None
            self._complain(_several([str(mistake) for mistake in broken.mistakes if mistake.severity == "error"]))
        except NothingNew:
            self.trouble = None
        except CasesFail as failed:
            self._complain(failed.shown)
        except Invalid as refused:
            self._complain(_several([refused.detail, *(fault.detail for fault in refused.faults)]))
        except FenpaiError as refused:
            if isinstance(refused, BaseMoved) or not isinstance(refused, Refusal):
                self._seen = None  # the next look tries again
            self._complain(refused.detail)
        except Exception as error:  # noqa: BLE001 (the edge: whatever an edit brings about, the watch goes on)
            self._complain(f"程序出错（{type(error).__name__}）", error)

    async def _settled(self) -> Mapping[str, str]:
        """The folder's files, once they have said the same twice."""
        before = await asyncio.to_thread(_read, self.folder)
        for _ in range(PATIENCE):
            await asyncio.sleep(TWICE_SECONDS)
            after = await asyncio.to_thread(_read, self.folder)
            if after == before:
                break
            before = after
        if isinstance(before, PackError):
            raise before
        return before

    def _is_in_force(self, digest: str) -> bool:
        """Whether the folder says what is in force; then all is well."""
        if digest != self._house.rules.row.digest:
            return False
        if self.trouble is not None:
            structlog.get_logger().info("rules_dir_sound", folder=str(self.folder), digest=digest)
        self._seen, self.trouble = digest, None
        return True

    async def _was_published(self, digest: str) -> bool:
        """Whether this content was in force before, and was left for another: nobody has edited it since."""
        known = await asyncio.to_thread(_published, self._house.database, self._house.rules.row.pack)
        if digest in known:
            structlog.get_logger().warning("rules_dir_left", folder=str(self.folder), version=known[digest])
        return digest in known

    async def _publish(self, files: Mapping[str, str]) -> None:
        house = self._house
        ready = await asyncio.to_thread(_prepared, files, house)
        house.rules.keep(ready.draft.engine)
        row = await house.writer.submit(lambda conn: rulelife.publish(conn, ready, datetime.now(UTC)))
        await house.rules.follow()
        self.trouble = None
        structlog.get_logger().info("rules_dir_published", folder=str(self.folder), version=row.version, digest=row.digest)

    def _complain(self, trouble: str, error: Exception | None = None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            structlog.get_logger().error("rules_dir_refused", folder=str(self.folder), detail=trouble, exc_info=error)


def _read(folder: Path) -> dict[str, str] | PackError:
    """The files, or what is wrong with them: that too may be half of an edit."""
    try:
        return rulebook.read_folder(folder)
    except PackError as broken:
        return broken


def _published(database: Database, pack: str) -> dict[str, int]:
    """The versions by their digests."""
    with database.read() as conn:
        return {row.digest: row.version for row in store.list_rulesets(conn, pack)}


def _prepared(files: Mapping[str, str], house: House) -> Ready:
    """The draft, examined as any other is: check, cases, confirmed cases, and the second person where one is needed."""
    in_force = house.rules.engine
    draft = rulelife.read_draft(files)
    rulelife.same_pack(draft, in_force.ruleset.pack)
    changes = rulelife.told(rulelife.compare(in_force.ruleset, draft.ruleset)) or "只改了注释或写法"
    proposal = Proposal(AUTHOR, f"文件夹有改动：{changes}")
    broken = rulelife.replay_confirmed(house.database, (in_force, draft.engine), fork=False).broken
    second = rulelife.needs_second(in_force.ruleset, house.second_person)
    return rulelife.prepare(draft, proposal, in_force.ruleset.version, broken, second=second)


def _several(lines: list[str]) -> str:
    more = [f"……共 {len(lines)} 行"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *more])
