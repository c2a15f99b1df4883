"""OIDC: bearer tokens of the district's own sign-on, checked against its published keys; their claims are turned into our scopes.

For those who install the extra `oidc`. The keys come as a file (JWKS) that is read again when it changes: no network is asked.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import TypeAdapter, ValidationError

from models.access import OF_DEPARTMENT, Scope
from service.config import Settings
from service.errors import AccessKeyRefused, SettingsInvalid
from service.keyring import Caller

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Only what is signed with a private key: neither `none` nor a secret that both sides know."""
LONGEST = 8_192
LEEWAY = 60
LOOK_SECONDS = 30.0
LETTERS = str.maketrans("0123456789", "ghjkmnpqrs")
"""No digits: as in the ids of keys, nothing here must look like a telephone."""

_SCOPE: TypeAdapter[str] = TypeAdapter(Scope)


class Tokens:
    """Reads tokens of one issuer, meant for us."""

    def __init__(self, settings: Settings) -> None:
        if not settings.oidc_issuer or not settings.oidc_audience or not settings.oidc_scopes:
            raise SettingsInvalid("设了 FENPAI_OIDC_JWKS，就须同时设 FENPAI_OIDC_ISSUER、FENPAI_OIDC_AUDIENCE 和 FENPAI_OIDC_SCOPES。")
        self._file = Path(settings.oidc_jwks)
        self._claim = settings.oidc_claim
        self._scopes = _mapping(settings.oidc_scopes)
        self._rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._keys, self._changed = _read(self._file), _mark(self._file)
        self._looked = monotonic()

    def read(self, token: str) -> Caller:
        """Who shows this token; refused if it is not good for us now."""
        self._look()
        try:
            claims = jwt.decode(token[: LONGEST + 1], self._keys, algorithms=ALGORITHMS).claims
            self._rules.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise AccessKeyRefused("令牌无效、已过期，或不是发给本服务的。") from None
        return self._caller(claims)

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        given = claims.get(self._claim, ())
        roles = given.split() if isinstance(given, str) else [role for role in given if isinstance(role, str)]
        scopes = frozenset(scope for role in roles for scope in self._scopes.get(role, ()))
        departments = [scope.removeprefix(OF_DEPARTMENT) for scope in sorted(scopes) if scope.startswith(OF_DEPARTMENT)]
        if len(departments) > 1:
            raise AccessKeyRefused(f"令牌同时属于几个单位（{'、'.join(departments)}），请只用一个单位的身份登录。")
        who = f"{claims['iss']} {claims['sub']}"
        key = "oidc:" + sha256(who.encode()).hexdigest()[:16].translate(LETTERS)
        name = next((str(claims[part]) for part in ("name", "preferred_username") if claims.get(part)), key)
        return Caller(key, name[:100], scopes, departments[0] if departments else None)

    def _look(self) -> None:
        """Take the file's keys anew where it has changed; one that cannot be read leaves those that were."""
        if monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = monotonic()
        mark = _mark(self._file)
        if mark is not None and mark != self._changed:
            try:
                self._keys, self._changed = _read(self._file), mark
            except SettingsInvalid:
                return


def _mapping(text: str) -> dict[str, tuple[str, ...]]:
    """`role=scope, role=scope`: what each role may do here."""
    found: dict[str, tuple[str, ...]] = {}
    for part in text.split(","):
        role, _, scope = (piece.strip() for piece in part.rpartition("="))
        try:
            found[role] = (*found.get(role, ()), _SCOPE.validate_python(scope))
        except ValidationError:
            role = ""
        if not role:
            raise SettingsInvalid(f"FENPAI_OIDC_SCOPES 中的“{part.strip()[:60]}”写法不对，应形如 角色=hotline,角色=department:单位代码。")
    return found


def _read(file: Path) -> KeySet:
    try:
        keys = KeySet.import_key_set(orjson.loads(file.read_bytes()))
    except (OSError, JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsInvalid(
            f"FENPAI_OIDC_JWKS 指的 {file} 读不出公钥（{type(error).__name__}）：应是签发方 jwks_uri 给出的 JSON。"
        ) from None
    if not keys.keys or any(key.key_type == "oct" for key in keys.keys):
        raise SettingsInvalid(f"{file} 里应只有公钥，不能有对称密钥（oct），也不能是空的。")
    return keys


def _mark(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
