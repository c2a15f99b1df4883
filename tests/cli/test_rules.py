"""`fenpai rules`: what an official runs after editing a rule."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import orjson
import pytest

from tests.cli.conftest import PACK, Fenpai


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACK, tmp_path / "pack"))


class TestCheck:
    def test_a_sound_pack_has_no_errors(self, fenpai: Fenpai) -> None:
        ended = fenpai("rules", "check")
        assert ended.code == 0
        assert "0 处错误" in ended.out

    def test_each_mistake_is_told_with_file_line_and_column(self, fenpai: Fenpai, pack: Path) -> None:
        (pack / "categories" / "ball.yaml").write_text("rules:\n  - id: ball.x\n    nosuch: 1\n", encoding="utf-8")
        ended = fenpai("rules", "check", str(pack))
        assert ended.code == 1
        assert "categories/ball.yaml:3:5: 错误" in ended.out

    def test_a_file_in_another_encoding_hides_no_other_mistake(self, fenpai: Fenpai, pack: Path) -> None:
        (pack / "categories" / "ball.yaml").write_bytes("rules:\n  - id: ball.球\n    nosuch: 1\n".encode("gbk"))
        (pack / "words.txt").write_text("篮球\n\n篮球\n", encoding="utf-8")
        ended = fenpai("rules", "check", str(pack))
        assert ended.code == 1
        assert "像是 GBK" in ended.out
        assert "categories/ball.yaml:3:5: 错误" in ended.out

    def test_a_missing_folder_cannot_be_checked(self, fenpai: Fenpai) -> None:
        ended = fenpai("rules", "check", "nosuch")
        assert (ended.code, ended.out) == (2, "")
        assert "nosuch" in ended.err


class TestTest:
    def test_cases_that_hold_are_counted(self, fenpai: Fenpai) -> None:
        ended = fenpai("rules", "test")
        assert ended.code == 0
        assert "6" in ended.out

    def test_a_case_that_does_not_hold_is_told_with_what_came_instead(self, fenpai: Fenpai, pack: Path) -> None:
        case = "cases:\n  - text: 舞蹈班的老师打骂小朋友。\n    lead: gym_office\n"
        (pack / "categories" / "letters.test.yaml").write_text(case, encoding="utf-8")
        ended = fenpai("rules", "test", str(pack))
        assert ended.code == 1
        assert "categories/letters.test.yaml" in ended.out
        assert "云溪区舞台办" in ended.out

    def test_for_machines_there_are_json_and_junit(self, fenpai: Fenpai, tmp_path: Path) -> None:
        target = tmp_path / "junit.xml"
        assert orjson.loads(fenpai("rules", "test", "--json", "--junit", str(target)).out)
        assert target.read_text(encoding="utf-8").startswith("<testsuites")


class TestSchema:
    def test_is_json_schema(self, fenpai: Fenpai) -> None:
        assert "$schema" in orjson.loads(fenpai("rules", "schema").out)


class TestMutate:
    def test_names_what_no_case_would_miss(self, fenpai: Fenpai) -> None:
        ended = fenpai("rules", "test", "--mutate")
        assert ended.code == 0
        assert "signal.child 的 terms：小朋友" in ended.out
        assert fenpai("rules", "test", "--mutate", "--json").answer["mutants"] > 0


class TestProve:
    def test_findings_are_told_with_their_sentences(self, fenpai: Fenpai) -> None:
        ended = fenpai("rules", "prove")
        assert ended.code == 0
        assert "例句：" in ended.out
        assert fenpai("rules", "prove", "--json").answer["faults"] == 0

    def test_a_rule_that_can_never_fire_ends_with_one(self, fenpai: Fenpai, pack: Path) -> None:
        file = pack / "categories" / "stage.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace("words: [课, 班]", "words: [兰球]"), encoding="utf-8")
        ended = fenpai("rules", "prove", str(pack))
        assert ended.code == 1
        assert "stage.trained：这条规则永远不会命中" in ended.out

    def test_sentences_are_saved_as_cases_that_pass(self, fenpai: Fenpai, pack: Path) -> None:
        assert fenpai("rules", "prove", str(pack), "--save-tests").code == 0
        assert (pack / "prove.test.yaml").is_file()
        assert fenpai("rules", "test", str(pack)).code == 0


class TestRepair:
    WRONG: ClassVar = {"id": 1, "text": "给孩子报的排球班不退费", "decision": "dispatch", "lead": "gym_office"}

    def test_an_edit_is_proposed_and_nothing_written(self, fenpai: Fenpai, pack: Path, lines: Callable[..., str]) -> None:
        ended = fenpai("rules", "repair", lines(self.WRONG), "--pack", str(pack))
        assert ended.code == 0
        assert "+    terms: [篮球, 足球, 网球, 排球]" in ended.out
        assert "排球" not in (pack / "categories" / "ball.yaml").read_text(encoding="utf-8")

    def test_written_if_wished_and_the_pack_passes(self, fenpai: Fenpai, pack: Path, lines: Callable[..., str]) -> None:
        assert fenpai("rules", "repair", lines(self.WRONG), "--write", "--pack", str(pack)).code == 0
        assert "排球" in (pack / "categories" / "ball.test.yaml").read_text(encoding="utf-8")
        assert fenpai("rules", "test", str(pack)).code == 0

    def test_labels_that_the_pack_does_not_have_are_refused(self, fenpai: Fenpai, lines: Callable[..., str]) -> None:
        ended = fenpai("rules", "repair", lines(self.WRONG | {"lead": "nobody"}, {"text": "只有文字"}))
        assert ended.code == 2
        assert "第 1 行：规则包里没有 nobody" in ended.err
        assert "第 2 行：没有写应有的结果" in ended.err

    def test_what_cannot_be_mended_ends_with_one(self, fenpai: Fenpai, lines: Callable[..., str]) -> None:
        ended = fenpai("rules", "repair", lines({"text": "小区停水三天了。", "lead": "gym_office"}))
        assert ended.code == 1
        assert "没有小而稳妥的改法" in ended.out
