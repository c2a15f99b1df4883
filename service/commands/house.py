"""What commands share that open the database: which pack and which version is meant, and what each of them is signed with."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Annotated

import typer

from models.ruleset import RuleSet
from service import db, rulebook, rulelife, show, store
from service.config import Settings
from service.db import Database
from service.errors import FenpaiError
from service.impact import Impact, Pair
from service.rulelife import CasesFail, ConfirmedBreak, Draft, DraftBroken
from service.vault import Vault

Folder = Annotated[str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包]", help="规则包：名称或文件夹")]
Author = Annotated[str, typer.Option(metavar="姓名", help="谁做的，必填")]
Note = Annotated[str, typer.Option(metavar="文字", help="改了什么、为什么，必填")]
Base = Annotated[int | None, typer.Option(min=1, metavar="版本", help="只在此刻在用的是这一版时才做")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@contextmanager
def opened() -> Iterator[Database]:
    """The database of the settings, which must be there."""
    with closing(db.connect(Settings.from_env(os.environ).database_url)) as database:
        db.check(database)
        yield database


def vault_of(database: Database) -> Vault:
    """The vault of a database, with the keys of the settings or of the file beside it."""
    return Vault.of(database, Settings.from_env(os.environ).keys)


def code_of(pack: str) -> str:
    """The code of a pack, also while its folder has mistakes: by custom a folder has its pack's name."""
    folder = rulebook.find_pack(pack)
    try:
        return rulebook.restore(rulebook.read_folder(folder), 0).pack
    except rulebook.PackError:
        return folder.resolve().name


def draft_of(pack: str) -> Draft:
    """The draft in a folder."""
    return rulelife.read_draft(rulebook.read_folder(rulebook.find_pack(pack)))


def names_of(database: Database) -> dict[str, str]:
    """The departments' names by the rules in force; none where there are no rules."""
    code = code_of(os.environ.get("FENPAI_RULES_DIR") or os.environ.get("FENPAI_PACK") or "beichen")
    try:
        ruleset = rulelife.read_version(database, code, rulelife.active_version(database, code))
    except FenpaiError:
        return {}
    return {department.code: department.name for department in ruleset.departments}


def published(version: str, pack: str) -> RuleSet:
    """A version by its number, or the one in force."""
    with opened() as database:
        code = code_of(pack)
        return rulelife.read_version(database, code, int(version) if version else rulelife.active_version(database, code))


def in_beijing(day: datetime | None) -> datetime | None:
    """A date of the command line: the day begins in Beijing, wherever the machine stands."""
    return day if day is None or day.tzinfo else day.replace(tzinfo=show.CHINA)


def replayed(pair: Pair, since: datetime | None) -> Impact:
    """The stored cases under two engines, with a bar."""
    with opened() as database:
        with database.read() as conn:
            total = store.count_cases(conn)
        with show.progress("重放", total) as advance:
            return rulelife.replay_stored(database, pair, fork=True, since=in_beijing(since), told=advance)


def refused(refusal: DraftBroken | CasesFail | ConfirmedBreak) -> typer.Exit:
    """What was found wrong, told; nothing was changed."""
    print(refusal.detail)
    return typer.Exit(1)
