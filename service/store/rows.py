"""What the store takes and gives: plain frozen rows. JSON is text here, made and read by those who own its shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models.past import PastCase

Role = Literal["lead", "assist"]
Opinion = Literal["given", "waived"]
Order = Literal["created", "changed"]
Cursor = tuple[str, str] | tuple[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDepartment:
    """A department's part in a case."""

    department: str
    role: Role
    issue: str | None = None
    opinion: Opinion | None = None
    opinion_at: datetime | None = None
    opinion_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a new case and a stored one have in common."""

    id: str
    source_system: str
    source_order_no: str
    body_hash: str
    received_at: datetime
    created_at: datetime
    status: str
    decision: str
    reason_code: str
    lead: str | None
    category: str | None
    urgency: str
    demand_type: str | None
    street: str | None
    title: str
    content: str
    institution: str
    address: str
    details: str
    complainant: bytes | None
    triage: str
    issues: str
    ruleset_version: int
    ruleset_digest: str
    departments: tuple[CaseDepartment, ...]
    hops: int = 0
    complex: bool = False
    clocks: str = "[]"
    progress: str = "{}"
    merged_into: str | None = None
    alarm: str | None = None
    struck_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be written; the store numbers and chains it."""

    at: datetime
    kind: str
    actor: str
    case_id: str | None = None
    data: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTimer:
    """When a case must be looked at next, and why."""

    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase(Case):
    """A case to be stored; `client` and `idempotency_key` are whose key it is and what the key says.

    `by_key` is the access key by which it came; `also` are events that are written with its birth, behind all births of the transaction.
    """

    actor: str
    by_key: str | None = None
    client: str = ""
    idempotency_key: str | None = None
    timer: NewTimer | None = None
    also: tuple[NewEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow(Case):
    """A stored case; `seq` is the position of its last change in the feed."""

    version: int
    updated_at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a new case: the one stored, the same as a stored one, or in conflict with it (and by what)."""

    result: Literal["created", "same", "conflict"]
    case: Case
    by: Literal["order", "key"] | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of the feed."""

    seq: int
    at: datetime
    kind: str
    case_id: str | None
    actor: str
    data: str
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveKey:
    """A client's idempotency key, what it was used for, and the event that answered; `seq` is not known before."""

    client: str
    key: str
    request_hash: str
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What officers said would have been right, beside what was decided; `version` is the case's that the correction made."""

    category: str | None
    lead: str | None
    decided_category: str | None
    decided_lead: str | None
    version: int
    ruleset_version: int
    at: datetime
    actor: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMove:
    """All that a move writes. `departments` None: they stay as they are. `also` are events behind the move's own."""

    case_id: str
    version: int
    status: str
    lead: str | None
    category: str | None
    hops: int
    complex: bool
    clocks: str
    progress: str
    merged_into: str | None
    alarm: str | None
    due_at: datetime | None
    departments: tuple[CaseDepartment, ...] | None
    timer: NewTimer | None
    event: NewEvent
    also: tuple[NewEvent, ...] = ()
    note: str | None = None
    truth: Truth | None = None
    key: MoveKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A timer that was claimed; `fence` tells this claim from all others."""

    case_id: str
    kind: str
    due_at: datetime
    fence: int


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the chain found: rows read, the last position, and the first broken row with what is wrong there."""

    rows: int
    head: int
    broken: int | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases are wanted; None asks nothing. `created_to` itself is outside, `updated_since` inside."""

    status: str | None = None
    decision: str | None = None
    department: str | None = None
    lead: str | None = None
    category: str | None = None
    urgency: str | None = None
    source_system: str | None = None
    source_order_no: str | None = None
    merged_into: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_since: datetime | None = None
    street: str | None = None
    issue: str | None = None
    due_before: datetime | None = None
    missing: Literal["lead", "category", "street"] | None = None
    incident: bool | None = None
    marks: tuple[tuple[str, str], ...] | None = None
    """Kind and mark: of which a case must have one."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases, and where the next page begins if there is one."""

    cases: list[CaseRow]
    next: Cursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRuleset:
    """A rule set to be published: its files by name, whose work it is, and why it may be published in spite of what speaks against it."""

    pack: str
    digest: str
    files: Mapping[str, str]
    author: str
    created_at: datetime
    note: str = ""
    parent: int | None = None
    overruled: str | None = None
    approved_by: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetRow:
    """A published version, without its files."""

    pack: str
    version: int
    digest: str
    author: str
    note: str
    created_at: datetime
    parent: int | None
    overruled: str | None
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A process that serves, the version by which it decides, and when it last said so."""

    id: str
    pack: str
    version: int
    digest: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is counted of a rule (term "") or of one of its terms, by the version that decided and the month in which cases came."""

    rule: str
    term: str
    version: int
    month: str
    rights: int
    wrongs: int
    beside: int
    handed_back: int
    upheld: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """A rule that was wrong in a case: what it supports, and its terms as JSON."""

    rule: str
    supports: str
    terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCase:
    """A case in which a rule was wrong: its text, its decision, and the verdict that says so."""

    rule: str
    case_id: str
    at: datetime
    supports: str
    terms: str
    title: str
    content: str
    triage: str
    complainant: bytes | None
    ruleset_version: int
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """A draft that is kept, without its files. `version` counts its edits; `state` is open, published or discarded."""

    id: str
    pack: str
    title: str
    base: int | None
    digest: str
    version: int
    state: str
    author: str
    editors: tuple[str, ...]
    keys: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    updated_by: str
    published: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """A second person's part: asked, then approved, refused or withdrawn; used once the content was published."""

    id: str
    pack: str
    draft_id: str
    digest: str
    state: str
    asked_by: str
    asked_at: datetime
    note: str
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A long piece of work: waiting, running, then done, failed or cancelled. `result` is JSON."""

    id: str
    kind: str
    pack: str
    draft_id: str
    digest: str
    against: int
    state: str
    done: int
    total: int
    actor: str
    created_at: datetime
    seen_at: datetime
    result: str | None = None
    error: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A rule that the ledger took out of force: by which version, why, what had been counted; who let it out again, and why."""

    pack: str
    rule: str
    version: int
    at: datetime
    why: str
    rights: int
    wrongs: int
    released_at: datetime | None = None
    released_by: str | None = None
    released_version: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRow:
    """A draft that runs, or ran, beside the version in force, without its files."""

    id: str
    pack: str
    digest: str
    origin: str
    author: str
    note: str
    started_at: datetime
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    position: int
    cases: int = 0
    agreed: int = 0
    issues_changed: int = 0
    holder: str | None = None
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A case that came in, by the position of its birth in the feed."""

    seq: int
    case: PastCase


@dataclass(frozen=True, slots=True)
class ShadowCase:
    """A case that a shadow would have decided otherwise; how, as JSON."""

    seq: int
    case_id: str
    body: str


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict as text, and beside it what is looked for: whose the case is, that it is none of ours, whether the decision stands."""

    lead: str | None
    outside: str | None
    stands: bool | None
    body: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """A past case with the verdict on it, as text."""

    case: PastCase
    verdict: str
