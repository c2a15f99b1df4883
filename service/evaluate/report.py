"""The report of an evaluation: one HTML page that needs nothing from the network, with every error and the words that led to it."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from itertools import pairwise
from math import isnan
from string import Template

from models.decision import Evidence, Outcome
from models.ruleset import RuleSet
from service.engine import ENGINE_VERSION
from service.evaluate.drawing import curve
from service.evaluate.figures import Confusion, Figures, Rate, Score, mean, measure
from service.evaluate.gold import RETURNED, Judged
from service.show import OUTCOMES, certificate

GROUPS = {"letter": "来信", "press": "报道", "case": "案例", "": "未注明"}
KINDS = ("category", "issue", "scope", "signal")
"""Which evidence colours words that are several: what they say of the category matters most."""
GROUP_RATES = ("right", "lead", "returned", "precision", "coverage", "escalation_rate", "return_rate")


def page(judged: Sequence[Judged], figures: Figures, ruleset: RuleSet) -> str:
    """The whole page."""
    wrong = [item for item in judged if not item.right]
    flawed = [item for item in judged if item.right and _differs(item)]
    template = Template(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    categories = {code: item.name for code, item in ruleset.ruleset.categories.items()}
    issues = {code: item.name for code, item in ruleset.issues.items()}
    return template.substitute(
        pack=escape(ruleset.ruleset.name),
        version=ruleset.version,
        digest=ruleset.digest[:12],
        engine=ENGINE_VERSION,
        certified=escape(certificate(ruleset)),
        count=figures.count,
        rates=_table(("", "比率", "件数", "威尔逊区间", "精确区间"), map(_rate_cells, figures.rates)),
        groups=_groups(judged, ruleset),
        categories=_scores(figures.categories, categories, "宏平均", figures.macro_f1),
        confusion=_confusion(figures.confusion, ruleset),
        departments=_scores(figures.departments, names(ruleset), "宏平均", mean(score.f1 for score in figures.departments)),
        issues=_scores(figures.issues, issues, "微平均", figures.issue.f1),
        curve=curve(figures.curve, ruleset),
        wrong=len(wrong),
        errors=_errors(wrong, ruleset),
        flawed=len(flawed),
        flaws=_errors(flawed, ruleset),
    )


def names(ruleset: RuleSet) -> dict[str, str]:
    """What stands in a confusion: departments by name, and back to the hotline."""
    return {department.code: department.name for department in ruleset.departments} | {RETURNED: OUTCOMES[Outcome.RETURN]}


def percent(value: float) -> str:
    """A share for people; a dash where there was nothing to count."""
    return "—" if isnan(value) else f"{value:.1%}"


def span(interval: tuple[float, float]) -> str:
    """An interval for people."""
    return f"{interval[0]:.1%}–{interval[1]:.1%}"


def groups(judged: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Letters, press and whatever else the labels tell apart; nothing where they tell nothing apart."""
    found: dict[str, list[Judged]] = {}
    for item in judged:
        found.setdefault(item.gold.group, []).append(item)
    return found if len(found) > 1 else {}


def _rate_cells(rate: Rate) -> tuple[str, ...]:
    return rate.name, percent(rate.value), f"{rate.right}/{rate.count}", span(rate.wilson), span(rate.exact)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["<table><tr>", *(f"<th>{escape(cell)}</th>" for cell in head), "</tr>"]
    for row in rows:
        lines += ["<tr>", *(f"<td>{escape(cell)}</td>" for cell in row), "</tr>"]
    return "".join([*lines, "</table>"])


def _groups(judged: Sequence[Judged], ruleset: RuleSet) -> str:
    parts = groups(judged)
    if not parts:
        return "<p>标注没有区分来源。</p>"
    measured = {name: measure(items, ruleset) for name, items in parts.items()}
    whole = next(iter(measured.values()))
    head = ["来源", "件数", *(whole.rate(code).name for code in GROUP_RATES), "类别宏 F1"]
    rows = [
        [GROUPS.get(name, name), str(figures.count), *(_brief(figures.rate(code)) for code in GROUP_RATES), percent(figures.macro_f1)]
        for name, figures in measured.items()
    ]
    return _table(head, rows)


def _brief(rate: Rate) -> str:
    return f"{percent(rate.value)}（{rate.right}/{rate.count}）"


def _scores(scores: Iterable[Score], known: dict[str, str], average: str, f1: float) -> str:
    rows = [
        (
            known.get(score.code, score.code),
            *map(percent, (score.precision, score.recall, score.f1)),
            *map(str, (score.tp, score.fp, score.fn)),
        )
        for score in scores
    ]
    return _table(("", "精确率", "召回率", "F1", "对", "多", "漏"), [*rows, (average, "", "", percent(f1), "", "", "")])


