"""What all errors share, and what else the tree stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that is wrong: a JSON pointer to it, what is wrong in Chinese, and a stable code."""

    pointer: str
    detail: str
    code: str


class FenpaiError(Exception):
    """出了错。"""

    code = "error"
    status = 500
    title = "出错"
    retry_after: int | None = None
    members: Mapping[str, Any] = {}
    """What else a program may want to know: further members of the problem."""
    headers: Mapping[str, str] = {}
    """Headers that belong to the answer."""
    frank = False
    """Whether the detail may be told outside. What went wrong inside us is for the log."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        super().__init__(self.detail)


class PackUnusable(Exception):
    """规则包有错误，没有装入."""

    @property
    def told(self) -> str:
        """What a terminal says of it."""
        return str(self)
