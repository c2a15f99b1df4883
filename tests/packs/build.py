"""Packs for tests: the tiny one of an invented district, edited at will, and the corpus of broken ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from service.rulebook import read_folder

HERE = Path(__file__).parent


def tiny() -> dict[str, str]:
    """The files of the tiny pack: three categories under three departments, no word in common with a shipped pack's settings."""
    return read_folder(HERE / "tiny")


def edited(file: str, old: str, new: str) -> dict[str, str]:
    """The tiny pack with one passage of one file written anew."""
    files = tiny()
    assert files[file].count(old) == 1, f"{file} holds {files[file].count(old)} times: {old}"
    return files | {file: files[file].replace(old, new)}


@dataclass
class Broken:
    """One entry of broken.txt: what is edited, and every word that check must say."""

    name: str
    file: str = ""
    edits: list[tuple[str, str]] = field(default_factory=list)
    says: list[str] = field(default_factory=list)

    def files(self) -> dict[str, str]:
        files = tiny()
        for old, new in self.edits:
            assert files[self.file].count(old) == 1, f"{self.name}: {self.file} holds {files[self.file].count(old)} times: {old}"
            files[self.file] = files[self.file].replace(old, new)
        return files


def corpus(text: str | None = None) -> Iterator[Broken]:
    """The broken packs, each the tiny one with one mistake."""
    for entry in (text or (HERE / "broken.txt").read_text(encoding="utf-8")).split("\n## ")[1:]:
        name, *lines = entry.split("\n")
        broken = Broken(name)
        old: list[str] = []
        new: list[str] = []
        for line in [*lines, ""]:
            mark, rest = line[:1], _seen(line[2:])
            if old and mark != "+" and new:
                broken.edits.append(("".join(old), "".join(new)))
                old, new = [], []
            match mark:
                case "@":
                    broken.file = rest
                case "-":
                    old.append(rest + "\n")
                case "+":
                    new.append(rest + "\n")
                case ">":
                    broken.says.append(rest)
        yield broken


def _seen(text: str) -> str:
    """Text with each backslash, u and four digits as the character that they stand for."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
