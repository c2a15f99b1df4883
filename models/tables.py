"""The tables of fenpai, for SQLite and PostgreSQL alike: cases, events, timers, outbox and channels, the feed's head, rule sets.

JSON is kept as text on both: a replayed answer must be equal byte for byte and an event must hash the same for ever, while
JSONB would reorder keys and reformat numbers.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)


def to_text(moment: datetime) -> str:
    """The moment in UTC as text of one width, so that text sorts as time does."""
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone cannot be stored")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Moment(TypeDecorator[datetime]):
    """A moment with its zone; UTC in the database. SQLite has no such type and keeps sortable text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = String(27) if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None:
            return None
        return to_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return from_text(value) if isinstance(value, str) else value.astimezone(UTC)


# SQLite fills its rowid only under the type name INTEGER; a BIGINT key would cost a second index.
Position = BigInteger().with_variant(Integer(), "sqlite")

cases = Table(
    "cases",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("source_system", Text, nullable=False),
    Column("source_order_no", Text, nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seq", Position, nullable=False),
    Column("status", String(32), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("reason_code", String(32), nullable=False),
    Column("lead", String(64)),
    Column("category", String(32)),
    Column("urgency", String(16), nullable=False),
    Column("demand_type", Text),
    Column("street", Text),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("institution", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("complainant", LargeBinary),
    Column("triage", Text, nullable=False),
    Column("issues", Text, nullable=False),
    Column("ruleset_version", Integer, nullable=False),
    Column("ruleset_digest", String(64), nullable=False),
    Column("hops", Integer, nullable=False),
    Column("complex", Boolean, nullable=False),
    Column("clocks", Text, nullable=False),
    Column("progress", Text, nullable=False),
    Column("merged_into", String(26)),
    Column("alarm", String(16)),
    # Since when its texts are gone, because it was kept long enough.
    Column("struck_at", Moment),
    # When handling runs out, as long as it runs: what is overdue is found without reading any clocks.
    Column("due_at", Moment),
    # The number first: officers look cases up by it without knowing which system sent them.
    UniqueConstraint("source_order_no", "source_system"),
    Index(None, "seq", unique=True),
    Index(None, "created_at", "id"),
    Index(None, "status", "created_at", "id"),
    Index(None, "lead", "created_at", "id"),
    Index(None, "category", "created_at", "id"),
    Index(None, "source_system", "created_at", "id"),
    Index(None, "street", "created_at", "id"),
)
# Nearly all cases are of normal urgency and need no entry: whoever asks for the others must say so (see service/store/pages.py).
not_normal = cases.c.urgency != literal_column("'normal'")
Index(
    "ix_cases_urgency_created_at_id",
    cases.c.urgency,
    cases.c.created_at,
    cases.c.id,
    sqlite_where=not_normal,
    postgresql_where=not_normal,
)
# Few cases are merged into another, few have clocks that a calendar is missing for, and few are still being handled.
for _rare in (cases.c.merged_into, cases.c.alarm, cases.c.due_at):
    Index(f"ix_cases_{_rare.name}", _rare, sqlite_where=_rare.is_not(None), postgresql_where=_rare.is_not(None))

case_departments = Table(
    "case_departments",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("department", String(64), primary_key=True),
    Column("role", String(8), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("issue", String(32)),
    # The case's own time once more: a department's list is read in order from this index alone.
    Column("created_at", Moment, nullable=False),
    Column("opinion", String(8)),
    Column("opinion_at", Moment),
    Column("opinion_version", Integer),
    Index(None, "department", "created_at", "case_id"),
)

# What a case is about, as it was decided at first: a list of one issue is read in order from the key alone.
case_issues = Table(
    "case_issues",
    metadata,
    Column("issue", String(32), primary_key=True),
    Column("created_at", Moment, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    sqlite_with_rowid=False,
)

# At once the timeline of a case, the change feed and the audit chain. No foreign key to cases: the log outlives what it tells of.
events = Table(
    "events",
    metadata,
    Column("seq", Position, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("case_id", String(26)),
    Column("actor", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "case_id", "seq"),
    Index(None, "at"),
)

# Moves by kind and time, for figures. Births are the many, and are counted by their cases.
moved = events.c.kind != literal_column("'case.received'")
Index("ix_events_moved", events.c.kind, events.c.at, sqlite_where=moved, postgresql_where=moved)

# Rows that the whole database has once: 'events' is the last position and hash of the feed, 'data_key' the mark of the key in use,
# 'register' the revision and digest of the register, 'api_keys' how often keys have changed,
# 'sorted' how far the feed was looked through for incidents and duplicates.
heads = Table(
    "heads",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", Text, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "created_at"),
)

# The next moment at which a case must be looked at: one row for each case whose clocks run, none for the others. Whoever claims a
# timer holds it until `lease_until`; each claim raises `fence`, and only who holds the newest may strike.
timers = Table(
    "timers",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("lease_until", Moment),
    Column("fence", Integer, nullable=False),
    Index(None, "due_at"),
)

# What officers wrote with a move, by the version of the case that the move made. Not in the events: those go to everybody who polls.
notes = Table(
    "notes",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

# What officers said would have been right, beside what was decided: kept for learning.
truths = Table(
    "truths",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("category", String(32)),
    Column("lead", String(64)),
    Column("decided_category", String(32)),
    Column("decided_lead", String(64)),
    Column("version", Integer, nullable=False),
    Column("ruleset_version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("department", String(64), nullable=False),
    Index(None, "at"),
)

# What people have confirmed about a case, made of its events one by one (service/ledger/verdict.py), so that nobody reads them all again.
verdicts = Table(
    "verdicts",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("lead", String(64)),
    Column("outside", String(32)),
    Column("stands", Boolean),
    Column("body", Text, nullable=False),
)
# Decisions that turned out wrong are few.
_wrong = verdicts.c.stands == literal_column("false")
Index("ix_verdicts_wrong", verdicts.c.case_id, sqlite_where=_wrong, postgresql_where=_wrong)

# The account of each rule and term by the version that decided and the month in which the case came; term "" is the whole rule.
tallies = Table(
    "tallies",
    metadata,
    Column("rule", String(80), primary_key=True),
    Column("term", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("month", String(7), primary_key=True),
    *(Column(name, Integer, nullable=False) for name in ("rights", "wrongs", "beside", "handed_back", "upheld", "rejected")),
    Index(None, "term", "rule"),
)

# Where a rule was wrong.
wrongs = Table(
    "wrongs",
    metadata,
    Column("rule", String(80), primary_key=True),
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("supports", String(80), nullable=False),
    Column("terms", Text, nullable=False),
    Index(None, "rule", "at", "case_id"),
    Index(None, "case_id"),
)

# Drafts that run beside the version in force: one at a time, the others are over. `position` is how far in the feed it has come; whoever
# holds the lease goes on. The counts are of cases that came while it ran.
shadows = Table(
    "shadows",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("pack", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("files", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("stopped_at", Moment),
    Column("stopped_by", Text),
    Column("position", Position, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("agreed", Integer, nullable=False),
    Column("issues_changed", Integer, nullable=False),
    Column("holder", String(26)),
    Column("lease_until", Moment),
)
Index(
    "uq_shadows_running",
    shadows.c.pack,
    unique=True,
    sqlite_where=shadows.c.stopped_at.is_(None),
    postgresql_where=shadows.c.stopped_at.is_(None),
)

# Where a shadow would have decided otherwise.
shadow_cases = Table(
    "shadow_cases",
    metadata,
    Column("shadow_id", ForeignKey("shadows.id"), primary_key=True),
    Column("seq", Position, primary_key=True, autoincrement=False),
    Column("case_id", String(26), nullable=False),
    Column("body", Text, nullable=False),
)

# Rules that the ledger took out of force, by the version that did it; `rights` and `wrongs` are what had been counted by then, or by
# the release: only what comes later can tell against the rule again.
quarantines = Table(
    "quarantines",
    metadata,
    Column("pack", Text, primary_key=True),
    Column("rule", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False),
    Column("rights", Integer, nullable=False),
    Column("wrongs", Integer, nullable=False),
    Column("released_at", Moment),
    Column("released_by", Text),
    Column("released_version", Integer),
    Column("reason", Text),
)

# Incidents (群体事件): cases of their own, which others are merged into.
incidents = Table(
    "incidents",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("institution", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Index(None, "opened_at"),
)

# By what a case is found that belongs with another: its institution by register, name and address, and bands of its text. Those of
# an incident have kinds of their own. The key holds all, so a look-up reads nothing else.
marks = Table(
    "marks",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("mark", String(80), primary_key=True),
    Column("received_at", Moment, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    sqlite_with_rowid=False,
)
_named = marks.c.kind == literal_column("'name'")
Index("ix_marks_named", marks.c.received_at, marks.c.mark, sqlite_where=_named, postgresql_where=_named)

# Suspected duplicates: the later case, the earlier one, why it is thought so, and what an officer said.
duplicates = Table(
    "duplicates",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("other_id", ForeignKey("cases.id"), primary_key=True),
    Column("score", Integer, nullable=False),
    Column("basis", String(8), nullable=False),
    Column("words", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("decided_at", Moment),
    Column("actor", Text),
    Column("note", Text, nullable=False),
    Index(None, "state", "case_id", "other_id"),
    Index(None, "other_id"),
)

# Idempotency keys of moves, each with the event that answered it.
move_keys = Table(
    "move_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("seq", Position, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "created_at"),
)

# Where a department's own system takes deliveries. The secret is sealed by the vault; `trouble` says why a channel was put to rest.
channels = Table(
    "channels",
    metadata,
    Column("department", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("trouble", Text),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

# What must reach a department's system: one row for each event of a case and each department that is told. `id` is the webhook's;
# `seq` is the event's, and so the order within a case. Each claim raises `token`, and only who holds the newest may finish.
outbox = Table(
    "outbox",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("seq", Position, nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("department", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("lease_until", Moment),
    Column("token", Integer, nullable=False),
    Column("status", Integer),
    Column("last_error", Text),
    Column("finished_at", Moment),
    Index(None, "seq"),
    Index(None, "case_id", "seq"),
    Index(None, "department", "seq"),
)
# What waits and what was given up are few among all that was ever sent.
_pending, _undone = outbox.c.state == literal_column("'pending'"), outbox.c.state != literal_column("'done'")
Index("ix_outbox_pending", outbox.c.department, outbox.c.due_at, sqlite_where=_pending, postgresql_where=_pending)
Index("ix_outbox_undone", outbox.c.seq, sqlite_where=_undone, postgresql_where=_undone)

rulesets = Table(
    "rulesets",
    metadata,
    Column("pack", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("files", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("parent", Integer),
    Column("overruled", Text),
)

active_rulesets = Table(
    "active_rulesets",
    metadata,
    Column("pack", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# What an admin is working on: never in force. `version` counts its edits, `editors` are all who changed it and `keys` the access
# keys by which they did (JSON), `base` is the version it was made from, `published` the one it became.
drafts = Table(
    "drafts",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("pack", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("base", Integer),
    Column("files", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("author", Text, nullable=False),
    Column("editors", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("published", Integer),
    Index(None, "pack", "state", "updated_at"),
)

# Second persons: who asked that some content may be published, and who decided. Bound to the digest: an edit needs another one.
approvals = Table(
    "approvals",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("pack", Text, nullable=False),
    Column("draft_id", String(26), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Moment),
    Column("reason", Text),
    Index(None, "draft_id", "asked_at"),
    Index(None, "pack", "digest"),
)

# Long work on rule sets that is asked for and polled. One that was not seen for a while has ended with its process.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("pack", Text, nullable=False),
    Column("draft_id", String(26), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("against", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("result", Text),
    Column("error", Text),
    Column("actor", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index(None, "created_at"),
)

# Which version each replica decides by. One that has not been seen for a while has ended.
replicas = Table(
    "replicas",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("pack", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seen_at", Moment, nullable=False),
)

# API keys: the SHA-256 of each, never the key. None is ever deleted, so that the log's ids keep their names.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("replaced_by", String(16)),
)

# Sessions of the console: the SHA-256 of each cookie and who is behind it: a key, or an identity (JSON). Rows that are over are deleted.
sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("key_id", ForeignKey("api_keys.id")),
    Column("identity", Text),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# Log-ins that are under way at the district's own sign-on: each is taken once, or forgotten after some minutes.
sign_ons = Table(
    "sign_ons",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("state", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(64), nullable=False),
    Column("back_to", Text, nullable=False),
    Column("before", String(64), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# The register (名录). Ids rise in the order in which institutions came in; `search` is all that one may look for, folded.
institutions = Table(
    "institutions",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("name", Text, nullable=False),
    Column("category", String(40)),
    Column("department", String(64)),
    Column("licence", Text),
    Column("address", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("name"),
    UniqueConstraint("licence"),
)

institution_aliases = Table(
    "institution_aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("institution_id", ForeignKey("institutions.id"), nullable=False),
    Column("rank", Integer, nullable=False),
    Index(None, "institution_id", "rank"),
)
