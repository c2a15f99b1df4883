"""The rule set in force: opened at the start, exchanged whole when another version becomes active, never for one that is broken."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeVar

import structlog
from ulid import ULID

from models.ruleset import RuleSet
from service import rulebook, store
from service.db import Database
from service.engine import Engine
from service.errors import FenpaiError, PackBroken, PackMissing, PackOther
from service.store import NewRuleset, Replica, RulesetRow
from service.writer import Writer

T = TypeVar("T")

POLL_SECONDS = 0.25
"""How often a replica asks which version is active. Making a version ready takes a second, and two are promised."""

KEPT = 3
"""Engines at hand; each holds a dictionary of its own."""

TELL_SECONDS = 5.0
"""How often a replica says what it decides by, when nothing changes."""

SHOWN = 20
"""Most mistakes of a pack told at the start; `fenpai rules check` tells all."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What the pack's folder says: its files and the rule set they make, or what is wrong with them."""

    pack: str
    place: str
    files: Mapping[str, str]
    ruleset: RuleSet | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class InForce:
    """A version and the engine made of it."""

    row: RulesetRow
    engine: Engine


class ActiveRules:
    """Holds the rule set in force. Whoever decides takes `engine` once and keeps it for that decision."""

    def __init__(self, database: Database, in_force: InForce) -> None:
        self._database = database
        self._in_force = in_force
        self._refused: RulesetRow | None = None
        self._known = OrderedDict({in_force.row.digest: in_force.engine})
        self._following = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fenpai-rules")
        self._told = (-TELL_SECONDS, 0)
        self.id = str(ULID())
        self.trouble: str | None = None

    @property
    def engine(self) -> Engine:
        return self._in_force.engine

    @property
    def row(self) -> RulesetRow:
        return self._in_force.row

    async def watch(self) -> None:
        """Follow the active version for ever."""
        while True:
            await self._tell()
            await asyncio.sleep(POLL_SECONDS)
            await self.follow()

    def close(self) -> None:
        """Wait for what is being read or told: the database closes next."""
        self._thread.shutdown(cancel_futures=True)

    async def _aside(self, work: Callable[..., T], *given: Any) -> T:
        """Do something slow in the thread of our own."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def replicas(self) -> list[Replica]:
        """What each replica decides by. On SQLite there is no other, so nothing is written down."""
        row = self.row
        if self._database.dialect == "sqlite":
            return [Replica(id=self.id, pack=row.pack, version=row.version, digest=row.digest, seen_at=datetime.now(UTC))]
        with self._database.read() as conn:
            return store.list_replicas(conn, row.pack)

    def changed_at(self) -> datetime | None:
        """Since when the version in force is that."""
        with self._database.read() as conn:
            return store.active_since(conn, self.row.pack)

    async def follow(self) -> None:
        """Look, and exchange the rule set if another version is active."""
        async with self._following:
            await self._look()

    async def _tell(self) -> None:
        """Say what this replica decides by: at once when that changed, else now and then."""
        at, version = self._told
        if self._database.dialect == "sqlite" or (version == self.row.version and monotonic() - at < TELL_SECONDS):
            return
        try:
            await self._aside(_note, self._database, self.id, self.row)
        except FenpaiError as error:
            structlog.get_logger().warning("replica_untold", detail=error.detail)
        self._told = (monotonic(), self.row.version)

    async def _look(self) -> None:
        try:
            row = await self._aside(_active, self._database, self.row.pack)
        except FenpaiError as error:
            self._complain(f"无法查询启用的版本：{error.detail}", error)
            return
        if row is None or row.version == self.row.version:
            self.trouble = self._refused = None
        elif row != self._refused:
            await self._exchange(row)

    async def _exchange(self, row: RulesetRow) -> None:
        try:
            self._in_force = await self._aside(self._ready, row)
            self.keep(self.engine)
        except Exception as error:  # noqa: BLE001 (the edge: whatever is wrong with a version, the one in force goes on)
            # A version never changes, so it is tried once; a database that was away is asked again.
            self._refused = None if isinstance(error, FenpaiError) else row
            self._complain(f"第 {row.version} 版无法装入，仍用第 {self.row.version} 版：{_words(error)}", error)
        else:
            self.trouble = self._refused = None
            structlog.get_logger().info("ruleset_changed", pack=row.pack, version=row.version, digest=row.digest, author=row.author)

    def keep(self, engine: Engine) -> None:
        """Keep an engine at hand, in the hope that its version comes into force: a draft's, or the one before for the way back."""
        self._known[engine.ruleset.digest] = engine
        self._known.move_to_end(engine.ruleset.digest)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _ready(self, row: RulesetRow) -> InForce:
        known = self._known.get(row.digest)
        return InForce(row, known.numbered(row.version)) if known else _ready(self._database, row)

    def _complain(self, trouble: str, error: Exception) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            structlog.get_logger().error("ruleset_trouble", detail=trouble, exc_info=error)


