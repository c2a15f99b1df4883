"""What a verdict says of each rule and term that fired in a case. Pure.

A rule answers for what it decided. It decided a case where it carried weight and supports what came out of the judgement:

| what came out | rules that decided |
|---|---|
| dispatched or escalated | those for being in scope; those for the primary category; those for each issue that was found |
| returned for a reason | those for this reason |
| returned for want of evidence | none |

Each of these is right or wrong, or nothing is said of it, by what was confirmed (`service/ledger/verdict.py`):

| a rule for | is right where | is wrong where |
|---|---|---|
| being in scope | it is some department's | it is outside |
| a reason to return | it is outside for this reason | it is some department's, or outside for another reason |
| a category | a reviewer named this category; where none did, it belongs to the department in charge of it | a reviewer named \
another; it belongs to another department, or a hand-back by this one was upheld |
| an issue | a reviewer named it; where none did, the case was completed and none that assists because of it was waived | a reviewer \
named the issues, and not this one |

A rule that fired and decided nothing (another outweighed it, it is on trial or in quarantine, it is a signal) is neither right nor
wrong: it is counted as `beside`. Of a case outside nothing is said about categories and issues: what is taught to adults is dance,
too. Each term by which a rule fired shares the rule's fate. The twelve strongest pieces of evidence are stored with a decision, those
that decided first; what is beyond them is not counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.ledger.verdict import Birth, Verdict

Key = tuple[str, str]
"""A rule and one of its terms; "" is the rule whatever the term."""

COUNTS = ("rights", "wrongs", "beside", "handed_back", "upheld", "rejected")


@dataclass(frozen=True, slots=True)
class Counts:
    """What one case adds to a rule's account."""

    rights: int = 0
    wrongs: int = 0
    beside: int = 0
    handed_back: int = 0
    upheld: int = 0
    rejected: int = 0


def birth_of(triage: Mapping[str, Any]) -> Birth:
    """What a stored decision decided, as verdicts ask for it."""
    return Birth(str(triage.get("decision", "")), str(triage.get("reason_code", "")), triage.get("lead"))


def issues_of(triage: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The issues that were decided, each with the departments that were to assist because of it."""
    helpers: dict[str, tuple[str, ...]] = dict.fromkeys(triage.get("issues", ()), ())
    for assist in triage.get("assists", ()):
        helpers[assist["issue"]] = (*helpers.get(assist["issue"], ()), assist["department"])
    return helpers


def grounds(triage: Mapping[str, Any]) -> frozenset[str]:
    """What a decision rests on, as rules support it."""
    if triage.get("decision") == "return":
        reason = str(triage.get("reason_code", ""))
        return frozenset({f"scope:{reason.removeprefix('out_')}"} if reason.startswith("out_") else ())
    category = triage.get("category")
    return frozenset({"scope:in", *([f"category:{category}"] if category else []), *(f"issue:{code}" for code in triage.get("issues", ()))})


def is_right(supports: str, triage: Mapping[str, Any], verdict: Verdict) -> bool | None:
    """Whether what a rule supports, and what decided, was right by the verdict; None where nothing is said of it."""
    kind, _, code = supports.partition(":")
    if kind == "scope":
        return _scope(code, verdict)
    if verdict.outside is not None:
        return None
    if kind == "category":
        return _category(code, triage, verdict)
    if kind == "issue":
        return code in verdict.issues if verdict.issues is not None else True if code in verdict.kept else None
    return None


def _scope(code: str, verdict: Verdict) -> bool | None:
    if verdict.lead is not None:
        return code == "in"
    if verdict.outside is None:
        return None
    if code == "in":
        return False
    return verdict.outside == f"out_{code}" if verdict.outside.startswith("out_") else None


def _category(code: str, triage: Mapping[str, Any], verdict: Verdict) -> bool | None:
    if verdict.category is not None:
        return verdict.category == code
    if verdict.lead is not None:
        return bool(verdict.lead == triage.get("lead"))  # the lead of a decision is the department in charge of its category
    return False if triage.get("lead") in verdict.refuted else None


def judge(triage: Mapping[str, Any], verdict: Verdict) -> dict[Key, Counts]:
    """What the case adds to the account of each rule and term that fired in it."""
    decided = grounds(triage)
    found: dict[Key, Counts] = {}
    for piece in triage.get("evidence", ()):
        if piece["weight"] > 0 and piece["supports"] in decided:
            counts = _counts(is_right(piece["supports"], triage, verdict), piece["supports"], verdict)
        else:
            counts = Counts(beside=int(verdict.known))
        for key in ((piece["rule"], ""), (piece["rule"], piece["term"])):
            if key not in found or found[key].beside:  # a piece that carried weight speaks for its rule
                found[key] = counts
    return {key: counts for key, counts in found.items() if counts != Counts()}


def _counts(right: bool | None, supports: str, verdict: Verdict) -> Counts:  # noqa: FBT001 (a finding, not a switch)
    told = supports == "scope:in" or supports.startswith("category:")  # a hand-back is about whose the case is
    return Counts(
        int(right is True),
        int(right is False),
        0,
        verdict.handed_back if told else 0,
        verdict.upheld if told else 0,
        verdict.rejected if told else 0,
    )


def stands(triage: Mapping[str, Any], verdict: Verdict) -> bool | None:
    """Whether the decision as a whole was right: where the case goes or would go, and the category and issues that a reviewer named.

    None where it is not known what would have been right.
    """
    if not verdict.confirmed:
        return None
    returned = triage.get("decision") == "return"
    if verdict.outside is not None or returned:
        return returned and verdict.outside is not None
    return (
        verdict.lead == triage.get("lead")
        and verdict.category in {None, triage.get("category")}
        and (verdict.issues is None or set(verdict.issues) == set(triage.get("issues", ())))
    )


def wrong_rules(triage: Mapping[str, Any], verdict: Verdict) -> Iterator[tuple[str, str, list[str]]]:
    """Each rule that was wrong in the case, what it supports, and by which terms it fired."""
    decided, terms = grounds(triage), dict[tuple[str, str], list[str]]()
    for piece in triage.get("evidence", ()):
        if piece["weight"] > 0 and piece["supports"] in decided and is_right(piece["supports"], triage, verdict) is False:
            terms.setdefault((piece["rule"], piece["supports"]), []).append(piece["term"])
    for (rule, supports), words in terms.items():
        yield rule, supports, list(dict.fromkeys(words))
