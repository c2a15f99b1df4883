"""Channels: a letter goes out to a department's own system, signed, to an address that was looked at, within its time. Only here is httpx.

The signature is that of Standard Webhooks. A name is resolved once and the connection goes to the address that was checked, so that
a name cannot lead inside after the check (DNS rebinding). Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
import ssl
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from secrets import token_bytes
from time import monotonic

import httpx
from standardwebhooks import Webhook

from service.errors import FieldFault, Invalid
from service.masks import masked

PREFIX = "whsec_"
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
MOST_READ = 16_384
"""Bytes of an answer that are read; whoever sends more is hung up on."""
SHOWN = 300
"""Characters of an answer that are kept."""
NAME_SECONDS = 5.0
"""How long a name keeps its address before it is asked for again."""
LONGEST_RETRY_AFTER = 3600.0
FEWEST_SECRET_BYTES, MOST_SECRET_BYTES = 24, 64
FEWEST_DISTINCT_BYTES = 12
"""Of 24 random bytes fewer differ once in a thousand million; a repeated or typed pattern has fewer."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out, where to, and the secret that signs it."""

    id: str
    url: str
    secret: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said: a status, or why there is none. `trouble` is in Chinese; empty when the letter was taken."""

    status: int | None
    trouble: str
    seconds: float = 0.0
    retry_after: float | None = None
    excerpt: str = ""

    @property
    def taken(self) -> bool:
        return not self.trouble

    @property
    def gone(self) -> bool:
        """The receiver wants no more letters."""
        return self.status == 410

    @property
    def own_fault(self) -> bool:
        """The receiver refuses this letter; another may well be taken."""
        return self.status in {400, 409, 413, 422}


class TargetRefused(Exception):
    """An address that we do not speak to."""


# Secrets and addresses --------------------------------------------------------------------------------------------------------------


def new_secret() -> str:
    return PREFIX + b64encode(token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """A secret as Standard Webhooks has them."""
    try:
        raw = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (NotBase64, ValueError):
        raw = b""
    size = len(raw)
    if not secret.startswith(PREFIX) or not FEWEST_SECRET_BYTES <= size <= MOST_SECRET_BYTES:
        raise _invalid("/secret", f"应为 {PREFIX} 加 base64，解码后 {FEWEST_SECRET_BYTES} 至 {MOST_SECRET_BYTES} 字节；不写则由本服务生成")
    if len(set(raw)) < FEWEST_DISTINCT_BYTES:
        raise _invalid("/secret", "太弱，不像是随机生成的；不写则由本服务生成")


def check_url(url: str, *, private: bool) -> None:
    """Refuse what cannot be a receiver. A name is resolved only when something is sent, each time anew."""
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL:
        raise _invalid("/url", "不是合乎语法的网址") from None
    if target.scheme not in {"http", "https"} or not target.host:
        raise _invalid("/url", "应形如 https://主机/路径")
    if target.userinfo or target.fragment:
        raise _invalid("/url", "网址里不要写用户名、密码和 #")
    literal = [_literal(target.host)] if _literal(target.host) else []
    named_local = target.host == "localhost" or target.host.endswith(".localhost")
    if not private and (named_local or any(_is_inside(address) for address in literal if address)):
        raise _invalid("/url", INSIDE)


INSIDE = "这是本机或内网的地址。确实要送到内网时，请设置 FENPAI_ALLOW_PRIVATE_TARGETS=yes"


def _invalid(pointer: str, told: str) -> Invalid:
    return Invalid(faults=[FieldFault(pointer, told, "bad_value")])


def _literal(host: str) -> Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    return None


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OUTSIDE6 = ipaddress.ip_network("2000::/3")
"""All that IPv6 gives to hosts of the open internet; beside it stand addresses that wrap an IPv4 one, of which Python knows only some."""
_NOBODYS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
"""Kept for protocols and books; Python takes them for the open internet, in some of its versions."""


def _is_inside(address: Address) -> bool:
    """Whether an address is not one of the open internet, in whatever clothes it comes."""
    if isinstance(address, ipaddress.IPv6Address):
        within = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            within = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if within is not None:
            return _is_inside(within)
        if address not in _OUTSIDE6:
            return True
    return not address.is_global or address.is_multicast or any(address in network for network in _NOBODYS)


class _Names:
    """The addresses of one host: asked for, checked, and kept for some seconds."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._addresses: Sequence[str] = ()
        self._fresh_until = 0.0

    async def checked(self, host: str, port: int) -> Sequence[str]:
        if monotonic() >= self._fresh_until:
            self._addresses = await _resolve(host, port)
            self._fresh_until = monotonic() + NAME_SECONDS
        if not self._private and any(_is_inside(ipaddress.ip_address(address)) for address in self._addresses):
            raise TargetRefused(INSIDE)
        return self._addresses


