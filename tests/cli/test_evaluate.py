"""`fenpai evaluate` and `fenpai calibrate`, from a file of labels to tables, report and pack."""

import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from service import rulebook
from tests.cli.conftest import PACK, Fenpai

Lines = Callable[..., str]


def label(number: int, text: str, decision: str, lead: str | None = None, *categories: str, **more: Any) -> dict[str, Any]:
    scope = "out" if decision == "return" else "in"
    return {"id": number, "text": text, "scope": scope, "decision": decision, "lead": lead, "categories": categories, "issues": [], **more}


BALL = label(1, "云溪区某篮球班不给退费。", "dispatch", "gym_office", "ball", issues=["refund"], kind="letter")
STAGE = label(2, "舞蹈班的老师打骂小朋友。", "dispatch", "stage_office", "stage", kind="press")
WATER = label(3, "小区停水三天了。", "return", kind="letter")
WRONG = label(4, "<b>篮球班</b>&舞蹈，在职教师有偿补课。", "dispatch", "study_office", "letters", why="在职教师", hard=True)


class TestEvaluate:
    def test_prints_figures_with_intervals_and_the_groups_apart(self, fenpai: Fenpai, lines: Lines) -> None:
        ended = fenpai("evaluate", lines(BALL, STAGE, WATER, WRONG))
        assert ended.code == 0
        for said in ("研判正确：全部", "75.0%", "3/4", "来信（2）", "报道（1）", "宏平均", "云溪区舞台办", "提级牵头 · 云溪区学习办"):
            assert said in ended.out

    def test_several_files_are_one_set(self, fenpai: Fenpai, lines: Lines) -> None:
        assert "标注 2 件" in fenpai("evaluate", lines(BALL, name="a.jsonl"), lines(STAGE, name="b.jsonl")).out

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"id": 1, "text": "x"}, "scope"),
            ({**BALL, "decision": "send"}, "decision"),
            ({**BALL, "lead": "nosuch"}, "nosuch"),
            ({**BALL, "categories": ["nosuch"]}, "nosuch"),
            ({**BALL, "lead": None}, "矛盾"),
            ({**WATER, "decision": "dispatch"}, "矛盾"),
            ({**BALL, "text": ""}, "不能为空"),
            (b"{", "JSON"),
        ],
    )
    def test_a_mistaken_label_is_told_by_its_line(self, fenpai: Fenpai, lines: Lines, row: dict[str, Any] | bytes, said: str) -> None:
        ended = fenpai("evaluate", lines(STAGE, row))
        assert ended.code == 2
        assert "第 2 行" in ended.err
        assert said in ended.err

    def test_no_labels_no_figures(self, fenpai: Fenpai, lines: Lines) -> None:
        assert fenpai("evaluate", lines()).code == 2


class TestReport:
    @pytest.fixture
    def page(self, fenpai: Fenpai, lines: Lines, tmp_path: Path) -> str:
        target = tmp_path / "report.html"
        assert fenpai("evaluate", lines(BALL, STAGE, WATER, WRONG), "--html", str(target)).code == 0
        return target.read_text(encoding="utf-8")

    def test_needs_nothing_from_the_network(self, page: str) -> None:
        assert not re.search(r"https?:|src=|href=|url\(|<script|@import", page)
        assert "default-src 'none'" in page

    def test_shows_every_error_with_its_evidence_in_the_text(self, page: str) -> None:
        told = page.split("每一处错误", 1)[1]
        assert told.count("<article>") == 1
        assert re.search(r'<mark class="category" title="[^"]*ball\.programs[^"]*">篮球</mark>', told)
        assert "在职教师有偿补课" in told
        assert "疑难" in told

    def test_texts_are_no_markup(self, page: str) -> None:
        assert "<b>篮球" not in page
        assert "&lt;b&gt;" in page

    def test_draws_the_curve_and_the_confusion(self, page: str) -> None:
        assert '<svg viewBox="0 0' in page
        assert "<polyline" in page
        assert 'class="confusion"' in page

    def test_is_well_formed(self, page: str) -> None:
        balance = Balance()
        balance.feed(page)
        assert balance.open == []

    def test_without_errors_says_so(self, fenpai: Fenpai, lines: Lines, tmp_path: Path) -> None:
        target = tmp_path / "report.html"
        fenpai("evaluate", lines(BALL), "--html", str(target))
        assert "没有。" in target.read_text(encoding="utf-8")


class Balance(HTMLParser):
    """The tags that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 (the parser asks so)
        if tag not in {"meta", "line", "polygon", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Opens and closes at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestCalibrate:
    @pytest.fixture
    def pack(self, tmp_path: Path) -> Path:
        return Path(shutil.copytree(PACK, tmp_path / "pack"))

    def test_enough_labels_certify_and_are_written_into_the_pack(self, fenpai: Fenpai, lines: Lines, pack: Path) -> None:
        ended = fenpai("calibrate", lines(*[BALL] * 100, *[STAGE] * 100), "--promise", "0.98", "--pack", str(pack))
        assert ended.code == 0
        assert "可以承诺 98.0%" in ended.out
        found = rulebook.load(rulebook.read_folder(pack)).ruleset
        assert found.calibration is not None
        assert (found.calibration.certified, found.calibration.n, found.calibration.right) == (True, 200, 200)
        assert found.thresholds.dispatch == found.calibration.threshold > 0
        assert "# 虚构的云溪区" in (pack / "ruleset.yaml").read_text(encoding="utf-8")

    def test_then_a_decision_tells_how_sure_it_is(self, fenpai: Fenpai, lines: Lines, pack: Path) -> None:
        fenpai("calibrate", lines(*[BALL] * 200), "--pack", str(pack))
        assert 0.99 < fenpai("triage", BALL["text"], "--json", "--pack", str(pack)).answer["confidence"] < 1

    def test_too_few_certify_nothing_and_that_is_said(self, fenpai: Fenpai, lines: Lines, pack: Path) -> None:
        ended = fenpai("calibrate", lines(BALL, STAGE, WATER), "--pack", str(pack))
        assert ended.code == 0
        assert "不足以证明承诺的 98.0%，自动分派只供建议" in ended.out
        assert "149 件" in ended.out
        calibration = rulebook.load(rulebook.read_folder(pack)).ruleset.calibration
        assert calibration is not None
        assert not calibration.certified

    def test_a_dry_run_writes_nothing(self, fenpai: Fenpai, lines: Lines, pack: Path) -> None:
        before = (pack / "ruleset.yaml").read_bytes()
        assert fenpai("calibrate", lines(BALL), "--dry-run", "--pack", str(pack)).code == 0
        assert (pack / "ruleset.yaml").read_bytes() == before

    @pytest.mark.parametrize("promise", ["2", "0.1", "x"])
    def test_a_promise_is_a_probability(self, fenpai: Fenpai, lines: Lines, promise: str) -> None:
        ended = fenpai("calibrate", lines(BALL), "--promise", promise)
        assert ended.code == 2
        assert "--promise" in ended.err
