"""What can be wrong with a file that is to become the register, and with asking for an institution."""

from collections.abc import Sequence

from models.register import RowFault
from service.errors import FieldFault, Invalid, Malformed, NotFound

SHOWN = 1000
"""Most mistakes told in one answer."""


class RegisterUnreadable(Malformed):
    """名录文件无法读取。"""

    code = "register_unreadable"
    title = "名录文件无法读取"


class RegisterInvalid(Invalid):
    """名录文件有错误，一行也没有导入。"""

    code = "register_invalid"
    title = "名录文件有错误"

    def __init__(self, detail: str | None = None, faults: Sequence[FieldFault] = (), rows: Sequence[RowFault] = ()) -> None:
        super().__init__(detail or _summary(rows), faults or [_told(row) for row in rows[:SHOWN]])
        self.rows = tuple(rows)


class InstitutionNotFound(NotFound):
    """名录中没有这个编号的机构。"""

    code = "institution_not_found"
    title = "没有这个机构"


def _summary(rows: Sequence[RowFault]) -> str | None:
    if not rows:
        return None
    more = f"（列出前 {SHOWN} 处）" if len(rows) > SHOWN else ""
    return f"名录文件有 {len(rows)} 处错误{more}，一行也没有导入。"


def _told(row: RowFault) -> FieldFault:
    column = row.column.replace("~", "~0").replace("/", "~1")
    return FieldFault(f"/{row.line}/{column}" if column else f"/{row.line}", str(row), "bad_value")
