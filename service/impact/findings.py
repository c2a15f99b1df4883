"""An impact as people read it on a terminal, and as JSON for programs."""

from dataclasses import asdict
from typing import Any

from models.ruleset import RuleSet
from service.impact.measure import Flip, Impact, Score

OUTCOMES = {"dispatch": "分派", "escalate": "提级", "return": "退回"}
MOST = 20
"""Flips and moves that a terminal shows."""


def as_json(impact: Impact) -> dict[str, Any]:
    """The impact for programs."""
    moves = [{"before": old, "after": new, "cases": count} for (old, new), count in impact.moves.most_common()]
    outcomes = [{"before": old, "after": new, "cases": count} for (old, new), count in impact.outcomes.most_common()]
    return {
        "cases": impact.cases,
        "unreadable": impact.unreadable,
        "flipped": impact.flipped,
        "moves": moves,
        "outcomes": outcomes,
        "issues_gained": dict(impact.issues_gained.most_common()),
        "issues_lost": dict(impact.issues_lost.most_common()),
        "assists_changed": impact.assists_changed,
        "confirmed": {
            "cases": impact.confirmed,
            "before": _score(impact.before),
            "after": _score(impact.after),
            "breaks": impact.breaks,
            "mends": impact.mends,
            "broken": impact.broken[:500],
        },
        "flips": [asdict(flip) for flip in impact.flips],
    }


def _score(score: Score) -> dict[str, Any]:
    share, low, high = score.precision or (None, None, None)
    return asdict(score) | {"precision": share, "low": low, "high": high}


def as_text(impact: Impact, ruleset: RuleSet, *, flips: int = MOST) -> str:
    """The impact for a terminal."""
    parts = [_summary(impact), _moves(impact, ruleset), _issues(impact, ruleset), _confirmed(impact), _flips(impact, ruleset, flips)]
    return "\n\n".join(filter(None, parts))


def _summary(impact: Impact) -> str:
    lines = [f"重放 {impact.cases} 件：{impact.flipped} 件去向改变，{impact.assists_changed} 件协办改变。"]
    lines += [f"    {OUTCOMES[old]} → {OUTCOMES[new]}  {count} 件" for (old, new), count in impact.outcomes.most_common()]
    if impact.unreadable:
        lines.append(f"    有 {impact.unreadable} 行读不了，没有计入")
    return "\n".join(lines)


def _moves(impact: Impact, ruleset: RuleSet) -> str:
    if not impact.moves:
        return ""
    lines = [f"    {_name(old, ruleset)} → {_name(new, ruleset)}  {count} 件" for (old, new), count in impact.moves.most_common(MOST)]
    more = [f"    ……另有 {len(impact.moves) - MOST} 种"] if len(impact.moves) > MOST else []
    return "\n".join(["从哪里到哪里：", *lines, *more])


def _name(place: str, ruleset: RuleSet) -> str:
    kind, _, code = place.rpartition(":")
    if place == "return":
        return "退回热线"
    names = {department.code: department.name for department in ruleset.departments}
    return names.get(code, code) + ("（提级）" if kind else "")


def _issues(impact: Impact, ruleset: RuleSet) -> str:
    lines = []
    for sign, counts in (("增", impact.issues_gained), ("减", impact.issues_lost)):
        named = [f"{ruleset.issues[code].name if code in ruleset.issues else code} {count} 件" for code, count in counts.most_common()]
        lines += [f"    {sign}：{'、'.join(named)}"] if named else []
    return "\n".join(["问题类型：", *lines]) if lines else ""


def _confirmed(impact: Impact) -> str:
    if not impact.confirmed:
        return "没有经人确认的案件，无法说明准确率是升是降。"
    right = f"原来对 {impact.before.right} 件，现在对 {impact.after.right} 件"
    lines = [
        f"经人确认的 {impact.confirmed} 件：{right}；改对 {impact.mends} 件，改错 {impact.breaks} 件。",
        f"    自动分派的准确率：原来 {_precision(impact.before)}，现在 {_precision(impact.after)}。",
    ]
    if impact.broken:
        named = "、".join(impact.broken[:MOST]) + ("……" if impact.breaks > MOST else "")
        lines.append(f"    改错的：{named}。发布会被拒绝，除非写明理由（--overrule）。")
    return "\n".join(lines)


def _precision(score: Score) -> str:
    if score.precision is None:
        return "没有自动分派"
    share, low, high = score.precision
    return f"{share:.1%}（{score.dispatched_right}/{score.dispatched}，95% 区间 {low:.1%} 至 {high:.1%}）"


def _flips(impact: Impact, ruleset: RuleSet, most: int) -> str:
    if not impact.flips or not most:
        return ""
    lines = [line for flip in sorted(impact.flips, key=lambda flip: not flip.breaks)[:most] for line in _flip(flip, ruleset)]
    more = [f"……共 {impact.flipped} 件，--json 列出前 {len(impact.flips)} 件"] if impact.flipped > most else []
    return "\n".join(["去向改变的案件：", *lines, *more])


def _flip(flip: Flip, ruleset: RuleSet) -> list[str]:
    places = [_name(_place(side.decision, side.lead), ruleset) for side in (flip.before, flip.after)]
    words = [f"新依据 {'、'.join(flip.gained)}"] if flip.gained else []
    words += [f"失去依据 {'、'.join(flip.lost)}"] if flip.lost else []
    return [
        f"  {flip.id}  {places[0]} → {places[1]}{'  【确认过的，会出错】' if flip.breaks else ''}",
        f"    {flip.text}",
        *([f"    {'；'.join(words)}"] if words else []),
        f"    原：{flip.before.reason}",
        f"    今：{flip.after.reason}",
    ]


def _place(decision: str, lead: str | None) -> str:
    return {"dispatch": str(lead), "return": "return"}.get(decision, f"escalate:{lead}")
