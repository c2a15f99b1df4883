"""The register (名录) as it stands: read whole, searched, changed as one; its revision tells replicas that it has changed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Select, delete, insert, select, update

from models.register import Institution
from models.tables import heads, institution_aliases, institutions
from service.store.events import append_events, take_head
from service.store.rows import NewEvent

STRIDE = 500
"""Most values of one statement: SQLite takes no more than some thousands."""
COLUMNS = [institutions.c[name] for name in ("id", "name", "category", "department", "licence", "address", "street", "status")]


@dataclass(frozen=True, slots=True)
class RegisterMark:
    """Which register: its revision rises with every change, its digest is that of its content."""

    revision: int
    digest: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An institution to be written, and the folded text in which it is searched for."""

    institution: Institution
    search: str


@dataclass(frozen=True, slots=True)
class RegisterChange:
    """What is written, new or changed, and the ids of those that are taken out; `data` is told in the feed."""

    put: tuple[Listed, ...]
    removed: tuple[str, ...]
    data: dict[str, Any]


def register_mark(conn: Connection) -> RegisterMark:
    """Which register stands. Replicas ask this every second or two."""
    row = conn.execute(select(heads.c.value, heads.c.hash).where(heads.c.name == "register")).one()
    return RegisterMark(row.value, row.hash)


def read_register(conn: Connection) -> list[Institution]:
    """All institutions, in the order in which they came in."""
    return _read(conn, select(*COLUMNS).order_by(institutions.c.id))


def get_institution(conn: Connection, id_: str) -> Institution | None:
    return next(iter(_read(conn, select(*COLUMNS).where(institutions.c.id == id_))), None)


def list_institutions(
    conn: Connection, *, search: str = "", category: str | None = None, status: str | None = None, after: str = "", limit: int
) -> list[Institution]:
    """Those that hold the folded text `search` in a name, number or address, behind the id `after`."""
    wanted = [institutions.c.id > after]
    if search:
        wanted.append(institutions.c.search.contains(search, autoescape=True))
    if category is not None:
        wanted.append(institutions.c.category == category)
    if status is not None:
        wanted.append(institutions.c.status == status)
    return _read(conn, select(*COLUMNS).where(*wanted).order_by(institutions.c.id).limit(limit))


def write_register(conn: Connection, change: RegisterChange, expected: int, *, actor: str, at: datetime) -> RegisterMark | None:
    """Write a change that was made from revision `expected`; None, and nothing written, if the register is another one by now."""
    take_head(conn)
    mark = register_mark(conn)
    if mark.revision != expected:
        return None
    if not change.put and not change.removed:
        return mark
    # Out and in again: a name that two institutions exchange is never held by both.
    _take_out(conn, [*change.removed, *(listed.institution.id for listed in change.put)])
    _put_in(conn, change.put, at)
    new = RegisterMark(mark.revision + 1, _digest(read_register(conn)))
    conn.execute(update(heads).where(heads.c.name == "register").values(value=new.revision, hash=new.digest))
    data = orjson.dumps({"revision": new.revision, "digest": new.digest, **change.data}).decode()
    append_events(conn, [NewEvent(at=at, kind="register.changed", actor=actor, data=data)])
    return new


def _read(conn: Connection, statement: Select[Any]) -> list[Institution]:
    rows = conn.execute(statement).mappings().all()
    aliases = _aliases(conn, [row["id"] for row in rows])
    return [Institution(**{**row, "licence": row["licence"] or ""}, aliases=tuple(aliases[row["id"]])) for row in rows]


def _aliases(conn: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    of, alias, rank = institution_aliases.c.institution_id, institution_aliases.c.alias, institution_aliases.c.rank
    for some in _strides(ids):
        for row in conn.execute(select(of, alias).where(of.in_(some)).order_by(of, rank)):
            found[row.institution_id].append(row.alias)
    return found


def _take_out(conn: Connection, ids: Sequence[str]) -> None:
    for some in _strides(ids):
        conn.execute(delete(institution_aliases).where(institution_aliases.c.institution_id.in_(some)))
        conn.execute(delete(institutions).where(institutions.c.id.in_(some)))


def _put_in(conn: Connection, put: Iterable[Listed], at: datetime) -> None:
    rows, aliases = [], []
    for listed in put:
        row = asdict(listed.institution)
        names = row.pop("aliases")
        rows.append({**row, "licence": row["licence"] or None, "search": listed.search, "changed_at": at})
        aliases += [{"alias": name, "institution_id": row["id"], "rank": rank} for rank, name in enumerate(names)]
    if rows:
        conn.execute(insert(institutions), rows)
    if aliases:
        conn.execute(insert(institution_aliases), aliases)


def _strides(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + STRIDE] for start in range(0, len(ids), STRIDE))


def _digest(rows: list[Institution]) -> str:
    return sha256(orjson.dumps(rows)).hexdigest()
