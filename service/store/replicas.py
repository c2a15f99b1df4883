"""Replicas: which version each process decides by, as it last said."""

from datetime import timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from models.tables import replicas
from service.store.moves import now
from service.store.rows import Replica, RulesetRow

LOST = timedelta(seconds=15)
"""A replica that was silent for so long has ended."""

_ANEW = (
    update(replicas)
    .where(replicas.c.id == bindparam("of"))
    .values(pack=bindparam("in_pack"), version=bindparam("at_version"), digest=bindparam("with_digest"), seen_at=bindparam("moment"))
)
_LIVE = select(replicas).where(replicas.c.pack == bindparam("of"), replicas.c.seen_at > bindparam("since")).order_by(replicas.c.id)


def note_replica(conn: Connection, replica_id: str, row: RulesetRow) -> None:
    """Note what a replica decides by, by the database's clock; those that have ended are forgotten."""
    moment = now(conn)
    said = {"of": replica_id, "in_pack": row.pack, "at_version": row.version, "with_digest": row.digest, "moment": moment}
    if not conn.execute(_ANEW, said).rowcount:
        conn.execute(delete(replicas).where(replicas.c.seen_at < moment - 4 * LOST))
        conn.execute(insert(replicas).values(id=replica_id, pack=row.pack, version=row.version, digest=row.digest, seen_at=moment))


def list_replicas(conn: Connection, pack: str) -> list[Replica]:
    """The replicas of a pack that were heard of lately, in the order in which they began."""
    return [Replica(**row) for row in conn.execute(_LIVE, {"of": pack, "since": now(conn) - LOST}).mappings()]
