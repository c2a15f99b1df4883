"""The keyring: API keys are made here, and each request's key is looked up in memory, which never trusts itself for longer than a lease.

A replica looks several times a second whether keys have changed, and believes what it holds for LEASE seconds after it last looked,
counted from before the looking. Whoever revokes a key waits that long before saying that it is done. So when it is said, the key opens
nowhere, on no replica, whether or not that replica can be reached; and a look-up costs no question to the database.
"""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import choice, token_urlsafe
from time import monotonic, time
from typing import Any, Protocol

import structlog

from models.access import ADMIN, DEPARTMENT, HOTLINE, OF_DEPARTMENT, SCOPE_NAMES, VIEWER
from service import store
from service.db import Database
from service.errors import AccessKeyNotFound, AccessKeyRefused, FenpaiError
from service.store import KeyRow

LEASE = 0.5
POLL_SECONDS = 0.15
MISS_SECONDS = 0.05
"""How soon after the last look an unknown key makes us look again: it may have been made a moment ago."""

SIGN = "fenpai"
LETTERS = "abcdefghjkmnpqrstuvwxyz"
"""No digits: a key's id must never look like a telephone."""
ID_LETTERS, SECRET_BYTES = 10, 32
LONGEST = 200
SEES_ALL = frozenset({HOTLINE, VIEWER, ADMIN})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: by which key, and what it may do. Without a key (none exists yet) everything."""

    key: str | None
    name: str
    scopes: frozenset[str]
    department: str | None

    @property
    def kinds(self) -> frozenset[str]:
        """The scopes, a department's without its code."""
        return self.scopes if self.department is None else self.scopes | {DEPARTMENT}

    def reach(self, coordinator: str) -> str | None:
        """The department whose cases alone it may see; None for those that see all, as the coordinating department must."""
        return None if self.department == coordinator else self.bound(SEES_ALL)

    def bound(self, free: frozenset[str]) -> str | None:
        """The department whose things alone it may touch; None for those that have one of these scopes."""
        return None if self.key is None or self.scopes & free else self.department or ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the district's sign-on knows: what stands for them where a key's id would, a name, and their roles there."""

    key: str
    name: str
    roles: tuple[str, ...]


class Tokens(Protocol):
    """Reads tokens that another signed (service/oidc.py, where it is wanted)."""

    def read(self, token: str) -> Caller: ...

    def vouched(self, id_token: str, keys: bytes | None, client: str, nonce: str) -> Identity: ...

    def caller(self, identity: Identity) -> Caller: ...


OPEN = Caller(None, "", frozenset(SCOPE_NAMES) - {DEPARTMENT}, None)
"""Whoever comes while there is no key."""


@dataclass(frozen=True, slots=True)
class _Held:
    row: KeyRow
    caller: Caller
    hash: bytes
    until: float


def caller_of(row: KeyRow) -> Caller:
    department = next((scope.removeprefix(OF_DEPARTMENT) for scope in row.scopes if scope.startswith(OF_DEPARTMENT)), None)
    return Caller(row.id, row.name, frozenset(row.scopes), department)


class Keyring:
    """The keys as this replica knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fenpai-keys")
        self._looking = asyncio.Lock()
        self._held: Mapping[str, _Held] = {}
        self._revision = -1
        self._fresh_until = 0.0
        self._looked_at = 0.0

    @property
    def locked(self) -> bool:
        """Whether a key is needed: as soon as there ever was one, also when it was revoked."""
        return self._revision > 0 or bool(self._held)

    @property
    def fresh(self) -> bool:
        return monotonic() < self._fresh_until

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.look()
            except FenpaiError as error:
                structlog.get_logger().debug("keys_unread", detail=error.detail)

    async def look(self) -> None:
        """Learn of all that was changed before the call."""
        async with self._looking:
            began = monotonic()
            revision, rows = await asyncio.get_running_loop().run_in_executor(self._thread, _read, self._database, self._revision)
            if rows is not None:
                self._held, self._revision = _held(rows), revision
            self._looked_at, self._fresh_until = began, began + LEASE

    def find(self, key: str) -> Caller | None:
        """Whose key this is, by what is held; None if it is none of ours. Call it while `fresh`."""
        if len(key) > LONGEST or key.count("_") < 2:
            return None
        held = self._held.get(key.split("_", 2)[1])
        if held is None or not compare_digest(held.hash, sha256(key.encode("utf-8", "replace")).digest()):
            return None
        if time() >= held.until:
            raise AccessKeyRefused("这把钥匙已失效或已吊销，请向管理员换一把。")
        return held.caller

    def live(self, key_id: str) -> Caller | None:
        """What a key that is behind a session may do; None if it opens nothing any more. Call it while `fresh`."""
        held = self._held.get(key_id)
        return held.caller if held is not None and time() < held.until else None

    def ends(self, key_id: str) -> datetime | None:
        """When a key ends by itself."""
        held = self._held.get(key_id)
        return held.row.expires_at if held else None

    def name_of(self, key_id: str) -> str:
        """What a key is called, also one that opens nothing any more; empty if it is none of ours."""
        held = self._held.get(key_id)
        return held.caller.name if held else ""

    async def identify(self, key: str) -> Caller | None:
        """The slow way: look first, if what is held is old, or if the key is unknown and may be new."""
        if not self.fresh:
            await self.look()
        found = self.find(key)
        if found is None and monotonic() - self._looked_at > MISS_SECONDS:
            await self.look()
            found = self.find(key)
        return found

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)


