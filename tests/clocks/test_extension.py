"""延期: once, at most five working days, asked for before the deadline, for handling only."""

import pytest

from models.clocks import Deadline
from service.clocks import (
    Calendar,
    ExtensionTooLate,
    ExtensionTooLong,
    ExtensionUsedUp,
    NotExtendable,
    Policy,
    deadlines,
    extend,
    recompute,
)
from tests.clocks import pack
from tests.clocks.pack import at, pause

RECEIVED = at("2026-11-24 16:20")
ASKED = at("2026-11-30 10:00")


@pytest.fixture
def handling(policy: Policy, calendar: Calendar) -> Deadline:
    return deadlines(policy, calendar, RECEIVED)[-1]


@pytest.mark.parametrize(("days", "due"), [(1, "2026-12-02 17:30"), (3, "2026-12-04 17:30"), (5, "2026-12-08 17:30")])
def test_days_go_on_where_the_limit_ended(policy: Policy, calendar: Calendar, handling: Deadline, days: int, due: str) -> None:
    assert extend(policy, calendar, handling, days, ASKED).due == at(due)


def test_the_steps_show_where_the_extension_begins(policy: Policy, calendar: Calendar, handling: Deadline) -> None:
    extended = extend(policy, calendar, handling, 2, ASKED)
    assert extended.limit == "5个工作日，延期2个工作日"
    assert extended.steps[8:11] == (
        "延期2个工作日：从原期限最后一日的下一个工作日接着计算（次数和天数为本规则包的缺省值，请以市、区规定为准）",
        "第6个工作日：12月2日（周三）",
        "第7个工作日：12月3日（周四）",
    )


def test_urging_moves_with_the_whole_time(policy: Policy, calendar: Calendar, handling: Deadline) -> None:
    assert extend(policy, calendar, handling, 5, ASKED).urge == at("2026-12-07 08:30")  # eight of ten days


def test_pauses_stay(policy: Policy, calendar: Calendar) -> None:
    paused = deadlines(policy, calendar, RECEIVED, pauses=[pause("2026-11-26 08:30", "2026-11-27 08:30")])[-1]
    assert extend(policy, calendar, paused, 1, ASKED).due == at("2026-12-03 17:30")


def test_extending_equals_computing_with_the_extension(policy: Policy, calendar: Calendar, handling: Deadline) -> None:
    extended = extend(policy, calendar, handling, 4, ASKED)
    assert extended == deadlines(policy, calendar, RECEIVED, extensions=[4])[-1]
    assert recompute(policy, calendar, extended) == extended


class TestRefused:
    def test_a_second_time(self, policy: Policy, calendar: Calendar, handling: Deadline) -> None:
        once = extend(policy, calendar, handling, 1, ASKED)
        with pytest.raises(ExtensionUsedUp, match="最多延期 1 次"):
            extend(policy, calendar, once, 1, ASKED)

    @pytest.mark.parametrize("days", [0, -1, 6, 100])
    def test_more_days_than_the_cap_or_none(self, policy: Policy, calendar: Calendar, handling: Deadline, days: int) -> None:
        with pytest.raises(ExtensionTooLong, match="1 至 5 个工作日"):
            extend(policy, calendar, handling, days, ASKED)

    @pytest.mark.parametrize("asked", ["2026-12-01 17:30", "2026-12-02 08:00"])
    def test_at_the_deadline_or_after(self, policy: Policy, calendar: Calendar, handling: Deadline, asked: str) -> None:
        with pytest.raises(ExtensionTooLate, match="期限为2026年12月1日"):
            extend(policy, calendar, handling, 1, at(asked))

    def test_any_other_deadline(self, policy: Policy, calendar: Calendar) -> None:
        receipt, back, _ = deadlines(policy, calendar, RECEIVED)
        for deadline in (receipt, back):
            with pytest.raises(NotExtendable):
                extend(policy, calendar, deadline, 1, RECEIVED)


def test_the_last_second_before_the_deadline_is_in_time(policy: Policy, calendar: Calendar, handling: Deadline) -> None:
    assert extend(policy, calendar, handling, 1, at("2026-12-01 17:29:59")).due == at("2026-12-02 17:30")


def test_a_pack_may_allow_two(calendar: Calendar) -> None:
    generous = pack.policy(extension=pack.raw("clocks.yaml")["extension"] | {"times": "2"})
    handling = deadlines(generous, calendar, RECEIVED)[-1]
    twice = extend(generous, calendar, extend(generous, calendar, handling, 2, ASKED), 3, ASKED)
    assert (twice.due, twice.limit) == (at("2026-12-08 17:30"), "5个工作日，延期2个工作日，延期3个工作日")
    assert [step[:4] for step in twice.steps[8:15]] == ["延期2个", "第6个工", "第7个工", "延期3个", "第8个工", "跳过12", "第9个工"]


def test_it_keeps_its_limit_when_the_pack_changes_it_later(calendar: Calendar, handling: Deadline) -> None:
    shorter = pack.raw("clocks.yaml")["handling"]
    shorter["normal"] = shorter["normal"] | {"working_days": "2"}
    assert extend(pack.policy(handling=shorter), calendar, handling, 1, ASKED).due == at("2026-12-02 17:30")
