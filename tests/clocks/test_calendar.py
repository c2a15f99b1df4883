"""The shipped years say what the State Council published; a slip of the pen in a year is caught; what is not known is said."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from models.clocks import CalendarFile
from service.clocks import Calendar, CalendarYearMissing
from tests.clocks import pack

NOTICES = {
    2025: """
一、元旦：1月1日（周三）放假1天，不调休。
二、春节：1月28日（农历除夕、周二）至2月4日（农历正月初七、周二）放假调休，共8天。1月26日（周日）、2月8日（周六）上班。
三、清明节：4月4日（周五）至6日（周日）放假，共3天。
四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）上班。
五、端午节：5月31日（周六）至6月2日（周一）放假，共3天。
六、国庆节、中秋节：10月1日（周三）至8日（周三）放假调休，共8天。9月28日（周日）、10月11日（周六）上班。
""",
    2026: """
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
""",
}
"""The operative words of the two notices of the General Office of the State Council, 2024-11-12 and 2025-11-04."""

DAY = re.compile(r"(?:(\d+)月)?(\d+)日（(?:农历[^、]+、)?周(.)）")


def read_notice(year: int) -> tuple[dict[date, str], dict[date, str]]:
    """Days off and weekend days worked, each with its holiday, read from the notice; the weekday in it must be right."""
    off: dict[date, str] = {}
    worked: dict[date, str] = {}
    for line in NOTICES[year].strip().splitlines():
        name, text = line.split("、", 1)[1].split("：")
        first, _, rest = text.partition("放假")
        span = days_in(year, first)
        off |= {span[0] + timedelta(days=n): name for n in range((span[-1] - span[0]).days + 1)}
        worked |= dict.fromkeys(days_in(year, rest), name)
        if total := re.search(r"共(\d+)天", rest):
            assert (span[-1] - span[0]).days + 1 == int(total[1])
    return off, worked


def days_in(year: int, text: str) -> list[date]:
    days: list[date] = []
    for month, day, weekday in DAY.findall(text):
        days.append(date(year, int(month or days[-1].month), int(day)))
        assert "一二三四五六日"[days[-1].weekday()] == weekday
    return days


class TestShippedYears:
    @pytest.mark.parametrize("year", NOTICES)
    def test_every_day_is_as_the_notice_says(self, year: int) -> None:
        calendar, (off, worked) = pack.calendar(year), read_notice(year)
        for number in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()):
            day = date.fromordinal(number)
            weekend = day.weekday() >= 5 and day not in worked
            assert calendar.why_off(day) == (f"{off[day]}放假" if day in off else "周末" if weekend else None)
            assert calendar.made_up(number) == worked.get(day)

    @pytest.mark.parametrize(("year", "working_days"), [(2025, 248), (2026, 248)])
    def test_a_year_has_so_many_working_days(self, year: int, working_days: int) -> None:
        """365 days less 104 weekend days less 13 statutory holidays."""
        assert len(pack.calendar(year).working) == working_days

    def test_2027_holds_only_what_the_law_itself_makes_certain(self) -> None:
        file = pack.year(2027)
        assert not file.published
        assert sum(len(list(holiday.days())) for holiday in file.holidays) == 13
        assert not any(holiday.work for holiday in file.holidays)


class TestSlipsOfThePen:
    def refused(self, changes: dict[str, Any], number: int = 2026) -> str:
        with pytest.raises(ValidationError) as caught:
            CalendarFile.model_validate(pack.raw(f"calendar/{number}.yaml") | changes)
        return str(caught.value)

    @pytest.mark.parametrize("index", range(7))
    def test_a_holiday_left_out_does_not_add_up(self, index: int) -> None:
        holidays = pack.raw("calendar/2026.yaml")["holidays"]
        assert "核对不上" in self.refused({"holidays": holidays[:index] + holidays[index + 1 :]})

    @pytest.mark.parametrize("index", [0, 1, 3, 6])
    def test_a_make_up_day_left_out_does_not_add_up(self, index: int) -> None:
        holidays = pack.raw("calendar/2026.yaml")["holidays"]
        holidays[index]["work"] = holidays[index]["work"][1:]
        assert "核对不上" in self.refused({"holidays": holidays})

    def test_a_make_up_day_on_a_weekday_is_a_wrong_date(self) -> None:
        holidays = pack.raw("calendar/2026.yaml")["holidays"]
        holidays[0]["work"] = ["2026-01-05"]
        assert "2026-01-05 是周一至周五" in self.refused({"holidays": holidays})

    def test_a_day_of_another_year_is_a_wrong_date(self) -> None:
        holidays = pack.raw("calendar/2026.yaml")["holidays"]
        holidays[2] = {"name": "清明节", "from": "2025-04-04", "to": "2025-04-06"}
        assert "2025-04-04 不属于 2026 年的放假安排" in self.refused({"holidays": holidays})

    def test_a_day_written_twice(self) -> None:
        holidays = [*pack.raw("calendar/2026.yaml")["holidays"], {"name": "加假", "from": "2026-10-07"}]
        assert "2026-10-07 写了两次：国庆节、加假" in self.refused({"holidays": holidays})

    def test_a_holiday_that_ends_before_it_begins(self) -> None:
        assert "to 应不早于 from" in self.refused({"holidays": [{"name": "元旦", "from": "2026-01-03", "to": "2026-01-01"}]})

    @pytest.mark.parametrize("written", ["2026-10-77", "2026", "10-01", "国庆"])
    def test_what_is_no_date(self, written: str) -> None:
        assert f"{written} 不是一个日期" in self.refused({"holidays": [{"name": "国庆节", "from": written}]})

    def test_a_published_year_names_its_notice(self) -> None:
        assert "须写明 source" in self.refused({"source": None})
        assert "须写明 net_days_off" in self.refused({"net_days_off": None})

    def test_switching_2027_to_published_without_copying_the_notice_is_refused(self) -> None:
        assert "核对不上" in self.refused(
            {"published": "true", "source": pack.raw("calendar/2026.yaml")["source"], "net_days_off": "13"}, 2027
        )


def small_year(number: int, *holidays: dict[str, Any], published: bool = True) -> CalendarFile:
    """A year with these holidays; the check sum is set to fit."""
    unchecked = CalendarFile.model_validate({"year": number, "published": False, "holidays": holidays})
    off = sum(day.weekday() < 5 for holiday in unchecked.holidays for day in holiday.days())
    worked = sum(len(holiday.work) for holiday in unchecked.holidays)
    source = {"title": "通知", "date": f"{number - 1}-11-01"}
    return CalendarFile.model_validate(
        {"year": number, "published": published, "source": source, "net_days_off": off - worked, "holidays": holidays}
    )


class TestTheEndOfAYear:
    def test_new_year_can_reach_back_into_december(self) -> None:
        """The notice for 2019 made Saturday 29 December 2018 a working day and Monday 31 December a day off."""
        national_day = {"name": "国庆节", "from": "2018-10-01", "to": "2018-10-05"}
        new_year = {"name": "元旦", "from": "2018-12-30", "to": "2019-01-01", "work": ["2018-12-29"]}
        calendar = Calendar([small_year(2018, national_day), small_year(2019, new_year)])
        assert calendar.why_off(date(2018, 12, 29)) is None
        assert calendar.made_up(date(2018, 12, 29).toordinal()) == "元旦"
        assert calendar.why_off(date(2018, 12, 31)) == "元旦放假"

    def test_the_later_notice_overrules_the_earlier_one(self) -> None:
        earlier = small_year(
            2018, {"name": "冬休", "from": "2018-12-29", "to": "2018-12-29"}, {"name": "补班", "from": "2018-10-01", "work": ["2018-12-30"]}
        )
        later = small_year(2019, {"name": "元旦", "from": "2018-12-30", "to": "2019-01-01", "work": ["2018-12-29"]})
        calendar = Calendar([later, earlier])
        assert calendar.why_off(date(2018, 12, 29)) is None
        assert calendar.why_off(date(2018, 12, 30)) == "元旦放假"
        assert calendar.made_up(date(2018, 12, 30).toordinal()) is None

    def test_late_december_is_settled_only_when_the_next_year_is_published(self) -> None:
        late, earlier = date(2026, 12, 25), date(2026, 12, 24)
        assert pack.calendar(2026, 2027).unsettled(earlier, earlier, "12-25") == ()
        assert pack.calendar(2026, 2027).unsettled(earlier, late, "12-25") == (2027,)
        assert pack.calendar(2025, 2026).unsettled(date(2025, 12, 30), date(2026, 1, 5), "12-25") == ()

    def test_a_day_of_a_year_without_a_file_is_refused_by_the_name_of_the_file(self) -> None:
        with pytest.raises(CalendarYearMissing, match=r"calendar/2024\.yaml"):
            pack.calendar(2025).why_off(date(2024, 12, 31))

    def test_files_may_come_in_any_order(self) -> None:
        assert Calendar([pack.year(2026), pack.year(2025)]).working == Calendar([pack.year(2025), pack.year(2026)]).working