async def take_up(database: Database, writer: Writer, name: str) -> ActiveRules:
    """The active version of the pack; on a database that has none, the folder's becomes version 1."""
    folder = await asyncio.to_thread(_look_into, name)
    row = await asyncio.to_thread(_active, database, folder.pack)
    if row is None or (folder.ruleset is not None and folder.ruleset.digest != row.digest):
        folder = await asyncio.to_thread(_examined, folder)  # what is in force was examined as it came in; it takes half a second
    if row is None:
        row = await _publish_first(writer, folder)
    rules = ActiveRules(database, await asyncio.to_thread(_start, database, row, folder))
    _compare(folder, row)
    return rules


def _look_into(name: str) -> Folder:
    try:
        place = rulebook.find_pack(name)
    except rulebook.PackError as error:
        raise PackMissing(f"{error.told}。".replace("？。", "？")) from error
    files: Mapping[str, str] = {}
    try:
        files = rulebook.read_folder(place)
        ruleset = rulebook.restore(files, 0)
    except rulebook.PackError as error:
        # The database may hold a sound version; by custom a folder has its pack's name.
        return Folder(place.resolve().name, str(place), files, None, _all(error))
    return Folder(ruleset.pack, str(place), files, ruleset)


def _examined(folder: Folder) -> Folder:
    """The folder with all its mistakes looked for; a file that could not be read at all has been told of already."""
    if not folder.files:
        return folder
    try:
        rulebook.load(folder.files)
    except rulebook.PackError as error:
        return replace(folder, ruleset=None, trouble=_all(error))
    return folder


async def _publish_first(writer: Writer, folder: Folder) -> RulesetRow:
    if folder.ruleset is None:
        raise PackBroken(f"规则包 {folder.place} 有错误，没有启用：\n{folder.trouble}")
    now = datetime.now(UTC)
    new = NewRuleset(pack=folder.pack, digest=folder.ruleset.digest, files=folder.files, author="system", note="首次启动", created_at=now)
    return await writer.submit(lambda conn: _publish_unless_active(conn, new))


def _publish_unless_active(conn: Any, new: NewRuleset) -> RulesetRow:
    # Replicas that start together come here one after another.
    active = store.active_ruleset(conn, new.pack)
    if active is not None:
        return active
    if (other := store.other_pack(conn, new.pack)) is not None:
        raise PackOther(
            f"这个数据库在用的是规则包 {other}，而 FENPAI_PACK 指的是 {new.pack}，没有启动：两个区的案件不能混在一个库里。"
            f"请改回 FENPAI_PACK={other}，或为 {new.pack} 另建数据库（FENPAI_DATABASE_URL）。"
        )
    row = store.publish_ruleset(conn, new)
    return store.activate_ruleset(conn, row.pack, row.version, actor=new.author, at=new.created_at)


def _start(database: Database, row: RulesetRow, folder: Folder) -> InForce:
    if folder.ruleset is not None and folder.ruleset.digest == row.digest:
        return InForce(row, Engine(folder.ruleset.model_copy(update={"version": row.version})))  # the same, and read already
    try:
        return _ready(database, row)
    except rulebook.PackError as error:
        raise PackBroken(f"数据库中规则包 {row.pack} 的第 {row.version} 版无法装入：\n{_all(error)}") from error


def _ready(database: Database, row: RulesetRow) -> InForce:
    with database.read() as conn:
        files = store.ruleset_files(conn, row.pack, row.version)
    return InForce(row, Engine(rulebook.restore(files, row.version)))


def _note(database: Database, replica: str, row: RulesetRow) -> None:
    with database.write() as conn:
        store.note_replica(conn, replica, row)


def _active(database: Database, pack: str) -> RulesetRow | None:
    with database.read() as conn:
        return store.active_ruleset(conn, pack)


def _compare(folder: Folder, row: RulesetRow) -> None:
    log = structlog.get_logger().bind(pack=row.pack, folder=folder.place, in_force=row.version, digest=row.digest)
    if folder.ruleset is None:
        log.warning("folder_broken", detail=folder.trouble)
    elif folder.ruleset.digest != row.digest:
        log.warning("folder_differs", folder_digest=folder.ruleset.digest)


def _all(error: rulebook.PackError) -> str:
    lines = _errors(error)
    more = [f"……另有 {len(lines) - SHOWN} 处，用 fenpai rules check 查看全部。"] if len(lines) > SHOWN else []
    return "\n".join(lines[:SHOWN] + more)


def _errors(error: rulebook.PackError) -> list[str]:
    """What keeps the pack from being used; the warnings beside it would only hide that."""
    return [str(mistake) for mistake in error.mistakes if mistake.severity == "error"]


def _words(error: Exception) -> str:
    if isinstance(error, rulebook.PackError):
        return _errors(error)[0]
    return error.detail if isinstance(error, FenpaiError) else f"程序出错（{type(error).__name__}）"
