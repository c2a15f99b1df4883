"""Sessions of the console: a browser shows a key once and then a cookie, which stands for that key and never for longer than it.

Or the district's own sign-on vouches for somebody (service/signon.py): then the cookie stands for them, and what they may do is read from
their roles at each request, by the mapping that is set then.

The cookie is 256 random bits, and the database holds its SHA-256 alone, so every replica knows it. Each request reads the row: an end is
an end everywhere at once. The key behind it is asked of the keyring each time. What a page asks for by itself does not count as use.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_urlsafe
from typing import Any

import orjson

from service import store
from service.errors import AccessKeyRefused, SessionEnded, TooManyAttempts, Unavailable
from service.keyring import SIGN, Caller, Identity, Keyring, Tokens
from service.store import SessionRow
from service.throttle import Throttle
from service.writer import Writer

Reads = Callable[..., Awaitable[Any]]

TOKEN_BYTES = 32
LONGEST = 100
TOUCH = timedelta(minutes=1)
"""How old the note of the last use may become before it is written anew."""

ATTEMPTS, ATTEMPT_SECONDS = 10, 300
"""Log-ins that may fail from one address in so many seconds."""

OPENED, CLOSED, REFUSED = "session.opened", "session.closed", "session.refused"
NOBODY = "未登录者"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in, and when that ends if nothing more is done."""

    hash: str
    caller: Caller
    until: datetime


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, reads: Reads, writer: Writer, keyring: Keyring, tokens: Tokens | None, idle: timedelta, longest: timedelta) -> None:
        self._reads, self._writer, self._keyring, self._tokens = reads, writer, keyring, tokens
        self._idle, self._longest = idle, longest
        self._attempts = Throttle(ATTEMPTS, ATTEMPT_SECONDS)

    async def begin(self, key: str, address: str, before: str = "") -> tuple[str, Session]:
        """A new cookie for whoever shows a key; the session that the browser had before ends."""
        caller = await self._recognised(key, address)
        return await self._begun(caller, caller.key, None, address, hashed(before))

    async def begin_as(self, identity: Identity, caller: Caller, address: str, before: str) -> tuple[str, Session]:
        """A new cookie for whom the sign-on vouches for; `before` is the hash of the session that ends."""
        return await self._begun(caller, None, orjson.dumps(asdict(identity)).decode(), address, before)

    async def _begun(self, caller: Caller, key: str | None, identity: str | None, address: str, before: str) -> tuple[str, Session]:
        token, now = token_urlsafe(TOKEN_BYTES), datetime.now(UTC)
        row = SessionRow(hashed(token), key, identity, now, now, now + self._longest)
        await self._writer.submit(lambda conn: self._open(conn, row, caller, address, before))
        return token, self._told(row, caller)

    async def find(self, token: str, *, is_use: bool) -> Session:
        """Whose cookie this is."""
        row: SessionRow | None = await self._reads(store.get_session, hashed(token)) if 0 < len(token) <= LONGEST else None
        caller = await self._behind(row) if row else None
        if row is None or caller is None:
            raise SessionEnded
        now, session = datetime.now(UTC), self._told(row, caller)
        if now >= session.until:
            raise SessionEnded
        if is_use and now - row.used_at > TOUCH:
            with suppress(Unavailable):  # who only reads need not hear that nothing can be written
                await self._writer.submit(lambda conn: store.touch_session(conn, row.hash, now))
        return session

    async def end(self, token: str, address: str) -> None:
        """Log out; a cookie that stands for nothing is no mistake."""
        row: SessionRow | None = await self._reads(store.get_session, hashed(token)) if 0 < len(token) <= LONGEST else None
        if row is not None:
            who = _identity(row)
            key, name = (who.key, who.name) if who else (row.key_id, self._keyring.name_of(row.key_id or ""))
            await self._writer.submit(lambda conn: _close(conn, row, key, name, address))

    def attempt(self, address: str) -> None:
        """Count a log-in before it is made, so that many at once are no way round."""
        where = neighbourhood(address)
        if not self._attempts.note(where):
            raise TooManyAttempts(self._attempts.wait(where))

    def succeeded(self, address: str) -> None:
        """A success wipes the slate."""
        self._attempts.forget(neighbourhood(address))

    async def refuse(self, address: str, **facts: Any) -> None:
        """Put a failed log-in into the audit."""
        await self._writer.submit(lambda conn: store.tell_session(conn, REFUSED, NOBODY, store.now(conn), **facts, address=address))

    async def _recognised(self, key: str, address: str) -> Caller:
        self.attempt(address)
        try:
            caller = await self._keyring.identify(key)
        except AccessKeyRefused:
            await self.refuse(address, key=_named(key, self._keyring))
            raise
        if caller is None:
            await self.refuse(address, key=_named(key, self._keyring))
            raise AccessKeyRefused
        self.succeeded(address)
        return caller

    async def _behind(self, row: SessionRow) -> Caller | None:
        if not self._keyring.fresh:
            await self._keyring.look()
        who = _identity(row)
        if who is None:
            return self._keyring.live(row.key_id or "")
        try:
            return self._tokens.caller(who) if self._tokens else None
        except AccessKeyRefused:  # the mapping has changed
            return None

    def _told(self, row: SessionRow, caller: Caller) -> Session:
        ends = [row.expires_at, row.used_at + self._idle, self._keyring.ends(row.key_id or "")]
        return Session(row.hash, caller, min(end for end in ends if end is not None))

    def _open(self, conn: Any, row: SessionRow, caller: Caller, address: str, before: str) -> None:
        store.drop_old_sessions(conn, row.created_at, row.created_at - self._idle)
        store.drop_session(conn, before)
        store.add_session(conn, row)
        store.tell_session(conn, OPENED, caller.name, row.created_at, key=caller.key, address=address)


def _close(conn: Any, row: SessionRow, key: str | None, name: str, address: str) -> None:
    if store.drop_session(conn, row.hash):
        store.tell_session(conn, CLOSED, name, store.now(conn), key=key, address=address)


def _identity(row: SessionRow) -> Identity | None:
    if row.identity is None:
        return None
    kept = orjson.loads(row.identity)
    return Identity(kept["key"], kept["name"], tuple(kept["roles"]))


def _named(key: str, ring: Keyring) -> str | None:
    """The id of a key of ours that somebody tried; anything else may be a password, and is not kept."""
    parts = key.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == SIGN and ring.name_of(parts[1]) else None


def neighbourhood(address: str) -> str:
    """Who is counted together: an address; of IPv6 the network, whose owner has more addresses than we could count."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def hashed(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
