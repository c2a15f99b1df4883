"""`fenpai triage`: one text with its explanation, or a file line by line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.cli.conftest import PACK, Fenpai

BALL = "云溪区某篮球班不给退费，孩子没法上课。"
STAGE = "舞蹈班的老师打骂小朋友。"
WATER = "小区停水三天了。"

Lines = Callable[..., str]


class TestOneText:
    def test_says_who_leads_and_why_with_the_words_marked(self, fenpai: Fenpai) -> None:
        ended = fenpai("triage", BALL)
        assert ended.code == 0
        for said in ("分派", "云溪区球场办", "云溪区账目办（退费）", "〔篮球班〕", "ball.programs", "《云溪区培训管理办法》第二条"):
            assert said in ended.out.replace("\n", "")

    def test_a_return_says_where_else_to_go(self, fenpai: Fenpai) -> None:
        assert "云溪区工会" in fenpai("triage", "退休职工的舞蹈班收费太高。").out

    def test_title_and_institution_count(self, fenpai: Fenpai) -> None:
        assert fenpai("triage", "孩子上课，不退钱", "--title", "篮球班", "--json").answer["lead"] == "gym_office"

    def test_as_json_it_has_the_shape_of_a_line(self, fenpai: Fenpai) -> None:
        answer = fenpai("triage", BALL, "--json").answer
        assert answer["categories"] == ["ball"]
        assert answer["issues"] == ["refund"]
        assert BALL[answer["evidence"][0]["start"] : answer["evidence"][0]["end"]] == answer["evidence"][0]["quote"]

    def test_a_complaint_cannot_steer_the_terminal(self, fenpai: Fenpai) -> None:
        assert "\x1b" not in fenpai("triage", f"\x1b[2J\x1b]0;x\x07{BALL}").out

    @pytest.mark.parametrize("text", ["", "   ", "字" * 100_001], ids=["empty", "blank", "too long"])
    def test_what_is_no_complaint_is_refused(self, fenpai: Fenpai, text: str) -> None:
        ended = fenpai("triage", text)
        assert (ended.code, ended.out) == (2, "")
        assert "content" in ended.err

    def test_broken_characters_are_refused(self, fenpai: Fenpai) -> None:
        assert "UTF-8" in fenpai("triage", "篮球班\udcff").err

    def test_ten_thousand_equal_characters_are_a_complaint(self, fenpai: Fenpai) -> None:
        assert fenpai("triage", "球" * 10_000).code == 0


class TestManyLines:
    def test_order_and_ids_are_kept(self, fenpai: Fenpai, lines: Lines) -> None:
        source = lines({"id": "b", "text": BALL}, {"id": 7, "content": STAGE, "title": None}, {"id": "a", "text": WATER})
        ended = fenpai("triage", "--input", source)
        assert ended.code == 0
        assert [(row["id"], row["decision"], row["lead"], row["categories"]) for row in ended.rows] == [
            ("b", "dispatch", "gym_office", ["ball"]),
            (7, "dispatch", "stage_office", ["stage"]),
            ("a", "return", None, []),
        ]
        assert "共 3 件：分派 2，提级牵头 0，退回热线 1，有误 0" in ended.err

    def test_a_line_answers_as_the_text_alone(self, fenpai: Fenpai, lines: Lines) -> None:
        alone = fenpai("triage", BALL, "--json").answer
        assert fenpai("triage", lines({"id": 1, "text": BALL})).rows == [{"id": 1, **alone}]

    def test_without_id_a_line_is_known_by_its_number(self, fenpai: Fenpai, lines: Lines) -> None:
        assert [row["line"] for row in fenpai("triage", lines({"text": BALL}, b"", {"text": WATER})).rows] == [1, 3]

    def test_other_fields_are_passed_over(self, fenpai: Fenpai, lines: Lines) -> None:
        assert fenpai("triage", lines({"id": 1, "text": BALL, "scope": "in", "extra": {"a": [1]}})).code == 0

    def test_standard_input_is_read(self, fenpai: Fenpai) -> None:
        given = orjson.dumps({"id": 1, "text": BALL})
        assert fenpai("triage", "-", given=given).rows == fenpai("triage", given=given).rows

    def test_windows_files_are_read(self, fenpai: Fenpai) -> None:
        given = b"\xef\xbb\xbf" + orjson.dumps({"id": 1, "text": BALL}) + b"\r\n" + orjson.dumps({"id": 2, "text": WATER})
        assert [row["id"] for row in fenpai("triage", "-", given=given).rows] == [1, 2]

    def test_nothing_gives_nothing(self, fenpai: Fenpai, lines: Lines) -> None:
        ended = fenpai("triage", lines())
        assert (ended.code, ended.out) == (0, "")

    def test_a_file_takes_the_answers_and_may_be_the_input(self, fenpai: Fenpai, lines: Lines) -> None:
        path = Path(lines({"id": 1, "text": BALL}))
        assert fenpai("triage", "-i", str(path), "-o", str(path)).out == ""
        assert orjson.loads(path.read_bytes())["lead"] == "gym_office"
        assert [item.name for item in path.parent.iterdir()] == ["in.jsonl"]


BAD = (
    (b"{", "JSON"),
    (b"[1]", "JSON 对象"),
    (b"\x00\xff\xfe\x89PNG", "UTF-8"),
    ('{"text": "篮球班"}'.encode("gbk"), "UTF-8"),
    ('{"text": "篮球班"}'.encode("utf-16"), "UTF-8"),
    (rb'{"text": "\ud800"}', "JSON"),
    (rb'{"text": "a\u0000b"}', "NUL"),
    (b'{"title": "x"}', "content"),
    (b'{"text": ""}', "不能为空"),
    (b'{"text": 5}', "应是文字"),
    (b'{"text": "x", "title": ["y"]}', "title"),
    (b'{"text": "x", "demand_type": "?"}', "demand_type"),
    (b'{"text": "x", "asserted_scope": "maybe"}', "asserted_scope"),
    (b'{"text": "' + b"x" * 200_000 + b'"}', "太长"),
    (b"[" * 100_000, "JSON"),
)


class TestBadLines:
    def test_each_is_told_by_its_number_and_harms_no_other(self, fenpai: Fenpai, lines: Lines) -> None:
        good = {"id": "a", "text": BALL}
        ended = fenpai("triage", lines(good, *(line.replace(b"\n", b" ") for line, _ in BAD), good))
        assert ended.code == 1
        assert [row.get("decision") for row in ended.rows] == ["dispatch", *[None] * len(BAD), "dispatch"]
        for number, ((line, said), row) in enumerate(zip(BAD, ended.rows[1:-1], strict=True), 2):
            assert row["line"] == number
            assert said in row["error"], line[:80]
            assert f"第 {number} 行：{row['error']}" in ended.err

    def test_its_id_is_given_back(self, fenpai: Fenpai, lines: Lines) -> None:
        assert fenpai("triage", lines({"id": "x", "text": ""})).rows[0]["id"] == "x"

    def test_thousands_are_counted_not_listed(self, fenpai: Fenpai, lines: Lines) -> None:
        ended = fenpai("triage", lines(*[b"{"] * 2000))
        assert len(ended.rows) == 2000
        assert len(ended.err.splitlines()) < 60


class TestCannotRun:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("triage", "nosuch.jsonl"), "nosuch.jsonl：找不到"),
            (("triage", "-i", "."), "是文件夹"),
            (("triage", "x", "--pack", "nosuch"), "找不到规则包 nosuch"),
            (("triage", "-", "-o", "nosuch/out.jsonl"), "找不到"),
            (("triage", "a", "b"), "多出来的参数"),
            (("triage", "--nosuch"), "没有 --nosuch 这个选项"),
            (("triage", "-j", "x", "y"), "应是数字"),
            (("nosuch",), "没有 nosuch 这个命令"),
            (("evaluate",), "缺少 标注文件"),
        ],
    )
    def test_says_why_in_one_line_and_ends_with_two(self, fenpai: Fenpai, words: tuple[str, ...], said: str) -> None:
        ended = fenpai(*words)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
        assert len(ended.err.splitlines()) == 1

    def test_a_broken_pack_is_told_with_its_places(self, fenpai: Fenpai, tmp_path: Path) -> None:
        (tmp_path / "ruleset.yaml").write_text("pack: 1x\n", encoding="utf-8")
        ended = fenpai("triage", "x", "--pack", str(tmp_path))
        assert ended.code == 2
        assert "ruleset.yaml:1:" in ended.err


class TestHelp:
    def test_version(self, fenpai: Fenpai) -> None:
        assert fenpai("--version").out.startswith("fenpai ")

    @pytest.mark.parametrize("words", [("--help",), (), ("triage", "--help"), ("rules",)])
    def test_is_chinese(self, fenpai: Fenpai, words: tuple[str, ...]) -> None:
        ended = fenpai(*words)
        assert ended.code == 0
        assert "用法：" in ended.out
        assert not any(word in ended.out for word in ("Usage", "Options", "Commands", "Arguments", "Show this", "default", "env var"))


class TestAllCores:
    """In processes of their own, as a fork of the test's process would carry its threads along."""

    @pytest.fixture
    def many(self, lines: Lines) -> str:
        texts = (BALL, STAGE, WATER, "退休职工的舞蹈班收费太高。" * 40)
        return lines(*({"id": number, "text": texts[number % 4]} if number % 1000 else b"{" for number in range(8000)))

    def test_answer_as_one_does_and_in_order(self, many: str, tmp_path: Path) -> None:
        outputs = []
        for processes in ("1", "2"):
            target = tmp_path / f"out{processes}.jsonl"
            done = self.run("triage", "-i", many, "-o", str(target), "-j", processes)
            assert done.returncode == 1
            assert "共 8000 件" in done.stderr
            assert "第 1001 行" in done.stderr
            outputs.append(target.read_bytes())
        assert outputs[0] == outputs[1]
        assert [orjson.loads(line).get("id") for line in outputs[0].splitlines()[1:1000]] == list(range(1, 1000))

    def test_a_reader_who_leaves_early_is_no_fault(self, many: str) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "service", "triage", many], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV
        ) as work:
            assert work.stdout is not None
            assert work.stderr is not None
            work.stdout.readline()
            work.stdout.close()
            assert b"Traceback" not in work.stderr.read()

    def test_interrupted_they_leave_nothing_behind(self, tmp_path: Path) -> None:
        """Lines without end come in by a pipe; Ctrl-C reaches all processes of the terminal."""
        heard = ["/usr/bin/env", "--default-signal=INT"]  # a shell's background jobs are born deaf to it
        command = [*heard, sys.executable, "-m", "service", "triage", "-", "-o", str(tmp_path / "out.jsonl"), "-j", "2"]
        line = orjson.dumps({"id": 1, "text": BALL * 40}).decode()
        with (
            subprocess.Popen(["/usr/bin/yes", line], stdout=subprocess.PIPE) as endless,
            subprocess.Popen(command, stdin=endless.stdout, stderr=subprocess.PIPE, env=ENV, start_new_session=True) as work,
        ):
            while not self.size(tmp_path / "out.jsonl.part"):
                assert work.poll() is None
                time.sleep(0.05)
            os.killpg(work.pid, signal.SIGINT)
            assert work.stderr is not None
            assert work.stderr.read().decode() == "已中断。\n"
            assert work.wait() == 130
            endless.kill()
        assert list(tmp_path.iterdir()) == []

    def size(self, path: Path) -> int:
        return path.stat().st_size if path.exists() else 0

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "service", *words], capture_output=True, text=True, env=ENV, check=False)


ENV = {**os.environ, "FENPAI_PACK": str(PACK)}
