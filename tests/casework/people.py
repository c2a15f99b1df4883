"""The people of the tiny district, what they say with each move, and how a case comes into each state."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from models.case import Status
from models.decision import Urgency
from models.moves import MOVES, Move, Role
from models.requests import Request
from service import rulebook
from service.casework import SYSTEM, Actor, Ground, Terms, Work, decide_move, timing
from service.casework.work import Progress
from service.store import CaseDepartment
from tests.packs.build import tiny

BEIJING = ZoneInfo("Asia/Shanghai")

HOTLINE = Actor("周接线", "hotline")
ADMIN = Actor("管理员", "admin")
OFFICE = Actor("学统筹", "study_office")
GYM = Actor("李球场", "gym_office")
STAGE = Actor("王舞台", "stage_office")
MONEY = Actor("钱账目", "money_office")

TUESDAY = datetime(2026, 11, 24, 16, 20, tzinfo=BEIJING)
"""When the cases are dispatched: 签收、退单 until Thursday 17:00, 办理 until Wednesday 2 December 17:00."""

BODIES: Mapping[Move, Mapping[str, Any]] = {
    Move.ACCEPT: {},
    Move.HAND_BACK: {"reason_code": "not_ours", "text": "学的是舞蹈", "clause": "order-3", "suggested": "stage_office"},
    Move.UPHOLD: {},
    Move.REJECT: {"reason": "该机构教的是球类"},
    Move.RE_DISPATCH: {"lead": "stage_office", "reason": "舞台类"},
    Move.DESIGNATE: {"lead": "gym_office", "reason": "三次派单仍无法确定"},
    Move.EXTEND: {"working_days": 2, "reason": "机构负责人在外地", "approver": "赵主任"},
    Move.ASSIST_REPLY: {"text": "已核对账目"},
    Move.REPLY: {"text": "已责令退费"},
    Move.COMPLETE: {"waivers": [{"department": "money_office", "reason": "不涉及资金"}]},
    Move.FOLLOW_UP: {"solved": "yes", "satisfied": "no"},
    Move.REDO: {"reason": "仍未退费"},
    Move.ARCHIVE: {},
    Move.URGE: {},
    Move.SUPERVISE: {"reason": "群众反映强烈"},
    Move.REPORT: {},
    Move.RECLASSIFY: {"category": "stage", "reason": "是舞蹈"},
    Move.MERGE: {"into": "0" * 26, "reason": "同一件事"},
    Move.UNMERGE: {"reason": "不是同一件事"},
    Move.RETURN: {"reason_code": "out_adult", "text": "学的是成年人"},
    Move.PAUSE: {"reason": "等鉴定"},
    Move.RESUME: {},
    Move.RECOMPUTE: {},
}
"""What is said with each move, if nothing else is."""

BY_ROLE = {Role.HOTLINE: HOTLINE, Role.JOINT_OFFICE: OFFICE, Role.ADMIN: ADMIN, Role.LEAD: GYM, Role.ASSIST: MONEY, Role.SYSTEM: SYSTEM}

PATHS: Mapping[Status, tuple[Move, ...]] = {
    Status.DISPATCHED: (),
    Status.ESCALATED: (),
    Status.RETURNED: (Move.RETURN,),
    Status.ACCEPTED: (Move.ACCEPT,),
    Status.HANDED_BACK: (Move.HAND_BACK,),
    Status.REPLIED: (Move.ACCEPT, Move.REPLY),
    Status.COMPLETED: (Move.ACCEPT, Move.REPLY, Move.COMPLETE),
    Status.FOLLOWED_UP: (Move.ACCEPT, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP),
    Status.ARCHIVED: (Move.ACCEPT, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.ARCHIVE),
    Status.MERGED: (Move.MERGE,),
}
"""How a new case comes into each state."""


@cache
def terms() -> Terms:
    return Terms.of(rulebook.load(tiny()))


def body(move: Move, **said: Any) -> Request:
    """What is said with a move; every part can be said differently."""
    return MOVES[move].body.model_validate({**BODIES[move], **said})


def person(move: Move) -> Actor:
    """Somebody who may make the move, on a case that the gym office leads."""
    return BY_ROLE[MOVES[move].who[0]]


def born(at: datetime = TUESDAY, rules: Terms | None = None, **changes: Any) -> Work:
    """A case just dispatched to the gym office, with the money office assisting."""
    rules = rules or terms()
    case = Work(
        id="1" * 26,
        version=1,
        status=Status.DISPATCHED,
        lead="gym_office",
        category="ball",
        urgency=Urgency.NORMAL,
        hops=1,
        complex=False,
        assists=(CaseDepartment(department="money_office", role="assist", issue="refund"),),
        clocks=(),
        progress=Progress(),
    )
    case = replace(case, **changes)
    clocks = timing.start(rules, timing.OF_A_DISPATCH, at, case.urgency, complex_case=case.complex)
    return case if "clocks" in changes else replace(case, clocks=clocks)


def ground(actor: Actor, now: datetime = TUESDAY, **facts: Any) -> Ground:
    """What stands beside a case; the case to merge into is another one, open."""
    return Ground(**{"now": now, "actor": actor, "terms": terms(), "target": born(id="0" * 26), **facts})


def make(case: Work, move: Move, actor: Actor | None = None, now: datetime = TUESDAY, **said: Any) -> Work:
    """The case after a move that is allowed."""
    return decide_move(case, move, body(move, **said), ground(actor or person(move), now)).case


def in_state(status: Status, **changes: Any) -> Work:
    """A case that came into this state by its moves."""
    case = born(**({"status": status} if not PATHS[status] else {}) | changes)
    for minutes, move in enumerate(PATHS[status], 1):
        case = make(case, move, now=TUESDAY + timedelta(minutes=minutes))
    return case
