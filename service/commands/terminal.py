"""What several commands share: the pack that is meant, who sits here, JSON to read, where the output goes, what a server says first."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from service import rulebook
from service.engine import Engine

Pack = Annotated[str, typer.Option("--pack", envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="规则包", help="规则包：名称或文件夹")]


def engine_of(pack: str) -> Engine:
    return Engine(rulebook.load(rulebook.read_folder(rulebook.find_pack(pack))))


def as_text(value: object) -> str:
    """Anything as JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def who() -> str:
    """Who sits at this machine, as the log names them."""
    try:
        return f"{getpass.getuser()}@cli"
    except (KeyError, OSError):
        return "cli"


@contextmanager
def written(target: str) -> Iterator[IO[bytes]]:
    """Where the answers go. A file appears under its name only when it is whole, so it may also be the input."""
    path = Path(target)
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():
        with path.open("wb") as out:
            yield out
    else:
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as out:
                yield out
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def serving(address: str, locked: bool = True) -> None:
    """Say where a server can be reached, and whether everybody may."""
    print(f"fenpai 正在提供服务：{address}（控制台 {address}/console/，接口说明 {address}/docs）。按 Ctrl-C 结束。", flush=True)
    if not locked:
        print("还没有接口钥匙：只接受本机的请求，且不问是谁。发第一把钥匙：fenpai keys create --name 管理员 --scope admin", flush=True)
