"""Timers: claimed by one replica at a time, and held against all others until they strike or the lease ends."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from models.tables import timers
from service.store.rows import Claim

LEASE = timedelta(seconds=30)
"""How long a claim holds. Whoever needs longer has lost it; the fence keeps a late strike from counting."""

# A lease that ends later than any lease can was given by a clock that has since jumped back: it counts for nothing.
_FREE = or_(timers.c.lease_until.is_(None), timers.c.lease_until <= bindparam("now"), timers.c.lease_until > bindparam("longest"))
_DUE = and_(timers.c.due_at <= bindparam("now"), _FREE)
_ANY_DUE = select(timers.c.case_id).where(_DUE).limit(1)
# In a part of its own, for PostgreSQL may ask a bare subquery more than once and then lock more rows than it was asked for.
_CHOSEN = (
    select(timers.c.case_id)
    .where(_DUE)
    .order_by(timers.c.due_at, timers.c.case_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("chosen")
)
_CLAIM = (
    update(timers)
    .where(timers.c.case_id.in_(select(_CHOSEN.c.case_id)))
    .values(lease_until=bindparam("until"), fence=timers.c.fence + 1)
    .returning(timers.c.case_id, timers.c.kind, timers.c.due_at, timers.c.fence)
)
_HELD = select(timers.c.case_id).where(
    timers.c.case_id == bindparam("of"), timers.c.kind == bindparam("as"), timers.c.fence == bindparam("holding")
)


def is_timer_due(conn: Connection, now: datetime) -> bool:
    """Whether anything can be claimed; a read that costs nothing where nothing is."""
    return conn.execute(_ANY_DUE, {"now": now, "longest": now + LEASE}).first() is not None


def claim_timers(conn: Connection, now: datetime, most: int) -> list[Claim]:
    """Take the timers that are due and free, the longest due first; those that another replica is just taking are passed over."""
    values = {"now": now, "longest": now + LEASE, "until": now + LEASE, "most": most}
    claimed = [Claim(**row) for row in conn.execute(_CLAIM, values).mappings()]
    return sorted(claimed, key=lambda claim: (claim.due_at, claim.case_id))


def first_due(conn: Connection) -> datetime | None:
    """When the first of all timers is due, whoever holds it; one step in an index."""
    found: datetime | None = conn.execute(select(func.min(timers.c.due_at))).scalar()
    return found


def is_held(conn: Connection, claim: Claim) -> bool:
    """Whether the claim still counts: nobody has taken the timer since, and no move has set it anew."""
    return conn.execute(_HELD, {"of": claim.case_id, "as": claim.kind, "holding": claim.fence}).first() is not None
