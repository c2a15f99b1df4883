"""The figures on the terminal: tables short enough for one screen."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.ruleset import Calibration, RuleSet
from service.evaluate.calibration import needed
from service.evaluate.figures import Figures, Score, measure
from service.evaluate.gold import Judged
from service.evaluate.report import GROUP_RATES, GROUPS, expected, given, groups, names, percent, span
from service.show import certificate

MOST_ERRORS = 20


def summary(judged: Sequence[Judged], figures: Figures, ruleset: RuleSet) -> RenderableType:
    """All figures, the confusion of departments, and the first errors."""
    categories = {code: item.name for code, item in ruleset.ruleset.categories.items()}
    issues = {code: item.name for code, item in ruleset.issues.items()}
    return Group(
        _rates(figures),
        *_groups(judged, ruleset),
        _scores("机构类别（只计范围内）", figures.categories, categories, "宏平均", figures.macro_f1),
        _confusion(figures, ruleset),
        _scores("问题类型（只计范围内）", figures.issues, issues, "微平均", figures.issue.f1),
        *_errors(judged, ruleset),
        Text(certificate(ruleset)),
    )


def _table(title: str, *columns: str, fixed: bool = True) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at else "left", no_wrap=fixed or not at)
    return table


def _rates(figures: Figures) -> Table:
    table = _table(f"标注 {figures.count} 件", "", "比率", "件数", "威尔逊 95%", "精确 95%")
    for rate in figures.rates:
        table.add_row(rate.name, percent(rate.value), f"{rate.right}/{rate.count}", span(rate.wilson), span(rate.exact))
    return table


def _groups(judged: Sequence[Judged], ruleset: RuleSet) -> Iterator[Table]:
    parts = groups(judged)
    if parts:
        measured = {name: measure(items, ruleset) for name, items in parts.items()}
        table = _table("分来源", "", *(f"{GROUPS.get(name, name)}（{figures.count}）" for name, figures in measured.items()))
        for code in GROUP_RATES:
            rates = [figures.rate(code) for figures in measured.values()]
            table.add_row(rates[0].name, *(f"{percent(rate.value)} {rate.right}/{rate.count}" for rate in rates))
        yield table


def _scores(title: str, scores: Iterable[Score], known: dict[str, str], average: str, f1: float) -> Table:
    table = _table(title, "", "精确率", "召回率", "F1", "对", "多", "漏")
    for score in scores:
        shares = map(percent, (score.precision, score.recall, score.f1))
        table.add_row(known.get(score.code, score.code), *shares, str(score.tp), str(score.fp), str(score.fn))
    table.add_row(average, "", "", percent(f1))
    return table


def _confusion(figures: Figures, ruleset: RuleSet) -> Table:
    known = names(ruleset)
    table = _table("主办单位：行是标注，列是研判", "", *(known[code] for code in figures.confusion.labels))
    for code, row in zip(figures.confusion.labels, figures.confusion.counts, strict=True):
        table.add_row(known[code], *(str(count or "·") for count in row))
    return table


def _errors(judged: Sequence[Judged], ruleset: RuleSet) -> Iterator[RenderableType]:
    wrong = [item for item in judged if not item.right]
    if wrong:
        table = _table(
            f"错误 {len(wrong)} 件" + (f"，列出前 {MOST_ERRORS} 件" if len(wrong) > MOST_ERRORS else ""),
            "编号",
            "应为",
            "判为",
            fixed=False,
        )
        for item in wrong[:MOST_ERRORS]:
            table.add_row(str(item.gold.id), expected(item, ruleset), given(item, ruleset))
        yield table


def verdict(calibration: Calibration) -> str:
    """What came of a calibration, plainly."""
    seen = (
        f"标注 {calibration.n} 件，自动分派 {calibration.dispatched} 件，其中正确 {calibration.right} 件；覆盖 {calibration.coverage:.1%}"
    )
    bound = f"{calibration.confidence:.0%} 置信下，正确的比例不低于 {calibration.bound:.2%}"
    if calibration.certified:
        return f"可以承诺 {calibration.promise:.1%}：把握达到 {calibration.threshold} 分的才自动分派。{seen}。{bound}。"
    least = needed(calibration.promise)
    return (
        f"这些标注不足以证明承诺的 {calibration.promise:.1%}，自动分派只供建议。门槛仍为 {calibration.threshold} 分：{seen}。{bound}。"
        f"要证明这一承诺，自动分派的至少要有 {least} 件且无一分错；分错得越多，需要的标注越多。"
    )
