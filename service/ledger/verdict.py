"""The verdict on a case: what people have confirmed about it, read from its events one after the other. Pure.

This is the one place that says what "confirmed" means, for the ledger, for impact and for repair:

- a reviewer's word counts most, the last one first: a correction (`reclassify`), a designation, a return to the hotline for a reason
  that concerns the scope, a ruling on a hand-back;
- a department that completes a case has taken it as its own, unless a reviewer's standing word names another;
- the hotline that archives a case which was returned accepts the return;
- a hand-back alone confirms nothing. It counts once it is upheld: by `uphold`, or by what is done next, when the case is sent to
  another department, designated to another or returned. Sent to the same department again, it was rejected. Only hand-backs that say
  whose the case is (`ROUTING`) can tell against a rule: an incomplete order, a duplicate and an unclear one cannot.
- a redo, a merger, an urging say nothing about whose the case is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import orjson

RULINGS = frozenset(
    {
        "case.handed_back",
        "case.hand_back_upheld",
        "case.hand_back_rejected",
        "case.re_dispatched",
        "case.designated",
        "case.reclassified",
        "case.returned",
        "case.completed",
        "case.archived",
    }
)
"""Kinds of events that can change a verdict; all others are passed over."""

ROUTING: Mapping[str, str | None] = {"not_ours": None, "out_of_scope": "", "other_district": "out_other_district"}
"""Hand-backs that say whose the case is: to another department, or outside, and for which reason ("" where none is said)."""

INSIDE_REASONS = frozenset({"in_litigation", "duplicate", "no_facts", "emergency_redirect"})
"""Returns to the hotline that say nothing about the scope."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What was decided when the case came."""

    decision: str
    reason_code: str
    lead: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hand-back on which nobody has ruled yet; `first`: by the department to which the rules sent the case."""

    reason_code: str
    lead: str | None
    first: bool


@dataclass(frozen=True, slots=True)
class Word:
    """Who ruled last: by which move, when, in which version of the case."""

    by: str
    actor: str
    department: str
    at: str
    version: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is confirmed. `lead`: whose it is; `outside`: that it is none of ours, and the reason ("" where none is said).

    `category` and `issues` are what a reviewer said, `kept` the issues that a completion left standing; `refuted` are departments
    whose it is not. `handed_back`, `upheld` and `rejected` count hand-backs by the department to which the rules sent the case.
    """

    lead: str | None = None
    outside: str | None = None
    category: str | None = None
    issues: tuple[str, ...] | None = None
    kept: tuple[str, ...] = ()
    refuted: tuple[str, ...] = ()
    reviewed: bool = False
    waiting: Waiting | None = None
    handed_back: int = 0
    upheld: int = 0
    rejected: int = 0
    word: Word | None = None

    @property
    def confirmed(self) -> bool:
        """Whether it is known what would have been right."""
        return self.lead is not None or self.outside is not None

    @property
    def known(self) -> bool:
        """Whether anything is confirmed, if only whose it is not."""
        return self.confirmed or bool(self.refuted) or self.issues is not None

    def to_text(self) -> str:
        return orjson.dumps({name: value for name, value in asdict(self).items() if value != _DEFAULTS[name]}).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        told: dict[str, Any] = orjson.loads(text)
        for name in ("issues", "kept", "refuted"):
            if told.get(name) is not None:
                told[name] = tuple(told[name])
        waiting, word = told.pop("waiting", None), told.pop("word", None)
        return cls(**told, waiting=Waiting(**waiting) if waiting else None, word=Word(**word) if word else None)


