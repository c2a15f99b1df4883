"""What the terminal shows: one decision explained with its evidence, and how far a long work has come."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from models.complaint import Complaint, RegisterHit
from models.decision import Decision, Evidence, Outcome, Reason, Urgency
from models.register import Institution
from models.ruleset import RuleSet, ScopeCode

LONGEST = 3000
"""More characters of one complaint than this are not printed."""
OUTCOMES = {Outcome.DISPATCH: "分派", Outcome.ESCALATE: "提级牵头", Outcome.RETURN: "退回热线"}
URGENCIES = {Urgency.NORMAL: "一般", Urgency.URGENT: "紧急", Urgency.EMERGENCY: "特急"}
REASONS = {
    Reason.CLEAR: "类别明确",
    Reason.REGISTER: "按名录",
    Reason.NO_CATEGORY: "类别未明",
    Reason.MULTI_DEPARTMENT: "涉及多个单位",
    Reason.COMPREHENSIVE: "综合性事项",
    Reason.NEEDS_IDENTIFICATION: "项目属性待鉴别",
    Reason.LOW_CONFIDENCE: "把握不足",
    Reason.REPEATED_RETURN: "多次退回",
    Reason.OUT_SCHOOL: "学校自身事务",
    Reason.OUT_KINDERGARTEN: "幼儿园自身事务",
    Reason.OUT_ADULT: "成人培训",
    Reason.OUT_CHILDCARE: "3岁以下托育",
    Reason.OUT_CARE_ONLY: "托管，不培训",
    Reason.OUT_OTHER_MATTER: "其他事项",
    Reason.OUT_OTHER_DISTRICT: "其他区",
    Reason.NO_EVIDENCE: "与校外培训无关",
}
SCOPES = {
    ScopeCode.IN: "属校外培训",
    ScopeCode.SCHOOL: "学校自身事务",
    ScopeCode.KINDERGARTEN: "幼儿园自身事务",
    ScopeCode.ADULT: "成人培训",
    ScopeCode.CHILDCARE: "3岁以下托育",
    ScopeCode.CARE_ONLY: "托管，不培训",
    ScopeCode.OTHER_MATTER: "其他事项",
    ScopeCode.OTHER_DISTRICT: "其他区",
}
PLACES = {"institution": "机构名称", "title": "标题", "content": "内容"}
COLOURS = {
    "category": "bold black on green",
    "scope": "bold black on cyan",
    "issue": "bold black on yellow",
    "signal": "bold white on magenta",
}
OUTCOME_COLOURS = {Outcome.DISPATCH: "bold green", Outcome.ESCALATE: "bold yellow", Outcome.RETURN: "bold red"}
CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")
"""A complaint must not steer the terminal; one sign for one, so that places stay."""


def supports(code: str, ruleset: RuleSet) -> str:
    """What evidence speaks for, in Chinese."""
    kind, target = code.split(":")
    match kind:
        case "category":
            return ruleset.ruleset.categories[target].name
        case "issue":
            return ruleset.issues[target].name
        case "scope":
            return SCOPES[ScopeCode(target)]
        case _:
            return {"emergency": "特急", "urgent": "紧急"}.get(target, target)


def clause(name: str | None, ruleset: RuleSet) -> str:
    """A clause as officials cite it; nothing where there is none."""
    known = ruleset.clauses.get(name or "")
    return f"《{ruleset.documents[known.document].title}》{known.article}" if known else ""


def certificate(ruleset: RuleSet) -> str:
    """What the pack's calibration promises, in a sentence."""
    known = ruleset.ruleset.calibration
    if known is None:
        return "规则包没有校准，自动分派只供建议。"
    if not known.certified:
        return f"校准未能证明承诺（{known.promise:.1%}），自动分派只供建议。"
    evidence = f"{known.dispatched} 件中 {known.right} 件正确"
    return f"校准：{known.confidence:.0%} 置信下，自动分派正确的比例不低于 {known.promise:.1%}（{evidence}）。"


def explanation(complaint: Complaint, decision: Decision, ruleset: RuleSet, *, colour: bool) -> RenderableType:
    """One decision, whole: what, who, why, and the words of the complaint that say so."""
    parts: list[RenderableType] = [_verdict(decision, ruleset), Text()]
    for field, name in PLACES.items():
        text = getattr(complaint, field)
        if text:
            parts += [Text(name, style="bold"), Padding(marked(text, field, decision.evidence, colour=colour), (0, 0, 1, 2))]
    if decision.evidence:
        parts += [_evidence(decision.evidence, ruleset), _clauses(decision, ruleset)]
    return Group(*parts)


def _verdict(decision: Decision, ruleset: RuleSet) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("研判", Text(OUTCOMES[decision.decision], style=OUTCOME_COLOURS[decision.decision]))
    for label, text in _lines(decision, ruleset):
        if text:
            grid.add_row(label, Text(text))
    return grid


def _lines(decision: Decision, ruleset: RuleSet) -> list[tuple[str, str]]:
    categories = "、".join(f"{ruleset.ruleset.categories[item.code].name}（{item.score}分）" for item in decision.categories)
    runner_up = decision.runner_up
    return [
        ("主办", department(decision.lead, ruleset)),
        ("协办", assists(decision, ruleset)),
        ("建议转", decision.suggest or ""),
        ("类别", categories),
        ("问题", "、".join(ruleset.issues[code].name for code in decision.issues)),
        ("紧急程度", URGENCIES[decision.urgency]),
        ("把握", _certainty(decision)),
        ("名录", registered(decision.register, ruleset)),
        ("次选", f"{department(runner_up.department, ruleset)}：{runner_up.why_not}" if runner_up else ""),
        ("追问", f"{decision.ask.question}（{' / '.join(option.text for option in decision.ask.options)}）" if decision.ask else ""),
        ("提醒", "".join(decision.notices)),
        ("理由", decision.reason),
        ("校准", certificate(ruleset) if decision.decision is Outcome.DISPATCH else ""),
    ]


