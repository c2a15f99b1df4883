"""The command line as a person meets it: words in, what is printed, and the code it ends with."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from service import cli

PACK = Path(__file__).parents[1] / "packs" / "tiny"


@dataclass(frozen=True)
class Ended:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.out.splitlines()]

    @property
    def answer(self) -> dict[str, Any]:
        whole: dict[str, Any] = orjson.loads(self.out)
        return whole


Fenpai = Callable[..., Ended]


@pytest.fixture
def fenpai(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fenpai:
    """Run a command in this process, on the tiny pack."""
    monkeypatch.setenv("FENPAI_PACK", str(PACK))
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str, given: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in err
        return Ended(ended.value.code, out, err)

    return run


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., str]:
    """A file of JSON lines; what is bytes already is written as it is."""

    def write(*rows: dict[str, Any] | bytes, name: str = "in.jsonl") -> str:
        path = tmp_path / name
        path.write_bytes(b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows))
        return str(path)

    return write
