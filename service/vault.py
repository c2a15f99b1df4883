"""The vault: who complained, and by which telephone, is kept encrypted; the key is not in the database."""

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service import store
from service.db import Database
from service.errors import DataKeyInvalid, DataKeyMissing, SealBroken

LEAST_DISTINCT_BYTES = 20
"""Of 32 random bytes fewer differ once in 10^10 keys; a typed word or a repeated pattern has fewer."""

ADVICE = "可用这条命令生成一把新密钥：python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"

LOST = "密钥文件 {} 不在，数据库里的诉求人信息要用它才读得出。请把另处存好的放回这里，或把其中的密钥写入 FENPAI_DATA_KEY。"


class Vault:
    """A ring of keys, newest first: the newest seals, any of them opens."""

    def __init__(self, keys: Sequence[str], origin: str = "FENPAI_DATA_KEY") -> None:
        raw = [_strong(key.strip(), f"{origin} 中第 {place} 把密钥") for place, key in enumerate(keys, 1)]
        self._ring = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in raw])
        self.fingerprints = tuple(sha256(b"fenpai data key" + key).hexdigest() for key in raw)

    @classmethod
    def of(cls, database: Database, keys: str | None) -> Self:
        """That of a database: the key with which something was sealed there must be among them."""
        key_file = database.path.with_name("fenpai.key") if database.path else None
        with database.read() as conn:
            noted = store.noted_data_key(conn)
        vault = cls.open(keys, key_file, fresh=noted is None)
        store.check_data_key(noted, vault.fingerprints)
        return vault

    @classmethod
    def open(cls, keys: str | None, key_file: Path | None, *, fresh: bool = False) -> Self:
        """With the keys of FENPAI_DATA_KEY; without them, and only beside an embedded database, with a key file, one key a line.

        A file that is not there is made for a `fresh` database alone: in any other something is sealed that a new key cannot open.
        """
        if keys and keys.strip():
            return cls(keys.split(","))
        if key_file is None:
            raise DataKeyMissing(f"使用 PostgreSQL 时必须设置 FENPAI_DATA_KEY，各副本用同一把密钥。{ADVICE}")
        if not key_file.exists() and not fresh:
            raise DataKeyMissing(LOST.format(key_file))
        return cls((_read(key_file) if key_file.exists() else _create(key_file)).split() or [""], f"密钥文件 {key_file} ")

    def seal(self, plain: bytes) -> bytes:
        return self._ring.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        try:
            return self._ring.decrypt(sealed)
        except InvalidToken as error:
            raise SealBroken from error

    def words(self, sealed: bytes | None) -> tuple[str, ...]:
        """By which words somebody who complained is known: in texts they are hidden."""
        told: dict[str, object] = orjson.loads(self.unseal(sealed)) if sealed else {}
        return tuple(word for word in told.values() if isinstance(word, str) and len(word) > 1)

    def renew(self, sealed: bytes) -> bytes:
        """Seal anew with the newest key."""
        try:
            return self._ring.rotate(sealed)
        except InvalidToken as error:
            raise SealBroken from error


def _strong(key: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise DataKeyInvalid(f"{name}不是 URL 安全的 base64。{ADVICE}") from error
    if len(raw) != 32:
        raise DataKeyInvalid(f"{name}解码后是 {len(raw)} 字节，应为 32 字节。{ADVICE}")
    if len(set(raw)) < LEAST_DISTINCT_BYTES:
        raise DataKeyInvalid(f"{name}太弱，不像是随机生成的。{ADVICE}")
    return raw


def _read(path: Path) -> str:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DataKeyInvalid(f"密钥文件 {path} 可被其他用户读取，请先运行 chmod 600 {path}。")
    return path.read_text(encoding="ascii", errors="replace")


def _create(path: Path) -> str:
    """Make the file whole under another name first: a process that starts beside us must not read half a key."""
    key = Fernet.generate_key().decode()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())  # what the key seals may be committed at once; the key must not be lost before
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return _read(path)  # another process was faster; its key is the one
    finally:
        draft.unlink()
    return key
