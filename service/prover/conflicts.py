"""Conflicts: one phrase that two departments would have to share, and categories of equal rank that nothing settles."""

from collections.abc import Iterator
from itertools import combinations

from models.complaint import Complaint
from models.decision import Decision, Outcome, Reason
from service.engine.plan import PlannedRule
from service.prover.findings import Finding, Kind
from service.prover.sentences import Stage

PHRASES = ("孩子学{}，机构不退费", "孩子的{}班，机构不退费", "{}培训机构不给孩子退费", "孩子在{}，机构不退费")


def split_phrases(stage: Stage) -> Iterator[Finding]:
    """Single terms that bring evidence for categories of several departments at once."""
    told: set[str] = set()
    for planned in _category_rules(stage):
        for written in stage.written(planned).terms:
            for word in stage.expanded(written) if "{" not in written else ():
                if word not in told and (found := _split(stage, planned, word)):
                    told.add(word)
                    yield found


def _category_rules(stage: Stage) -> list[PlannedRule]:
    return [planned for planned in stage.plan.rules if planned.kind == "category" and not planned.trial and planned.order in stage.firing]


def _split(stage: Stage, planned: PlannedRule, word: str) -> Finding | None:
    for frame in PHRASES:
        sentence = Complaint(frame.format(word))
        decision = stage.triage(sentence)
        if decision.reason_code is Reason.MULTI_DEPARTMENT and _inside(sentence, word, decision):
            rules = "、".join(f"{piece.rule}「{piece.quote}」" for piece in decision.evidence if piece.supports.startswith("category:"))
            scores = "，".join(f"{category.code} {category.score} 分" for category in decision.categories)
            message = f"「{word}」一个词就分到两个单位（{scores}），依据：{rules}"
            hint = "请只留一处，或在另一处的 unless 里写上它"
            return Finding(Kind.CONFLICT, planned.id, word, message, hint, stage.witness(sentence))
    return None


def _inside(sentence: Complaint, word: str, decision: Decision) -> bool:
    """Whether every piece of category evidence stands on the word itself, not elsewhere in the frame."""
    start = sentence.content.lower().find(word)
    pieces = [piece for piece in decision.evidence if piece.supports.startswith("category:")]
    return start >= 0 and all(piece.start < start + len(word) and start < piece.end for piece in pieces)


def ties(stage: Stage) -> Iterator[Finding]:
    """Pairs of categories of different departments which, met together, weigh the same, and no rule of rank says who leads."""
    head = stage.ruleset.ruleset
    for one, other in combinations(head.categories, 2):
        if head.categories[one].department != head.categories[other].department:
            yield from _tie(stage, one, other)


def _tie(stage: Stage, one: str, other: str) -> Iterator[Finding]:
    rules = _category_rules(stage)
    pairs: list[str] = []
    shown: Complaint | None = None
    for first in (rule for rule in rules if rule.code == one):
        for second in (rule for rule in rules if rule.code == other):
            sentence = _both(stage, first, second)
            decision = stage.triage(sentence)
            if _even(decision, one, other):
                pairs.append(f"{first.id} 与 {second.id}")
                shown = shown or sentence
    if shown is not None:
        names = stage.ruleset.ruleset.categories
        message = f"{names[one].name}与{names[other].name}同时提到而分值相同，无从定出主办，由统筹单位牵头：{'；'.join(pairs)}"
        hint = "若应有先后，请在 dominant 写明，或改其中一条的 strength；若本应提级，不必改"
        yield Finding(Kind.TIE, f"{one} {other}", "", message, hint, stage.witness(shown))


def _both(stage: Stage, first: PlannedRule, second: PlannedRule) -> Complaint:
    """One sentence about a term of each."""
    one, other = stage.firing[first.order], stage.firing[second.order]
    pieces = [said for said in (one.content or one.institution, other.content or other.institution) if said]
    title, name = one.title or other.title, (one.institution or other.institution)
    return Complaint(f"孩子在培训机构学{'，又学'.join(pieces)}，不退费", title=title, institution=name)


def _even(decision: Decision, one: str, other: str) -> bool:
    scores = {category.code: category.score for category in decision.categories}
    return decision.decision is Outcome.ESCALATE and decision.category is None and scores.get(one, 0) == scores.get(other, -1)
