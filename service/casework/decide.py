"""The core of casework: one case, one move, one moment; what becomes of it. Pure: no database, no clock on the wall.

    outcome = decide_move(case, move, body, ground)       # or NotNow, NotYours, Invalid, GuardRefused

The table in models/moves.py says all there is to say; this module reads it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any

from models.case import Status
from models.moves import MOVES, ROLE_NAMES, STATUS_NAMES, Guard, Move, Role, Row, Stay
from models.requests import Request
from service.casework.codes import check_codes
from service.casework.effects import EFFECTS, Draft, Truth
from service.casework.errors import GuardRefused, NotNow, NotYours, with_allowed
from service.casework.guards import GUARDS, missing_opinions
from service.casework.order import Ground, Question
from service.casework.work import CaseClock, Work
from service.errors import Refusal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a move makes of a case: the new case, what the feed is told, what was written in people's own words, what was corrected."""

    row: Row
    before: Work
    case: Work
    facts: Mapping[str, Any]
    words: Mapping[str, Any]
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a move may be made now, and in Chinese why not."""

    row: Row
    allowed: bool
    why_not: str | None
    needs: str | None = None
    """What must be said with it, beyond what is always required."""


def decide_move(case: Work, move: Move, body: Request | None, ground: Ground) -> Outcome:
    """What the move makes of the case; a Refusal where it may not be made."""
    row, asked = MOVES[move], Question(case, ground, body)
    _check(row, asked)
    draft = reduce(lambda draft, effect: EFFECTS[effect](draft, asked), row.effects, Draft(_moved(case, row)))
    facts = (body.facts() if body else {}) | dict(draft.facts)
    done = _noted(draft.case, row, ground, facts)
    # How the case stands has the last word: what was said may use the same names for what ought to be.
    told = facts | _told(row, case, done, ground) | _truth_facts(draft.truth)
    return Outcome(row, case, done, told, body.words() if body else {}, draft.truth)


def standings(case: Work, ground: Ground) -> list[Standing]:
    """Every move of the table that people make: may this actor make it now, and if not, why?"""
    return [_standing(row, Question(case, ground, None)) for row in MOVES.values() if row.by_people]


def allowed_moves(case: Work, ground: Ground) -> list[Move]:
    return [standing.row.move for standing in standings(case, ground) if standing.allowed]


# May it be made? ----------------------------------------------------------------------------------------------------------------


def _check(row: Row, asked: Question) -> None:
    refusal = next(_refusals(row, asked), None)
    if refusal is None:
        check_codes(asked)
        refusal = next(_unmet(row, asked), None)
    if refusal is not None:
        allowed = _left(row, asked)
        refusal.detail += f"现在可以：{_names(allowed)}。" if allowed else "现在没有可以由您做的动作。"
        raise with_allowed(refusal, asked.case, allowed)


def _left(row: Row, asked: Question) -> list[Move]:
    """What may be made now: the refused move too, where only what was said with it was wrong, such as too many days."""
    found = standings(asked.case, asked.ground)
    return [one.row.move for one in found if one.allowed and not (one.row.move is row.move and one.needs)]


def _standing(row: Row, asked: Question) -> Standing:
    refusal = next(_refusals(row, asked), None) or next(_unmet(row, asked), None)
    if refusal is not None:
        return Standing(row, allowed=False, why_not=refusal.detail)
    return Standing(row, allowed=True, why_not=None, needs=missing_opinions(asked) if Guard.OPINIONS_IN in row.guards else None)


def _refusals(row: Row, asked: Question) -> Iterator[Refusal]:
    """State first, so that whoever asks hears how the case stands."""
    case, ground = asked.case, asked.ground
    if case.struck:
        yield NotNow(f"案件已按保存期限清除，不能{row.name}。")
    if case.status not in row.origins:
        yield NotNow(f"案件{STATUS_NAMES[case.status]}，不能{row.name}。")
    if ground.actor.roles(case, ground.terms).isdisjoint(row.who):
        who = "、".join(_called(role, asked) for role in row.who if role is not Role.SYSTEM)
        yield NotYours(f"{row.name}由{who}来做，{ground.actor.title(ground.terms)}不能做。")


def _unmet(row: Row, asked: Question) -> Iterator[Refusal]:
    for guard in row.guards:
        why = GUARDS[guard](asked)
        if why is not None:
            refusal = GuardRefused(why)
            refusal.members = {"guard": guard.name.lower()}
            yield refusal


def _called(role: Role, asked: Question) -> str:
    """A role, with the department that has it in this case."""
    case, terms = asked.case, asked.ground.terms
    holders = {
        Role.LEAD: [case.lead] if case.lead else [],
        Role.ASSIST: [part.department for part in case.assists],
        Role.JOINT_OFFICE: [terms.coordinator],
    }.get(role, [])
    return ROLE_NAMES[role] + (f"（{'、'.join(terms.name(holder) for holder in holders)}）" if holders else "")


def _names(moves: list[Move]) -> str:
    return "、".join(MOVES[move].name for move in moves)


# What becomes of it -------------------------------------------------------------------------------------------------------------


def _moved(case: Work, row: Row) -> Work:
    """The case in its new state and version; effects do the rest."""
    return replace(case, version=case.version + 1, status=_target(case, row))


def _target(case: Work, row: Row) -> Status:
    match row.target:
        case Stay.SAME | Stay.MOVED:
            return case.status
        case Stay.BEFORE:
            return case.progress.before or case.status
        case Status() as status:
            return status


def _noted(case: Work, row: Row, ground: Ground, facts: Mapping[str, Any]) -> Work:
    """The case, which remembers the facts of its last move of each kind."""
    note = {"version": case.version, "at": ground.now.isoformat(), "by": ground.actor.department, **facts}
    return replace(case, progress=replace(case.progress, last={**case.progress.last, row.move.value: note}))


def _told(row: Row, before: Work, case: Work, ground: Ground) -> dict[str, Any]:
    """What the event tells of any move; and of clocks and departments where they changed."""
    told: dict[str, Any] = {
        "move": row.move,
        "version": case.version,
        "from": before.status,
        "status": case.status,
        "department": ground.actor.department,
        "lead": case.lead,
        "hops": case.hops,
    }
    if ground.actor.key is not None:
        told["key"] = ground.actor.key
    if case.lead != before.lead:
        told["lead_before"] = before.lead
    if [part.department for part in case.assists] != [part.department for part in before.assists]:
        told["assists"] = [part.department for part in case.assists]
    kept = {part.department for part in case.departments}
    if left := [part.department for part in before.departments if part.department not in kept]:
        told["left"] = left  # who may look at the case no more: their feed must tell them
    return told | _clock_facts(before.clocks, case.clocks)


def _truth_facts(truth: Truth | None) -> dict[str, Any]:
    return {"truth": {"category": truth.category, "lead": truth.lead}} if truth else {}


def _clock_facts(before: tuple[CaseClock, ...], after: tuple[CaseClock, ...]) -> dict[str, Any]:
    changed = [clock for clock in after if clock not in before]
    ended = {clock.kind.value: clock.on_time for clock in changed if clock.on_time is not None}
    running = {clock.kind.value: _brief(clock) for clock in changed if clock.running}
    return ({"on_time": ended} if ended else {}) | ({"clocks": running} if running else {})


def _brief(clock: CaseClock) -> dict[str, datetime | bool | None]:
    marks = {name: True for name in ("provisional", "unknown", "paused") if getattr(clock, name)}
    return {"due": clock.due, "urge": clock.urge, **marks}
