"""Impact: past cases under the rules in force and under a draft. What moves where, what flips, and whether what was right stays right."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Literal

from models.complaint import Complaint
from models.decision import Decision, Outcome
from models.past import PastCase
from models.ruleset import RuleSet
from service import batch
from service.crew import share
from service.engine import Engine
from service.evaluate.chance import exact
from service.impact.past import Truth, recall, truth_of
from service.impact.touched import touched
from service.masks import masked

Pair = tuple[Engine, Engine]
"""The engines in force and of the draft."""

SHOWN = 200
"""Flips that are told; all are counted."""
LISTED = 10_000
"""Confirmed cases that break and are named; all are counted."""
TEXT = 400
LINES = 1 << 18
"""Bytes of a file that one process takes at a time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One side of a flip."""

    decision: str
    lead: str | None
    reason_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Flip:
    """A case that would go elsewhere: its text, both decisions with their reasons, and the evidence that came and went."""

    id: str
    text: str
    before: Seen
    after: Seen
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    breaks: bool


@dataclass(slots=True)
class Score:
    """How one rule set does on confirmed cases."""

    right: int = 0
    dispatched: int = 0
    dispatched_right: int = 0

    def add(self, other: "Score") -> None:
        self.right += other.right
        self.dispatched += other.dispatched
        self.dispatched_right += other.dispatched_right

    @property
    def precision(self) -> tuple[float, float, float] | None:
        """The share of dispatches that are right, with its exact interval at 95%; None where nothing is dispatched."""
        if not self.dispatched:
            return None
        return (self.dispatched_right / self.dispatched, *exact(self.dispatched_right, self.dispatched))


@dataclass(slots=True)
class Impact:
    """What came of some cases; parts add up. `moves` counts ways from and to a department, `escalate:` one or `return`."""

    cases: int = 0
    unreadable: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    issues_gained: Counter[str] = field(default_factory=Counter)
    issues_lost: Counter[str] = field(default_factory=Counter)
    assists_changed: int = 0
    flips: list[Flip] = field(default_factory=list)
    confirmed: int = 0
    before: Score = field(default_factory=Score)
    after: Score = field(default_factory=Score)
    breaks: int = 0
    mends: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def flipped(self) -> int:
        return sum(self.moves.values())

    def add(self, other: "Impact") -> None:
        for name in ("cases", "unreadable", "assists_changed", "confirmed", "breaks", "mends"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("moves", "outcomes", "issues_gained", "issues_lost"):
            getattr(self, name).update(getattr(other, name))
        self.flips += other.flips[: SHOWN - len(self.flips)]
        self.broken += other.broken[: LISTED - len(self.broken)]
        self.before.add(other.before)
        self.after.add(other.after)


Portion = tuple[Literal["lines"], list[bytes]] | tuple[Literal["cases"], list[PastCase]]
Item = tuple[str, Complaint, Truth | None]


def run(portions: Iterable[Portion], pair: Pair, *, fork: bool, processes: int = 0, told: Callable[[int], None] = lambda _: None) -> Impact:
    """Replay all portions; `told` hears how many cases each part held. Memory does not grow with the cases."""
    whole = Impact()
    touched(*pair)  # before processes part, so that it is made once
    anew = partial(_anew, pair[0].ruleset, pair[1].ruleset)
    for part in share(look, portions, pair, anew, processes, fork=fork):
        whole.add(part)
        told(part.cases)
    return whole


def of_cases(stretches: Iterable[list[PastCase]]) -> Iterator[Portion]:
    """Stored cases as portions."""
    return (("cases", stretch) for stretch in stretches)


def of_lines(source: IO[bytes]) -> Iterator[Portion]:
    """The lines of a JSONL file as portions."""
    while lines := source.readlines(LINES):
        yield "lines", lines


def _anew(before: RuleSet, after: RuleSet) -> Pair:
    return Engine(before), Engine(after)


def look(pair: Pair, portion: Portion) -> Impact:
    """One portion under both rule sets."""
    before, after = pair
    found, finder = Impact(), touched(before, after)
    for item in _items(portion):
        if item is None:
            found.unreadable += 1
        elif finder is not None and not finder.find(before.plan.reader.read(item[1]).text):
            _pass_over(found, item, before)
        else:
            _compare(found, item, before, after)
    return found


def _pass_over(found: Impact, item: Item, engine: Engine) -> None:
    """Note a case that no word of the edit touches."""
    name, complaint, truth = item
    found.cases += 1
    if truth is not None:
        decision = engine.triage(complaint)
        _score(found, name, truth, decision, decision)


def _items(portion: Portion) -> Iterator[Item | None]:
    if portion[0] == "cases":
        for case in portion[1]:
            yield case.id, recall(case), truth_of(case)
    else:
        for line in portion[1]:
            if line.strip():
                yield _labelled(line.removeprefix(b"\xef\xbb\xbf"))


def _labelled(line: bytes) -> Item | None:
    try:
        row, complaint = batch.read(line)
    except batch.LineWrong:
        return None
    told = row.get("lead") or row.get("decision")
    return str(row.get("id")), complaint, Truth(row.get("lead"), row.get("decision")) if told else None


def _compare(found: Impact, item: Item, before: Engine, after: Engine) -> None:
    name, complaint, truth = item
    old, new = before.triage(complaint), after.triage(complaint)
    found.cases += 1
    _note_details(found, old, new)
    breaks = truth is not None and _score(found, name, truth, old, new)
    if _place(old) != _place(new):
        found.moves[_place(old), _place(new)] += 1
        if old.decision is not new.decision:
            found.outcomes[old.decision.value, new.decision.value] += 1
        if len(found.flips) < SHOWN:
            found.flips.append(_flip(name, complaint, old, new, breaks=breaks))


def _note_details(found: Impact, old: Decision, new: Decision) -> None:
    if old.issues != new.issues:
        found.issues_gained.update(set(new.issues) - set(old.issues))
        found.issues_lost.update(set(old.issues) - set(new.issues))
    found.assists_changed += [assist.department for assist in old.assists] != [assist.department for assist in new.assists]


def _score(found: Impact, name: str, truth: Truth, old: Decision, new: Decision) -> bool:
    """Note how both do on a confirmed case; whether it was right and no longer is."""
    was, stays = is_right(old, truth), is_right(new, truth)
    found.confirmed += 1
    for score, decision, right in ((found.before, old, was), (found.after, new, stays)):
        score.right += right
        if decision.decision is Outcome.DISPATCH:
            score.dispatched += 1
            score.dispatched_right += decision.lead == truth.lead
    found.mends += stays and not was
    if was and not stays:
        found.breaks += 1
        found.broken.append(name)
    return was and not stays


def is_right(decision: Decision, truth: Truth) -> bool:
    """Whether a decision is the one that was confirmed; where only the lead is known, whether it goes or would go there."""
    if truth.decision is not None and decision.decision.value != truth.decision:
        return False
    if Outcome.RETURN in {decision.decision, truth.decision}:
        return decision.decision.value == truth.decision
    return truth.lead is None or decision.lead == truth.lead


def _place(decision: Decision) -> str:
    """Where a case goes: a department, `escalate:` a department, or `return`."""
    match decision.decision:
        case Outcome.DISPATCH:
            return str(decision.lead)
        case Outcome.ESCALATE:
            return f"escalate:{decision.lead}"
        case _:
            return Outcome.RETURN.value


def _flip(name: str, complaint: Complaint, old: Decision, new: Decision, *, breaks: bool) -> Flip:
    gained, lost = _words(new), _words(old)
    text = masked("。".join(filter(None, (complaint.title, complaint.content)))[:TEXT])
    return Flip(name, text, _seen(old), _seen(new), _less(gained, lost), _less(lost, gained), breaks)


def _seen(decision: Decision) -> Seen:
    return Seen(decision.decision.value, decision.lead, decision.reason_code.value, decision.reason)


def _words(decision: Decision) -> list[str]:
    return [f"{piece.rule}「{piece.quote}」" for piece in decision.evidence]


def _less(words: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word not in others))
