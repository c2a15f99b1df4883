"""clocks.yaml: the shipped file is whole, and slips in it are refused in Chinese."""

from typing import Any

import pytest
from pydantic import ValidationError

from models.clocks import ClocksFile
from tests.clocks import pack


def refused(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ClocksFile.model_validate(pack.raw("clocks.yaml") | changes)
    return str(caught.value)


def test_every_limit_of_the_shipped_file_names_a_clause() -> None:
    assert all(limit.clause for limit in ClocksFile.model_validate(pack.raw("clocks.yaml")).limits())


def test_a_limit_is_minutes_or_working_days() -> None:
    graded = {"name": "退单", "normal": {"working_days": 1, "minutes": 5, "clause": "a"}, "complex": {"clause": "a"}}
    assert refused(hand_back=graded).count("须且只须写一个") == 2


def test_a_limit_without_clause_says_why() -> None:
    assert "每个期限都要写明依据" in refused(follow_up={"name": "回访", "normal": {"working_days": 3}})


def test_handling_counts_working_days() -> None:
    limit = {"minutes": 90, "why": "试"}
    assert "办理期限须用 working_days" in refused(handling={"name": "办理", "normal": limit, "complex": limit})


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ([{"from": "12:00", "to": "08:30"}], "应晚于开始 12:00"),
        ([{"from": "13:30", "to": "17:30"}, {"from": "08:30", "to": "12:00"}], "08:30 早于上一段的结束 17:30"),
        ([], "at least 1"),
        ([{"from": "08:30", "to": "25:00"}], "25:00 不是一个钟点"),
        ([{"from": "510", "to": "17:30"}], "510 不是一个钟点"),  # what YAML 1.1 makes of 8:30
    ],
)
def test_office_hours_stand_in_order(hours: list[dict[str, str]], said: str) -> None:
    assert said in refused(office_hours=hours)


def test_zone_and_days_are_real() -> None:
    assert "没有名为 Asia/Tianjin 的时区" in refused(zone="Asia/Tianjin")
    assert "02-30 不是一个日子" in refused(year_end_from="02-30")


def test_unknown_keys_are_mistakes() -> None:
    assert "urge_precent" in refused(urge_precent=80)
