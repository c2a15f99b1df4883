"""Incidents: opened, joined, left, told of; once, whoever races and whoever is killed."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import text

from models.moves import Move
from service import rulebook, store
from service.db import Database
from tests.incidents.hall import INCIDENTS, Hall, tiny_engine
from tests.packs.build import tiny

GONE = "云溪区飞鱼篮球班不给退费，孩子没法上课。"
FIRM = {"institution": "飞鱼篮球俱乐部"}


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


def surge(hall: Hall, size: int = 3, step: float = 1, **order: str) -> list[str]:
    texts = [f"{GONE}我家还剩{number}节。" for number in range(1, size + 1)]
    return [hall.send(text, hours=number * step, **(FIRM | order)) for number, text in enumerate(texts)]


def only(hall: Hall) -> store.IncidentRow:
    [incident] = hall.ask(store.list_incidents, limit=10)
    assert isinstance(incident, store.IncidentRow)
    return incident


class TestAnIncident:
    def test_is_a_case_with_lead_assists_and_clocks_that_the_others_are_merged_into(self, hall: Hall) -> None:
        ids = surge(hall)
        hall.sort()
        incident = only(hall)
        assert (incident.case.lead, incident.case.status, incident.case.reason_code) == ("gym_office", "escalated", "comprehensive")
        assert "money_office" in [part.department for part in incident.case.departments]
        assert incident.members == 3
        assert orjson.loads(incident.case.clocks)
        assert [hall.row(id_).merged_into for id_ in ids] == [incident.case.id] * 3
        assert hall.kinds(ids[0]) == ["case.received", "case.merged"]
        assert hall.kinds(incident.case.id)[:2] == ["case.received", "incident.opened"]
        [_, opened] = hall.ask(store.case_events, incident.case.id)[:2]
        assert sorted(orjson.loads(opened.data)["members"]) == sorted(ids)
        assert hall.ask(store.verify_chain).broken is None

    def test_is_not_made_of_too_few_too_far_apart_of_other_matters_or_of_another_institution(self, hall: Hall) -> None:
        surge(hall, size=2)
        surge(hall, size=3, step=30, institution="腾云篮球俱乐部")
        hall.send("云溪区飞鱼篮球班天天吵闹。", hours=1, **FIRM)
        hall.send(GONE, hours=1, institution="飞渔舟篮球馆")
        hall.sort()
        assert hall.ask(store.list_incidents, limit=10) == []

    def test_takes_what_names_the_institution_otherwise_or_only_in_its_text(self, hall: Hall) -> None:
        hall.send("云溪区小飞鱼儿篮球班不给退费。", institution="云溪区小飞鱼儿篮球培训有限公司")
        hall.send("孩子上小飞余儿的篮球班，不给退费。", hours=1)
        hall.send("不给退费的篮球班。", hours=2, institution="小飞鱼儿（北门店）")
        hall.send("云溪区小飞鱼儿家的篮球课，不给退费。", hours=90)
        hall.sort()
        assert only(hall).members == 4

    def test_goes_by_the_address_where_there_is_no_name(self, hall: Hall) -> None:
        for hours in range(3):
            hall.send(f"楼上的篮球班不给退费，还剩{hours}节。", hours=hours, address="云溪区北门路12号3层")
        hall.sort()
        assert only(hall).members == 3

    def test_is_left_by_an_officers_word_and_not_joined_again(self, hall: Hall) -> None:
        ids = surge(hall, size=4)
        hall.sort()
        hall.move(ids[0], Move.UNMERGE)
        surge(hall, size=1)
        hall.sort()
        assert hall.row(ids[0]).merged_into is None
        assert only(hall).members == 4
        hall.move(ids[0], Move.MERGE, into=only(hall).case.id)
        assert only(hall).members == 5

    def test_that_is_long_past_or_done_gives_room_for_another(self, hall: Hall) -> None:
        surge(hall)
        hall.sort()
        surge(hall, size=1)
        hall.clock.moment += timedelta(hours=1)
        for number in range(3):
            hall.send(GONE, hours=200 + number, **FIRM)
        hall.sort()
        assert [incident.members for incident in hall.ask(store.list_incidents, limit=10)] == [3, 4]

    def test_is_not_opened_without_the_file(self, database: Database) -> None:
        hall = Hall(database, tiny_engine(""))
        surge(hall)
        assert hall.sort() == 0
        assert hall.ask(store.sorted_to) is None


class TestOnce:
    def test_however_many_sorters_race(self, postgres_database: Database) -> None:
        hall = Hall(postgres_database)
        surge(hall, size=20, step=0.1)
        hall.sort(sorters=4)
        assert only(hall).members == 20
        kinds = [event.kind for event in hall.ask(store.changes, 0, 1000)]
        assert (kinds.count("case.received"), kinds.count("incident.opened"), kinds.count("case.merged")) == (21, 1, 20)

    def test_or_not_at_all_where_something_breaks_in_between(self, hall: Hall) -> None:
        surge(hall, size=10)
        before = hall.ask(store.feed_head)
        with hall.database.write() as conn:
            conn.execute(text("ALTER TABLE incidents RENAME TO lost"))
        with pytest.raises(Exception, match="incidents"):
            hall.sort()
        with hall.database.write() as conn:
            conn.execute(text("ALTER TABLE lost RENAME TO incidents"))
        assert hall.ask(store.feed_head) == before
        hall.sort()
        assert only(hall).members == 10
        assert hall.ask(store.sorted_to) == hall.ask(store.feed_head)


class TestDuplicates:
    def test_are_proposed_and_nothing_is_merged(self, hall: Hall) -> None:
        told_ = "孩子上篮球班，教练换了三次，说好的小班变成二十人，要求退费，剩余的十二节课不上了。"
        first = hall.send(told_, institution="云上球馆")
        second = hall.send(told_.replace("要求", "希望"), hours=30)
        hall.send("云溪区某篮球班不给退费，孩子没法上课，老板不接电话，家长都很着急。", hours=31)
        hall.sort()
        [proposal] = hall.ask(store.list_proposals, state="pending", limit=10)
        assert (proposal.case_id, proposal.other_id, proposal.basis) == (second, first, "text")
        assert proposal.score > 90
        assert hall.row(second).merged_into is None
        assert hall.kinds(second) == ["case.received", "case.duplicate_suspected"]


class TestTheFile:
    def test_is_checked_like_all_others(self) -> None:
        wrong = INCIDENTS.replace("money_office", "mony_office").replace("[refund]", "[refunds]").replace("members: 3", "members: 1")
        said = "\n".join(str(mistake) for mistake in rulebook.check(tiny() | {"incidents.yaml": wrong}))
        assert "没有单位 mony_office。您是否想写 money_office？" in said
        assert "没有问题类型 refunds" in said
        assert "opening.members" in said
