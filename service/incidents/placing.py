"""A new case finds its place, within the transaction around it: marked, into an incident, or beside what it may be a duplicate of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from models.case import Status
from models.incidents import Likeness
from models.moves import Move
from models.requests import Merge
from service import ledger, store
from service.casework import SYSTEM, Ground, Terms, decide_move, of_move, work_of
from service.errors import Refusal
from service.incidents.likeness import story_score, telling, text_score
from service.incidents.opening import Member, institution, open_incident
from service.incidents.traits import ADDRESS, BAND, MUTE, NAME, SURE_BY_SOUND, Kin, Traits
from service.store import CaseRow, IncidentRow, Mark, NewEvent, ProposalRow

OF_INCIDENT = "in-"
"""Before the kinds of marks that are an incident's own."""
JOINS = frozenset({Status.DISPATCHED, Status.ESCALATED, Status.ACCEPTED})
"""States from which a case may be merged into an incident without anybody's word: nobody has answered yet."""
TAKES = frozenset({*JOINS, Status.REPLIED, Status.HANDED_BACK})
"""States in which an incident takes more."""
CLOSED = frozenset({Status.MERGED, Status.RETURNED, Status.ARCHIVED})
KEPT = 4_000
"""Sounds of texts that are kept at hand."""
PROPOSALS = 3
"""A case is proposed as a duplicate of so many others at most: the likest."""
SHOWN = 12
"""Words in common that are kept with a proposal."""


LONG_NUMBER = 7
"""A number of so many digits may be somebody's; it counts for likeness, but is not written down."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What placing works with."""

    conn: Any
    kin: Kin
    terms: Terms
    now: datetime


def place(bench: Bench, case: Traits) -> None:
    """Mark the case; then it joins an incident, or opens one with others, or is compared with those it may repeat."""
    store.add_marks(bench.conn, case.marks())
    row = store.cases_by_id(bench.conn, [case.case_id]).get(case.case_id)
    if row is None or not _is_free(row):
        return  # moved by somebody since it came in
    if bench.kin.file.opening is not None and bench.kin.counts(case) and _join(bench, Member(row, case)):
        return
    if bench.kin.file.duplicates is not None:
        _propose(bench, case, bench.kin.file.duplicates)


def _is_free(row: CaseRow) -> bool:
    """Whether it may be merged by us: nobody has answered it, nor taken it out of where it was."""
    return row.status in JOINS and Move.UNMERGE not in orjson.loads(row.progress).get("last", {})


# Incidents ----------------------------------------------------------------------------------------------------------------------


def _join(bench: Bench, case: Member) -> bool:
    incident = _incident_of(bench, case.traits)
    if incident is not None:
        return _link(bench, case, incident.case.id)
    members = _gathered(bench, case)
    opening = bench.kin.file.opening
    if opening is None or len(members) < opening.members:
        return False
    _open(bench, members)
    return True


def _incident_of(bench: Bench, case: Traits) -> IncidentRow | None:
    """The newest incident about the institution of the case that still takes more."""
    opening = bench.kin.file.opening
    assert opening is not None  # noqa: S101 (asked by the caller)
    reach, conn = timedelta(hours=opening.attach_hours), bench.conn
    signs = [*case.signs(), *((NAME, name) for name in _mentioned(bench, case, reach))]
    ids = {id_ for kind, mark in signs for id_ in store.marked_ever(conn, OF_INCIDENT + kind, [mark])}
    for incident in sorted(store.incidents_of(conn, ids), key=lambda incident: incident.case.id, reverse=True):
        if incident.last_at is None or incident.first_at is None or incident.case.status not in TAKES:
            continue
        if incident.first_at - reach <= case.received_at <= incident.last_at + reach:
            return incident
    return None


def _gathered(bench: Bench, case: Member) -> list[Member]:
    """The most cases about the institution, this one among them, that lie no further apart than an incident's do."""
    reach, at = bench.kin.reach, case.traits.received_at
    kin = [member for member in _about(bench, case.traits, reach) if _is_free(member.row) and bench.kin.counts(member.traits)]
    members = sorted([case, *kin], key=lambda member: (member.row.received_at, member.row.id))
    windows = (
        [other for other in members if start <= other.row.received_at <= start + reach]
        for start in (member.row.received_at for member in members if member.row.received_at <= at <= member.row.received_at + reach)
    )
    return max(windows, key=len)


def _open(bench: Bench, members: list[Member]) -> None:
    new = open_incident(bench.kin, bench.terms, members, bench.now)
    outcome = store.insert_cases(bench.conn, [new])[0]
    if outcome.result != "created":
        structlog.get_logger().error("incident_number_taken", order_no=new.source_order_no)
        return
    store.add_incident(bench.conn, new.id, institution(members), bench.now)
    signs = {sign for member in members for sign in member.traits.signs() if sign[0] != ADDRESS or member.traits.name is None}
    own = [Mark(kind=OF_INCIDENT + kind, mark=mark, received_at=new.received_at, case_id=new.id) for kind, mark in sorted(signs)]
    store.add_marks(bench.conn, own)
    for member in members:
        _link(bench, member, new.id)


