"""Wishes: labelled cases. JSON lines as `fenpai triage` reads them, with what should have come of each beside the text."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from models.decision import Reason
from models.ruleset import Expectation, RuleSet
from service import batch
from service.errors import StartError
from service.ruletest.trial import Sample

LABELS = ("decision", "reason_code", "lead", "category", "categories", "issues", "urgency")
ONLY_INSIDE = ("lead", "category", "categories", "issues")
"""What is not asked of a case that goes back to the hotline."""
MOST_SHOWN = 20


def read(paths: Iterable[Path], ruleset: RuleSet, wanted: Sequence[str] = LABELS) -> list[Sample]:
    """The labelled cases of some files; of their labels only those `wanted`. Every mistake is named at once."""
    found: list[Sample] = []
    wrong: list[str] = []
    for path in paths:
        for number, line in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            if line.strip():
                try:
                    found.append(Sample(path.name, number, number, case_of(line, ruleset, wanted)))
                except batch.LineWrong as mistake:
                    wrong.append(f"{path} 第 {number} 行：{mistake}")
    if wrong:
        raise StartError("\n".join([*wrong[:MOST_SHOWN], *([f"……共 {len(wrong)} 处"] if len(wrong) > MOST_SHOWN else [])]))
    return found


def case_of(line: bytes, ruleset: RuleSet, wanted: Sequence[str] = LABELS) -> Expectation:
    """The labelled case of one line; LineWrong says what is wrong with it."""
    _, complaint = batch.parse(line)
    row: dict[str, Any] = orjson.loads(line)
    labels = {key: row[key] for key in LABELS if key in wanted and row.get(key) is not None}
    if labels.get("decision") == "return":
        labels = {key: value for key, value in labels.items() if key not in ONLY_INSIDE}
    if not labels:
        raise batch.LineWrong(f"没有写应有的结果：{'、'.join(wanted)} 至少写一项")
    said = {"text": complaint.content, "title": complaint.title, "institution": complaint.institution}
    try:
        case = Expectation.model_validate({**said, "asserted_scope": complaint.asserted_scope, **labels})
    except ValidationError as mistake:
        fields = dict.fromkeys(str(item["loc"][0]) for item in mistake.errors())
        raise batch.LineWrong(f"应有的结果写错：{'、'.join(fields)}") from None
    _known(case, ruleset)
    return case


def _known(case: Expectation, ruleset: RuleSet) -> None:
    """Refuse answers that this rule set can never give."""
    departments = {department.code for department in ruleset.departments}
    pairs = (
        (case.reason_code, {reason.value for reason in Reason}),
        (case.lead, departments),
        (case.category, set(ruleset.ruleset.categories)),
        *((code, set(ruleset.ruleset.categories)) for code in case.categories or ()),
        *((code, set(ruleset.issues)) for code in case.issues or ()),
    )
    strange = sorted({code for code, known in pairs if code is not None and code not in known})
    if strange:
        raise batch.LineWrong(f"规则包里没有 {'、'.join(strange)}")
