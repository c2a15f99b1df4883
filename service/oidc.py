"""OIDC: bearer tokens of the district's own sign-on, checked against its published keys; their claims are turned into our scopes.

For those who install the extra `oidc`. The keys come as a file (JWKS) that is read again when it changes: no network is asked. Without
a file only id_tokens can be checked, which the console's log-in gets together with the keys of their issuer (service/signon.py).
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
from service.keyring import Caller, Identity

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Only what is signed with a private key: neither `none` nor a secret that both sides know."""
LONGEST = 8_192
LEEWAY = 60
LOOK_SECONDS = 30.0
NOT_OURS = "令牌无效、已过期，或不是发给本服务的。"
LETTERS = str.maketrans("0123456789", "ghjkmnpqrs")
"""No digits: as in the ids of keys, nothing here must look like a telephone."""

_SCOPE: TypeAdapter[str] = TypeAdapter(Scope)


class Tokens:
    """Reads tokens of one issuer, meant for us."""

    def __init__(self, settings: Settings) -> None:
        if settings.oidc_jwks and not (settings.oidc_issuer and settings.oidc_audience and settings.oidc_scopes):
            raise SettingsInvalid("设了 FENPAI_OIDC_JWKS，就须同时设 FENPAI_OIDC_ISSUER、FENPAI_OIDC_AUDIENCE 和 FENPAI_OIDC_SCOPES。")
        self._file = Path(settings.oidc_jwks) if settings.oidc_jwks else None
        self._issuer, self._audience, self._claim = settings.oidc_issuer, settings.oidc_audience, settings.oidc_claim
        self._scopes = _mapping(settings.oidc_scopes)
        self._keys: KeySet | None = _read(self._file) if self._file else None
        self._changed = _mark(self._file) if self._file else None
        self._looked = monotonic()

    def read(self, token: str) -> Caller:
        """Who shows this token; refused if it is not good for us now."""
        return self.caller(self._identity(self._claims(token, None, self._audience)))

    def vouched(self, id_token: str, keys: bytes | None, client: str, nonce: str) -> Identity:
        """Whom an id_token names that was asked for under this nonce. `keys`: those of the issuer, where there is no file of them."""
        claims = self._claims(id_token, keys, client, nonce={"essential": True, "value": nonce}, iat={"essential": True})
        if claims.get("azp", client) != client or (isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims):
            raise AccessKeyRefused(NOT_OURS)
        return self._identity(claims)

    def caller(self, identity: Identity) -> Caller:
        """What somebody may do here, by the roles as they are mapped now."""
        scopes = frozenset(scope for role in identity.roles for scope in self._scopes.get(role, ()))
        departments = [scope.removeprefix(OF_DEPARTMENT) for scope in sorted(scopes) if scope.startswith(OF_DEPARTMENT)]
        if len(departments) > 1:
            raise AccessKeyRefused(f"令牌同时属于几个单位（{'、'.join(departments)}），请只用一个单位的身份登录。")
        return Caller(identity.key, identity.name, scopes, departments[0] if departments else None)

    def _claims(self, token: str, keys: bytes | None, audience: str, **more: Any) -> dict[str, Any]:
        self._look()
        ring = self._keys or _key_set(keys or b"")
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            **more,
        )
        try:
            claims = jwt.decode(token[: LONGEST + 1], ring, algorithms=ALGORITHMS).claims if ring else {}
            rules.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise AccessKeyRefused(NOT_OURS) from None
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        given = claims.get(self._claim, ())
        roles = given.split() if isinstance(given, str) else [role for role in given if isinstance(role, str)]
        who = f"{claims['iss']} {claims['sub']}"
        key = "oidc:" + sha256(who.encode()).hexdigest()[:16].translate(LETTERS)
        names = (str(claims[part]) for part in ("name", "preferred_username") if claims.get(part))
        return Identity(key, next((name for name in names if name.isprintable()), key)[:100], tuple(roles))

    def _look(self) -> None:
        """Take the file's keys anew where it has changed; one that cannot be read leaves those that were."""
        if self._file is None or monotonic() - self._looked < LOOK_SECONDS:
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


def _key_set(raw: bytes) -> KeySet | None:
    """Public keys as the issuer tells them; None where there is none in it. Of what is not a public key nothing is taken."""
    try:
        given = orjson.loads(raw)["keys"]
        keys = KeySet.import_key_set({"keys": [key for key in given if key.get("kty") in {"RSA", "EC"} and key.get("use", "sig") == "sig"]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return keys if keys.keys else None


def _mark(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
