"""The life of a rule set as an admin meets it: by the command line beside a running house, and over HTTP, on both databases."""

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from service import cli, log
from service.app import create_app
from service.config import Settings
from tests.api.conftest import KEY, opened
from tests.cli.conftest import Ended
from tests.packs.build import tiny

Write = Callable[[Mapping[str, str]], Path]
Fenpai = Callable[..., Ended]

BADMINTON = ("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球, 网球, 羽毛球]")
"""The morning's edit: one word comes, one goes."""


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    log.configure("error")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The admin's folder: the tiny pack, to be edited."""
    return written(tmp_path / "tiny", tiny())


@pytest.fixture
def house(database_url: str, pack: Path) -> Iterator[TestClient]:
    """A house that serves by the pack, once on each kind of database."""
    settings = Settings.from_env({"FENPAI_DATABASE_URL": database_url, "FENPAI_PACK": str(pack), "FENPAI_DATA_KEY": KEY})
    with opened(create_app(settings)) as client:
        yield client


@pytest.fixture
def fenpai(house: TestClient, database_url: str, pack: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fenpai:
    """Run a command beside the house, on the same database."""
    assert house.get("/healthz").status_code == 200
    monkeypatch.setenv("FENPAI_DATABASE_URL", database_url)
    monkeypatch.setenv("FENPAI_PACK", str(pack))
    monkeypatch.setenv("FENPAI_DATA_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, out, err)

    return run


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def edit(pack: Path, file: str, old: str, new: str) -> None:
    """Edit a file of the admin's folder."""
    path = pack / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def move(house: TestClient | httpx.Client, case_id: str, name: str, department: str, **said: Any) -> None:
    """Somebody of a department moves a case."""
    version = house.get(f"/v1/cases/{case_id}").json()["version"]
    by = {"If-Match": f'"{version}"', "X-Fenpai-Actor": "reviewer", "X-Fenpai-Department": department}
    answer = house.post(f"/v1/cases/{case_id}/{name}", json=said, headers=by)
    assert answer.status_code == 200, answer.text


def complete(house: TestClient | httpx.Client, case_id: str) -> None:
    """The lead brings a case to its end."""
    case = house.get(f"/v1/cases/{case_id}").json()
    waivers = [{"department": part["department"], "reason": "不需要"} for part in case["departments"] if part["role"] == "assist"]
    move(house, case_id, "accept", case["lead"])
    move(house, case_id, "reply", case["lead"], text="已办")
    move(house, case_id, "complete", case["lead"], waivers=waivers)
