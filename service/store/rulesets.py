"""Published rule sets: versions that never change, exactly one of them in force for each pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, insert, select, update

from models.tables import active_rulesets, rulesets
from service.errors import RulesetNotFound
from service.store.events import append_events, take_head
from service.store.rows import NewEvent, NewRuleset, RulesetRow


def publish_ruleset(conn: Connection, new: NewRuleset) -> RulesetRow:
    """Give the rule set the next version number; the newest version again, if its content is the same."""
    take_head(conn)
    newest = _newest(conn, new.pack)
    if newest is not None and newest.digest == new.digest:
        return newest
    version = newest.version + 1 if newest else 1
    conn.execute(insert(rulesets).values(**_values(new, version)))
    more = {"note": new.note, "parent": new.parent, "overruled": new.overruled, "approved_by": new.approved_by, **_by_key(new.key)}
    _tell(conn, "rules.published", _existing(conn, new.pack, version), new.author, new.created_at, more)
    return _existing(conn, new.pack, version)


def activate_ruleset(
    conn: Connection, pack: str, version: int, *, actor: str, at: datetime, note: str = "", key: str | None = None
) -> RulesetRow:
    """Put a published version in force; forward or back, it is the same."""
    take_head(conn)
    chosen = _existing(conn, pack, version)
    if chosen.active:
        return chosen
    before = active_ruleset(conn, pack)
    moved = conn.execute(update(active_rulesets).where(active_rulesets.c.pack == pack).values(version=version, changed_at=at))
    if not moved.rowcount:
        conn.execute(insert(active_rulesets).values(pack=pack, version=version, changed_at=at))
    more = {"note": note, "before": before.version if before else None, **_by_key(key)}
    _tell(conn, "rules.activated", chosen, actor, at, more)
    return _existing(conn, pack, version)


def active_ruleset(conn: Connection, pack: str) -> RulesetRow | None:
    """The version in force. Replicas ask this every second or two."""
    return _first(conn, _select(pack).where(active_rulesets.c.version == rulesets.c.version))


def active_since(conn: Connection, pack: str) -> datetime | None:
    """When the version in force came into force."""
    moment: datetime | None = conn.execute(select(active_rulesets.c.changed_at).where(active_rulesets.c.pack == pack)).scalar_one_or_none()
    return moment


def get_ruleset(conn: Connection, pack: str, version: int) -> RulesetRow | None:
    return _first(conn, _select(pack).where(rulesets.c.version == version))


def ruleset_files(conn: Connection, pack: str, version: int) -> dict[str, str]:
    statement = select(rulesets.c.files).where(rulesets.c.pack == pack, rulesets.c.version == version)
    files = conn.execute(statement).scalar_one_or_none()
    if files is None:
        raise RulesetNotFound(f"规则包 {pack} 没有第 {version} 版。")
    found: dict[str, str] = orjson.loads(files)
    return found


def list_rulesets(conn: Connection, pack: str) -> list[RulesetRow]:
    """All versions of a pack, newest first."""
    return [RulesetRow(**row) for row in conn.execute(_select(pack).order_by(rulesets.c.version.desc())).mappings()]


def _select(pack: str) -> Select[Any]:
    known = [rulesets.c[name] for name in ("pack", "version", "digest", "author", "note", "created_at", "parent", "overruled")]
    active = (func.coalesce(active_rulesets.c.version, 0) == rulesets.c.version).label("active")
    joined = rulesets.outerjoin(active_rulesets, active_rulesets.c.pack == rulesets.c.pack)
    return select(*known, active).select_from(joined).where(rulesets.c.pack == pack)


def _first(conn: Connection, statement: Select[Any]) -> RulesetRow | None:
    row = conn.execute(statement).mappings().first()
    return RulesetRow(**row) if row else None


def _newest(conn: Connection, pack: str) -> RulesetRow | None:
    return _first(conn, _select(pack).order_by(rulesets.c.version.desc()).limit(1))


def _existing(conn: Connection, pack: str, version: int) -> RulesetRow:
    found = get_ruleset(conn, pack, version)
    if found is None:
        raise RulesetNotFound(f"规则包 {pack} 没有第 {version} 版。")
    return found


def _values(new: NewRuleset, version: int) -> dict[str, Any]:
    return {
        "pack": new.pack,
        "version": version,
        "digest": new.digest,
        "files": orjson.dumps(dict(new.files)).decode(),
        "author": new.author,
        "note": new.note,
        "created_at": new.created_at,
        "parent": new.parent,
        "overruled": new.overruled,
    }


def _by_key(key: str | None) -> dict[str, str]:
    """The access key that vouches for the name, where there is one."""
    return {"key": key} if key else {}


def other_pack(conn: Connection, pack: str) -> str | None:
    """The pack in force here, if it is another than this one and this one never was."""
    found = conn.execute(select(active_rulesets.c.pack).order_by(active_rulesets.c.changed_at)).scalars().all()
    return found[0] if found and pack not in found else None


def _tell(conn: Connection, kind: str, row: RulesetRow, actor: str, at: datetime, more: Mapping[str, Any]) -> None:
    data = orjson.dumps({"pack": row.pack, "version": row.version, "digest": row.digest, **more}).decode()
    append_events(conn, [NewEvent(at=at, kind=kind, actor=actor, data=data)])
