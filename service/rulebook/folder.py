"""The folder of a pack: finding it, and reading its files as text with exact words about what is no text."""

import os
from collections.abc import Iterator
from pathlib import Path

from rapidfuzz import process

from service.rulebook.layout import LAYOUT, WORDS
from service.rulebook.mistakes import Mistake, PackError
from service.rulebook.pack import MAX_FILES, folder_mistake
from service.rulebook.sheet import MAX_SIZE

SHELVES = (Path(__file__).parents[1] / "rules", Path(__file__).parents[2] / "rules")
"""Where shipped packs stand: inside the installed package, or at the top of a checkout."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
FOLDERS = {kind.pattern.rpartition("/")[0] for kind in LAYOUT}
"""The folders of a pack whose stray text files deserve a word."""


def find_pack(name: str) -> Path:
    """The folder of a shipped pack by its name, or the folder that is named."""
    for shelf in SHELVES:
        if name.isidentifier() and (shelf / name / "ruleset.yaml").is_file():
            return shelf / name
    if name and Path(name).is_dir():
        return Path(name)
    raise PackError((folder_mistake("no_pack", f"找不到规则包 {name}", _offer(name)),))


def _offer(name: str) -> str:
    known = sorted({path.parent.name for shelf in SHELVES for path in shelf.glob("*/ruleset.yaml")})
    found = process.extractOne(name, known, score_cutoff=60)
    if found:
        return f"您是否想写 {found[0]}？"
    return f"请写规则包的名字（{'、'.join(known) or '尚无'}）或它所在的文件夹"


def read_folder(folder: Path) -> dict[str, str]:
    """The text files of a pack by name, `categories/arts.yaml` and the like; PackError where one is too large or no UTF-8."""
    files, mistakes = survey(folder)
    if mistakes:
        raise PackError(tuple(mistakes))
    return files


def survey(folder: Path) -> tuple[dict[str, str], list[Mistake]]:
    """The text files of a pack as far as they can be read, and what is wrong with the others.

    One that is no UTF-8 is read all the same, as what it seems to be, so that its other mistakes are told with this one.
    """
    if not folder.is_dir():
        raise PackError((folder_mistake("no_folder", f"没有文件夹 {folder}", "请检查路径"),))
    files, mistakes = dict[str, str](), list[Mistake]()
    for path in _texts(folder):
        name = path.relative_to(folder).as_posix()
        if len(files) >= MAX_FILES:
            mistakes.append(folder_mistake("too_many_files", f"文件太多，至多 {MAX_FILES} 个", "请检查文件夹是否写对"))
            break
        text, mistake = _read(path, name)
        files |= {name: text} if text is not None else {}
        mistakes += [mistake] if mistake else []
    return files, mistakes


def _texts(folder: Path) -> Iterator[Path]:
    """Every YAML file, and text files where a misspelt words.txt may be; hidden files and folders are passed over."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = Path(where).relative_to(folder).as_posix().removeprefix(".")
        for name in sorted(names):
            yaml = name.endswith((".yaml", ".yml"))
            if not name.startswith(".") and (yaml or name == WORDS or (name.endswith(".txt") and inside in FOLDERS)):
                yield Path(where) / name


def _read(path: Path, name: str) -> tuple[str | None, Mistake | None]:
    try:
        if path.stat().st_size > MAX_SIZE:
            hint = "请分成几个文件"
            return None, folder_mistake("too_large", f"文件太大，超过 {MAX_SIZE // 1_000_000} MB", hint, file=name)
        data = path.read_bytes()
    except OSError as error:
        return None, folder_mistake("unreadable", f"读不了文件：{error.strerror}", "请检查文件和权限", file=name)
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return _guessed(data), _no_utf8(data, error.start, name)


def _guessed(data: bytes) -> str:
    """The text of a file that is no UTF-8, as well as it can be told."""
    for encoding in ("utf-16",) if data.startswith(UTF_16) else ("gb18030",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def _no_utf8(data: bytes, place: int, name: str) -> Mistake:
    before = data[:place].decode("utf-8").split("\n")
    return Mistake(name, len(before), len(before[-1]) + 1, "", "", "encoding", f"不是 UTF-8 编码{_guess(data)}", "请用编辑器另存为 UTF-8")


def _guess(data: bytes) -> str:
    if data.startswith(UTF_16):
        return "，像是 UTF-16"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "，像是 GBK"
