"""The command line `fenpai`. Thin: find the command, run it, print; ends with 0 fine, 1 mistakes found, 2 cannot run."""

import errno
import gc
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from service import rulebook, usage
from service.errors import FenpaiError

INTERRUPTED = 130
"""What typer ends with after Ctrl-C."""
MOST_MISTAKES = 50
"""More mistakes than this are counted, not printed."""

COMMANDS = {
    "serve": "service.commands.serving:app",
    "work": "service.commands.serving:app",
    "demo": "service.commands.serving:app",
    "openapi": "service.commands.serving:app",
    "triage": "service.commands.triage:app",
    "evaluate": "service.commands.labels:app",
    "calibrate": "service.commands.labels:app",
    "rules": "service.commands.rules:app",
    "cases": "service.press:cases",
    "deliveries": "service.post:app",
    "keys": "service.locksmith:app",
    "audit": "service.auditor:app",
    "retention": "service.commands.retention:app",
    "incidents": "service.groups:app",
    "duplicates": "service.groups:alone",
    "institutions": "service.commands.institutions:app",
    "backup": "service.commands.backup:app",
    "db": "service.commands.database:app",
}
"""Where each command stands."""

app = typer.Typer(
    name="fenpai",
    cls=usage.later(COMMANDS),
    help="分派：把校外培训投诉分派给主管部门，并逐条说明理由。",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _top(context: typer.Context, shown: Annotated[bool, typer.Option("--version", help="显示版本")] = False) -> None:
    if shown:
        print(f"fenpai {version('fenpai')}")
        raise typer.Exit
    usage.help_alone(context)


# The door -----------------------------------------------------------------------------------------------------------------------

TROUBLE = {
    errno.ENOENT: "找不到",
    errno.EACCES: "没有权限",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.ENOSPC: "磁盘已满",
    errno.EADDRINUSE: "端口已被占用",
    errno.EROFS: "只读，不能写",
}


def main(words: list[str] | None = None) -> None:
    """Run a command. Whatever goes wrong is said in Chinese on one line; a stack trace helps no official."""
    gc.set_threshold(50_000, 50, 100)  # rules and dictionaries are large and stay: looking through them often takes a third of a start
    sys.exit(_run(words))


def _run(words: list[str] | None) -> int:
    try:
        code = int(app(words, prog_name="fenpai", standalone_mode=False) or 0)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except TyperException as wrong:
        context = getattr(wrong, "ctx", None)
        return _said(f"{usage.mistake(wrong.format_message())}。用法见：{context.command_path if context else 'fenpai'} --help", 2)
    except rulebook.PackError as broken:
        return _said(_broken(broken), 2)
    except FenpaiError as wrong:
        return _said("\n".join([*map(str, getattr(wrong, "rows", ())), wrong.detail]), 2)
    except OSError as trouble:
        return _said(_trouble(trouble), 2)
    except Exception as fault:  # noqa: BLE001 - the edge: a fault of ours must not end in a stack trace either
        return _said(f"程序出错（{type(fault).__name__}：{fault}）。请把这一行和所用命令告诉维护者。", 2)
    return _said("已中断。", code) if code == INTERRUPTED else code


def _broken(pack: rulebook.PackError) -> str:
    errors = [str(mistake) for mistake in pack.mistakes if mistake.severity == "error"]
    if pack.mistakes[0].file == ".":
        return f"{pack.mistakes[0].message}。{pack.mistakes[0].hint}"
    more = [f"……共 {len(errors)} 处错误"] if len(errors) > MOST_MISTAKES else []
    return "\n".join(["规则包有错误，没有启用（fenpai rules check 另列出提醒）：", *errors[:MOST_MISTAKES], *more])


def _trouble(trouble: OSError) -> str:
    what = TROUBLE.get(trouble.errno or 0, trouble.strerror or str(trouble))
    return f"{trouble.filename}：{what}" if trouble.filename else str(what)


def _said(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
