"""`fenpai evaluate | calibrate`: how right the rules are, by labelled complaints."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service import rulebook, usage
from service.commands.terminal import Pack, engine_of
from service.engine import Engine
from service.errors import StartError
from service.evaluate import calibration, gold, report, summary
from service.evaluate.figures import measure

app = typer.Typer()

Golds = Annotated[list[Path], typer.Argument(metavar="标注文件...", help="标注好的诉求，JSONL，一行一件")]


@app.command(cls=usage.Command)
def evaluate(
    golds: Golds,
    html: Annotated[str, typer.Option(metavar="文件", help="另写一份网页报告，列出每一处错误及其依据")] = "",
    pack: Pack = "beichen",
) -> None:
    """用标注好的诉求评估研判：精确率、召回率、混淆、区间。"""
    engine = engine_of(pack)
    judged = gold.judge(gold.read(golds, engine.ruleset), engine)
    figures = measure(judged, engine.ruleset)
    Console().print(summary.summary(judged, figures, engine.ruleset))
    if html:
        Path(html).write_text(report.page(judged, figures, engine.ruleset), encoding="utf-8")
        print(f"报告：{html}")


@app.command(cls=usage.Command)
def calibrate(
    golds: Golds,
    promise: Annotated[float, typer.Option(min=0.5, max=0.9999, metavar="数", help="自动分派正确的比例至少多少")] = 0.98,
    dry: Annotated[bool, typer.Option("--dry-run", help="只算，不写入规则包")] = False,
    pack: Pack = "beichen",
) -> None:
    """用标注好的诉求校准：定出自动分派的门槛和把握的含义，写入规则包。标注须未用于调整规则。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    ruleset = rulebook.load(files)
    judged = gold.judge(gold.read(golds, ruleset), Engine(calibration.without_threshold(ruleset)))
    names = "、".join(path.name for path in golds)
    found = calibration.calibrate(judged, promise, ruleset.ruleset.thresholds.dispatch, names)
    print(summary.verdict(found))
    if not dry:
        changed = calibration.written(files, found)
        if rulebook.load(changed).ruleset.calibration != found:
            raise StartError(f"{calibration.RULESET} 的写法特殊，没有把握改得对，未写入")
        (folder / calibration.RULESET).write_text(changed[calibration.RULESET], encoding="utf-8")
        print(f"已写入 {folder / calibration.RULESET}")