def _score_cells(score: Score) -> tuple[str, ...]:
    return (*map(percent, (score.precision, score.recall, score.f1)), *map(str, (score.tp, score.fp, score.fn)))


def _confusion(confusion: Confusion, ruleset: RuleSet) -> str:
    known = names(ruleset)
    lines = ['<table class="confusion"><tr><th></th>', *(f"<th>{escape(known[code])}</th>" for code in confusion.labels), "</tr>"]
    for code, row in zip(confusion.labels, confusion.counts, strict=True):
        total = sum(row) or 1
        lines.append(f"<tr><td>{escape(known[code])}</td>")
        for column, count in zip(confusion.labels, row, strict=True):
            kind = "right" if column == code else "wrong"
            lines.append(f'<td class="{kind}" style="--share:{count / total * 0.7:.2f}">{count or ""}</td>')
        lines.append("</tr>")
    return "".join([*lines, "</table>"])


def _differs(item: Judged) -> bool:
    """Whether categories or issues of what is in scope are not those of the label."""
    categories = {score.code for score in item.decision.categories}
    return item.gold.inside and (categories != set(item.gold.categories) or set(item.decision.issues) != set(item.gold.issues))


def _errors(items: Iterable[Judged], ruleset: RuleSet) -> str:
    return "\n".join(_error(item, ruleset) for item in items) or "<p>没有。</p>"


def _error(item: Judged, ruleset: RuleSet) -> str:
    gold, decision = item.gold, item.decision
    hard = ' <span class="hard">疑难</span>' if gold.hard else ""
    told = "\n".join(_marked(text, field, decision.evidence) for field, text in _texts(item) if text)
    return "".join(
        [
            f"<article><h3>{escape(str(gold.id))}{hard}</h3>",
            f'<p>应为 <b class="expected">{escape(expected(item, ruleset))}</b>，',
            f'判为 <b class="given">{escape(given(item, ruleset))}</b></p>',
            _issues(item, ruleset),
            f'<div class="told">{told}</div>',
            f'<p class="reason">{escape(decision.reason)}</p>',
            f"<p>标注理由：{escape(gold.why)}</p>" if gold.why else "",
            "</article>",
        ]
    )


def _issues(item: Judged, ruleset: RuleSet) -> str:
    want, got = item.gold.issues, item.decision.issues
    if not item.gold.inside or set(want) == set(got):
        return ""
    named = ["、".join(ruleset.issues[code].name if code in ruleset.issues else code for code in codes) or "无" for codes in (want, got)]
    return f'<p>问题应为 <b class="expected">{escape(named[0])}</b>，判为 <b class="given">{escape(named[1])}</b></p>'


def expected(item: Judged, ruleset: RuleSet) -> str:
    """The right answer, in Chinese."""
    return _answer(item.gold.decision, item.expected, item.gold.categories, ruleset)


def given(item: Judged, ruleset: RuleSet) -> str:
    """The engine's answer, in Chinese."""
    return _answer(item.decision.decision, item.given, [score.code for score in item.decision.categories], ruleset)


def _answer(outcome: Outcome, lead: str, categories: Iterable[str], ruleset: RuleSet) -> str:
    if outcome is Outcome.RETURN:
        return OUTCOMES[outcome]
    told = "、".join(ruleset.ruleset.categories[code].name for code in categories) or "类别未明"
    return f"{OUTCOMES[outcome]} · {names(ruleset)[lead]} · {told}"


def _texts(item: Judged) -> tuple[tuple[str, str], ...]:
    return ("institution", item.complaint.institution), ("title", item.complaint.title), ("content", item.complaint.content)


def _marked(text: str, field: str, evidence: Iterable[Evidence]) -> str:
    """A text with its evidence marked. Pieces may overlap, so it is cut wherever one begins or ends."""
    pieces = [item for item in evidence if item.field == field]
    cuts = sorted({0, len(text), *(place for item in pieces for place in (item.start, item.end))})
    out = []
    for start, end in pairwise(cuts):
        here = [item for item in pieces if item.start <= start and end <= item.end]
        words = escape(text[start:end])
        out.append(_mark(words, here) if here else words)
    return "".join(out)


def _mark(words: str, here: Sequence[Evidence]) -> str:
    kinds = [item.supports.split(":")[0] for item in here]
    kind = next(kind for kind in KINDS if kind in kinds)
    told = "；".join(f"{item.rule} {item.weight}分" for item in here)
    return f'<mark class="{kind}" title="{escape(told)}">{words}</mark>'
