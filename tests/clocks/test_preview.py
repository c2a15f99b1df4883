"""The preview an API endpoint returns as it is, and the outlook that asks for next year's calendar in time."""

import json
from datetime import date, timedelta

import orjson
import pytest
from pydantic import TypeAdapter

from models.clocks import Preview
from models.decision import Urgency
from service.clocks import Calendar, Policy, deadlines, extend, follow_up, outlook, preview
from tests.clocks import pack
from tests.clocks.pack import at


class TestPreview:
    def test_it_shows_the_latest_of_everything(self, policy: Policy, calendar: Calendar) -> None:
        shown = preview(policy, calendar, at("2026-11-24 16:20"))
        assert [deadline.due for deadline in shown.deadlines] == [at("2026-11-25 17:30"), at("2026-11-25 17:30"), at("2026-12-01 17:30")]
        assert shown.extended is not None
        assert shown.extended.due == at("2026-12-08 17:30")
        assert shown.follow_up is not None
        assert shown.follow_up.due == at("2026-12-04 17:30")

    def test_it_is_json_as_it_stands(self, policy: Policy, calendar: Calendar) -> None:
        shown = preview(policy, calendar, at("2026-11-24 16:20"), urgency=Urgency.EMERGENCY, complex_case=True)
        body = json.loads(orjson.dumps(shown))
        assert body["received_at"] == "2026-11-24T16:20:00+08:00"
        assert body["urgency"] == "emergency"
        assert body["deadlines"][0]["due"] == "2026-11-24T16:35:00+08:00"
        assert body["deadlines"][0]["citation"]["clause"] == "tj-detail-receive-danger"

    def test_fastapi_can_describe_and_read_it(self, policy: Policy, calendar: Calendar) -> None:
        adapter = TypeAdapter(Preview)
        shown = preview(policy, calendar, at("2026-11-24 16:20"))
        assert "deadlines" in adapter.json_schema()["properties"]
        assert adapter.validate_json(orjson.dumps(shown)).deadlines[-1].due == shown.deadlines[-1].due

    def test_a_pack_without_extensions_shows_none(self, calendar: Calendar) -> None:
        strict = pack.policy(extension=pack.raw("clocks.yaml")["extension"] | {"times": "0"})
        assert preview(strict, calendar, at("2026-11-24 16:20")).extended is None


class TestOutlook:
    def test_it_says_until_when_and_which_file(self, policy: Policy, calendar: Calendar) -> None:
        seen = outlook(policy, calendar)
        assert (seen.firm_until, seen.file) == (date(2026, 11, 30), "calendar/2027.yaml")
        assert seen.message.startswith("2026年11月30日（周一）及以前收到的工单")

    @pytest.mark.parametrize(("later", "provisional"), [(0, False), (1, True)])
    def test_it_is_exact_for_the_longest_way_a_case_can_go(self, policy: Policy, calendar: Calendar, later: int, provisional: bool) -> None:
        """Complex handling, the longest extension, completed at the last moment, then the follow-up."""
        firm = outlook(policy, calendar).firm_until
        assert firm is not None
        arrival = at(f"{firm + timedelta(days=later)} 12:00")
        handling = extend(policy, calendar, deadlines(policy, calendar, arrival, complex_case=True)[-1], 5, arrival)
        assert handling.due is not None
        assert follow_up(policy, calendar, handling.due).provisional is provisional

    def test_a_calendar_shorter_than_a_case(self) -> None:
        slow = pack.policy(extension=pack.raw("clocks.yaml")["extension"] | {"times": "5", "max_working_days": "60"})
        seen = outlook(slow, pack.calendar(2026, 2027))
        assert seen.firm_until is None
        assert seen.message.startswith("日历太短")

    def test_a_calendar_without_a_published_year(self, policy: Policy) -> None:
        assert outlook(policy, pack.calendar(2027)).firm_until is None
        assert outlook(policy, Calendar([])).firm_until is None
