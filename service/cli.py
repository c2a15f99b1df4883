"""The command line `fenpai`. Thin: find the command, run it, print; ends with 0 fine, 1 mistakes found, 2 cannot run."""

import errno
import gc
import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from service import usage
from service.errors import FenpaiError, PackUnusable

INTERRUPTED = 130
"""What typer ends with after Ctrl-C."""

COMMANDS = {
    "serve": ("service.commands.serve:app", "提供 HTTP 接口，直到被停止。设置见环境变量 FENPAI_*。"),
    "work": ("service.commands.work:app", "只送达，不提供接口：与任意多个 fenpai serve、fenpai work 共用一个 PostgreSQL。"),
    "demo": ("service.commands.demo:app", "启动真的服务，经接口送入示例工单，打印每件的研判与依据。"),
    "openapi": ("service.commands.serve:app", "输出接口的 OpenAPI 文档（YAML）。"),
    "triage": ("service.commands.triage:app", "研判一段诉求并说明理由；或逐行研判一个 JSONL 文件。"),
    "evaluate": ("service.commands.evaluate:app", "用标注好的诉求评估研判：精确率、召回率、混淆、区间。"),
    "calibrate": ("service.commands.evaluate:app", "用标注好的诉求校准：定出自动分派的门槛和把握的含义，写入规则包。"),
    "rules": ("service.commands.rules:app", "检查、测试、比较、发布规则包。"),
    "cases": ("service.commands.versions:cases", "以往的案件。"),
    "deliveries": ("service.commands.deliveries:app", "查看、重发送给各单位系统的消息。"),
    "keys": ("service.commands.keys:app", "发放、列出、更换、吊销接口钥匙。"),
    "audit": ("service.commands.audit:app", "核查审计链，导出审计记录。"),
    "retention": ("service.commands.retention:app", "保存期限：清除已到期的案件内容。"),
    "incidents": ("service.commands.incidents:app", "查看群体事件。"),
    "duplicates": ("service.commands.incidents:alone", "列出疑似重复的案件，后来的在前。"),
    "institutions": ("service.commands.institutions:app", "导入、导出、查询机构名录。"),
    "backup": ("service.commands.backup:app", "备份 SQLite 数据库，不必停下服务。"),
    "db": ("service.commands.db:app", "管理数据库。"),
}
"""Where each command stands, and what it does."""

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
        print(f"fenpai {usage.brought('importlib.metadata').version('fenpai')}")
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
    except PackUnusable as broken:
        return _said(broken.told, 2)
    except FenpaiError as wrong:
        return _said("\n".join([*map(str, getattr(wrong, "rows", ())), wrong.detail]), 2)
    except OSError as trouble:
        return _said(_trouble(trouble), 2)
    except Exception as fault:  # noqa: BLE001 - the edge: a fault of ours must not end in a stack trace either
        return _said(f"程序出错（{type(fault).__name__}：{fault}）。请把这一行和所用命令告诉维护者。", 2)
    return _said("已中断。", code) if code == INTERRUPTED else code


def _trouble(trouble: OSError) -> str:
    what = TROUBLE.get(trouble.errno or 0, trouble.strerror or str(trouble))
    return f"{trouble.filename}：{what}" if trouble.filename else str(what)


def _said(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
