"""Which data key the database was written with: a wrong key is found at the start, not when a phone number is needed."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, select, update

from models.tables import cases, channels, heads
from service.errors import DataKeyMismatch
from service.store.events import take_head


def noted_data_key(conn: Connection) -> str | None:
    """The fingerprint of the key without which nothing can be read; None where nothing was sealed yet."""
    return conn.execute(select(heads.c.hash).where(heads.c.name == "data_key")).scalar_one_or_none()


def check_data_key(noted: str | None, fingerprints: Sequence[str]) -> None:
    """Refuse to work without the key that was noted."""
    if noted not in {None, *fingerprints}:
        raise DataKeyMismatch


def bind_data_key(conn: Connection, fingerprints: Sequence[str]) -> None:
    """Note the newest key at first use; afterwards refuse to work without the key that was noted."""
    take_head(conn)
    noted = noted_data_key(conn)
    check_data_key(noted, fingerprints)
    if noted is None:
        conn.execute(insert(heads).values(name="data_key", value=0, hash=fingerprints[0]))


def note_data_key(conn: Connection, fingerprint: str) -> None:
    """From now on this key is needed: called when everything has been sealed anew with it."""
    take_head(conn)
    conn.execute(update(heads).where(heads.c.name == "data_key").values(hash=fingerprint))


STRIDE = 200


def renew_seals(conn: Connection, renew: Callable[[bytes], bytes], after: str) -> tuple[str, int]:
    """Seal a stretch of cases anew, those behind this id; where it ended ("" at the end of all), and how many they were."""
    take_head(conn)
    wanted = select(cases.c.id, cases.c.complainant).where(cases.c.complainant.is_not(None), cases.c.id > after)
    rows = conn.execute(wanted.order_by(cases.c.id).limit(STRIDE)).all()
    for row in rows:
        conn.execute(update(cases).where(cases.c.id == row.id).values(complainant=renew(row.complainant)))
    return rows[-1].id if len(rows) == STRIDE else "", len(rows)


def renew_secrets(conn: Connection, renew: Callable[[bytes], bytes]) -> int:
    """Seal the channels' secrets anew."""
    take_head(conn)
    rows = conn.execute(select(channels.c.department, channels.c.secret)).all()
    for row in rows:
        conn.execute(update(channels).where(channels.c.department == row.department).values(secret=renew(row.secret)))
    return len(rows)
