"""`fenpai demo` and `fenpai serve`: real processes, real HTTP, a real SQLite file."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.cli.conftest import PACK

ORDERS: list[dict[str, Any]] = [
    {"source_system": "s", "source_order_no": "no-1", "content": "云溪区某篮球班不给退费，孩子没法上课。"},
    {"source_system": "s", "source_order_no": "no-2", "content": "篮球班和舞蹈班一起关门了。"},
    {"source_system": "s", "source_order_no": "no-3", "content": "小区停水三天了。"},
]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The tiny pack with sample orders."""
    folder = tmp_path / "pack"
    shutil.copytree(PACK, folder)
    write(folder, ORDERS)
    return folder


def write(folder: Path, orders: list[dict[str, Any]]) -> None:
    (folder / "samples").mkdir(exist_ok=True)
    (folder / "samples" / "orders.jsonl").write_bytes(b"\n".join(map(orjson.dumps, orders)))


def run(pack: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", "demo", "--database", str(pack.parent / "demo.db"), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(pack), check=False)


def environment(pack: Path) -> dict[str, str]:
    return {**os.environ, "FENPAI_PACK": str(pack), "FENPAI_PORT": "0", "COLUMNS": "200"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A pack that was demonstrated once, and what that said."""
    folder = tmp_path_factory.mktemp("shown") / "pack"
    shutil.copytree(PACK, folder)
    write(folder, ORDERS)
    return folder, run(folder)


class TestDemo:
    def test_sends_the_orders_through_the_api_and_says_what_became_of_each(
        self, shown: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        _, done = shown
        assert (done.returncode, done.stderr) == (0, "")
        first, second, third = (next(line for line in done.stdout.splitlines() if f"no-{number}" in line) for number in (1, 2, 3))
        assert "分派" in first and "云溪区球场办" in first and "云溪区账目办" in first and "类别明确：“篮球班”" in first  # noqa: PT018
        assert "提级牵头" in second
        assert "涉及多个单位" in second
        assert "退回热线" in third
        assert not any(said in done.stdout for said in ("已收", "还是原来的规则"))

    def test_again_on_the_same_file_finds_them_received_and_points_out_that_the_rules_have_changed(
        self, shown: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        pack, _ = shown
        words = pack / "words.txt"
        words.write_text(words.read_text(encoding="utf-8") + "\n某个新词\n", encoding="utf-8")
        again = run(pack)
        assert again.returncode == 0
        assert again.stdout.count("已收") == len(ORDERS)
        assert "还是原来的规则" in again.stdout

    def test_the_sample_register_comes_first_and_an_order_that_is_refused_is_told_and_the_others_go_on(self, pack: Path) -> None:
        register = "名称,别名,类别\n鲸豆湾体育发展有限公司,鲸豆湾,ball\n"
        (pack / "samples" / "institutions.csv").write_text(register, encoding="utf-8")
        named = {**ORDERS[0], "institution": "鲸豆湾", "content": "孩子在那里上课，老师不好。"}
        write(pack, [named, {**ORDERS[2], "nosuch": 1}, ORDERS[1]])
        done = run(pack)
        assert (done.returncode, done.stderr) == (1, "")
        assert "已导入示例名录：1 家机构" in done.stdout
        assert "按名录：“鲸豆湾体育发展有限公司”" in done.stdout
        assert "未收" in done.stdout
        assert "提级牵头" in done.stdout

    def test_a_sample_register_that_is_wrong_is_told(self, pack: Path) -> None:
        (pack / "samples" / "institutions.csv").write_text("名称,类别\n鲸豆湾体育发展有限公司,chess\n", encoding="utf-8")
        done = run(pack)
        assert done.returncode == 2
        assert "示例名录" in done.stderr

    def test_a_pack_without_samples_cannot_be_shown(self, pack: Path) -> None:
        shutil.rmtree(pack / "samples")
        done = run(pack)
        assert done.returncode == 2
        assert "没有示例工单" in done.stderr

    def test_a_server_that_does_not_start_is_told(self, pack: Path) -> None:
        (pack / "ruleset.yaml").write_text("pack: tiny\n", encoding="utf-8")
        done = run(pack)
        assert done.returncode == 2
        assert "ruleset.yaml" in done.stderr
        assert done.stderr.endswith("服务没有启动起来，原因见上\n")


class TestServing:
    @pytest.mark.parametrize("words", [("demo", "--serve", "--database", "demo.db"), ("serve",)])
    def test_answers_until_it_is_told_to_stop(self, pack: Path, words: tuple[str, ...]) -> None:
        with started(pack, *words) as (process, address):
            assert httpx.get(f"{address}/readyz").status_code == 200
            assert httpx.get(f"{address}/docs").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{address}/readyz")

    def test_other_machines_are_kept_out_until_there_is_a_key(self, pack: Path) -> None:
        command = [sys.executable, "-m", "service", "serve", "--host", "0.0.0.0"]  # noqa: S104
        done = subprocess.run(command, capture_output=True, text=True, env=environment(pack), check=False)
        assert done.returncode == 2
        assert "fenpai keys create" in done.stderr


@contextmanager
def started(pack: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that stays, and the address that it says."""
    command = [sys.executable, "-m", "service", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(pack), cwd=pack.parent) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "正在提供服务" in line)
        try:
            yield process, said.split("：")[1].split("（")[0]
        finally:
            process.kill()


class TestTools:
    def test_openapi_is_the_committed_document(self) -> None:
        done = subprocess.run([sys.executable, "-m", "service", "openapi"], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert done.stdout.startswith("# ")
        assert "/v1/cases" in done.stdout

    def test_database_is_made_and_then_current(self, pack: Path) -> None:
        env = environment(pack) | {"FENPAI_DATABASE_URL": f"sqlite:///{pack.parent / 'new.db'}"}
        command = [sys.executable, "-m", "service", "db", "upgrade"]
        said = [subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout for _ in range(2)]
        assert "已升级" in said[0]
        assert "已是最新" in said[1]
