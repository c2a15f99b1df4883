"""A repair as people read it, as a diff, and as JSON."""

from difflib import unified_diff
from typing import Any

from service.repair.proposal import Repair, Step
from service.rulebook.edits import Edit
from service.ruletest.cases import case_line
from service.ruletest.trial import Sample

FIELDS = {
    "terms": "{where} 的 terms 加「{value}」",
    "unless": "{where} 的 unless 加「{value}」",
    "near": "{where} 的 near 加「{value}」",
    "list": "清单 {where} 加「{value}」",
    "within": "{where} 的 near 放宽到 {value} 字以内",
    "strength": "{where} 的 strength 改为 {value}",
}
MOST_SHOWN = 5


def said(edits: tuple[Edit, ...]) -> str:
    """Edits in words of the domain."""
    return "，".join(FIELDS[edit.field].format(where=edit.where, value=edit.value) for edit in edits)


def text(repair: Repair) -> str:
    """The proposals for a terminal, then the diff."""
    parts = [_step(number, step, repair) for number, step in enumerate(repair.steps, 1)]
    return "\n\n".join(part for part in (*parts, _summary(repair), diff(repair)) if part)


def _step(number: int, step: Step, repair: Repair) -> str:
    lines = [f"第 {number} 处：{said(step.edits)}"]
    kept = f"已确认的 {repair.confirmed} 件没有一件变坏"
    lines.append(f"    改好 {len(step.mended)} 件，共消去 {step.lifted} 处不符；{kept}")
    lines += [f"    · {_short(sample)}" for sample in step.mended[:MOST_SHOWN]]
    if len(step.mended) == 1:
        lines.append("    注意：只凭一件，许多词都能改好它；请人看过这个词再用，或多给几件同样判错的。")
    if step.others:
        lines.append(f"    效果相近的其他改法：{'；'.join(map(said, step.others))}")
    return "\n".join(lines)


def _short(sample: Sample) -> str:
    words = " ".join(sample.case.text.split())
    return words if len(words) <= 50 else words[:50] + "…"


def _summary(repair: Repair) -> str:
    wrong = repair.wrong - repair.right_already
    lines = [f"判错的 {wrong} 件，可改好 {wrong - len(repair.unmended)} 件，用 {len(repair.steps)} 处修改。"]
    if repair.right_already:
        lines.append(f"另有 {repair.right_already} 件现在已经判对。")
    if repair.unmended:
        lines.append(f"还有 {len(repair.unmended)} 件没有小而稳妥的改法：")
        lines += [f"    · {_short(sample)}" for sample in repair.unmended[:MOST_SHOWN]]
    return "\n".join(lines)


def diff(repair: Repair) -> str:
    """The edits and their cases as a unified diff of the pack's files."""
    lines: list[str] = []
    for name in sorted(repair.after):
        before, after = repair.before.get(name, ""), repair.after[name]
        if before != after:
            old = before.splitlines(keepends=True)
            lines += unified_diff(old, after.splitlines(keepends=True), f"a/{name}" if old else "/dev/null", f"b/{name}", n=1)
    return "".join(lines).rstrip("\n")


def as_json(repair: Repair) -> dict[str, Any]:
    """The repair for programs."""
    return {
        "pack": repair.ruleset.pack,
        "digest": repair.ruleset.digest,
        "wrong": repair.wrong,
        "right_already": repair.right_already,
        "unmended": len(repair.unmended),
        "confirmed": repair.confirmed,
        "steps": [
            {
                "edits": [{"field": edit.field, "where": edit.where, "value": edit.value} for edit in step.edits],
                "message": said(step.edits),
                "mended": len(step.mended),
                "lifted": step.lifted,
                "others": [said(other) for other in step.others],
                "test": {"file": step.pinned_in, "case": case_line(step.pin)} if step.pin else None,
            }
            for step in repair.steps
        ],
        "diff": diff(repair),
    }
