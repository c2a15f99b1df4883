"""The sample orders hold a surge of six, two pairs of duplicates and a near miss beside the surge."""

import orjson
import pytest

from service import store
from service.db import Database
from tests.incidents.hall import Hall, samples, shipped

SURGE = [f"sample-{number:03}" for number in range(70, 76)]
PAIRS = {("sample-055", "sample-053"), ("sample-093", "sample-092")}


@pytest.mark.parametrize("with_register", [True, False], ids=["with the register", "without the register"])
def test_the_surge_is_one_incident_and_the_duplicates_are_proposed(database: Database, *, with_register: bool) -> None:
    engine, register = shipped()
    hall = Hall(database, engine, register if with_register else None)
    ids = {order.source_order_no: hall.receive(order) for order in samples()}
    names = {id_: number for number, id_ in ids.items()}
    hall.sort()

    [incident] = hall.ask(store.list_incidents, limit=100)
    members = hall.ask(store.members, incident.case.id)
    assert sorted(names[id_] for id_ in members) == SURGE
    assert (incident.case.lead, incident.case.decision) == ("culture_sports", "escalate")
    helping = {part.department for part in incident.case.departments if part.role == "assist"}
    assert {"public_security", "political_legal", "market_regulation", "towns"} <= helping
    assert orjson.loads(incident.case.issues)[:1] == ["closed"]
    assert hall.row(ids["sample-076"]).merged_into is None

    proposals = hall.ask(store.list_proposals, state="pending", limit=100)
    assert {(names[one.case_id], names[one.other_id]) for one in proposals} == PAIRS
    assert all(hall.row(one.case_id).merged_into is None for one in proposals)
