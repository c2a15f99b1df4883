"""What an officer says of a suspected duplicate: the same, and one case is merged into the other by the usual move; or not the same."""

from dataclasses import replace
from typing import Any

import orjson

from models.moves import MOVES, ROLE_NAMES, Move, Role
from models.requests import Merge
from service import store
from service.casework import Actor, Made, Now, Ordered, Terms, carry_out, within, work_of
from service.casework.errors import NotYours
from service.errors import Conflict, NotFound
from service.store import Event, NewEvent, ProposalRow


class ProposalNotFound(NotFound):
    """没有提示过这两个案件可能重复。"""

    code = "duplicate_not_found"
    title = "没有这处疑似重复"


class ProposalDecided(Conflict):
    """这处疑似重复已有决定。"""

    code = "duplicate_decided"
    title = "已有决定"


def accept(conn: Any, ordered: Ordered, other_id: str, terms: Terms, now: Now) -> Made:
    """Merge the later case into the earlier one; the move and the verdict are one transaction."""
    store.take_head(conn)
    proposal = _pending(conn, ordered.case_id, other_id)
    note = ordered.body.words().get("note", "") if ordered.body else ""
    merge = Merge(into=other_id, reason=note or f"与案件 {other_id} 重复（相近 {proposal.score}%），经核实并单。")
    made = carry_out(conn, replace(ordered, move=Move.MERGE, body=merge), terms, now)
    store.decide_proposal(conn, proposal, "accepted", actor=ordered.actor.name, note=note, at=made.event.at)
    return made


def dismiss(
    conn: Any, pair: tuple[str, str], who: tuple[Actor, str | None], note: str, terms: Terms, now: Now
) -> tuple[ProposalRow, Event]:
    """Keep both; the pair is not proposed again."""
    store.take_head(conn)
    actor, reach = who
    proposal, at = _pending(conn, *pair), now(conn)
    row = store.get_case(conn, proposal.case_id)
    if row is None or not within(row, reach):
        raise ProposalNotFound
    if actor.roles(work_of(row), terms).isdisjoint(MOVES[Move.MERGE].who):
        may = "、".join(ROLE_NAMES[role] for role in MOVES[Move.MERGE].who if role is not Role.SYSTEM)
        raise NotYours(f"是否重复由{may}来定，{actor.title(terms)}不能做。")
    decided = store.decide_proposal(conn, proposal, "dismissed", actor=actor.name, note=note, at=at)
    data = orjson.dumps({"other_id": proposal.other_id, "department": actor.department}).decode()
    new = NewEvent(at=at, kind="case.duplicate_dismissed", actor=actor.name, case_id=proposal.case_id, data=data)
    return decided, store.append_events(conn, [new])[0]


def _pending(conn: Any, case_id: str, other_id: str) -> ProposalRow:
    proposal = store.get_proposal(conn, case_id, other_id)
    if proposal is None:
        raise ProposalNotFound
    if proposal.state != "pending":
        raise ProposalDecided
    return proposal
