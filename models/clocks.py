"""Statutory clocks: the shapes of clocks.yaml and calendar/YYYY.yaml, and the frozen deadlines that are computed from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from models.decision import Urgency
from models.strict import ClauseId, Label, Prose, Strict

SATURDAY = 5


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"没有名为 {name} 的时区，北京时间请写 Asia/Shanghai（名称无误时，是系统没有装 tzdata）") from None
    return name


def _real_day(text: str) -> str:
    """A month and day that every year has."""
    try:
        date.fromisoformat(f"2025-{text}")
    except ValueError:
        raise ValueError(f"{text} 不是一个日子，请写成 月-日，例如 12-25") from None
    return text


def _as_day(written: object) -> object:
    """A text must be a whole date: pydantic alone would take 2026 for a moment in 1970."""
    if not isinstance(written, str):
        return written
    try:
        return datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ValueError(f"{written} 不是一个日期，请写成 年-月-日，例如 2026-10-01") from None


def _as_clock(written: object) -> object:
    """A text must be hours and minutes: pydantic alone would take 830 for seconds."""
    if not isinstance(written, str):
        return written
    try:
        return datetime.strptime(written, "%H:%M").time()  # noqa: DTZ007 - office hours are wall clock
    except ValueError:
        raise ValueError(f'{written} 不是一个钟点，请写成 时:分 并加引号，例如 "08:30"') from None


Day = Annotated[date, BeforeValidator(_as_day)]
ClockTime = Annotated[time, BeforeValidator(_as_clock)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
MonthDay = Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$"), AfterValidator(_real_day)]
Days = Annotated[int, Field(ge=1, le=60)]


class OfficeHours(Strict):
    """办公时段: from when until when an office works."""

    opens: ClockTime = Field(alias="from")
    closes: ClockTime = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"办公时段的结束 {self.closes:%H:%M} 应晚于开始 {self.opens:%H:%M}")
        return self


class Limit(Strict):
    """期限: calendar minutes or working days, with the clause it rests on; `why` says what no clause says."""

    minutes: int | None = Field(None, ge=1, le=10_080)
    working_days: Days | None = None
    clause: ClauseId | None = None
    why: Prose | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.minutes is None) == (self.working_days is None):
            raise ValueError("minutes（分钟，不分工作日）与 working_days（工作日）须且只须写一个")
        if self.clause is None and self.why is None:
            raise ValueError("每个期限都要写明依据：clause 写条款代码，没有条款可引时用 why 说明")
        return self


class Receipt(Strict):
    """签收: the limit depends on how urgent a complaint is."""

    name: Label
    normal: Limit
    urgent: Limit
    emergency: Limit

    def limit(self, urgency: Urgency) -> Limit:
        return {Urgency.NORMAL: self.normal, Urgency.URGENT: self.urgent, Urgency.EMERGENCY: self.emergency}[urgency]


class Graded(Strict):
    """退单, 办理: a limit for most cases, a longer one for complex cases."""

    name: Label
    normal: Limit
    complex: Limit

    def limit(self, *, complex_case: bool) -> Limit:
        return self.complex if complex_case else self.normal


class FollowUp(Strict):
    """回访: counted from completion."""

    name: Label
    normal: Limit


class Extension(Strict):
    """延期: how many working days at most, and how often."""

    name: Label
    max_working_days: Days
    times: int = Field(1, ge=0, le=5)
    clause: ClauseId | None = None
    why: Prose | None = None


class Designation(Strict):
    """指定承办: after how many dispatches a department is named that cannot hand back."""

    name: Label = "指定承办"
    after: int = Field(3, ge=1, le=20)
    clause: ClauseId | None = None
    why: Prose | None = None


class Counting(Strict):
    """The clauses that say how days are counted: from the next day, until the office closes."""

    next_day: ClauseId | None = None
    close: ClauseId | None = None


class ClocksFile(Strict):
    """clocks.yaml: every number of the statutory clocks, with its clause.

    Whether days from `year_end_from` on are worked is also decided by the notice for the year after (元旦调休).
    `unpublished`: what to do where a year's holidays are not published yet: `provisional` (暂定) or `refuse`.
    """

    zone: ZoneName = "Asia/Shanghai"
    office_hours: tuple[OfficeHours, ...] = Field(min_length=1, max_length=6)
    urge_percent: int = Field(80, ge=1, le=99)
    year_end_from: MonthDay = "12-25"
    unpublished: Literal["provisional", "refuse"] = "provisional"
    counting: Counting = Counting()
    receipt: Receipt
    hand_back: Graded
    designation: Designation = Designation()
    handling: Graded
    extension: Extension
    follow_up: FollowUp

    @field_validator("office_hours")
    @classmethod
    def _in_order(cls, sessions: tuple[OfficeHours, ...]) -> tuple[OfficeHours, ...]:
        for earlier, later in pairwise(sessions):
            if later.opens < earlier.closes:
                raise ValueError(f"办公时段须按先后排列且不重叠：{later.opens:%H:%M} 早于上一段的结束 {earlier.closes:%H:%M}")
        return sessions

    @field_validator("handling")
    @classmethod
    def _by_days(cls, handling: Graded) -> Graded:
        if handling.normal.working_days is None or handling.complex.working_days is None:
            raise ValueError("办理期限须用 working_days（工作日），延期才能接着计算")
        return handling

    def limits(self) -> Iterator[Limit]:
        """Every limit in the file."""
        yield from (self.receipt.normal, self.receipt.urgent, self.receipt.emergency)
        for graded in (self.hand_back, self.handling):
            yield from (graded.normal, graded.complex)
        yield self.follow_up.normal

    def clause_ids(self) -> set[str]:
        """Every clause that the file names; clauses.yaml must have them all."""
        named = [limit.clause for limit in self.limits()]
        named += [self.designation.clause, self.extension.clause, self.counting.next_day, self.counting.close]
        return {clause for clause in named if clause is not None}


class Holiday(Strict):
    """One line of the State Council's notice: the days off, and the weekend days that are worked instead (调休上班)."""

    name: Label
    first: Day = Field(alias="from")
    last: Day | None = Field(None, alias="to")
    work: tuple[Day, ...] = Field((), max_length=10)
    why: Prose | None = None

    def days(self) -> Iterator[date]:
        """The days off."""
        last = self.last or self.first
        for offset in range((last - self.first).days + 1):
            yield self.first + timedelta(days=offset)

    @model_validator(mode="after")
    def _sane(self) -> Self:
        last = self.last or self.first
        if not 0 <= (last - self.first).days <= 30:
            raise ValueError(f"{self.name}：to 应不早于 from，且一次放假不超过 31 天")
        for day in self.work:
            if day.weekday() < SATURDAY:
                raise ValueError(f"{self.name}：{day} 是周一至周五，本来就上班，不必写进 work；请核对日期")
            if self.first <= day <= last:
                raise ValueError(f"{self.name}：{day} 既在放假期间又写在 work 里")
        return self


