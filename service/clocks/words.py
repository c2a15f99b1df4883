"""How clocks speak: days, moments, durations and the lines of a computation, in the Chinese of an office."""

from datetime import date, datetime

from models.clocks import Citation, Pause
from service.clocks.calendar import Calendar, Rest
from service.clocks.policy import SECOND

WEEKDAYS = "一二三四五六日"
HOUR = 3600 * SECOND
MINUTE = 60 * SECOND


def day_of(day: date, year: int) -> str:
    """11月25日（周三）; with the year where it is not the year at hand."""
    prefix = "" if day.year == year else f"{day.year}年"
    return f"{prefix}{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def full(moment: datetime) -> str:
    """2026年11月24日（周二）16:20; seconds only where there are any."""
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return f"{day_of(moment, 0)}{clock}"


def duration(span: int) -> str:
    """3小时30分钟."""
    hours, rest = divmod(span, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = [f"{hours}小时" if hours else "", f"{minutes}分钟" if minutes else "", f"{rest / SECOND:g}秒" if rest else ""]
    return "".join(parts) or "0分钟"


def working_time(span: int, day: int) -> str:
    """2个工作日零3小时30分钟: working time, a working day being `day` long."""
    days, rest = divmod(span, day)
    if not days:
        return duration(rest)
    return f"{days}个工作日零{duration(rest)}" if rest else f"{days}个工作日"


def basis(citation: Citation | None, why: str | None) -> str:
    """依据《…》第三条；why."""
    cited = f"依据{citation}" if citation else ""
    return "；".join(part for part in (cited, (why or "").rstrip("。")) if part)


def in_analogy(citation: Citation | None) -> str:
    """（参照《…》第二百零一条）."""
    return f"（参照{citation}）" if citation else ""


def rest(run: Rest, year: int) -> str:
    """跳过 10月1日（周四）至10月7日（周三）：国庆节放假."""
    first = day_of(date.fromordinal(run.first), year)
    if run.first == run.last:
        return f"跳过{first}：{run.reason}"
    joint = "、" if run.last == run.first + 1 else "至"
    return f"跳过{first}{joint}{day_of(date.fromordinal(run.last), year)}：{run.reason}"


def counted(calendar: Calendar, ordinal: int, number: int, year: int) -> str:
    """第3个工作日：10月10日（周六），国庆节调休上班."""
    made_up = calendar.made_up(ordinal)
    return f"第{number}个工作日：{day_of(date.fromordinal(ordinal), year)}{f'，{made_up}调休上班' if made_up else ''}"


def pause(stop: Pause) -> str:
    """暂停计时：…至…."""
    return f"暂停计时：{full(stop.began)}起，尚未恢复" if stop.ended is None else f"暂停计时：{full(stop.began)}至{full(stop.ended)}"


def unsettled(year: int, *, on_file: bool) -> str:
    """暂定: which year is not known and which file to fill in."""
    state = "里 published 还是 false" if on_file else "还没有建"
    return (
        f"暂定：{year}年的放假调休安排尚未确定（calendar/{year}.yaml {state}），以上按已知的法定节假日推算；"
        f"国务院办公厅公布后，请填好 calendar/{year}.yaml 并重新计算"
    )
