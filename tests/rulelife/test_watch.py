"""A watched folder, by a real process and real edits: what is saved is in force at once if it is sound, and changes nothing if not."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import KEY, eventually
from tests.packs.build import tiny
from tests.rulelife.conftest import edit, written

BALL = "categories/ball.yaml"
TERMS = "terms: [篮球, 足球, 网球"


class Watched:
    """A folder that a serving process watches, and its log."""

    def __init__(self, folder: Path, address: str, log: Path) -> None:
        self.folder, self.log = folder, log
        self.client = httpx.Client(base_url=address, timeout=30)

    def versions(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.client.get("/v1/rulesets").json()["versions"]
        return rows

    def in_force(self) -> int:
        number: int = self.client.get("/v1/rulesets/active").json()["version"]
        return number

    def lead(self, text: str) -> Any:
        return self.client.post("/v1/triage", json={"content": text}).json()["lead"]

    def check(self) -> dict[str, Any]:
        checks = self.client.get("/readyz").json()["checks"]
        return next(check for check in checks if check["name"] == "rules_dir")

    def troubled(self) -> bool:
        return "fenpai_rules_dir_trouble 1.0" in self.client.get("/metrics").text

    def text(self, name: str = BALL) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def put(self, text: str, name: str = BALL) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home = tmp_path_factory.mktemp("watch")
    folder, log = written(home / "tiny", tiny()), home / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FENPAI_")}
    environment |= {"FENPAI_DATABASE_URL": f"sqlite:///{home}/fenpai.db", "FENPAI_RULES_DIR": str(folder)}
    environment |= {"FENPAI_DATA_KEY": KEY, "FENPAI_PORT": "0"}
    command = [sys.executable, "-m", "service", "serve"]
    with log.open("wb") as err, subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=err) as process:
        assert process.stdout
        said = process.stdout.readline().decode()
        assert "http://" in said, log.read_text()
        house = Watched(folder, said.split("：")[1].split("（")[0], log)
        eventually(lambda: house.check()["ok"])
        time.sleep(0.5)  # the watch begins behind the first look
        yield house
        house.client.close()
        process.terminate()
        process.wait(30)


@pytest.fixture
def _sound(watched: Watched) -> Iterator[None]:
    """Each test begins and ends with a sound folder that is in force."""
    before = watched.text()
    yield
    watched.put(before)
    eventually(lambda: not watched.troubled())


def grows(watched: Watched, act: Callable[[], None]) -> int:
    """By how many versions the act is followed, once all is quiet."""
    before = watched.in_force()
    act()
    eventually(lambda: watched.in_force() > before)
    return watched.in_force() - before


class TestASavedEdit:
    def test_is_in_force_and_says_what_it_changed(self, watched: Watched) -> None:
        assert watched.lead("孩子的羽毛球班不退费。") is None
        assert grows(watched, lambda: edit(watched.folder, BALL, TERMS, f"{TERMS}, 羽毛球")) == 1
        assert watched.lead("孩子的羽毛球班不退费。") == "gym_office"
        newest = watched.versions()[0]
        assert (newest["author"], "增词 羽毛球" in newest["note"]) == ("system", True)

    def test_of_an_editor_that_writes_beside_and_renames_is_one_version(self, watched: Watched) -> None:
        def save() -> None:
            beside = watched.folder / "categories" / ".ball.yaml.swp"
            beside.write_text(watched.text().replace(TERMS, f"{TERMS}, 排球"), encoding="utf-8")
            (watched.folder / BALL).rename(watched.folder / f"{BALL}~")
            beside.rename(watched.folder / BALL)
            (watched.folder / f"{BALL}~").unlink()

        assert grows(watched, save) == 1
        assert watched.lead("孩子的排球班不退费。") == "gym_office"

    def test_written_in_pieces_is_never_in_force_by_half(self, watched: Watched) -> None:
        """The first half is a sound pack by itself, with fewer rules."""
        whole = watched.text() + "\n  - id: ball.bat\n    name: 棒球\n    category: ball\n    terms: [棒球]\n    clause: order-2\n"
        half = watched.text().replace("网球", "网兜")

        def save() -> None:
            with (watched.folder / BALL).open("w", encoding="utf-8") as file:
                for piece in (half[: len(half) // 2], half[len(half) // 2 :]):
                    file.write(piece)
                    file.flush()
                    time.sleep(0.25)
                file.seek(0)
                file.truncate()
                file.write(whole)

        assert grows(watched, save) == 1
        assert "棒球" in watched.client.get(f"/v1/rulesets/{watched.in_force()}").json()["files"][BALL]
        assert [row["version"] for row in watched.versions() if "网兜" in row["note"]] == []


@pytest.mark.usefixtures("_sound")
class TestABadEdit:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("    terms: [", "    trems: [", "categories/ball.yaml:6"),
            ("clause: order-2\n  - id", "clause: order-22\n  - id", "您是否想写"),
            ("terms: [篮球, ", "terms: [", "期望"),
        ],
        ids=["a mistyped key", "a clause that is not there", "a case that fails"],
    )
    def test_changes_nothing_and_is_loud(self, watched: Watched, old: str, new: str, says: str) -> None:
        before = watched.in_force()
        watched.put(watched.text().replace(old, new, 1))
        eventually(watched.troubled)
        check = watched.check()
        assert (check["ok"], says in check["detail"]) == (False, True), check["detail"]
        assert (watched.client.get("/readyz").status_code, watched.client.get("/readyz").json()["status"]) == (200, "degraded")
        assert "rules_dir_refused" in watched.log.read_text(encoding="utf-8")
        assert (watched.in_force(), watched.lead("孩子的篮球班不退费。")) == (before, "gym_office")
