"""Lessons: what people confirmed becomes wrong cases to be mended and right ones to be kept (`service/ledger/verdict.py` says which)."""

from dataclasses import dataclass
from typing import Any

import orjson

from models.ruleset import Expectation, RuleSet
from service import rulebook, rulelife, store
from service.db import Database
from service.engine import Engine
from service.ledger import Verdict
from service.masks import veiled
from service.repair.proposal import Repair
from service.ruletest import Sample
from service.store import Lesson
from service.vault import Vault

MOST_WRONG = 200
MOST_RIGHT = 2_000
"""The newest, for all of them are held in memory and weighed again and again; `still_broken` looks at all."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Cases from the ledger. `left_out` were decided with help of the register or of the caller's answers: words alone do not tell them."""

    wrong: tuple[Sample, ...]
    right: tuple[Sample, ...]
    left_out: int

    @property
    def told(self) -> str:
        more = f"；另有 {self.left_out} 件靠名录或追问的回答才判得出，没有用" if self.left_out else ""
        return f"台账：判错的 {len(self.wrong)} 件，确认判对的 {len(self.right)} 件{more}。"


def from_ledger(conn: Any, ruleset: RuleSet, vault: Vault) -> Lessons:
    """The newest cases that were decided wrongly, and rightly; without who complained: a passage may end in a pack, and all read that."""
    found = [store.lessons(conn, most, stands=stands) for stands, most in ((False, MOST_WRONG), (True, MOST_RIGHT))]
    whole = store.cases_by_id(conn, [lesson.case.id for side in found for lesson in side])
    words = {case_id: vault.words(case.complainant) for case_id, case in whole.items()}
    sides = [[_sample(lesson, ruleset, words.get(lesson.case.id, ())) for lesson in side] for side in found]
    wrong, right = (tuple(sample for sample in side if sample is not None) for side in sides)
    return Lessons(wrong, right, sum(map(len, sides)) - len(wrong) - len(right))


def still_broken(database: Database, repair: Repair, *, fork: bool) -> list[str]:
    """The confirmed cases, all of them, that are right before the repair and would not be after it."""
    pair = Engine(repair.ruleset), Engine(rulebook.load(repair.after))
    return rulelife.replay_confirmed(database, pair, fork=fork).broken


def _sample(lesson: Lesson, ruleset: RuleSet, words: tuple[str, ...]) -> Sample | None:
    """The case with what should have come of it; None where that cannot be told from its words."""
    case, details = lesson.case, orjson.loads(lesson.case.details)
    verdict = Verdict.from_text(lesson.verdict)
    known = verdict.lead is None or any(department.code == verdict.lead for department in ruleset.departments)
    if not known or '"register":{' in case.triage or details.get("answers") or not case.content.strip():
        return None
    said = {"text": case.content, "title": case.title, "institution": case.institution}
    said = {name: veiled(text, words) for name, text in said.items()}
    asserted = bool(details.get("asserted_scope", False))
    return Sample("ledger", 0, 0, Expectation.model_validate({**said, "asserted_scope": asserted, **_wanted(verdict, ruleset)}))


def _wanted(verdict: Verdict, ruleset: RuleSet) -> dict[str, Any]:
    if verdict.outside is not None:
        return {"decision": "return"}
    wanted: dict[str, Any] = {"lead": verdict.lead}
    if verdict.category in ruleset.ruleset.categories:
        wanted["category"] = verdict.category
    if verdict.issues is not None and set(verdict.issues) <= set(ruleset.issues):
        wanted["issues"] = verdict.issues
    return wanted