class Notice(Strict):
    """The notice that a calendar was taken from."""

    title: Label
    date: Day
    number: str = Field("", max_length=60)


class CalendarFile(Strict):
    """calendar/YYYY.yaml: the holidays of one year as the State Council published them.

    A year that is not published yet has only what the law itself makes certain. `net_days_off` is a check sum: days off on
    Monday to Friday less weekend days worked come to the statutory holidays of a year, 13 since 2025.
    """

    year: int = Field(ge=2000, le=2100)
    published: bool
    source: Notice | None = None
    net_days_off: int | None = Field(None, ge=0, le=60)
    holidays: tuple[Holiday, ...] = Field(min_length=1, max_length=30)

    @field_validator("holidays")
    @classmethod
    def _within_year(cls, holidays: tuple[Holiday, ...], info: ValidationInfo) -> tuple[Holiday, ...]:
        year = info.data.get("year")
        if year is None:
            return holidays
        opening, closing = date(year - 1, 12, 1), date(year, 12, 31)
        for holiday in holidays:
            for day in (*holiday.days(), *holiday.work):
                if not opening <= day <= closing:
                    raise ValueError(f"{holiday.name}：{day} 不属于 {year} 年的放假安排（可从上一年 12 月起，到本年 12 月 31 日止）")
        return holidays

    @field_validator("holidays")
    @classmethod
    def _each_day_once(cls, holidays: tuple[Holiday, ...]) -> tuple[Holiday, ...]:
        seen: dict[date, str] = {}
        for holiday in holidays:
            for day in (*holiday.days(), *holiday.work):
                if day in seen:
                    raise ValueError(f"{day} 写了两次：{seen[day]}、{holiday.name}")
                seen[day] = holiday.name
        return holidays

    @model_validator(mode="after")
    def _whole_when_published(self) -> Self:
        if not self.published:
            return self
        if self.source is None:
            raise ValueError("published 为 true 时须写明 source（通知的名称 title 和日期 date）")
        if self.net_days_off is None:
            raise ValueError("published 为 true 时须写明 net_days_off（法定节假日天数，2025 年起为 13），用来核对有没有抄错")
        off = sum(day.weekday() < SATURDAY for holiday in self.holidays for day in holiday.days())
        worked = sum(len(holiday.work) for holiday in self.holidays)
        if off - worked != self.net_days_off:
            raise ValueError(
                f"核对不上：周一至周五放假 {off} 天，周末上班 {worked} 天，相差 {off - worked} 天，"
                f"而 net_days_off 写的是 {self.net_days_off} 天。请对照通知逐行检查放假和上班的日期"
            )
        return self


