"""Packs on their way: a zip read without trusting it, a version written out as a folder that git can hold."""

import stat
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

from service import rulebook
from service.errors import StartError, TooLarge
from service.rulebook import belongs
from service.rulelife.draft import is_safe
from service.rulelife.errors import ArchiveBroken

MOST_ENTRIES = 400
MOST_BYTES = 24_000_000
"""Of all files together, unpacked: three bytes for each character that a pack may hold."""
FILE_BYTES = 1_000_000
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell."""


def unpack(data: bytes) -> dict[str, str]:
    """The pack's files in a zip, by name; a single folder around them all is left out. What is no part of a pack is not read."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _read_all(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        # zipfile's words for: no zip, a method or an encryption that it does not know, cut off, nonsense in the headers.
        raise ArchiveBroken("压缩包打不开：不是完整的 zip 文件，或者加了密码。") from error


def _read_all(archive: zipfile.ZipFile) -> dict[str, str]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_ENTRIES:
        raise ArchiveBroken(f"压缩包里有 {len(entries)} 个文件，至多 {MOST_ENTRIES} 个。")
    for entry in entries:
        _refuse_trick(entry)
    names = _without_wrapper({entry.filename: entry for entry in entries if not _is_litter(entry.filename)})
    files, total = dict[str, str](), 0
    for name, entry in names.items():
        if not belongs(name):
            continue
        data = _read(archive, entry, name)
        total += len(data)
        if total > MOST_BYTES:
            raise TooLarge("压缩包解开之后太大，所有文件加起来不能超过 8 MB。")
        files[name] = _text(data, name)
    if not files:
        raise ArchiveBroken("压缩包里没有规则包的文件（ruleset.yaml 等）。")
    return files


def _refuse_trick(entry: zipfile.ZipInfo) -> None:
    """No honest pack holds links, or names that lead out of it."""
    name = entry.filename.replace("\\", "/")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ArchiveBroken(f"压缩包里的 {entry.filename[:100]} 是链接，不是文件；请把文件本身放进去。")
    if name.startswith("/") or ".." in name.split("/") or ":" in name:
        raise ArchiveBroken(f"压缩包里的 {entry.filename[:100]} 指向文件夹之外，没有打开。")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """The file, but never more than its limit: what the headers say of its size may be a lie."""
    with archive.open(entry) as opened:
        data = opened.read(FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise TooLarge(f"{name}：文件太大，超过 {FILE_BYTES // 1_000_000} MB。")
    return data


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiveBroken(f"{name} 不是 UTF-8 编码，请用编辑器另存为 UTF-8。") from None


def _is_litter(name: str) -> bool:
    """What Macs and editors leave in archives."""
    return name.startswith("__MACOSX/") or any(part.startswith(".") for part in PurePosixPath(name).parts if part != "..")


def _without_wrapper(entries: Mapping[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """People zip the folder, not its files."""
    tops = {name.partition("/")[0] for name in entries}
    if len(tops) == 1 and all("/" in name for name in entries):
        return {name.partition("/")[2]: entry for name, entry in entries.items()}
    return dict(entries)


def packed(files: Mapping[str, str]) -> bytes:
    """The files as a zip that is the same, byte for byte, for the same files: no clock and no machine is in it."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name].encode("utf-8", "surrogatepass"), compresslevel=6)
    return target.getvalue()


def read_source(source: Path) -> dict[str, str]:
    """The pack in a zip or a folder that somebody handed over: sizes are bounded, nothing outside of it is read."""
    if source.is_dir():
        outside = [path for path in sorted(source.rglob("*")) if path.is_symlink() and not _inside(path, source)]
        if outside:
            raise ArchiveBroken(f"{outside[0]} 是指向文件夹之外的链接，没有读取。")
        return {name: text for name, text in rulebook.read_folder(source).items() if belongs(name)}
    with source.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TooLarge(f"{source} 太大，超过 {MOST_BYTES // 1_000_000} MB。")
    return unpack(data)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def write_folder(files: Mapping[str, str], folder: Path) -> None:
    """Write a version's files into a folder that is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StartError(f"{folder} 已经存在，而且不是空的；请换一个文件夹。")
    for name, text in files.items():
        if not is_safe(name):
            raise StartError(f"这一版里有不能写出的文件名：{name!r}")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
