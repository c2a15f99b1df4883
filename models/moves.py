"""States and moves of a case in one table, from which the code, the API's words and the README are made.

A row says: from which states, by whom, with what said, under which conditions, to which state, and what is written besides the
event, the version and the case's next timer, which every move writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.case import Status
from models.requests import (
    Accept,
    Because,
    Complete,
    Dispatch,
    Extend,
    FollowUp,
    HandBack,
    Merge,
    Plain,
    Reclassify,
    Reply,
    Request,
    Return,
)

STATUS_NAMES: Mapping[Status, str] = {
    Status.DISPATCHED: "已派单",
    Status.ESCALATED: "提级牵头",
    Status.RETURNED: "已退回热线",
    Status.ACCEPTED: "已签收",
    Status.HANDED_BACK: "已退单",
    Status.REPLIED: "已答复",
    Status.COMPLETED: "已办结",
    Status.FOLLOWED_UP: "已回访",
    Status.ARCHIVED: "已归档",
    Status.MERGED: "已并单",
}


class Move(StrEnum):
    """动作."""

    ACCEPT = "accept"
    HAND_BACK = "hand-back"
    UPHOLD = "uphold"
    REJECT = "reject"
    RE_DISPATCH = "re-dispatch"
    DESIGNATE = "designate"
    EXTEND = "extend"
    ASSIST_REPLY = "assist-reply"
    REPLY = "reply"
    COMPLETE = "complete"
    FOLLOW_UP = "follow-up"
    REDO = "redo"
    ARCHIVE = "archive"
    URGE = "urge"
    SUPERVISE = "supervise"
    REPORT = "report"
    RECLASSIFY = "reclassify"
    MERGE = "merge"
    UNMERGE = "unmerge"
    RETURN = "return"
    PAUSE = "pause"
    RESUME = "resume"
    RECOMPUTE = "recompute"


class Role(StrEnum):
    """Who acts, seen from the case."""

    HOTLINE = "hotline"
    LEAD = "lead"
    ASSIST = "assist"
    JOINT_OFFICE = "joint_office"
    ADMIN = "admin"
    SYSTEM = "system"


ROLE_NAMES: Mapping[Role, str] = {
    Role.HOTLINE: "热线",
    Role.LEAD: "主办单位",
    Role.ASSIST: "协办单位",
    Role.JOINT_OFFICE: "统筹单位",
    Role.ADMIN: "管理员",
    Role.SYSTEM: "系统",
}


class Stay(StrEnum):
    """Where a move leads that has no state of its own."""

    SAME = "不变"
    BEFORE = "并单前的状态"
    MOVED = "不变；正在签收或办理中的案件改了主办，提级的案件确认了主办，为已派单"


class Guard(StrEnum):
    """A condition of a move, beyond state and person."""

    HAND_BACK_IN_TIME = "在退单期限之内（届满后应当办理）"
    NOT_DESIGNATED = "不是指定承办的案件"
    NOT_REDONE = "不是重办的案件"
    NOT_REJECTED = "本次派单的退单没有被驳回过"
    NOT_RULED = "这次退单还没有裁定"
    DISPATCHES_LEFT = "派单还没有满规定次数（缺省三次）"
    DISPATCHES_USED = "派单已满规定次数（缺省三次）"
    EXTENDABLE = "在办理期限届满之前；次数和天数不超过规定（缺省一次、至多 5 个工作日）"
    OPINIONS_IN = "每个协办单位都有意见，或写明理由免除"
    CORRECTS = "与现在的类别或主办单位不同，或写明了问题类型，或确认提级案件的主办单位"
    MERGE_TARGET = "并入的是另一个没有并单、退回、归档的案件"
    NO_MEMBERS = "没有其他案件并入本案"
    RUNNING = "有期限正在计时"
    PAUSED = "期限正在暂停"
    RECOMPUTES = "按在用的日历重算，结果与原来不同"
    CORRECTION_DISPATCHES = "须改派的，派单还没有满规定次数（缺省三次）"
    DUE = "系统做时，定时器已到期"


class Effect(StrEnum):
    """What a move writes, beyond state, event, version and timer."""

    RECEIVE = "签收期限销号"
    STOP = "各项期限停止"
    DISPATCH = "主办、协办；派单次数加一；签收、退单、办理期限重新起算"
    DESIGNATE = "指定承办的标记"
    EXTEND = "办理期限延长"
    OPINION = "本单位的协办意见"
    WAIVE = "免除的协办意见"
    HANDLE = "办理期限销号"
    AWAIT_FOLLOW_UP = "回访期限起算"
    FOLLOW_UP = "回访结果；回访期限销号"
    REDO = "重办次数加一；办理期限重新起算"
    HAND_BACK = "退单次数加一；第二次起转为督办件"
    UPHOLD = "退单成立，计入规则台账；等待改派、指定或退回热线"
    REJECT = "退单不成立，发还原主办单位；签收、办理期限重新起算，本次派单不能再退单"
    URGE = "催办次数加一"
    SUPERVISE = "督办件的标记"
    REPORT = "签收超时的标记"
    CORRECT = "更正后的类别、主办，作为正确答案留存；改派的同时按派单处理"
    LINK = "并入的案件；各项期限暂停"
    UNLINK = "解除并入；各项期限恢复"
    WITHDRAW = "主办单位清空"
    PAUSE = "各项期限暂停"
    RESUME = "各项期限恢复并顺延"
    RECOMPUTE = "各项期限重算"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    move: Move
    name: str
    event: str
    origins: tuple[Status, ...]
    target: Status | Stay
    who: tuple[Role, ...]
    body: type[Request]
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def by_people(self) -> bool:
        """Whether anybody but the system may do it."""
        return self.who != (Role.SYSTEM,)


_WAITING = (Status.DISPATCHED, Status.ESCALATED)
_WITH_LEAD = (*_WAITING, Status.ACCEPTED)
_OPEN = (*_WITH_LEAD, Status.REPLIED)
_UNDECIDED = (Status.HANDED_BACK, Status.RETURNED)
_OFFICE = (Role.JOINT_OFFICE, Role.ADMIN)
_DESK = (Role.HOTLINE, *_OFFICE)

_ROWS = (
    Row(Move.ACCEPT, "签收", "case.accepted", _WAITING, Status.ACCEPTED, (Role.LEAD,), Accept, (), (Effect.RECEIVE,)),
    Row(
        Move.HAND_BACK,
        "退单",
        "case.handed_back",
        _WITH_LEAD,
        Status.HANDED_BACK,
        (Role.LEAD,),
        HandBack,
        (Guard.NOT_DESIGNATED, Guard.NOT_REDONE, Guard.NOT_REJECTED, Guard.HAND_BACK_IN_TIME),
        (Effect.HAND_BACK, Effect.STOP),
    ),
    Row(
        Move.UPHOLD,
        "同意退单",
        "case.hand_back_upheld",
        (Status.HANDED_BACK,),
        Stay.SAME,
        _DESK,
        Plain,
        (Guard.NOT_RULED,),
        (Effect.UPHOLD,),
    ),
    Row(
        Move.REJECT,
        "驳回退单",
        "case.hand_back_rejected",
        (Status.HANDED_BACK,),
        Status.DISPATCHED,
        _DESK,
        Because,
        (Guard.NOT_RULED,),
        (Effect.REJECT,),
    ),
    Row(
        Move.RE_DISPATCH,
        "改派",
        "case.re_dispatched",
        _UNDECIDED,
        Status.DISPATCHED,
        _DESK,
        Dispatch,
        (Guard.DISPATCHES_LEFT,),
        (Effect.DISPATCH,),
    ),
    Row(
        Move.DESIGNATE,
        "指定承办",
        "case.designated",
        _UNDECIDED,
        Status.DISPATCHED,
        _OFFICE,
        Dispatch,
        (Guard.DISPATCHES_USED,),
        (Effect.DISPATCH, Effect.DESIGNATE),
    ),
    Row(
        Move.EXTEND,
        "延期",
        "case.extended",
        (Status.ACCEPTED, Status.REPLIED),
        Stay.SAME,
        (Role.LEAD, *_OFFICE),
        Extend,
        (Guard.EXTENDABLE,),
        (Effect.EXTEND,),
    ),
    Row(Move.ASSIST_REPLY, "协办反馈", "case.assist_replied", _OPEN, Stay.SAME, (Role.ASSIST,), Reply, (), (Effect.OPINION,)),
    Row(Move.REPLY, "答复", "case.replied", (Status.ACCEPTED, Status.REPLIED), Status.REPLIED, (Role.LEAD,), Reply),
    Row(
        Move.COMPLETE,
        "办结",
        "case.completed",
        (Status.REPLIED,),
        Status.COMPLETED,
        (Role.LEAD,),
        Complete,
        (Guard.OPINIONS_IN,),
        (Effect.WAIVE, Effect.HANDLE, Effect.AWAIT_FOLLOW_UP),
    ),
    Row(Move.FOLLOW_UP, "回访", "case.followed_up", (Status.COMPLETED,), Status.FOLLOWED_UP, _DESK, FollowUp, (), (Effect.FOLLOW_UP,)),
    Row(Move.REDO, "重办", "case.redone", (Status.FOLLOWED_UP,), Status.ACCEPTED, _DESK, Because, (), (Effect.REDO, Effect.SUPERVISE)),
    Row(Move.ARCHIVE, "归档", "case.archived", (Status.FOLLOWED_UP, Status.RETURNED), Status.ARCHIVED, _DESK, Plain),
    Row(
        Move.URGE,
        "催办",
        "case.urged",
        (*_OPEN, Status.HANDED_BACK, Status.COMPLETED),
        Stay.SAME,
        (*_DESK, Role.SYSTEM),
        Plain,
        (Guard.DUE,),
        (Effect.URGE,),
    ),
    Row(
        Move.SUPERVISE,
        "督办",
        "case.supervised",
        (*_OPEN, Status.HANDED_BACK),
        Stay.SAME,
        (*_OFFICE, Role.SYSTEM),
        Because,
        (Guard.DUE,),
        (Effect.SUPERVISE,),
    ),
    Row(
        Move.REPORT,
        "签收超时上报",
        "case.receipt_missed",
        _WAITING,
        Stay.SAME,
        (Role.SYSTEM,),
        Plain,
        (Guard.DUE,),
        (Effect.REPORT,),
    ),
    Row(
        Move.RECLASSIFY,
        "更正",
        "case.reclassified",
        (*_OPEN, *_UNDECIDED, Status.COMPLETED, Status.FOLLOWED_UP, Status.ARCHIVED),
        Stay.MOVED,
        _DESK,
        Reclassify,
        (Guard.CORRECTS, Guard.CORRECTION_DISPATCHES),
        (Effect.CORRECT,),
    ),
    Row(
        Move.MERGE,
        "并单",
        "case.merged",
        (*_OPEN, *_UNDECIDED),
        Status.MERGED,
        (*_DESK, Role.SYSTEM),
        Merge,
        (Guard.NO_MEMBERS, Guard.MERGE_TARGET),
        (Effect.LINK,),
    ),
    Row(Move.UNMERGE, "拆单", "case.unmerged", (Status.MERGED,), Stay.BEFORE, _DESK, Because, (), (Effect.UNLINK,)),
    Row(
        Move.RETURN,
        "退回热线",
        "case.returned",
        (*_WITH_LEAD, Status.HANDED_BACK),
        Status.RETURNED,
        _OFFICE,
        Return,
        (),
        (Effect.STOP, Effect.WITHDRAW),
    ),
    Row(Move.PAUSE, "暂停计时", "case.paused", _OPEN, Stay.SAME, _OFFICE, Because, (Guard.RUNNING,), (Effect.PAUSE,)),
    Row(Move.RESUME, "恢复计时", "case.resumed", _OPEN, Stay.SAME, _OFFICE, Plain, (Guard.PAUSED,), (Effect.RESUME,)),
    Row(
        Move.RECOMPUTE,
        "重算期限",
        "case.recomputed",
        (*_OPEN, Status.COMPLETED),
        Stay.SAME,
        (*_OFFICE, Role.SYSTEM),
        Plain,
        (Guard.RECOMPUTES,),
        (Effect.RECOMPUTE,),
    ),
)

MOVES: Mapping[Move, Row] = {row.move: row for row in _ROWS}
"""The table."""
