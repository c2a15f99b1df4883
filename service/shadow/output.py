"""How a shadow stands, as JSON for programs and as text for a terminal."""

from dataclasses import asdict
from typing import Any

import orjson

from models.ruleset import RuleSet
from service.evaluate.chance import exact
from service.log import masked
from service.shadow.beside import Told
from service.store import ShadowRow

TEXT = 200
HEAD = ("id", "pack", "digest", "origin", "author", "note", "started_at", "stopped_at", "stopped_by", "cases", "agreed", "issues_changed")
OUTCOMES = {"dispatch": "分派", "escalate": "提级", "return": "退回热线"}


def head_json(row: ShadowRow) -> dict[str, Any]:
    whole = asdict(row)
    low, high = exact(row.agreed, row.cases) if row.cases else (None, None)
    rate = {"agreement": row.agreed / row.cases if row.cases else None, "low": low, "high": high}
    return {name: whole[name] for name in HEAD} | {"running": row.stopped_at is None} | rate


def as_json(told: Told) -> dict[str, Any]:
    """The shadow, and where it disagrees."""
    listed = [
        {"case_id": case.case_id, "seq": case.seq, "text": _text(title, content), **orjson.loads(case.body)}
        for case, title, content, _ in told.cases
    ]
    return head_json(told.row) | {"disagreements": listed}


def as_text(told: Told, ruleset: RuleSet) -> str:
    row, head = told.row, head_json(told.row)
    state = "正在影子运行" if head["running"] else "影子运行已停止"
    lines = [f"{row.author} 的草稿（{row.note}）{state}，摘要 {row.digest[:12]}。"]
    if row.cases:
        low, high = head["low"], head["high"]
        lines.append(
            f"{row.cases} 件新案，{row.agreed} 件去向相同：一致率 {head['agreement']:.1%}（95% 区间 {low:.1%} 至 {high:.1%}）；"
            f"问题类型不同 {row.issues_changed} 件。"
        )
    else:
        lines.append("还没有新的案件。")
    lines += [line for case in as_json(told)["disagreements"] for line in _case(case, ruleset)]
    return "\n".join(lines)


def _case(case: dict[str, Any], ruleset: RuleSet) -> list[str]:
    words = [f"新依据 {'、'.join(case['gained'])}"] if case["gained"] else []
    words += [f"失去依据 {'、'.join(case['lost'])}"] if case["lost"] else []
    issues = f"；问题 {_issues(case['was'])} → {_issues(case['would'])}" if case["issues_changed"] else ""
    return [
        f"  {case['case_id']}  {_place(case['was'], ruleset)} → {_place(case['would'], ruleset)}{issues}",
        f"    {case['text']}",
        *([f"    {'；'.join(words)}"] if words else []),
    ]


def _place(side: dict[str, Any], ruleset: RuleSet) -> str:
    names = {department.code: department.name for department in ruleset.departments}
    lead = f"（{names.get(side['lead'], side['lead'])}）" if side["lead"] else ""
    outcome: str = OUTCOMES[side["decision"]]
    return outcome + lead


def _issues(side: dict[str, Any]) -> str:
    issues: list[str] = side["issues"]
    return "、".join(issues) or "无"


def _text(title: str, content: str) -> str:
    shown: str = masked("。".join(filter(None, (title, content)))[:TEXT])
    return shown