class _Guarded(httpx.AsyncBaseTransport):
    """Connects to the address that was checked; the name stays in the Host header, in SNI and in the certificate's check."""

    def __init__(self, names: _Names, trust: ssl.SSLContext) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)
        self._inner = httpx.AsyncHTTPTransport(verify=trust, limits=limits, trust_env=False)
        self._names = names

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if _literal(host) is None:
            request.extensions = {**request.extensions, "sni_hostname": host}
        failed: httpx.ConnectError | None = None
        for address in await self._names.checked(host, request.url.port or {"http": 80, "https": 443}[request.url.scheme]):
            request.url = request.url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except httpx.ConnectError as error:  # nothing was sent: the name's next address may be tried
                failed = error
        raise failed or TargetRefused("域名没有地址")

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Lanes:
    """The connections to one host, each with a client of its own: httpx's pool walks all of its connections for each request.

    The lane that was used last is used next, so that few stay open. No host shares lanes with another: a certificate that was
    checked for one name must never serve another at the same address.
    """

    def __init__(self, trust: ssl.SSLContext, *, seconds: float, private: bool) -> None:
        self._trust = trust
        self._seconds = seconds
        self._names = _Names(private=private)
        self._idle: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[httpx.AsyncClient]:
        client = self._idle.pop() if self._idle else self._new()
        try:
            yield client
        finally:
            self._idle.append(client)

    def _new(self) -> httpx.AsyncClient:
        transport = _Guarded(self._names, self._trust)
        return httpx.AsyncClient(transport=transport, follow_redirects=False, timeout=self._seconds, trust_env=False)

    async def close(self) -> None:
        for client in self._idle:
            await client.aclose()


async def _resolve(host: str, port: int) -> Sequence[str]:
    if _literal(host) is not None:
        return [host]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise TargetRefused("域名无法解析") from error
    return list(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))


# Sending ----------------------------------------------------------------------------------------------------------------------------


class Channels:
    """Sends letters, over connections that stay open."""

    def __init__(self, *, seconds: float, private: bool) -> None:
        self._seconds = seconds
        self._private = private
        self._trust = httpx.create_ssl_context()  # SSL_CERT_FILE names the authority of an intranet
        self._lanes: dict[tuple[str, str, int | None], _Lanes] = {}
        self._head = {"Content-Type": MEDIA_TYPE, "User-Agent": f"fenpai/{version('fenpai')}", "Accept-Encoding": "identity"}

    async def send(self, letter: Letter) -> Answer:
        """Send it once, and say what came of it; nothing that a receiver does raises."""
        began = monotonic()
        answer = await self._attempt(letter)
        return Answer(answer.status, answer.trouble, monotonic() - began, answer.retry_after, answer.excerpt)

    async def close(self) -> None:
        for lanes in self._lanes.values():
            await lanes.close()

    async def _attempt(self, letter: Letter) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._speak(letter)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(None, f"{self._seconds:g} 秒内没有答复")
        except TargetRefused as refused:
            return Answer(None, str(refused))
        except httpx.ConnectError as error:
            return Answer(None, "证书不对" if _is_tls(error) else "连接不上")
        except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
            return Answer(None, f"连接中断（{type(error).__name__}）")

    async def _speak(self, letter: Letter) -> Answer:
        now = datetime.now(UTC)
        headers, body = self._head | signed(letter, now), letter.body.encode()
        lanes = self._to(httpx.URL(letter.url))
        async with lanes.lane() as client, client.stream("POST", letter.url, content=body, headers=headers) as response:
            text = await _beginning(response)
        if response.is_success:
            return Answer(response.status_code, "", excerpt=text)
        told = "要求转到别处，本服务不跟随" if response.is_redirect else f"答复 {response.status_code}"
        return Answer(response.status_code, told, retry_after=retry_after(response.headers.get("retry-after"), now), excerpt=text)

    def _to(self, url: httpx.URL) -> _Lanes:
        key = (url.scheme, url.host, url.port)
        if key not in self._lanes:
            self._lanes[key] = _Lanes(self._trust, seconds=self._seconds, private=self._private)
        return self._lanes[key]


def signed(letter: Letter, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks. `now` carries its zone: the library takes a naive time for one of this machine."""
    signature = Webhook(letter.secret).sign(letter.id, now, letter.body)
    return {"webhook-id": letter.id, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


async def _beginning(response: httpx.Response) -> str:
    """The first words of an answer, as far as they can be shown: receivers like to repeat what they were sent."""
    read = bytearray()
    async for piece in response.aiter_raw():
        read += piece
        if len(read) > MOST_READ:
            break
    text = read[: SHOWN * 4].decode("utf-8", "replace")
    return masked("".join(sign if sign.isprintable() else " " for sign in text))[:SHOWN].strip()


def _is_tls(error: httpx.ConnectError) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def retry_after(header: str | None, now: datetime) -> float | None:
    """For how many seconds a receiver wants to be left alone, within reason; seconds or a date may be said."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdecimal() else (parsedate_to_datetime(header) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
