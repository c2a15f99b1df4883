"""Labelled complaints (标注): what careful officers answered, read from JSON lines, and judged by an engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.complaint import Complaint
from models.decision import Decision, Outcome, Reason
from models.ruleset import RuleSet
from service import batch
from service.engine import Engine
from service.errors import StartError

RETURNED = "return"
"""What stands for a department where a complaint goes back to the hotline."""
MOST_SHOWN = 20


class Gold(BaseModel):
    """The right answer to one complaint. `hard`: a careful officer could honestly answer otherwise."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str | int
    scope: Literal["in", "out"]
    categories: tuple[str, ...] = ()
    decision: Outcome
    lead: str | None = None
    issues: tuple[str, ...] = ()
    hard: bool = False
    kind: str = ""
    source: str = ""
    why: str = Field("", description="the annotator's reason")

    @property
    def inside(self) -> bool:
        return self.scope == "in"

    @property
    def group(self) -> str:
        """Letters, press and cases are told apart where the labels do."""
        return self.kind or self.source


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled complaint and what the engine decided about it."""

    gold: Gold
    complaint: Complaint
    decision: Decision

    @property
    def right(self) -> bool:
        """The same decision and, unless it goes back, the same lead."""
        same = self.decision.decision == self.gold.decision
        return same and (self.gold.decision is Outcome.RETURN or self.decision.lead == self.gold.lead)

    @property
    def right_lead(self) -> bool:
        """In scope, and the department that is named is the one in charge: what makes a dispatch right."""
        return self.gold.inside and self.decision.lead == self.gold.lead

    @property
    def dispatched(self) -> bool:
        return self.decision.decision is Outcome.DISPATCH

    @property
    def candidate(self) -> bool:
        """Dispatched, or it would be if less certainty were asked for."""
        return self.dispatched or self.decision.reason_code is Reason.LOW_CONFIDENCE

    @property
    def expected(self) -> str:
        return self.gold.lead if self.gold.inside and self.gold.lead else RETURNED

    @property
    def given(self) -> str:
        return RETURNED if self.decision.decision is Outcome.RETURN else self.decision.lead or RETURNED


def read(paths: Iterable[Path], ruleset: RuleSet) -> list[tuple[Gold, Complaint]]:
    """The labelled complaints of some files. Every mistake is named at once: figures on half the labels would mislead."""
    found: list[tuple[Gold, Complaint]] = []
    wrong: list[str] = []
    for path in paths:
        for number, line in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            if line.strip():
                try:
                    found.append(_row(line, ruleset))
                except batch.LineWrong as mistake:
                    wrong.append(f"{path} 第 {number} 行：{mistake}")
    if wrong:
        raise StartError("\n".join([*wrong[:MOST_SHOWN], *([f"……共 {len(wrong)} 处"] if len(wrong) > MOST_SHOWN else [])]))
    if not found:
        raise StartError("没有标注：文件是空的")
    return found


def _row(line: bytes, ruleset: RuleSet) -> tuple[Gold, Complaint]:
    _, complaint = batch.parse(line)
    labels: dict[str, Any] = {key: value for key, value in orjson.loads(line).items() if value is not None}
    try:
        gold = Gold.model_validate(labels)
    except ValidationError as mistake:
        fields = dict.fromkeys(str(item["loc"][0]) for item in mistake.errors())
        raise batch.LineWrong(f"标注缺少或写错：{'、'.join(fields)}") from None
    _known(gold, ruleset)
    return gold, complaint


def _known(gold: Gold, ruleset: RuleSet) -> None:
    """Labels in words that the pack does not have can only be a mistake, and would be counted as the engine's."""
    departments = {department.code for department in ruleset.departments}
    for label, known in ((gold.categories, set(ruleset.ruleset.categories)), ((gold.lead,) if gold.lead else (), departments)):
        strange = set(label) - known
        if strange:
            raise batch.LineWrong(f"规则包里没有 {'、'.join(sorted(strange))}")
    if gold.inside != bool(gold.lead) or gold.inside == (gold.decision is Outcome.RETURN):
        raise batch.LineWrong("scope、decision、lead 互相矛盾")


def judge(rows: Sequence[tuple[Gold, Complaint]], engine: Engine) -> list[Judged]:
    """What the engine decides about each."""
    return [Judged(gold, complaint, engine.triage(complaint)) for gold, complaint in rows]
