"""Why a clock says no.

FenpaiError
├── Unavailable (503, try again once the calendar is filled in)
│   ├── CalendarYearMissing    a computation reaches a year that has no calendar file
│   └── CalendarUnpublished    a computation reaches a year whose holidays are not published, and the pack refuses to guess
├── Invalid (422)
│   ├── MomentNaive            a moment without a time zone
│   └── PauseBackwards         a pause that ends before it begins
├── Conflict (409)
│   └── ExtensionRefused       NotExtendable, ExtensionUsedUp, ExtensionTooLong, ExtensionTooLate
└── StartError
    └── ClauseUnknown          clocks.yaml names a clause that clauses.yaml has not
"""

from service.errors import Conflict, Invalid, StartError, Unavailable


class CalendarYearMissing(Unavailable):
    """规则包里缺少这一年的工作日历。"""

    code = "calendar_year_missing"
    title = "缺少工作日历"
    retry_after = 3600
    frank = True

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(
            f"缺少 {year} 年的工作日历，算不出期限。请在规则包中新建 calendar/{year}.yaml，照国务院办公厅 {year} 年的放假通知填写。"
        )


class CalendarUnpublished(Unavailable):
    """这一年的放假安排还没有公布。"""

    code = "calendar_unpublished"
    title = "放假安排未公布"
    retry_after = 3600
    frank = True

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(
            f"{year} 年的放假安排尚未填写，算不出确定的期限。国务院办公厅公布后，请填好规则包中的 calendar/{year}.yaml，"
            "并把其中的 published 改为 true。（如愿先给暂定期限，把 clocks.yaml 的 unpublished 改为 provisional。）"
        )


class MomentNaive(Invalid):
    """时刻须带时区，例如 2026-11-24T16:20:00+08:00。"""

    code = "moment_naive"
    title = "时刻没有时区"


class PauseBackwards(Invalid):
    """暂停的结束早于开始。"""

    code = "pause_backwards"
    title = "暂停时间有误"


class ExtensionRefused(Conflict):
    """不能延期。"""

    code = "extension_refused"
    title = "不能延期"


class NotExtendable(ExtensionRefused):
    """只有办理期限可以延期。"""

    code = "not_extendable"


class ExtensionUsedUp(ExtensionRefused):
    """延期的次数已经用完。"""

    code = "extension_used_up"


class ExtensionTooLong(ExtensionRefused):
    """申请延期的天数超出规定。"""

    code = "extension_too_long"


class ExtensionTooLate(ExtensionRefused):
    """期限已经届满，不能再延期。"""

    code = "extension_too_late"


class ClauseUnknown(StartError):
    """clocks.yaml 引用了 clauses.yaml 里没有的条款。"""

    code = "clause_unknown"
    title = "条款不存在"