NOTHING = Verdict()
_DEFAULTS = asdict(NOTHING)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a case."""

    kind: str
    actor: str
    at: str
    data: Mapping[str, Any]


def of_events(birth: Birth, issues: Mapping[str, tuple[str, ...]], happened: Iterable[Happened]) -> Verdict:
    """The verdict that all events of a case make; `issues` as `step` wants them."""
    verdict = NOTHING
    for event in happened:
        verdict = step(verdict, event, birth, issues)
    return verdict


def step(verdict: Verdict, event: Happened, birth: Birth, issues: Mapping[str, tuple[str, ...]]) -> Verdict:
    """The verdict after one more event. `issues`: those decided, each with the departments that were to assist because of it."""
    if event.kind not in RULINGS:
        return verdict
    changed = _changed(verdict, event, birth, issues)
    if changed == verdict or event.kind == "case.handed_back":
        return changed
    data = event.data
    word = Word(event.kind, event.actor, str(data.get("department", "")), event.at, int(data.get("version", 0)))
    return replace(changed, word=word)


def _changed(verdict: Verdict, event: Happened, birth: Birth, issues: Mapping[str, tuple[str, ...]]) -> Verdict:
    data = event.data
    if event.kind == "case.handed_back":
        return _handed_back(verdict, data, birth)
    if event.kind == "case.completed":
        return _completed(verdict, data, issues)
    if event.kind == "case.archived":
        return _archived(verdict, data, birth)
    return _REVIEWS[event.kind](verdict, data)


def _handed_back(verdict: Verdict, data: Mapping[str, Any], birth: Birth) -> Verdict:
    first = data["hops"] == 1 and data["lead"] == birth.lead
    waiting = Waiting(data["reason_code"], data["lead"], first)
    return replace(verdict, waiting=waiting, handed_back=verdict.handed_back + first)


def _uphold(verdict: Verdict) -> Verdict:
    """Whoever handed it back was right."""
    waiting = verdict.waiting
    if waiting is None:
        return verdict
    ruled = replace(verdict, waiting=None, upheld=verdict.upheld + waiting.first)
    if waiting.reason_code not in ROUTING:
        return ruled
    outside = ROUTING[waiting.reason_code]
    if outside is not None:
        return replace(ruled, lead=None, category=None, outside=outside, reviewed=True)
    refuted = tuple(dict.fromkeys([*ruled.refuted, *([waiting.lead] if waiting.lead else [])]))
    if ruled.lead == waiting.lead:
        ruled = replace(ruled, lead=None, category=None, reviewed=False)
    return replace(ruled, refuted=refuted)


def _reject(verdict: Verdict) -> Verdict:
    """Whoever handed it back was wrong: where that was about whose it is, it is theirs."""
    waiting = verdict.waiting
    if waiting is None:
        return verdict
    ruled = replace(verdict, waiting=None, rejected=verdict.rejected + waiting.first)
    return _given(ruled, waiting.lead) if waiting.reason_code in ROUTING and waiting.lead else ruled


def _ruled_by_sending(verdict: Verdict, data: Mapping[str, Any]) -> Verdict:
    """The ruling that lies in sending a case on which was handed back."""
    waiting = verdict.waiting
    if waiting is None:
        return verdict
    if data["lead"] == waiting.lead:
        return _reject(verdict)
    # Sent on as out of scope it is not theirs, and yet somebody's.
    theirs = waiting.reason_code in ROUTING
    return _uphold(replace(verdict, waiting=replace(waiting, reason_code="not_ours")) if theirs else verdict)


def _given(verdict: Verdict, lead: str) -> Verdict:
    """A reviewer says whose it is."""
    category = verdict.category if verdict.lead == lead else None
    refuted = tuple(code for code in verdict.refuted if code != lead)
    return replace(verdict, lead=lead, category=category, outside=None, refuted=refuted, reviewed=True)


def _corrected(verdict: Verdict, data: Mapping[str, Any]) -> Verdict:
    said = data["corrects"]
    if "issues" in said:
        verdict = replace(verdict, issues=tuple(data["issues"]), kept=())
    if said == ["issues"]:
        return verdict
    stays = "lead" not in said and verdict.lead is not None
    given = _given(verdict, verdict.lead if stays and verdict.lead else data["truth"]["lead"]) if data["truth"]["lead"] else verdict
    return replace(given, category=data["category"]) if "category" in said else given


def _returned(verdict: Verdict, data: Mapping[str, Any]) -> Verdict:
    if data["reason_code"] in INSIDE_REASONS:
        return replace(verdict, waiting=None)
    return replace(_uphold(verdict), lead=None, category=None, outside=data["reason_code"], reviewed=True)


def _completed(verdict: Verdict, data: Mapping[str, Any], issues: Mapping[str, tuple[str, ...]]) -> Verdict:
    if not verdict.reviewed or verdict.lead is None:
        verdict = replace(_given(verdict, data["lead"]), reviewed=False)
    if verdict.issues is not None:
        return verdict
    waived = set(data.get("waived", ()))
    return replace(verdict, kept=tuple(issue for issue, helpers in issues.items() if waived.isdisjoint(helpers)))


def _archived(verdict: Verdict, data: Mapping[str, Any], birth: Birth) -> Verdict:
    """What the hotline archives as returned it accepts, if the rules returned it and nobody has said otherwise."""
    accepted = data["from"] == "returned" and birth.decision == "return" and not verdict.confirmed and data["hops"] == 0
    return replace(verdict, outside=birth.reason_code) if accepted else verdict


_REVIEWS: Mapping[str, Callable[[Verdict, Mapping[str, Any]], Verdict]] = {
    "case.hand_back_upheld": lambda verdict, _: _uphold(verdict),
    "case.hand_back_rejected": lambda verdict, _: _reject(verdict),
    "case.re_dispatched": lambda verdict, data: replace(_ruled_by_sending(verdict, data), outside=None),
    "case.designated": lambda verdict, data: _given(_ruled_by_sending(verdict, data), data["lead"]),
    "case.reclassified": _corrected,
    "case.returned": _returned,
}
"""What a reviewer does, by the kind of its event."""
