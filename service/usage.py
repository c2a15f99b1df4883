"""How to use the command line, in Chinese: typer's help and what it says of mistyped commands."""

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

HELP = (
    (r"\bUsage:", "用法："),
    (r"\[OPTIONS\]", "[选项]"),
    (r"COMMAND \[ARGS\]\.\.\.", "命令 ..."),
    (r"(?m)^Arguments:", "参数："),
    (r"(?m)^Options:", "选项："),
    (r"(?m)^Commands:", "命令："),
    (r"Show this message and exit\.", "显示这段说明"),
    (r"\[env var:\s", "[环境变量 "),
    (r"default:\s", "缺省 "),
    (r"\[required\]", "[必填]"),
)
WIDEST = 200
"""Characters of one line of help; the terminal folds it."""
MISTAKES = (
    (r"No such option: (\S+).*", r"没有 \1 这个选项"),
    (r"No such command '(.*)'\..*", r"没有 \1 这个命令"),
    (r"Missing command\.", "没有写命令"),
    (r"Missing (?:argument|option|parameter) '(.*?)'.*", r"缺少 \1"),
    (r"Option '(.*)' requires an argument\.", r"选项 \1 后面要写值"),
    (r"Option '(.*)' does not take a value\.", r"选项 \1 后面不写值"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"多出来的参数：\1（文字里有空格时请加引号）"),
    (r"Invalid value for '(.*?)'(?: / .*?)?: .*less than or equal to (.*)", r"\1 不能大于 \2"),
    (r"Invalid value for '(.*?)'(?: / .*?)?: .*greater than or equal to (.*)", r"\1 不能小于 \2"),
    (r"Invalid value for '(.*?)'(?: / .*?)?: .*valid (?:number|integer).*", r"\1 应是数字"),
    (r"Invalid value for '(.*?)'(?: / .*?)?: .*valid datetime or date.*", r"\1 应是北京时间的日期，例如 2026-11-24"),
    (r"Invalid value for '(.*?)'.*", r"\1 的值不对"),
)


def mistake(message: str) -> str:
    """What was typed wrongly; English where typer has found words that we do not know."""
    for pattern, chinese in MISTAKES:
        if re.fullmatch(pattern, message, re.DOTALL):
            return re.sub(pattern, chinese, message, flags=re.DOTALL)
    return f"命令写法有误：{message}"


def told(text: str) -> str:
    """A help text, its headings in Chinese."""
    for pattern, chinese in HELP:
        text = re.sub(pattern, chinese, text)
    return text


class Command(TyperCommand):
    """A command whose help is Chinese."""

    def get_help(self, ctx: Any) -> str:
        return told(super().get_help(ctx))


class Group(TyperGroup):
    """Commands whose help is Chinese."""

    def get_help(self, ctx: Any) -> str:
        return told(super().get_help(ctx))


Places = Mapping[str, tuple[str, str]]
"""Commands by name: where each stands, as "module:app", and how its help begins, so that a list of commands needs none of them."""


def later(places: Places) -> type[Group]:
    """A group of which some commands stand in other modules, and are looked up when one is asked for.

    The whole house takes a second and more to import, and most commands need little of it.
    """
    return type("Later", (_Later,), {"places": places})


class _Later(Group):
    """Commands in the order in which they are named."""

    places: ClassVar[Places]

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *self.places]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        here = ((name, command.get_short_help_str(WIDEST)) for name in super().list_commands(ctx) if (command := self.commands.get(name)))
        with formatter.section("Commands"):
            formatter.write_dl([*here, *((name, what) for name, (_, what) in self.places.items())])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.places[cmd_name][0].partition(":")
        app = getattr(brought(module), name)
        app.rich_markup_mode = None  # or the help would be English, and in boxes
        found = typer.main.get_group(app)
        found.name = cmd_name
        return found.commands.get(cmd_name, found)


def brought(module: str) -> Any:
    """A module that only some ways of a command need: the one place where something is imported after the start."""
    return import_module(module)


def help_alone(context: typer.Context) -> None:
    """What can be done, where no command says what to do."""
    if context.invoked_subcommand is None:
        print(context.get_help())