def _link(bench: Bench, case: Member, into: str) -> bool:
    """Merge the case into the incident, by the move that officers use; what it may not do, we do not do either."""
    target = store.get_case(bench.conn, into)
    row = store.get_case(bench.conn, case.row.id)
    if target is None or row is None:
        return False
    work = work_of(row)
    ground = Ground(bench.now, bench.terms, SYSTEM, work_of(target), store.count_members(bench.conn, row.id))
    reason = f"与群体事件反映同一家机构“{target.institution}”，由系统并入；不是同一件事的请拆单。"
    try:
        outcome = decide_move(work, Move.MERGE, Merge(into=into, reason=reason), ground)
    except Refusal as refused:
        structlog.get_logger().info("incident_not_joined", case=row.id, into=into, code=refused.code)
        return False
    ledger.post(bench.conn, row, store.write_move(bench.conn, of_move(outcome, ground)))
    _settle(bench, row.id, into)
    return True


def _settle(bench: Bench, case_id: str, into: str) -> None:
    """Two that are in one incident need not be asked about any more."""
    for proposal in store.pending_with(bench.conn, case_id):
        pair = store.cases_by_id(bench.conn, [proposal.case_id, proposal.other_id])
        if all(row.merged_into == into for row in pair.values()):
            why = f"两件都已并入群体事件 {into}"
            store.decide_proposal(bench.conn, proposal, "dismissed", actor=SYSTEM.name, note=why, at=bench.now)
            _tell(bench, "case.duplicate_dismissed", proposal.case_id, {"other_id": proposal.other_id, "department": SYSTEM.department})


# Who is about the same institution ------------------------------------------------------------------------------------------------


def _about(bench: Bench, case: Traits, reach: timedelta) -> list[Member]:
    """The other cases about the institution of this one, not further from it than this."""
    conn, since, until = bench.conn, case.received_at - reach, case.received_at + reach
    signs = [*case.signs(), *((NAME, name) for name in _mentioned(bench, case, reach))]
    ids = {id_ for kind, mark in signs for id_ in store.marked(conn, kind, [mark], since, until)}
    if case.name is not None and len(case.name) >= SURE_BY_SOUND:
        ids |= {id_ for id_, sound in _sounds(bench, store.marked(conn, MUTE, [""], since, until)) if case.name in sound}
    return [member for member in _members(bench, ids - {case.case_id}) if case.is_about(member.traits)]


def _sounds(bench: Bench, ids: list[str]) -> Iterator[tuple[str, str]]:
    """How the texts of these cases sound. They never change, so what was read once is kept for a while."""
    heard = bench.kin.heard
    for id_, title, content in store.texts_of(bench.conn, [id_ for id_ in ids if id_ not in heard]):
        heard[id_] = bench.kin.sound(title, content)
    yield from ((id_, heard[id_]) for id_ in ids if id_ in heard)
    while len(heard) > KEPT:
        del heard[next(iter(heard))]


def _mentioned(bench: Bench, case: Traits, reach: timedelta) -> list[str]:
    """The names that others told and that stand in the text of a case without one."""
    if case.name is not None:
        return []
    names = store.names_told(bench.conn, case.received_at - reach, case.received_at + reach)
    return [name for name in names if case.mentions(name)]


def _members(bench: Bench, ids: Iterable[str]) -> Iterator[Member]:
    rows = store.cases_by_id(bench.conn, sorted(ids))
    return (Member(row, bench.kin.traits(row)) for row in rows.values())


# Duplicates -----------------------------------------------------------------------------------------------------------------------


def _propose(bench: Bench, case: Traits, how: Likeness) -> None:
    """Propose the likest of the earlier cases; an officer says whether it is the same."""
    reach, conn = timedelta(days=how.days), bench.conn
    found: dict[str, Member] = {member.row.id: member for member in _about(bench, case, reach)}
    same = set(found)
    like = set(store.marked(conn, BAND, case.bands, case.received_at - reach, case.received_at + reach))
    found |= {member.row.id: member for member in _members(bench, like - same - {case.case_id})}
    proposals = [
        proposal
        for id_, member in found.items()
        if member.row.status not in CLOSED and (proposal := _compared(bench, case, member, how, same_institution=id_ in same))
    ]
    for proposal in sorted(proposals, key=lambda proposal: (-proposal.score, proposal.other_id))[:PROPOSALS]:
        _write(bench, proposal)


def _compared(bench: Bench, case: Traits, member: Member, how: Likeness, *, same_institution: bool) -> ProposalRow | None:
    other, weight = member.traits, bench.kin.weight
    common = case.words & other.words
    text = text_score(case.text, other.text, how.text)
    story = story_score(case.words, other.words, weight) if same_institution and len(common) >= how.words else 0
    if not text and story < how.story:
        return None
    shown = [word for word in telling(common, weight) if not (word.isdigit() and len(word) >= LONG_NUMBER)]
    words = orjson.dumps(shown[:SHOWN]).decode()
    return ProposalRow(
        case_id=case.case_id,
        other_id=other.case_id,
        score=text or story,
        basis="text" if text else "story",
        words=words,
        state="pending",
        proposed_at=bench.now,
    )


def _write(bench: Bench, proposal: ProposalRow) -> None:
    store.add_proposal(bench.conn, proposal)
    told = {"other_id": proposal.other_id, "score": proposal.score, "basis": proposal.basis}
    _tell(bench, "case.duplicate_suspected", proposal.case_id, told)


def _tell(bench: Bench, kind: str, case_id: str, told: dict[str, Any]) -> None:
    event = NewEvent(at=bench.now, kind=kind, actor=SYSTEM.name, case_id=case_id, data=orjson.dumps(told).decode())
    store.append_events(bench.conn, [event])
