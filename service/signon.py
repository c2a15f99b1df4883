"""Log-in to the console by the district's own sign-on (OIDC): authorization code with PKCE, a state and a nonce of each log-in's own.

What a log-in needs is kept in the database under the hash of a cookie that only the browser holds, and is taken once: so another browser,
a second use, or a code that was begun elsewhere come to nothing, on every replica. Where to ask is what the issuer publishes; the
id_token is verified by what verifies bearer tokens.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import orjson
import structlog

from service import store
from service.config import Settings, is_loopback
from service.errors import AccessKeyRefused, FenpaiError, SettingsInvalid, SignOnRefused, SignOnUnavailable, TooManyAttempts
from service.keyring import Caller, Identity, Tokens
from service.sessions import LONGEST, TOKEN_BYTES, Session, Sessions, hashed, neighbourhood
from service.store import SignOnRow
from service.throttle import Throttle
from service.writer import Writer

CALLBACK = "/v1/session/oidc/callback"
DISCOVERY = "/.well-known/openid-configuration"
SCOPE = "openid profile"
MINUTES = 10
"""How long somebody may take to log in there."""
SECONDS = 10.0
MOST_READ = 200_000
TOLD_SECONDS = 600.0
"""How long what the issuer publishes is believed before it is asked again."""
ANEW_SECONDS = 5.0
"""How soon its keys are asked for again where a token did not fit them: it may have changed them a moment ago."""
STARTS, START_SECONDS = 60, 300
"""Log-ins that may be begun from one address in so many seconds."""
BY = "oidc"


@dataclass(frozen=True, slots=True)
class Returned:
    """What the sign-on sends a browser back with."""

    code: str
    state: str
    issuer: str | None
    error: str


@dataclass(frozen=True, slots=True)
class _Issuer:
    """What the issuer publishes of itself."""

    authorize: str
    token: str
    keys: bytes
    names_itself: bool
    by_post: bool
    asked_at: float


class SignOn:
    """Sends browsers to the sign-on and takes in those that come back."""

    def __init__(self, settings: Settings, tokens: Tokens, writer: Writer, sessions: Sessions) -> None:
        self._issuer_url, self._client = settings.oidc_issuer, settings.oidc_client
        self._public = settings.public_url.rstrip("/")
        _check(settings)
        self._secret = settings.oidc_secret.get_secret_value() if settings.oidc_secret else ""
        self._tokens, self._writer, self._sessions = tokens, writer, sessions
        self._web = httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False, headers={"Accept": "application/json"})
        self._issuer: _Issuer | None = None
        self._starts = Throttle(STARTS, START_SECONDS)

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https."""
        return self._public.startswith("https:")

    async def begin(self, back_to: str, address: str, before: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie by which it is known when it comes back. `before`: the session it has now."""
        where = neighbourhood(address)
        if not self._starts.note(where):
            raise TooManyAttempts(self._starts.wait(where))
        issuer, now = await self._ask_issuer(), datetime.now(UTC)
        cookie, state, nonce, verifier = (token_urlsafe(TOKEN_BYTES) for _ in range(4))
        row = SignOnRow(hashed(cookie), state, nonce, verifier, back_to, hashed(before), now + timedelta(minutes=MINUTES))
        await self._writer.submit(lambda conn: store.add_sign_on(conn, row, now))
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._public + CALLBACK,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{issuer.authorize}{'&' if '?' in issuer.authorize else '?'}{urlencode(asked)}", cookie

    async def finish(self, returned: Returned, cookie: str, address: str) -> tuple[str, Session, str]:
        """The session's cookie, the session, and where to go back to. Whatever does not fit is refused, counted, and put into the audit."""
        self._sessions.attempt(address)
        try:
            row = await self._taken(cookie)
            identity, caller = await self._known(row, returned)
        except (SignOnRefused, AccessKeyRefused) as refused:
            await self._sessions.refuse(address, key=None, by=BY)
            raise SignOnRefused(refused.detail) from None
        token, session = await self._sessions.begin_as(identity, caller, address, row.before)
        self._sessions.succeeded(address)
        return token, session, row.back_to

    async def close(self) -> None:
        await self._web.aclose()

    async def _taken(self, cookie: str) -> SignOnRow:
        if not 0 < len(cookie) <= LONGEST:
            raise SignOnRefused
        row: SignOnRow | None = await self._writer.submit(lambda conn: store.take_sign_on(conn, hashed(cookie)))
        if row is None or row.expires_at <= datetime.now(UTC):
            raise SignOnRefused
        return row

    async def _known(self, row: SignOnRow, returned: Returned) -> tuple[Identity, Caller]:
        if not compare_digest(row.state.encode(), returned.state.encode("utf-8", "replace")):
            raise SignOnRefused
        issuer = await self._ask_issuer()
        if returned.issuer != self._issuer_url and (returned.issuer is not None or issuer.names_itself):
            raise SignOnRefused("答复不是由所设的统一身份认证给出的。请回到登录页重新登录。")
        if returned.error or not returned.code:
            raise SignOnRefused("统一身份认证没有让您登录。请回到登录页重新登录，或问统一身份认证的管理员。")
        id_token = await self._exchanged(issuer, returned.code, row.verifier)
        identity = await self._vouched(issuer, id_token, row.nonce)
        caller = self._tokens.caller(identity)
        if not caller.scopes:
            raise SignOnRefused("您的账号没有本服务的权限。请向管理员说明您的单位和岗位，开通之后再登录。")
        return identity, caller

    async def _vouched(self, issuer: _Issuer, id_token: str, nonce: str) -> Identity:
        try:
            return self._tokens.vouched(id_token, issuer.keys, self._client, nonce)
        except AccessKeyRefused:
            if monotonic() - issuer.asked_at < ANEW_SECONDS:
                raise
        self._issuer = None
        return self._tokens.vouched(id_token, (await self._ask_issuer()).keys, self._client, nonce)

    async def _exchanged(self, issuer: _Issuer, code: str, verifier: str) -> str:
        """The id_token for a code. The issuer takes a code once, and only with the verifier of the one who asked for it."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._public + CALLBACK, "code_verifier": verifier}
        named = {"client_id": self._client} | ({"client_secret": self._secret} if self._secret and issuer.by_post else {})
        basic = httpx.BasicAuth(quote(self._client, safe=""), quote(self._secret, safe="")) if self._secret and not issuer.by_post else None
        answer = await self._asked("POST", issuer.token, data=form | ({} if basic else named), auth=basic)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise SignOnRefused("统一身份认证没有认可这次登录。请回到登录页重新登录。")
        return id_token

    async def _ask_issuer(self) -> _Issuer:
        if self._issuer is None or monotonic() - self._issuer.asked_at > TOLD_SECONDS:
            self._issuer = await self._published()
        return self._issuer

    async def _published(self) -> _Issuer:
        told = await self._asked("GET", self._issuer_url.rstrip("/") + DISCOVERY)
        places = [told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if told.get("issuer") != self._issuer_url or not all(isinstance(place, str) and _is_safe(place) for place in places):
            raise _unavailable("discovery")
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return _Issuer(
            authorize=str(places[0]),
            token=str(places[1]),
            keys=orjson.dumps(await self._asked("GET", str(places[2]))),
            names_itself=told.get("authorization_response_iss_parameter_supported") is True,
            by_post="client_secret_basic" not in methods and "client_secret_post" in methods,
            asked_at=monotonic(),
        )

    async def _asked(self, method: str, url: str, **how: Any) -> Mapping[str, Any]:
        """What the issuer answers, if it is an object of JSON; an error of OAuth's is one too. Nothing of it is written down."""
        try:
            async with self._web.stream(method, url, **how) as response:
                read = bytearray()
                async for piece in response.aiter_bytes():
                    read += piece
                    if len(read) > MOST_READ:
                        raise _unavailable("answer_too_long")
            found = orjson.loads(read)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _unavailable(type(error).__name__) from None
        if not isinstance(found, dict) or response.status_code not in {200, 400, 401}:
            raise _unavailable(f"status_{response.status_code}")
        return found if response.is_success else {}


def _unavailable(why: str) -> FenpaiError:
    structlog.get_logger().warning("sign_on_unavailable", why=why)
    return SignOnUnavailable()


def _is_safe(url: str) -> bool:
    """Whether nobody can listen or step in between: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))


def _check(settings: Settings) -> None:
    if not (settings.oidc_issuer and settings.oidc_scopes and settings.public_url):
        raise SettingsInvalid("设了 FENPAI_OIDC_CLIENT，就须同时设 FENPAI_OIDC_ISSUER、FENPAI_OIDC_SCOPES 和 FENPAI_PUBLIC_URL。")
    for name, url in (("FENPAI_OIDC_ISSUER", settings.oidc_issuer), ("FENPAI_PUBLIC_URL", settings.public_url)):
        if not _is_safe(url) or urlsplit(url).query or urlsplit(url).fragment or urlsplit(url).username:
            raise SettingsInvalid(f"{name} 应以 https:// 开头（本机可用 http://），不带用户名、? 和 #。")
    if urlsplit(settings.public_url).path.rstrip("/"):
        raise SettingsInvalid("FENPAI_PUBLIC_URL 只写到主机和端口为止，后面不带路径，例如 https://fenpai.example.gov.cn。")
