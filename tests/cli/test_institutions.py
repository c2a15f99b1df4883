"""`fenpai institutions`, and triage with a register."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service import db
from tests.cli.conftest import Fenpai

HEAD = "名称,简称/别名,类别,主管部门,办学许可证号,地址,街道,状态"
BALL = "鲸豆湾体育发展有限公司,鲸豆湾,ball,云溪区球场办,球015,瑞荷路58号,瑞景街道,在办"
STAGE = "蔓汀舞台艺术有限公司,蔓汀,stage,,台007,,,注销"
SILENT = {"id": "a", "text": "孩子在那里上课，老师不好，不给退费。", "institution": "京豆湾"}

Register = Callable[..., str]


@pytest.fixture(autouse=True)
def _database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENPAI_DATABASE_URL", sqlite_url)


@pytest.fixture
def file(tmp_path: Path) -> Register:
    def write(*rows: str, name: str = "名录.csv", head: str = HEAD) -> str:
        path = tmp_path / name
        path.write_text("\n".join([head, *rows]), encoding="utf-8")
        return str(path)

    return write


class TestImport:
    def test_says_what_has_become_of_the_register(self, fenpai: Fenpai, file: Register) -> None:
        done = fenpai("institutions", "import", file(BALL, STAGE))
        assert (done.code, done.err) == (0, "")
        assert done.out == "名录第 1 版：新增 2，修改 0，没有变化 0，去掉 0；名录共 2 家。\n"

    def test_lists_every_mistake_and_ends_with_1(self, fenpai: Fenpai, file: Register) -> None:
        done = fenpai("institutions", "import", file(BALL, "甲乙学校,丙,chess,,,,,"))
        assert done.code == 1
        first, second, last = done.err.splitlines()
        assert first.startswith("第 3 行，简称/别名：")
        assert second.startswith("第 3 行，类别：没有“chess”这个类别。可以写：letters（文理类）")
        assert last.endswith("名录文件有 2 处错误，一行也没有导入。")

    def test_a_dry_run_writes_nothing(self, fenpai: Fenpai, file: Register) -> None:
        assert fenpai("institutions", "import", "--dry-run", file(BALL)).out.startswith("只检查，没有写入：新增 1")
        assert fenpai("institutions", "search").code == 1

    def test_skips_and_replaces_on_demand(self, fenpai: Fenpai, file: Register) -> None:
        fenpai("institutions", "import", file(BALL))
        skipped = fenpai("institutions", "import", "--skip-errors", file(STAGE, "甲乙学校,,chess,,,,,"))
        assert (skipped.code, "新增 1" in skipped.out, "第 3 行" in skipped.err) == (1, True, True)
        assert "去掉 1" in fenpai("institutions", "import", "--replace", file(STAGE)).out

    def test_a_running_service_is_named_with_the_way_around_it(self, fenpai: Fenpai, file: Register, sqlite_url: str) -> None:
        with closing(db.connect(sqlite_url)) as database, db.write_lock(database):
            done = fenpai("institutions", "import", file(BALL))
        assert done.code == 2
        assert "/v1/institutions/import" in done.err

    @pytest.mark.parametrize(("content", "said"), [("x\n1", "没有找到“名称”一列"), ("名称", "没有一行机构")])
    def test_a_file_that_is_no_register_ends_with_2(self, fenpai: Fenpai, tmp_path: Path, content: str, said: str) -> None:
        path = tmp_path / "x.csv"
        path.write_text(content, encoding="utf-8")
        done = fenpai("institutions", "import", str(path))
        assert (done.code, said in done.err) == (2, True)

    def test_a_file_that_is_missing_or_too_large_ends_with_2(self, fenpai: Fenpai, file: Register, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "找不到" in fenpai("institutions", "import", "nowhere.csv").err
        monkeypatch.setenv("FENPAI_MAX_REGISTER_BYTES", "1000")
        assert "FENPAI_MAX_REGISTER_BYTES" in fenpai("institutions", "import", file(*[BALL] * 20)).err

    def test_may_come_before_the_first_start(self, fenpai: Fenpai, file: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FENPAI_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
        assert "fenpai db upgrade" in fenpai("institutions", "search").err
        assert fenpai("institutions", "import", file(BALL)).code == 0


class TestOut:
    def test_an_export_comes_in_again_without_a_change(self, fenpai: Fenpai, file: Register, tmp_path: Path) -> None:
        fenpai("institutions", "import", file(BALL, STAGE))
        out = str(tmp_path / "out.csv")
        assert fenpai("institutions", "export", out).code == 0
        assert "没有变化 2" in fenpai("institutions", "import", out).out
        assert fenpai("institutions", "export").out.encode() == Path(out).read_bytes()

    def test_a_search_shows_what_it_finds(self, fenpai: Fenpai, file: Register) -> None:
        fenpai("institutions", "import", file(BALL, STAGE))
        done = fenpai("institutions", "search", "鯨豆")
        assert (done.code, "云溪区球场办" in done.out, "蔓汀" in done.out) == (0, True, False)
        assert "蔓汀" in fenpai("institutions", "search", "--status", "注销").out
        assert fenpai("institutions", "search", "没有的").out == "没有找到。\n"


class TestTriage:
    def test_with_a_register_knows_the_institution(self, fenpai: Fenpai, file: Register, lines: Callable[..., str]) -> None:
        [row] = fenpai("triage", lines(SILENT), "--register", file(BALL)).rows
        assert (row["reason_code"], row["lead"], row["categories"]) == ("register", "gym_office", ["ball"])
        assert (row["register"]["how"], row["register"]["name"]) == ("fuzzy", "鲸豆湾体育发展有限公司")

    def test_in_several_processes_gives_the_same(self, fenpai: Fenpai, file: Register, lines: Callable[..., str]) -> None:
        rows: list[dict[str, Any]] = [SILENT | {"id": number, "pad": "x" * 900} for number in range(700)]
        many = fenpai("triage", lines(*rows), "--register", file(BALL), "-j", "2").rows
        assert [row["id"] for row in many] == list(range(700))
        assert {row["reason_code"] for row in many} == {"register"}

    def test_of_one_text_says_what_the_register_knows(self, fenpai: Fenpai, file: Register) -> None:
        done = fenpai("triage", SILENT["text"], "--institution", "鲸豆湾", "--register", file(BALL))
        assert "鲸豆湾体育发展有限公司（球015，球类，在办，诉求写作“鲸豆湾”）" in done.out
        assert "没有“七棱塔”" in fenpai("triage", SILENT["text"], "--institution", "七棱塔", "--register", file(BALL)).out

    def test_a_broken_register_ends_with_2(self, fenpai: Fenpai, file: Register, lines: Callable[..., str]) -> None:
        done = fenpai("triage", lines(SILENT), "--register", file("甲乙学校,,chess,,,,,"))
        assert done.code == 2
        assert "第 2 行，类别" in done.err
