"""`fenpai rules`: what an official runs after editing a rule."""

import shutil
from pathlib import Path

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
