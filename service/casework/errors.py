"""Why a move is refused.

FenpaiError
└── Refusal
    ├── ActorMissing        400: nobody says who acts
    ├── ActorUnknown        400: a department that the rules do not know
    ├── ClocksMissing       404: the rules say nothing of time limits
    ├── NotYours            403: another one does this
    ├── Conflict
    │   ├── NotNow          409: not from this state
    │   └── GuardRefused    409: a condition is not met
    └── Stale               412: the case has changed since it was read
"""

from typing import Any

from models.moves import STATUS_NAMES, Move
from service.casework.work import Work
from service.errors import Conflict, NotFound, Refusal


class ActorMissing(Refusal):
    """请求头 X-Fenpai-Actor（谁）与 X-Fenpai-Department（以哪个单位的身份：单位代码、hotline 或 admin）都须写明。"""

    code = "actor_missing"
    title = "没有写明谁在操作"


class ActorUnknown(Refusal):
    """请求头 X-Fenpai-Department 不是规则集里的单位。"""

    code = "actor_unknown"
    title = "没有这个单位"


class ClocksMissing(NotFound):
    """在用的规则集没有时限（clocks.yaml）。"""

    code = "clocks_missing"
    title = "没有时限"


class NotYours(Refusal):
    """这个动作由别人来做。"""

    code = "not_yours"
    status = 403
    title = "不由本单位办理"


class NotNow(Conflict):
    """案件现在的状态不能这样做。"""

    code = "not_now"
    title = "状态不符"


class GuardRefused(Conflict):
    """条件不满足。"""

    code = "guard_refused"
    title = "条件不满足"


class Stale(Refusal):
    """案件在读取之后又有了变更。"""

    code = "stale"
    status = 412
    title = "案件已有变更"


def stale(case: Work) -> Stale:
    """With the present state, so that the officer sees what the other one did."""
    error = Stale(f"案件已是第 {case.version} 版，状态为{STATUS_NAMES[case.status]}，请按现在的状态重新决定；没有改动。")
    error.members = {"present": present(case)}
    return error


def present(case: Work) -> dict[str, Any]:
    """How the case stands, in short."""
    return {"id": case.id, "version": case.version, "status": case.status, "lead": case.lead, "hops": case.hops}


def with_allowed(error: Refusal, case: Work, allowed: list[Move]) -> Refusal:
    """The same refusal, told with what is allowed now."""
    error.members = {**error.members, "present": present(case), "allowed": allowed}
    return error
