"""The conditions of moves: each a pure function that says in Chinese what is missing, or nothing. One for each guard of the table.

A condition on what is said holds as long as nothing is said yet, so that the same functions tell what may be done now.
"""

from collections.abc import Callable, Mapping

from models.case import Status
from models.clocks import ClockKind
from models.moves import STATUS_NAMES, Guard, Move
from models.requests import Complete, Extend, Merge, Reclassify
from service.casework import timing
from service.casework.order import SYSTEM, Question
from service.casework.work import latest
from service.clocks import ExtensionRefused
from service.clocks.words import full

WITH_LEAD = frozenset({Status.DISPATCHED, Status.ESCALATED, Status.ACCEPTED})
"""States in which another lead means another dispatch."""

CLOSED = frozenset({Status.MERGED, Status.RETURNED, Status.ARCHIVED})


def hand_back_in_time(asked: Question) -> str | None:
    clock = asked.case.clock(ClockKind.HAND_BACK)
    if clock is None or clock.due is None or asked.ground.now <= clock.due:
        return None
    return f"退单期限已于{full(clock.due)}届满，逾期不能退单，应当办理。"


def not_designated(asked: Question) -> str | None:
    return "本案是指定承办的，不能退单。" if asked.case.progress.designated else None


def not_redone(asked: Question) -> str | None:
    # Sent to another department after it was redone, a case has a new time to hand it back.
    kept = asked.case.progress.redone and asked.case.clock(ClockKind.HAND_BACK) is None
    return "本案是重办的，不能退单。" if kept else None


def not_rejected(asked: Question) -> str | None:
    return "本次派单的退单已被驳回，不能再退，应当办理。" if asked.case.progress.rejected else None


def not_ruled(asked: Question) -> str | None:
    told, ruled = latest(asked.case, Move.HAND_BACK), latest(asked.case, Move.UPHOLD)
    return "这次退单已认定成立，请改派、指定承办或退回热线。" if ruled.get("version", 0) > told.get("version", 0) else None


def dispatches_left(asked: Question) -> str | None:
    most, hops = asked.ground.terms.most_dispatches, asked.case.hops
    return f"已派单 {hops} 次，满 {most} 次的只能由统筹单位指定承办。" if hops >= most else None


def dispatches_used(asked: Question) -> str | None:
    most, hops = asked.ground.terms.most_dispatches, asked.case.hops
    return None if hops >= most else f"派单 {hops} 次，满 {most} 次才能指定承办；现在可以改派。"


def extendable(asked: Question) -> str | None:
    days = asked.body.working_days if isinstance(asked.body, Extend) else 1
    if asked.case.clock(ClockKind.HANDLING) is None:
        return "没有正在计时的办理期限，不需要延期。"
    try:
        timing.extend(asked.ground.terms, asked.case.clocks, days, asked.ground.now)
    except ExtensionRefused as refused:
        return refused.detail
    return None


def opinions_in(asked: Question) -> str | None:
    return missing_opinions(asked) if isinstance(asked.body, Complete) else None


def missing_opinions(asked: Question) -> str | None:
    """Whose opinions are neither there nor waived."""
    waived = {waiver.department for waiver in asked.body.waivers} if isinstance(asked.body, Complete) else set()
    missing = [part.department for part in asked.case.assists if part.opinion is None and part.department not in waived]
    if not missing:
        return None
    names = "、".join(asked.ground.terms.name(department) for department in missing)
    return f"还没有这些协办单位的意见：{names}。请等其反馈，或在 waivers 中写明理由后免除。"


def corrects(asked: Question) -> str | None:
    case, body = asked.case, asked.body
    if not isinstance(body, Reclassify):
        return None
    if settles(asked):
        return None
    told = latest(case, Move.RECLASSIFY)
    category, lead = told.get("category") or case.category, told.get("lead") or case.lead
    same = body.issues is None and body.category in (None, category) and body.lead in (None, lead)
    return "类别和主办单位都与现在的相同，没有要更正的。" if same else None


def correction_dispatches(asked: Question) -> str | None:
    return dispatches_left(asked) if moves_lead(asked) else None


def moves_lead(asked: Question) -> bool:
    """Whether a correction sends the case to another department."""
    body = asked.body
    return isinstance(body, Reclassify) and body.lead not in (None, asked.case.lead) and asked.case.status in WITH_LEAD


def settles(asked: Question) -> bool:
    """Whether a correction names the lead that an escalated case has already: the doubt is over, and nothing moves."""
    body = asked.body
    return isinstance(body, Reclassify) and asked.case.status is Status.ESCALATED and body.lead is not None and body.lead == asked.case.lead


def merge_target(asked: Question) -> str | None:
    case, target = asked.case, asked.ground.target
    if not isinstance(asked.body, Merge):
        return None
    if target is None:
        return f"没有编号为 {asked.body.into} 的案件，不能并入。"
    if target.id == case.id:
        return "案件不能并入自己。"
    return f"案件 {target.id} {STATUS_NAMES[target.status]}，不能并入。" if target.status in CLOSED else None


def no_members(asked: Question) -> str | None:
    count = asked.ground.members
    return f"有 {count} 个案件并入了本案，请先拆单，或把它们并入同一个案件。" if count else None


def running(asked: Question) -> str | None:
    clocks = [clock for clock in asked.case.clocks if clock.running]
    if not clocks:
        return "没有正在计时的期限。"
    return "期限已在暂停。" if all(clock.paused for clock in clocks) else None


def paused(asked: Question) -> str | None:
    return None if any(clock.paused for clock in asked.case.clocks) else "期限没有暂停。"


def recomputes(asked: Question) -> str | None:
    case, ground = asked.case, asked.ground
    anew = timing.recompute(ground.terms, case.clocks, ground.now)
    return "重算的结果与现在的期限相同。" if timing.same_times(anew, case.clocks) else None


def due(asked: Question) -> str | None:
    if asked.ground.actor.department != SYSTEM.department:
        return None
    timer = timing.next_timer(asked.case.clocks)
    struck = timer is not None and timer.kind == asked.ground.timer and timer.due_at <= asked.ground.now
    return None if struck else "定时器没有到期。"


GUARDS: Mapping[Guard, Callable[[Question], str | None]] = {
    Guard.HAND_BACK_IN_TIME: hand_back_in_time,
    Guard.NOT_DESIGNATED: not_designated,
    Guard.NOT_REDONE: not_redone,
    Guard.NOT_REJECTED: not_rejected,
    Guard.NOT_RULED: not_ruled,
    Guard.DISPATCHES_LEFT: dispatches_left,
    Guard.DISPATCHES_USED: dispatches_used,
    Guard.EXTENDABLE: extendable,
    Guard.OPINIONS_IN: opinions_in,
    Guard.CORRECTS: corrects,
    Guard.CORRECTION_DISPATCHES: correction_dispatches,
    Guard.MERGE_TARGET: merge_target,
    Guard.NO_MEMBERS: no_members,
    Guard.RUNNING: running,
    Guard.PAUSED: paused,
    Guard.RECOMPUTES: recomputes,
    Guard.DUE: due,
}
