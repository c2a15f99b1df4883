"""What is wrong with a pack, said so that an official can mend it: where, what, how."""

from dataclasses import dataclass
from typing import Literal

from service.errors import PackUnusable

Severity = Literal["error", "warning"]
Loc = tuple[str | int, ...]
"""The way from the top of a file to one of its values: ("rules", 0, "terms", 2)."""
Words = tuple[str, str, str]
"""Code, what is wrong, how to mend it."""
MOST_TOLD = 50
"""More mistakes than this are counted, not told."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. Line and column count from 1; `message` says what is wrong, `hint` how to mend it, both in Chinese."""

    file: str
    line: int
    column: int
    field: str
    rule: str
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"

    @property
    def place(self) -> str:
        """Where it stands, as editors and terminals make it a link."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        level = "错误" if self.severity == "error" else "提醒"
        where = "，".join(part for part in (self.rule and f"规则 {self.rule}", self.field) if part)
        return f"{self.place}: {level}：{where + '：' if where else ''}{self.message}。{self.hint + '。' if self.hint else ''}".replace(
            "？。", "？"
        )


class PackError(PackUnusable):
    """规则包有错误，没有装入. Carries every mistake, warnings too; its text names the errors."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        super().__init__(mistakes)

    def __str__(self) -> str:
        return "\n".join(self._errors)

    @property
    def told(self) -> str:
        if self.mistakes[0].file == ".":
            return f"{self.mistakes[0].message}。{self.mistakes[0].hint}"
        more = [f"……共 {len(self._errors)} 处错误"] if len(self._errors) > MOST_TOLD else []
        return "\n".join(["规则包有错误，没有启用（fenpai rules check 另列出提醒）：", *self._errors[:MOST_TOLD], *more])

    @property
    def _errors(self) -> list[str]:
        return [str(mistake) for mistake in self.mistakes if mistake.severity == "error"]


def dotted(loc: Loc) -> str:
    """A way into a file as officials read it: rules[0].terms[2]."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc if step != "[key]")
    return "".join(steps).removeprefix(".")


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """Mistakes as one reads the files, each once; the cases last, for what is wrong with the rules makes many of theirs wrong."""
    return sorted(dict.fromkeys(mistakes), key=_reading)


def _reading(mistake: Mistake) -> tuple[bool, str, int, int, str, str]:
    return mistake.file.endswith(".test.yaml"), mistake.file, mistake.line, mistake.column, mistake.code, mistake.field
