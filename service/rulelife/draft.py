"""A draft: files that may become a version, read whole and made ready, or refused with all that is wrong with them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.ruleset import RuleSet
from service import rulebook, store
from service.db import Database
from service.engine import Engine
from service.errors import FieldFault, RulesetNotFound
from service.rulebook import Mistake
from service.rulelife.errors import DraftBroken, PackMismatch, VersionBroken

SAFE = re.compile(r"(?:[\w\u4e00-\u9fff-][\w.\u4e00-\u9fff-]*/){0,3}[\w\u4e00-\u9fff-][\w.\u4e00-\u9fff-]*", re.ASCII)
"""Names that are files below a folder on every system: relative, nothing hidden, no way upward."""
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Draft:
    """Files without an error, and the engine made of them."""

    files: Mapping[str, str]
    engine: Engine
    warnings: tuple[Mistake, ...]

    @property
    def ruleset(self) -> RuleSet:
        return self.engine.ruleset


def check(files: Mapping[str, str]) -> list[Mistake]:
    """Every mistake and warning of some files that came in, their names included."""
    return _strangely_named(files) or rulebook.check(files)


def read_draft(files: Mapping[str, str]) -> Draft:
    """The draft that these files make; DraftBroken with all mistakes."""
    strange = _strangely_named(files)
    mistakes, ruleset = (strange, None) if strange else rulebook.examine(files)
    if ruleset is None:
        raise DraftBroken.by(mistakes)
    unknown = {mistake.file for mistake in mistakes if mistake.code == "unknown_file"}
    kept = {name: text for name, text in files.items() if name not in unknown}
    return Draft(kept, Engine(rulebook.load(kept) if unknown else ruleset), tuple(mistakes))


def same_pack(draft: Draft, pack: str) -> None:
    """Refuse a draft of another district: it would decide this one's cases."""
    if draft.ruleset.pack != pack:
        raise PackMismatch(
            f"这个草稿是规则包 {draft.ruleset.pack} 的，而这里用的是 {pack}。",
            [FieldFault("/files/ruleset.yaml", f"pack 应为 {pack}", "pack_mismatch")],
        )


def read_version(database: Database, pack: str, version: int) -> RuleSet:
    """The rule set of a published version."""
    files = files_of(database, pack, version)
    try:
        return rulebook.restore(files, version)
    except rulebook.PackError as error:
        first = next(str(mistake) for mistake in error.mistakes if mistake.severity == "error")
        raise VersionBroken(f"规则包 {pack} 的第 {version} 版不能被本程序装入：{first}") from error


def files_of(database: Database, pack: str, version: int) -> dict[str, str]:
    """The files of a published version."""
    with database.read() as conn:
        return store.ruleset_files(conn, pack, version)


def active_version(database: Database, pack: str) -> int:
    """The version in force."""
    with database.read() as conn:
        row = store.active_ruleset(conn, pack)
    if row is None:
        raise RulesetNotFound(f"数据库里还没有规则包 {pack} 的版本。第一次运行 fenpai serve 时会把文件夹里的发布为第 1 版。")
    return row.version


def is_safe(name: str) -> bool:
    """Whether a file of this name can be written below a folder anywhere without harm."""
    return len(name) <= LONGEST and SAFE.fullmatch(name) is not None


def _strangely_named(files: Mapping[str, str]) -> list[Mistake]:
    return [_strange(name) for name in sorted(files) if not is_safe(name)]


def _strange(name: str) -> Mistake:
    shown = name.encode("unicode_escape").decode() if not name.isprintable() else name
    return Mistake(shown[:LONGEST], 1, 1, "", "", "bad_name", "文件名不能用", "请用规则包里的相对路径，例如 categories/arts.yaml")
