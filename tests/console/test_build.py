"""How the console comes into the package, and what is there without it: in a copy of the sources, with nothing built yet."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.console.conftest import ROOT

PARTS = ("service", "models", "rules", "pyproject.toml", "openapi.yaml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as a fresh clone has them."""
    copy = tmp_path_factory.mktemp("sources")
    left = shutil.ignore_patterns("node_modules", "dist", "__pycache__", "schema.d.ts")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=left)
        else:
            shutil.copy(ROOT / part, copy / part)
    return copy


def wheel(sources: Path, **settings: str) -> list[str]:
    """The names in the wheel that is made of these sources."""
    out = sources / "out"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=sources, env=os.environ | settings, check=True, capture_output=True)
    with ZipFile(next(out.glob("*.whl"))) as found:
        return found.namelist()


class TestThePackage:
    def test_carries_what_was_built_and_none_of_what_it_was_built_from(self, sources: Path) -> None:
        built = sources / "service/console/dist"
        shutil.copytree(ROOT / "service/console/dist", built)
        names = [name for name in wheel(sources) if "console" in name]
        shutil.rmtree(built)
        assert "service/console/dist/index.html" in names
        assert any(re.fullmatch(r"service/console/dist/assets/index-.+\.js", name) for name in names)
        assert {name for name in names if "/console/" in name and "/dist/" not in name} == set()

    def test_can_be_made_without_the_console(self, sources: Path) -> None:
        names = wheel(sources, FENPAI_SKIP_CONSOLE="1")
        assert "service/rules/beichen/ruleset.yaml" in names
        assert not [name for name in names if "/console/" in name]


@pytest.fixture
def bare(sources: Path, tmp_path: Path) -> Iterator[str]:
    """A service without the console, and its address."""
    environment = os.environ | {"FENPAI_DATABASE_URL": f"sqlite:///{tmp_path}/fenpai.db", "FENPAI_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "service", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=sources, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield re.search(r"http://[\d.:]+", next(line for line in process.stdout if "http://" in line))[0]  # type: ignore[index]
        process.terminate()


def test_without_it_the_service_works_and_says_how_to_build(bare: str) -> None:
    page = httpx.get(f"{bare}/console/")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "FENPAI_SKIP_CONSOLE" in page.text
    assert "make setup" in page.text
    assert httpx.get(f"{bare}/readyz").status_code == 200
