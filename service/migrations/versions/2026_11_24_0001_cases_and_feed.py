"""Cases with their departments, the append-only events, the head, timers, notes, keys, outbox and channels, rule sets, the register."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Moment = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
Position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY_SQLITE = [
    f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
# A statement trigger costs nothing per row and also stops TRUNCATE.
APPEND_ONLY_POSTGRESQL = [
    """
    CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()
    """,
]


def upgrade() -> None:
    _cases()
    _feed()
    _casework()
    _outbox()
    _ledger()
    _shadows()
    _rulesets()
    _workbench()
    _register()
    _api_keys()
    _kinship()
    for statement in APPEND_ONLY_SQLITE if op.get_bind().dialect.name == "sqlite" else APPEND_ONLY_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "shadow_cases",
        "shadows",
        "quarantines",
        "wrongs",
        "tallies",
        "verdicts",
        "outbox",
        "channels",
        "replicas",
        "drafts",
        "approvals",
        "jobs",
        "sign_ons",
        "sessions",
        "api_keys",
    ):
        op.drop_table(table)
    for table in ("duplicates", "marks", "incidents"):
        op.drop_table(table)
    for table in ("institution_aliases", "institutions", "active_rulesets", "rulesets", "move_keys", "truths", "notes", "timers"):
        op.drop_table(table)
    for table in ("idempotency", "heads", "events", "case_departments", "cases"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION events_append_only()")


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("source_system", sa.Text, nullable=False),
        sa.Column("source_order_no", sa.Text, nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("seq", Position, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("reason_code", sa.String(32), nullable=False),
        sa.Column("lead", sa.String(64)),
        sa.Column("category", sa.String(32)),
        sa.Column("urgency", sa.String(16), nullable=False),
        sa.Column("demand_type", sa.Text),
        sa.Column("street", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("complainant", sa.LargeBinary),
        sa.Column("triage", sa.Text, nullable=False),
        sa.Column("issues", sa.Text, nullable=False),
        sa.Column("ruleset_version", sa.Integer, nullable=False),
        sa.Column("ruleset_digest", sa.String(64), nullable=False),
        sa.Column("hops", sa.Integer, nullable=False),
        sa.Column("complex", sa.Boolean, nullable=False),
        sa.Column("clocks", sa.Text, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("merged_into", sa.String(26)),
        sa.Column("alarm", sa.String(16)),
        sa.Column("struck_at", Moment),
        sa.Column("due_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("source_order_no", "source_system", name="uq_cases_source_order_no_source_system"),
    )
    op.create_index("ix_cases_seq", "cases", ["seq"], unique=True)
    op.create_index("ix_cases_created_at_id", "cases", ["created_at", "id"])
    for column in ("status", "lead", "category", "source_system", "street"):
        op.create_index(f"ix_cases_{column}_created_at_id", "cases", [column, "created_at", "id"])
    rare = sa.text("urgency != 'normal'")
    op.create_index("ix_cases_urgency_created_at_id", "cases", ["urgency", "created_at", "id"], sqlite_where=rare, postgresql_where=rare)
    for column in ("merged_into", "alarm", "due_at"):
        rare = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_cases_{column}", "cases", [column], sqlite_where=rare, postgresql_where=rare)
    op.create_table(
        "case_departments",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("issue", sa.String(32)),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("opinion", sa.String(8)),
        sa.Column("opinion_at", Moment),
        sa.Column("opinion_version", sa.Integer),
        sa.PrimaryKeyConstraint("case_id", "department", name="pk_case_departments"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_departments_case_id_cases"),
    )
    op.create_index("ix_case_departments_department_created_at_case_id", "case_departments", ["department", "created_at", "case_id"])
    op.create_table(
        "case_issues",
        sa.Column("issue", sa.String(32), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("issue", "created_at", "case_id", name="pk_case_issues"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_issues_case_id_cases"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("key", "client", name="pk_idempotency"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_idempotency_case_id_cases"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])


def _feed() -> None:
    op.create_table(
        "events",
        sa.Column("seq", Position, nullable=False, autoincrement=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(26)),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_case_id_seq", "events", ["case_id", "seq"])
    op.create_index("ix_events_at", "events", ["at"])
    moved = sa.text("kind != 'case.received'")
    op.create_index("ix_events_moved", "events", ["kind", "at"], sqlite_where=moved, postgresql_where=moved)
    heads = op.create_table(
        "heads",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_heads"),
    )
    op.bulk_insert(heads, [{"name": "events", "value": 0, "hash": "0" * 64}])


def _casework() -> None:
    op.create_table(
        "timers",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("lease_until", Moment),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_timers"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_timers_case_id_cases"),
    )
    op.create_index("ix_timers_due_at", "timers", ["due_at"])
    op.create_table(
        "notes",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "version", name="pk_notes"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_notes_case_id_cases"),
    )
    op.create_table(
        "truths",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("category", sa.String(32)),
        sa.Column("lead", sa.String(64)),
        sa.Column("decided_category", sa.String(32)),
        sa.Column("decided_lead", sa.String(64)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("ruleset_version", sa.Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_truths"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_truths_case_id_cases"),
    )
    op.create_index("ix_truths_at", "truths", ["at"])
    op.create_table(
        "move_keys",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("seq", Position, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("key", "client", name="pk_move_keys"),
    )
    op.create_index("ix_move_keys_created_at", "move_keys", ["created_at"])


def _ledger() -> None:
    op.create_table(
        "verdicts",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("lead", sa.String(64)),
        sa.Column("outside", sa.String(32)),
        sa.Column("stands", sa.Boolean),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_verdicts"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_verdicts_case_id_cases"),
    )
    wrong = sa.text("stands = false")
    op.create_index("ix_verdicts_wrong", "verdicts", ["case_id"], sqlite_where=wrong, postgresql_where=wrong)
    op.create_table(
        "tallies",
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("term", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("month", sa.String(7), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("rights", "wrongs", "beside", "handed_back", "upheld", "rejected")),
        sa.PrimaryKeyConstraint("rule", "term", "version", "month", name="pk_tallies"),
    )
    op.create_index("ix_tallies_term_rule", "tallies", ["term", "rule"])
    op.create_table(
        "wrongs",
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("supports", sa.String(80), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("rule", "case_id", name="pk_wrongs"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_wrongs_case_id_cases"),
    )
    op.create_index("ix_wrongs_rule_at_case_id", "wrongs", ["rule", "at", "case_id"])
    op.create_index("ix_wrongs_case_id", "wrongs", ["case_id"])
    op.create_table(
        "quarantines",
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("rights", sa.Integer, nullable=False),
        sa.Column("wrongs", sa.Integer, nullable=False),
        sa.Column("released_at", Moment),
        sa.Column("released_by", sa.Text),
        sa.Column("released_version", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("pack", "rule", "version", name="pk_quarantines"),
    )


def _shadows() -> None:
    op.create_table(
        "shadows",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("stopped_at", Moment),
        sa.Column("stopped_by", sa.Text),
        sa.Column("position", Position, nullable=False),
        sa.Column("cases", sa.Integer, nullable=False),
        sa.Column("agreed", sa.Integer, nullable=False),
        sa.Column("issues_changed", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(26)),
        sa.Column("lease_until", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_shadows"),
    )
    running = sa.text("stopped_at IS NULL")
    op.create_index("uq_shadows_running", "shadows", ["pack"], unique=True, sqlite_where=running, postgresql_where=running)
    op.create_table(
        "shadow_cases",
        sa.Column("shadow_id", sa.String(26), nullable=False),
        sa.Column("seq", Position, nullable=False, autoincrement=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shadow_id", "seq", name="pk_shadow_cases"),
        sa.ForeignKeyConstraint(["shadow_id"], ["shadows.id"], name="fk_shadow_cases_shadow_id_shadows"),
    )


def _outbox() -> None:
    op.create_table(
        "channels",
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("trouble", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("department", name="pk_channels"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(120), nullable=False),
        sa.Column("seq", Position, nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("lease_until", Moment),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("last_error", sa.Text),
        sa.Column("finished_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_outbox_case_id_cases"),
    )
    op.create_index("ix_outbox_seq", "outbox", ["seq"])
    op.create_index("ix_outbox_case_id_seq", "outbox", ["case_id", "seq"])
    op.create_index("ix_outbox_department_seq", "outbox", ["department", "seq"])
    pending, undone = sa.text("state = 'pending'"), sa.text("state != 'done'")
    op.create_index("ix_outbox_pending", "outbox", ["department", "due_at"], sqlite_where=pending, postgresql_where=pending)
    op.create_index("ix_outbox_undone", "outbox", ["seq"], sqlite_where=undone, postgresql_where=undone)


def _rulesets() -> None:
    op.create_table(
        "rulesets",
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("overruled", sa.Text),
        sa.PrimaryKeyConstraint("pack", "version", name="pk_rulesets"),
    )
    op.create_table(
        "active_rulesets",
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("pack", name="pk_active_rulesets"),
    )
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replicas"),
    )


def _workbench() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("base", sa.Integer),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("editors", sa.Text, nullable=False),
        sa.Column("keys", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.Column("published", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
    )
    op.create_index("ix_drafts_pack_state_updated_at", "drafts", ["pack", "state", "updated_at"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("draft_id", sa.String(26), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", Moment),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_draft_id_asked_at", "approvals", ["draft_id", "asked_at"])
    op.create_index("ix_approvals_pack_digest", "approvals", ["pack", "digest"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("draft_id", sa.String(26), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("against", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("finished_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"])


def _register() -> None:
    op.create_table(
        "institutions",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.String(40)),
        sa.Column("department", sa.String(64)),
        sa.Column("licence", sa.Text),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("street", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_institutions"),
        sa.UniqueConstraint("name", name="uq_institutions_name"),
        sa.UniqueConstraint("licence", name="uq_institutions_licence"),
    )
    op.create_table(
        "institution_aliases",
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("institution_id", sa.String(26), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("alias", name="pk_institution_aliases"),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name="fk_institution_aliases_institution_id_institutions"),
    )
    op.create_index("ix_institution_aliases_institution_id_rank", "institution_aliases", ["institution_id", "rank"])
    heads = sa.table("heads", sa.column("name"), sa.column("value"), sa.column("hash"))
    op.bulk_insert(heads, [{"name": "register", "value": 0, "hash": "0" * 64}])


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", Moment),
        sa.Column("revoked_at", Moment),
        sa.Column("replaced_by", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("identity", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_sessions_key_id_api_keys"),
    )
    op.create_table(
        "sign_ons",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(64), nullable=False),
        sa.Column("back_to", sa.Text, nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_sign_ons"),
    )
    heads = sa.table("heads", sa.column("name"), sa.column("value"), sa.column("hash"))
    op.bulk_insert(heads, [{"name": "api_keys", "value": 0, "hash": "0" * 64}])


def _kinship() -> None:
    op.create_table(
        "incidents",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("opened_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_incidents"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_incidents_case_id_cases"),
    )
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    op.create_table(
        "marks",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("mark", sa.String(80), nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("kind", "mark", "received_at", "case_id", name="pk_marks"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_marks_case_id_cases"),
        sqlite_with_rowid=False,
    )
    named = sa.text("kind = 'name'")
    op.create_index("ix_marks_named", "marks", ["received_at", "mark"], sqlite_where=named, postgresql_where=named)
    op.create_table(
        "duplicates",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("other_id", sa.String(26), nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("basis", sa.String(8), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("decided_at", Moment),
        sa.Column("actor", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "other_id", name="pk_duplicates"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_duplicates_case_id_cases"),
        sa.ForeignKeyConstraint(["other_id"], ["cases.id"], name="fk_duplicates_other_id_cases"),
    )
    op.create_index("ix_duplicates_state_case_id_other_id", "duplicates", ["state", "case_id", "other_id"])
    op.create_index("ix_duplicates_other_id", "duplicates", ["other_id"])
