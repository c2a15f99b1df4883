"""The ledger as it is stored: the verdict on each case, the accounts of rules and terms, and where rules were wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from models.tables import cases, quarantines, tallies, verdicts, wrongs
from service.store.rows import Quarantine, StoredVerdict, Tally, Wrong, WrongCase
from service.store.sql import Insert, Named, Prepared, insert_all, moments

_GET = Prepared(select(verdicts.c.body).where(verdicts.c.case_id == bindparam("of")))
_PUT = Named(
    text(
        "INSERT INTO verdicts (case_id, lead, outside, stands, body) VALUES (:of, :lead, :outside, :stands, :body) ON CONFLICT (case_id) "
        "DO UPDATE SET lead = excluded.lead, outside = excluded.outside, stands = excluded.stands, body = excluded.body"
    )
)
_COUNTS = ("rights", "wrongs", "beside", "handed_back", "upheld", "rejected")
_KEY = ("rule", "term", "version", "month")
_ADD = Prepared(
    text(
        f"INSERT INTO tallies ({', '.join((*_KEY, *_COUNTS))}) VALUES ({', '.join(f':{name}' for name in (*_KEY, *_COUNTS))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {', '.join(f'{name} = tallies.{name} + excluded.{name}' for name in _COUNTS)}"
    )
)
_FORGET = Prepared(delete(wrongs).where(wrongs.c.case_id == bindparam("of")))
_WRONG = Insert(wrongs)


def get_verdict(conn: Connection, case_id: str) -> str | None:
    """The verdict on a case, as text."""
    row = _GET.send(conn, (case_id,)).fetchone()
    return str(row[0]) if row else None


def verdicts_on(conn: Connection, ids: Sequence[str]) -> dict[str, tuple[bool | None, str | None]]:
    """Of these cases: whether the decision stands, and whose the case is, as far as that is known."""
    wanted = select(verdicts.c.case_id, verdicts.c.stands, verdicts.c.lead).where(verdicts.c.case_id.in_(list(ids)))
    return {id_: (stands, lead) for id_, stands, lead in conn.execute(wanted)} if ids else {}


def put_verdict(conn: Connection, case_id: str, verdict: StoredVerdict) -> None:
    _PUT.send(conn, {"of": case_id, **asdict(verdict)})


def add_tallies(conn: Connection, more: Sequence[Tally]) -> None:
    """Add to the accounts; what is taken back is negative."""
    rows = [tuple(getattr(tally, name) for name in (*_KEY, *_COUNTS)) for tally in more]
    if rows:
        conn.connection.cursor().executemany(_ADD.text(conn), rows)


def put_wrongs(conn: Connection, case_id: str, at: datetime, found: Iterable[Wrong]) -> None:
    """Which rules were wrong in a case, in place of what stood there."""
    _FORGET.send(conn, (case_id,))
    moment = moments(conn)(at)
    rows: list[tuple[Any, ...]] = [(wrong.rule, case_id, moment, wrong.supports, wrong.terms) for wrong in found]
    insert_all(conn, [(_WRONG, rows)])


def rule_totals(conn: Connection) -> list[Tally]:
    """The account of each rule over all time."""
    sums = [func.sum(tallies.c[name]).label(name) for name in _COUNTS]
    statement = select(tallies.c.rule, *sums).where(tallies.c.term == "").group_by(tallies.c.rule).order_by(tallies.c.rule)
    return [Tally(rule=row["rule"], term="", version=0, month="", **_counted(row)) for row in conn.execute(statement).mappings()]


def tallies_of(conn: Connection, rule: str) -> list[Tally]:
    """All accounts of one rule: of itself and its terms, by version and month."""
    statement = select(tallies).where(tallies.c.rule == rule).order_by(tallies.c.term, tallies.c.version, tallies.c.month)
    return [Tally(**row) for row in conn.execute(statement).mappings()]


def all_tallies(conn: Connection) -> list[Tally]:
    statement = select(tallies).order_by(*(tallies.c[name] for name in _KEY))
    return [Tally(**row) for row in conn.execute(statement).mappings()]


def wrong_cases(conn: Connection, rule: str, limit: int) -> list[WrongCase]:
    """Where a rule was wrong, the newest first, each with the verdict that says so."""
    names = ("title", "content", "triage", "complainant", "ruleset_version")
    statement = (
        select(wrongs, *(cases.c[name] for name in names), verdicts.c.body.label("verdict"))
        .select_from(wrongs.join(cases, cases.c.id == wrongs.c.case_id).join(verdicts, verdicts.c.case_id == wrongs.c.case_id))
        .where(wrongs.c.rule == rule)
        .order_by(wrongs.c.at.desc(), wrongs.c.case_id)
        .limit(limit)
    )
    return [WrongCase(**row) for row in conn.execute(statement).mappings()]


def _counted(row: Any) -> dict[str, int]:
    return {name: int(row[name]) for name in _COUNTS}


def list_quarantines(conn: Connection, pack: str) -> list[Quarantine]:
    """All quarantines of a pack, the newest first."""
    statement = select(quarantines).where(quarantines.c.pack == pack).order_by(quarantines.c.version.desc(), quarantines.c.rule)
    return [Quarantine(**row) for row in conn.execute(statement).mappings()]


def add_quarantine(conn: Connection, new: Quarantine) -> None:
    """By a version that did it once already and was taken back, it does it anew."""
    place = (quarantines.c.pack == new.pack, quarantines.c.rule == new.rule, quarantines.c.version == new.version)
    conn.execute(delete(quarantines).where(*place))
    conn.execute(insert(quarantines).values(asdict(new)))


def end_quarantines(conn: Connection, ended: Quarantine) -> None:
    """Let a rule out of all its quarantines that last."""
    names = ("rights", "wrongs", "released_at", "released_by", "released_version", "reason")
    lasting = (quarantines.c.pack == ended.pack, quarantines.c.rule == ended.rule, quarantines.c.released_at.is_(None))
    conn.execute(update(quarantines).where(*lasting).values({name: getattr(ended, name) for name in names}))
