"""Reasons: why a rule did not fire on a text in which it should have. Each condition is lifted in turn; the one that mattered is named."""

from collections.abc import Callable
from dataclasses import replace

from service.engine.plan import PlannedRule
from service.engine.tokens import OUTSIDE
from service.ruletest.bench import Bench, Ready

Lift = tuple[Callable[[PlannedRule], PlannedRule], str]

LIFTS: tuple[Lift, ...] = (
    (lambda rule: replace(rule, loose=True), "词语的两端不在分词的边界上；可把来话里的完整说法写进 terms，或设 loose: true"),
    (lambda rule: replace(rule, within=None), "附近没有 near 里的词语"),
    (lambda rule: replace(rule, needs=None), " needs 里的规则或信号都没有命中"),
    (lambda rule: replace(rule, blocked_by=frozenset()), "被 blocked_by 里的规则挡住"),
    (lambda rule: replace(rule, negatable=False), "前面或后面有否定词"),
    (lambda rule: replace(rule, places=frozenset()), "词语不在 in 所写的位置"),
)


def why_not(bench: Bench, ready: Ready, rule_id: str) -> str:
    """Why a rule did not fire, in Chinese."""
    order = bench.orders.get(rule_id)
    if order is None:
        return "这条规则没有启用"
    met = [bench.plan.patterns[pattern] for pattern in sorted(ready.patterns) if order in bench.plan.roles[pattern].terms]
    if not met:
        return "文字里没有它的任何词语"
    return f"文字里有「{'」「'.join(met[:3])}」，但{_hindrance(bench, ready, order)}"


def _hindrance(bench: Bench, ready: Ready, order: int) -> str:
    rule = bench.plan.rules[order]
    without_unless = bench.without([("unless", order, pattern) for pattern in ready.patterns])
    if bench.fires(ready, without_unless, rule.id):
        words = [bench.plan.patterns[pattern] for pattern in sorted(ready.patterns) if order in bench.plan.roles[pattern].unless]
        return f"被 unless 里的「{'」「'.join(words[:3])}」取消"
    for lift, said in LIFTS:
        if bench.fires(ready, bench.with_rule(lift(rule)), rule.id):
            return said + (f"（分词：{_cut(bench, ready)}）" if "分词" in said else "")
    return "同时不满足几项条件（unless、near、needs、in、词的边界等）"


def _cut(bench: Bench, ready: Ready, limit: int = 60) -> str:
    """The beginning of the text as jieba cuts it."""
    blocks = (block for block in OUTSIDE.split(ready.reading.text) if block)
    cut = " ".join("/".join(bench.plan.cutter.cut(block)) for block in blocks)
    return cut if len(cut) <= limit else cut[:limit] + "…"
