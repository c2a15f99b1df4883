"""The dossier: clocks are told by the rules that set them, also when other rules are in force since."""

from typing import Any

import pytest

from models.moves import Move
from service import rulebook, store
from service.casework import Handbook, Terms, open_dossier
from service.store import NewRuleset
from tests.casework.house import House
from tests.casework.people import TUESDAY
from tests.packs.build import tiny

OLD = tiny()
LONGER = OLD["clocks.yaml"].replace("name: 签收", "name: 接收").replace("normal: {working_days: 6", "normal: {working_days: 7")
NEW = OLD | {"clocks.yaml": LONGER}


@pytest.fixture
def rules() -> list[Any]:
    return [rulebook.load(OLD, 1)]


@pytest.fixture
def handbook(rules: list[Any]) -> Handbook:
    return Handbook(lambda: rules[-1])


@pytest.fixture
def house(house: House, handbook: Handbook) -> House:
    with house.database.write() as conn:
        for files in (OLD, NEW):
            digest = rulebook.digest(files)
            store.publish_ruleset(conn, NewRuleset(pack="tiny", digest=digest, files=files, author="test", created_at=TUESDAY))
    house.rules = handbook
    return house


def test_clocks_are_told_by_the_rules_that_set_them(house: House, handbook: Handbook, rules: list[Any]) -> None:
    case_id = house.receive()
    rules.append(rulebook.load(NEW, 2))
    later = house.receive()
    told = [house.ask(open_dossier, house.row(each), handbook).clocks for each in (case_id, later)]
    assert [[deadline.name for _, deadline in clocks] for clocks in told] == [["签收", "退单", "办理"], ["接收", "退单", "办理"]]
    assert [clocks[-1][0].working_days for clocks in told] == [6, 7]


def test_the_computation_is_that_of_then(house: House, handbook: Handbook, rules: list[Any]) -> None:
    case_id = house.receive()
    rules.append(rulebook.load(NEW, 2))
    dossier = house.ask(lambda conn: open_dossier(conn, house.row(case_id), handbook, steps=True))
    for clock, deadline in dossier.clocks:
        assert clock.due == deadline.due
    assert "期限：办理6个工作日（依据《云溪区培训管理办法》第一条）" in dossier.clocks[-1][1].steps


def test_what_was_extended_keeps_its_limit(house: House, rules: list[Any]) -> None:
    case_id = house.receive()
    house.move(case_id, Move.ACCEPT)
    rules.append(rulebook.load(NEW, 2))
    house.move(case_id, Move.EXTEND, working_days=1)
    clock = house.work(case_id).clocks[-1]
    assert (clock.working_days, clock.extensions, clock.ruleset) == (6, (1,), 2)


def test_of_rules_that_are_gone_those_in_force_speak(house: House, handbook: Handbook, rules: list[Any]) -> None:
    case_id = house.receive()
    rules.append(rulebook.load(NEW, 2))
    with house.database.write() as conn:
        conn.exec_driver_sql("DELETE FROM rulesets WHERE version = 1")
    assert house.ask(open_dossier, house.row(case_id), handbook).clocks[0][1].name == "接收"


def test_the_handbook_keeps_the_terms_of_one_rule_set(handbook: Handbook, rules: list[Any]) -> None:
    first = handbook()
    assert isinstance(first, Terms)
    assert handbook() is first
    rules.append(rulebook.load(NEW, 2))
    assert handbook().version == 2


def test_notes_stand_beside_the_moves(house: House, handbook: Handbook) -> None:
    case_id = house.receive()
    house.move(case_id, Move.HAND_BACK, text="学的是舞蹈")
    dossier = house.ask(open_dossier, house.row(case_id), handbook)
    assert dossier.notes == {2: {"text": "学的是舞蹈"}}
    assert dossier.truth is None