def _read(database: Database, known: int) -> tuple[int, list[KeyRow] | None]:
    with database.read() as conn:
        revision = store.keys_revision(conn)  # first: keys that come after it are met again at the next look
        return revision, store.list_api_keys(conn) if revision != known else None


def _held(rows: Iterable[KeyRow]) -> dict[str, _Held]:
    return {row.id: _Held(row, caller_of(row), bytes.fromhex(row.hash), _until(row)) for row in rows}


def _until(row: KeyRow) -> float:
    if row.revoked_at is not None:
        return 0.0
    return row.expires_at.timestamp() if row.expires_at else float("inf")


def is_live(row: KeyRow, now: datetime) -> bool:
    return now.timestamp() < _until(row)


# Making and ending -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A key that was made: what is kept, and the key itself, which nobody can tell again."""

    row: KeyRow
    key: str


@dataclass(frozen=True, slots=True)
class By:
    """Who makes or ends a key: a name, and the key by which they come; none at the machine itself."""

    name: str
    key: str | None = None


def create(conn: Any, name: str, scopes: tuple[str, ...], days: int | None, by: By) -> Made:
    made = _mint(name, scopes, days, by.name, store.now(conn))
    store.add_api_key(conn, made.row, by.key)
    return made


def rotate(conn: Any, key_id: str, overlap: timedelta, days: int | None, by: By) -> Made:
    """A new key that may do the same; the old one opens until the overlap ends, or its own end if that is sooner."""
    now, old = store.now(conn), found(conn, key_id)
    if not is_live(old, now):
        raise AccessKeyNotFound(f"钥匙 {old.id} 已失效或已吊销，不能换；请新发一把。")
    made = _mint(old.name, old.scopes, days, by.name, now)
    until = now + overlap
    store.rotate_api_key(conn, old, made.row, min(until, old.expires_at) if old.expires_at else until, by.key)
    return made


def revoke(conn: Any, key_id: str, by: By) -> KeyRow:
    """The key opens nothing any more. Again is no mistake."""
    old = found(conn, key_id)
    if old.revoked_at is None:
        store.revoke_api_key(conn, old, actor=by.name, by_key=by.key, at=store.now(conn))
    return found(conn, key_id)


def found(conn: Any, key_id: str) -> KeyRow:
    row = store.get_api_key(conn, key_id)
    if row is None:
        raise AccessKeyNotFound(f"没有编号为 {key_id[:32]} 的钥匙。编号是钥匙中两条下划线之间的部分。")
    return row


def _mint(name: str, scopes: tuple[str, ...], days: int | None, by: str, now: datetime) -> Made:
    key_id = "".join(choice(LETTERS) for _ in range(ID_LETTERS))
    key = f"{SIGN}_{key_id}_{token_urlsafe(SECRET_BYTES)}"
    row = KeyRow(
        id=key_id,
        hash=sha256(key.encode()).hexdigest(),
        name=name,
        scopes=scopes,
        created_at=now.astimezone(UTC),
        created_by=by,
        expires_at=now + timedelta(days=days) if days else None,
    )
    return Made(row, key)