class ClockKind(StrEnum):
    """Which clock a deadline belongs to."""

    RECEIPT = "receipt"
    HAND_BACK = "hand_back"
    HANDLING = "handling"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class Pause:
    """暂停计时: from `began` until `ended`; None while it lasts."""

    began: datetime
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """The document, article and words that a limit rests on."""

    clause: str
    document: str
    article: str
    quote: str

    def __str__(self) -> str:
        return f"《{self.document}》{self.article}"


@dataclass(frozen=True, slots=True)
class Deadline:
    """期限: when something is due, when to urge (催办), on what it rests, and the whole computation in lines an officer can read.

    `due` and `urge` are None while a pause keeps the clock from getting there. `provisional` (暂定): a year's holidays that the
    computation needs are not published yet; compute again once they are. `pauses` and `extensions` (working days of each) are
    what the computation was given.
    """

    kind: ClockKind
    name: str
    limit: str
    start: datetime
    due: datetime | None
    urge: datetime | None
    citation: Citation | None
    why: str | None
    steps: tuple[str, ...]
    provisional: bool
    minutes: int | None
    working_days: int | None
    pauses: tuple[Pause, ...]
    extensions: tuple[int, ...]

    def starting(self, start: datetime, first_step: str) -> "Deadline":
        """The deadline of a case that arrived at another hour of the same day. Spelt out for speed, as it is made for every case."""
        return Deadline(
            self.kind,
            self.name,
            self.limit,
            start,
            self.due,
            self.urge,
            self.citation,
            self.why,
            (first_step, *self.steps[1:]),
            self.provisional,
            self.minutes,
            self.working_days,
            self.pauses,
            self.extensions,
        )


@dataclass(frozen=True, slots=True)
class Outlook:
    """How far the calendar reaches: every deadline of a case that arrives until `firm_until` is firm; then `file` must be filled in."""

    firm_until: date | None
    file: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the clocks of a case would be: the answer of `GET /v1/clocks/preview`.

    `extended` is the handling deadline with the longest extension, `follow_up` the follow-up of a case completed at the last moment.
    """

    received_at: datetime
    urgency: Urgency
    complex: bool
    deadlines: tuple[Deadline, ...]
    extended: Deadline | None
    follow_up: Deadline | None
    outlook: Outlook