def registered(hit: RegisterHit | None, ruleset: RuleSet) -> str:
    """What the register knows of the institution."""
    if hit is None:
        return ""
    if not hit.listed:
        return f"没有“{hit.name}”"
    category = ruleset.ruleset.categories.get(hit.category or "")
    parts = [hit.licence, category.name if category else "类别未载明", hit.status, "" if hit.how == "exact" else f"诉求写作“{hit.quote}”"]
    return f"{hit.name}（{'，'.join(filter(None, parts))}）"


def _certainty(decision: Decision) -> str:
    """How sure; the probability was learnt on what could be dispatched, and says nothing of the rest."""
    known = decision.confidence is not None and (decision.decision is Outcome.DISPATCH or decision.reason_code is Reason.LOW_CONFIDENCE)
    return f"{decision.certainty}分" + (f"，主办单位正确的概率约{decision.confidence:.1%}" if known else "")


def department(code: str | None, ruleset: RuleSet) -> str:
    """The name of a department; nothing where there is none."""
    return ruleset.department(code).name if code else ""


def assists(decision: Decision, ruleset: RuleSet) -> str:
    """Who helps, and with what."""
    return "、".join(f"{department(item.department, ruleset)}（{ruleset.issues[item.issue].name}）" for item in decision.assists)


def marked(text: str, field: str, evidence: Iterable[Evidence], *, colour: bool) -> Text:
    """A text with its evidence highlighted; in 〔〕 where the terminal has no colours."""
    pieces = sorted((item for item in evidence if item.field == field), key=lambda item: (item.start, -item.end))
    shown = text[:LONGEST].translate(CONTROLS)
    line = Text(shown if colour else _bracketed(shown, pieces), overflow="fold")
    # The last colour stays where pieces overlap: what words say of the category matters most.
    for kind in reversed(COLOURS):
        for item in pieces if colour else ():
            if item.supports.startswith(kind):
                line.stylize(COLOURS[kind], item.start, item.end)
    if len(text) > LONGEST:
        line.append(f"……（共{len(text)}字）", style="dim")
    return line


def _bracketed(text: str, pieces: Iterable[Evidence]) -> str:
    out, done = [], 0
    for item in pieces:
        if item.start >= done:
            out += [text[done : item.start], "〔", text[item.start : item.end], "〕"]
            done = item.end
    return "".join([*out, text[done:]])


def _evidence(pieces: Iterable[Evidence], ruleset: RuleSet) -> Table:
    table = Table(title="依据", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("词语", "说明什么", "分", "位置", "规则"):
        table.add_column(name, justify="right" if name == "分" else "left", overflow="fold")
    for item in pieces:
        place = f"{PLACES[item.field]}第{item.start + 1}字"
        table.add_row(Text(item.quote.translate(CONTROLS)), supports(item.supports, ruleset), str(item.weight), place, Text(item.rule))
    return table


def _clauses(decision: Decision, ruleset: RuleSet) -> RenderableType:
    """The clauses that the rules and assists rest on, each once."""
    names = [*(item.clause for item in decision.evidence), *(item.clause for item in decision.assists)]
    cited = dict.fromkeys(filter(None, (clause(name, ruleset) for name in names)))
    return Group(Text("条款", style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in cited)) if cited else Text()


def say(console: Console, complaint: Complaint, decision: Decision, ruleset: RuleSet) -> None:
    """Print an explanation as this terminal can show it."""
    console.print(explanation(complaint, decision, ruleset, colour=console.is_terminal and not console.no_color))


def institutions(rows: Iterable[Institution], ruleset: RuleSet) -> Table:
    """Institutions of the register, one a line."""
    table = listing("名称", "别名", "类别", "主管部门", "许可证号", "街道", "状态")
    for row in rows:
        category = ruleset.ruleset.categories.get(row.category or "")
        known = {unit.code: unit.name for unit in ruleset.departments}
        cells = ["；".join(row.aliases), category.name if category else "", known.get(row.department or "", ""), row.licence, row.street]
        table.add_row(*map(Text, (row.name, *cells, row.status)))
    return table


# Lists ----------------------------------------------------------------------------------------------------------------------------

CHINA = timezone(timedelta(hours=8))
WIDE = 200
"""Columns of a list that goes into a file or another program: nobody's window bounds it."""


def listing(*names: str, whole: tuple[str, ...] = ("编号",), right: tuple[str, ...] = ()) -> Table:
    """An empty list with these columns; numbers that are to be copied are never broken."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in whole, justify="right" if name in right else "left")
    return table


def out(what: RenderableType) -> None:
    """Print on standard output."""
    asked = "COLUMNS" in os.environ or sys.stdout.isatty()
    Console(width=None if asked else WIDE).print(what)


def at(moment: datetime, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment in Beijing time."""
    return moment.astimezone(CHINA).strftime(form)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal. It has no thread of its own: a process that forks must not hold one."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        drawn = 0.0

        def advance(amount: int) -> None:
            nonlocal drawn
            bar.advance(task, amount)
            if time.monotonic() - drawn > 0.1:
                bar.refresh()
                drawn = time.monotonic()

        yield advance
