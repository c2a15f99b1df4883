"""What moves write: each effect of the table is a pure step from one draft of the case to the next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from models.case import Status
from models.clocks import ClockKind
from models.moves import Effect
from models.requests import Complete, Dispatch, Extend, Merge, Reclassify, Request
from service.casework import timing
from service.casework.guards import moves_lead, settles
from service.casework.order import Ground, Question
from service.casework.work import Work
from service.store import CaseDepartment, Opinion

Body = TypeVar("Body", bound=Request)


@dataclass(frozen=True, slots=True)
class Truth:
    """What would have been right, beside what stood."""

    category: str | None
    lead: str | None
    decided_category: str | None
    decided_lead: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """The case on its way, what else the event tells, and what was corrected."""

    case: Work
    facts: Mapping[str, Any] = field(default_factory=dict)
    truth: Truth | None = None

    def with_case(self, **changes: Any) -> "Draft":
        return replace(self, case=replace(self.case, **changes))

    def with_progress(self, **changes: Any) -> "Draft":
        return self.with_case(progress=replace(self.case.progress, **changes))

    def with_facts(self, **facts: Any) -> "Draft":
        return replace(self, facts={**self.facts, **facts})


Step = Callable[[Draft, Question], Draft]


def receive(draft: Draft, asked: Question) -> Draft:
    return _done(draft, asked, ClockKind.RECEIPT)


def stop(draft: Draft, asked: Question) -> Draft:
    return draft.with_case(clocks=timing.stop(draft.case.clocks, asked.ground.now))


def dispatch(draft: Draft, asked: Question) -> Draft:
    body = _said(asked, Dispatch)
    case = draft.case if body.complex is None else replace(draft.case, complex=body.complex)
    return _sent(replace(draft, case=case), asked.ground, body.lead, body.assists)


def designate(draft: Draft, asked: Question) -> Draft:  # noqa: ARG001 (all steps are alike)
    return draft.with_progress(designated=True)


def extend(draft: Draft, asked: Question) -> Draft:
    days = _said(asked, Extend).working_days
    return draft.with_case(clocks=timing.extend(asked.ground.terms, draft.case.clocks, days, asked.ground.now))


def opinion(draft: Draft, asked: Question) -> Draft:
    return _opinions(draft, asked, [asked.ground.actor.department], "given")


def waive(draft: Draft, asked: Question) -> Draft:
    waived = [waiver.department for waiver in _said(asked, Complete).waivers]
    waived = [part.department for part in draft.case.assists if part.department in waived and part.opinion is None]
    return _opinions(draft, asked, waived, "waived").with_facts(waived=waived) if waived else draft


def handle(draft: Draft, asked: Question) -> Draft:
    return stop(_done(draft, asked, ClockKind.HANDLING), asked)


def await_follow_up(draft: Draft, asked: Question) -> Draft:
    return _begun(draft, asked.ground, [ClockKind.FOLLOW_UP])


def follow_up(draft: Draft, asked: Question) -> Draft:
    return _done(draft, asked, ClockKind.FOLLOW_UP)


def redo(draft: Draft, asked: Question) -> Draft:
    redone = draft.with_progress(redone=draft.case.progress.redone + 1)
    return _begun(redone, asked.ground, [ClockKind.HANDLING])


def hand_back(draft: Draft, asked: Question) -> Draft:
    hand_backs = draft.case.progress.hand_backs + 1
    counted = draft.with_progress(hand_backs=hand_backs, supervised=draft.case.progress.supervised or hand_backs > 1)
    return _done(counted, asked, ClockKind.HAND_BACK)


def uphold(draft: Draft, asked: Question) -> Draft:  # noqa: ARG001 (all steps are alike)
    """The ruling is the event itself; the ledger reads it there."""
    return draft


def reject(draft: Draft, asked: Question) -> Draft:
    anew = [kind for kind in timing.OF_A_DISPATCH if kind is not ClockKind.HAND_BACK]
    return _begun(draft, asked.ground, anew).with_progress(rejected=True, receipt_missed=False)


def urge(draft: Draft, asked: Question) -> Draft:
    return _struck(draft.with_progress(urged=draft.case.progress.urged + 1), asked)


def supervise(draft: Draft, asked: Question) -> Draft:
    return _struck(draft.with_progress(supervised=True), asked)


def report(draft: Draft, asked: Question) -> Draft:
    return _struck(draft.with_progress(receipt_missed=True), asked)


def correct(draft: Draft, asked: Question) -> Draft:
    body, case = _said(asked, Reclassify), draft.case
    truth = Truth(body.category or case.category, body.lead or case.lead, case.category, case.lead)
    said = [name for name in ("category", "lead", "issues") if getattr(body, name) is not None]
    corrected = replace(draft, truth=truth).with_case(category=truth.category).with_facts(corrects=said)
    if settles(asked):
        return corrected.with_case(status=Status.DISPATCHED)
    if body.lead is None or not moves_lead(asked):
        return corrected
    return _sent(corrected, asked.ground, body.lead, None).with_case(status=Status.DISPATCHED)


def link(draft: Draft, asked: Question) -> Draft:
    into, ground, case = _said(asked, Merge).into, asked.ground, draft.case
    paused = timing.pause(ground.terms, case.clocks, ground.now)
    return draft.with_case(merged_into=into, clocks=paused).with_progress(before=asked.case.status)


def unlink(draft: Draft, asked: Question) -> Draft:
    ground, case = asked.ground, draft.case
    freed = draft.with_case(merged_into=None, clocks=timing.resume(ground.terms, case.clocks, ground.now)).with_progress(before=None)
    return freed.with_facts(out_of=case.merged_into)


def withdraw(draft: Draft, asked: Question) -> Draft:  # noqa: ARG001 (all steps are alike)
    return draft.with_case(lead=None)


def pause(draft: Draft, asked: Question) -> Draft:
    return draft.with_case(clocks=timing.pause(asked.ground.terms, draft.case.clocks, asked.ground.now))


def resume(draft: Draft, asked: Question) -> Draft:
    return draft.with_case(clocks=timing.resume(asked.ground.terms, draft.case.clocks, asked.ground.now))


def recompute(draft: Draft, asked: Question) -> Draft:
    return draft.with_case(clocks=timing.recompute(asked.ground.terms, draft.case.clocks, asked.ground.now))


EFFECTS: Mapping[Effect, Step] = {
    Effect.RECEIVE: receive,
    Effect.STOP: stop,
    Effect.DISPATCH: dispatch,
    Effect.DESIGNATE: designate,
    Effect.EXTEND: extend,
    Effect.OPINION: opinion,
    Effect.WAIVE: waive,
    Effect.HANDLE: handle,
    Effect.AWAIT_FOLLOW_UP: await_follow_up,
    Effect.FOLLOW_UP: follow_up,
    Effect.REDO: redo,
    Effect.HAND_BACK: hand_back,
    Effect.UPHOLD: uphold,
    Effect.REJECT: reject,
    Effect.URGE: urge,
    Effect.SUPERVISE: supervise,
    Effect.REPORT: report,
    Effect.CORRECT: correct,
    Effect.LINK: link,
    Effect.UNLINK: unlink,
    Effect.WITHDRAW: withdraw,
    Effect.PAUSE: pause,
    Effect.RESUME: resume,
    Effect.RECOMPUTE: recompute,
}


def _said(asked: Question, kind: type[Body]) -> Body:
    """What is said, as the body that the table gives to the move."""
    if not isinstance(asked.body, kind):
        raise TypeError(f"{type(asked.body).__name__} is no {kind.__name__}")
    return asked.body


def _done(draft: Draft, asked: Question, kind: ClockKind) -> Draft:
    return draft.with_case(clocks=timing.end(draft.case.clocks, kind, asked.ground.now))


def _begun(draft: Draft, ground: Ground, kinds: Sequence[ClockKind]) -> Draft:
    """The same with clocks that begin now; they take the place of older ones of their kinds."""
    case = draft.case
    kept = tuple(clock for clock in case.clocks if clock.kind not in kinds)
    return draft.with_case(clocks=(*kept, *timing.start(ground.terms, kinds, ground.now, case.urgency, complex_case=case.complex)))


def _sent(draft: Draft, ground: Ground, lead: str, assists: Iterable[str] | None) -> Draft:
    """The case goes to a department, which begins anew."""
    case = draft.case
    parts = {part.department: part for part in case.assists}
    chosen = parts if assists is None else dict.fromkeys(assists)
    helping = tuple(parts.get(code, CaseDepartment(department=code, role="assist")) for code in chosen if code != lead)
    sent = replace(draft, case=replace(case, lead=lead, assists=helping, hops=case.hops + 1, clocks=()))
    return _begun(sent, ground, timing.OF_A_DISPATCH).with_progress(designated=False, receipt_missed=False, rejected=False)


def _opinions(draft: Draft, asked: Question, departments: Sequence[str], opinion: Opinion) -> Draft:
    """The parts of these departments, with an opinion that this move gives or waives."""
    now, version = asked.ground.now, asked.case.version + 1

    def told(part: CaseDepartment) -> CaseDepartment:
        return replace(part, opinion=opinion, opinion_at=now, opinion_version=version) if part.department in departments else part

    return draft.with_case(assists=tuple(told(part) for part in draft.case.assists))


def _struck(draft: Draft, asked: Question) -> Draft:
    """If a clock struck, it does not strike again."""
    timer = asked.ground.timer
    return draft.with_case(clocks=timing.struck(draft.case.clocks, timer)).with_facts(timer=timer) if timer else draft
