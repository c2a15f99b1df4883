"""`fenpai rules new`: a rule and its test written beside its family, or a clear word why not and nothing written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service import rulebook
from tests.cli.conftest import PACK, Fenpai

BALL, CASES = "categories/ball.yaml", "categories/ball.test.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fenpai: Fenpai) -> Path:
    """A pack of one's own, with comments that must stay."""
    shutil.copytree(PACK, tmp_path / "tiny")
    monkeypatch.setenv("FENPAI_PACK", str(tmp_path / "tiny"))
    assert fenpai is not None
    text = (tmp_path / "tiny" / BALL).read_text(encoding="utf-8")
    (tmp_path / "tiny" / BALL).write_text("# 球类，区球场办管\n" + text, encoding="utf-8")
    return tmp_path / "tiny"


class TestANewRule:
    def test_stands_behind_its_family_with_its_test_and_all_else_stays(self, fenpai: Fenpai, folder: Path) -> None:
        before, cases = (folder / BALL).read_text(encoding="utf-8"), (folder / CASES).read_text(encoding="utf-8")
        ended = fenpai("rules", "new", "ball.bat", "--terms", "棒球，垒球", "--unless", "棒球帽", "--status", "active")
        assert ended.code == 0, ended.err
        after = (folder / BALL).read_text(encoding="utf-8")
        assert after.startswith(before.rstrip("\n"))
        assert (folder / CASES).read_text(encoding="utf-8").startswith(cases.rstrip("\n"))
        [rule] = [rule for rule in rulebook.load(rulebook.read_folder(folder)).rules if rule.id == "ball.bat"]
        assert (rule.supports, rule.terms, rule.unless, rule.clause) == ("category:ball", ("棒球", "垒球"), ("棒球帽",), "order-2")
        assert fenpai("rules", "test").code == 0
        assert "--program" in ended.out

    def test_of_a_program_is_known_wherever_programs_are_meant(self, fenpai: Fenpai, folder: Path) -> None:
        ended = fenpai("rules", "new", "ball.bat", "--terms", "棒球", "--program", "--status", "active", "--hits", "孩子的棒球班不退费")
        assert (ended.code, "区球场办主办" in ended.out) == (0, True), ended.out
        assert "program: true" in (folder / BALL).read_text(encoding="utf-8")

    def test_is_on_trial_unless_told_otherwise_and_keeps_the_cases_that_are_given(self, fenpai: Fenpai, folder: Path) -> None:
        ended = fenpai("rules", "new", "ball.bat", "--terms", "棒球", "--hits", "孩子的棒球班不退费", "--misses", "买了一顶帽子")
        assert ended.code == 0, ended.err
        assert "status: trial" in (folder / BALL).read_text(encoding="utf-8")
        written = (folder / CASES).read_text(encoding="utf-8")
        assert '{text: "孩子的棒球班不退费", hits: [ball.bat]}' in written
        assert '{text: "买了一顶帽子", not: [ball.bat]}' in written


Asked = tuple[str, ...]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("ball.programs", "--terms", "棒球"), "已经有规则 ball.programs"),
        (("ball.bat",), "--terms"),
        (("ball.bat", "--terms", "篮球"), "篮球 已在规则 ball.programs"),
        (("Ball", "--terms", "棒球"), "不合格式"),
        (("bat.ball", "--terms", "棒球"), "--file"),
        (("ball.bat", "--terms", "棒球", "--strength", "strongest"), "您是否想写 strong"),
        (("ball.bat", "--terms", "棒球", "--clause", "order-22"), "categories/ball.yaml"),
        (("ball.bat", "--terms", "棒球", "--hits", "孩子学钢琴"), "没有命中 ball.bat"),
        (("ball.bat", "--terms", "棒球", "--misses", "孩子学棒球"), "命中了 ball.bat"),
        (("ball.bat", "--terms", "棒球", "--unless", "棒球"), "没有写入"),
        (("ball.bat", "--terms", "棒球", "--file", "departments.yaml"), "不是写规则的文件"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_and_nothing_is_written(fenpai: Fenpai, folder: Path, asked: Asked, says: str) -> None:
    before = rulebook.read_folder(folder)
    ended = fenpai("rules", "new", *asked)
    assert (ended.code, says in ended.err) == (2, True), ended.err
    assert rulebook.read_folder(folder) == before


class TestImportAndExport:
    def test_give_back_the_same_bytes(self, fenpai: Fenpai, folder: Path, tmp_path: Path, archive: Callable[[Path, Path], Path]) -> None:
        ended = fenpai("rules", "import", str(archive(folder, tmp_path / "pack.zip")), str(tmp_path / "back"))
        assert ended.code == 0, ended.err
        assert rulebook.read_folder(tmp_path / "back") == rulebook.read_folder(folder)
        assert fenpai("rules", "import", str(folder), str(tmp_path / "again")).code == 0
        for name in rulebook.read_folder(folder):
            assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()

    def test_leave_alone_what_is_there(self, fenpai: Fenpai, folder: Path) -> None:
        assert fenpai("rules", "import", str(folder), str(folder)).code == 2

    def test_read_nothing_outside_the_folder(self, fenpai: Fenpai, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "secret.yaml").write_text("rules: []\n")
        (folder / "categories" / "secret.yaml").symlink_to(tmp_path / "secret.yaml")
        ended = fenpai("rules", "import", str(folder), str(tmp_path / "back"))
        assert (ended.code, "链接" in ended.err) == (2, True)
        assert not (tmp_path / "back").exists()


@pytest.fixture
def archive() -> Callable[[Path, Path], Path]:
    """Zip a folder as people do: the folder itself is in it."""

    def zipped(folder: Path, target: Path) -> Path:
        return Path(shutil.make_archive(str(target.with_suffix("")), "zip", folder.parent, folder.name))

    return zipped
