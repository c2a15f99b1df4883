"""Which data key the database was written with: a wrong key is found at the start, not when a phone number is needed."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from models.tables import heads
from service.errors import DataKeyMismatch
from service.store.events import take_head


def bind_data_key(conn: Connection, fingerprints: Sequence[str]) -> None:
    """Note the newest key at first use; afterwards refuse to work without the key that was noted."""
    take_head(conn)
    noted = conn.execute(select(heads.c.hash).where(heads.c.name == "data_key")).scalar_one_or_none()
    if noted is None:
        conn.execute(insert(heads).values(name="data_key", value=0, hash=fingerprints[0]))
    elif noted not in fingerprints:
        raise DataKeyMismatch("数据密钥与数据库不符：来电人信息是用另一把密钥加密的。请找回原密钥，与新密钥一起写入 FENPAI_DATA_KEY。")


def note_data_key(conn: Connection, fingerprint: str) -> None:
    """From now on this key is needed: called when everything has been sealed anew with it."""
    take_head(conn)
    conn.execute(update(heads).where(heads.c.name == "data_key").values(hash=fingerprint))
