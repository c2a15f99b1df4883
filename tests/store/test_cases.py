"""Cases as they stand: found by id and number, filtered, and read page by page."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import store
from service.db import Database
from service.store import CaseDepartment, CaseRow, Filters, Mark, NewCase, Order
from tests.builders import NOON, new_case


def receive(database: Database, *cases: NewCase) -> None:
    with database.write() as conn:
        store.insert_cases(conn, cases)


def numbers(database: Database, filters: Filters) -> list[str]:
    with database.read() as conn:
        return sorted(case.source_order_no[-1] for case in store.list_cases(conn, filters, limit=50).cases)


def pages(database: Database, filters: Filters, limit: int, order: Order = "created") -> Iterator[list[CaseRow]]:
    cursor = None
    with database.read() as conn:
        while True:
            page = store.list_cases(conn, filters, limit=limit, cursor=cursor, order=order)
            yield page.cases
            cursor = page.next
            if cursor is None:
                return


class TestFinding:
    def test_a_number_finds_its_case(self, database: Database) -> None:
        receive(database, new_case(1), new_case(2))
        with database.read() as conn:
            found = store.find_case(conn, "12345", "TJ00000002")
            assert found is not None
            assert found.title == "舞蹈培训退费"
            assert store.find_case(conn, "12315", "TJ00000002") is None

    def test_an_unknown_id_finds_nothing(self, database: Database) -> None:
        with database.read() as conn:
            assert store.get_case(conn, "nobody") is None
            assert store.cases_by_id(conn, []) == {}


class TestFilters:
    @pytest.fixture
    def filed(self, database: Database) -> Database:
        assist = CaseDepartment(department="fire_rescue", role="assist", issue="fire")
        receive(
            database,
            first := new_case(1, status="escalated", decision="escalate", urgency="urgent", street=None),
            new_case(2, lead="education", category="subject", departments=(CaseDepartment(department="education", role="lead"), assist)),
            third := new_case(3, source_system="12315", street="天穆镇", issues='["refund", "ads"]', due_at=NOON + timedelta(days=7)),
        )
        with database.write() as conn:
            store.add_incident(conn, first.id, "鲸豆湾", NOON)
            store.add_marks(conn, [Mark(kind=kind, mark="鲸豆湾", received_at=NOON, case_id=third.id) for kind in ("name", "band")])
        return database

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            (Filters(), ["1", "2", "3"]),
            (Filters(status="escalated"), ["1"]),
            (Filters(decision="dispatch"), ["2", "3"]),
            (Filters(urgency="urgent"), ["1"]),
            (Filters(lead="education"), ["2"]),
            (Filters(category="arts"), ["1", "3"]),
            (Filters(department="culture_sports"), ["1", "3"]),
            (Filters(department="fire_rescue"), ["2"]),
            (Filters(department="fire_rescue", category="arts"), []),
            (Filters(department="market_regulation", status="dispatched"), ["3"]),
            (Filters(source_system="12315"), ["3"]),
            (Filters(source_order_no="TJ00000002"), ["2"]),
            (Filters(created_from=NOON + timedelta(minutes=2)), ["2", "3"]),
            (Filters(created_to=NOON + timedelta(minutes=2)), ["1"]),
            (Filters(updated_since=NOON + timedelta(minutes=3)), ["3"]),
            (Filters(street="天穆镇"), ["3"]),
            (Filters(issue="ads"), ["3"]),
            (Filters(issue="ads", department="fire_rescue"), []),
            (Filters(due_before=NOON + timedelta(days=8)), ["3"]),
            (Filters(due_before=NOON + timedelta(days=7)), []),
            (Filters(missing="street"), ["1"]),
            (Filters(missing="street", department="fire_rescue"), []),
            (Filters(missing="lead"), []),
            (Filters(incident=True), ["1"]),
            (Filters(incident=False), ["2", "3"]),
            (Filters(marks=(("name", "鲸豆湾"), ("register", "x"))), ["3"]),
            (Filters(marks=(("name", "蔓汀"),)), []),
            (Filters(status="nonsense"), []),
        ],
    )
    def test_each_asks_for_what_it_says(self, filed: Database, filters: Filters, expected: list[str]) -> None:
        assert numbers(filed, filters) == expected
        with filed.read() as conn:
            assert store.count_listed(conn, filters, 10) == (len(expected), True)
            count, whole = store.count_listed(conn, filters, 0)
        assert count == 0
        assert not (whole and expected), "nothing was looked at, so it must say that there may be more"

    def test_a_case_names_all_its_departments_when_one_is_asked_for(self, filed: Database) -> None:
        with filed.read() as conn:
            (case,) = store.list_cases(conn, Filters(department="fire_rescue"), limit=5).cases
        assert [part.department for part in case.departments] == ["education", "fire_rescue"]


ASKED = {
    "status": "dispatched",
    "decision": "dispatch",
    "department": "market_regulation",
    "lead": "culture_sports",
    "category": "arts",
    "urgency": "normal",
    "source_system": "12345",
    "source_order_no": "TJ00000001",
    "created_from": NOON,
    "created_to": NOON + timedelta(hours=1),
    "updated_since": NOON,
    "street": "果园新村街",
    "issue": "refund",
    "due_before": NOON + timedelta(days=9),
    "incident": False,
    "marks": (("name", "鲸豆湾"),),
}


@pytest.mark.parametrize("order", ["created", "changed"])
def test_any_two_filters_go_together(database: Database, order: Order) -> None:
    """Each way through the indexes exists; SQLite refuses one that does not."""
    due = {"due_at": NOON + timedelta(days=7)}
    receive(database, *(both := [new_case(1, **due), new_case(2, urgency="urgent", source_order_no="other", **due)]))
    with database.write() as conn:
        store.add_marks(conn, [Mark(kind="name", mark="鲸豆湾", received_at=NOON, case_id=case.id) for case in both])
    with database.read() as conn:
        for one, other in itertools.combinations(ASKED, 2):
            filters = Filters(**{one: ASKED[one], other: ASKED[other]})  # type: ignore[arg-type]
            cases = store.list_cases(conn, filters, limit=5, order=order).cases
            assert "TJ00000001" in {case.source_order_no for case in cases}
            assert store.count_listed(conn, filters, 10) == (len(cases), True)
            urgent = store.list_cases(conn, replace(filters, urgency="urgent", source_order_no=None), limit=5, order=order).cases
            assert [case.source_order_no for case in urgent] == ["other"]


class TestPages:
    def test_the_newest_comes_first(self, database: Database) -> None:
        receive(database, *(new_case(n) for n in (3, 1, 2)))
        (page,) = pages(database, Filters(), 10)
        assert [case.source_order_no[-1] for case in page] == ["3", "2", "1"]

    def test_in_the_order_of_changes_the_oldest_comes_first(self, database: Database) -> None:
        receive(database, *(new_case(n) for n in (3, 1, 2)))
        (page,) = pages(database, Filters(), 10, "changed")
        assert [case.source_order_no[-1] for case in page] == ["3", "1", "2"]

    def test_a_full_last_page_has_no_next(self, database: Database) -> None:
        receive(database, *(new_case(n) for n in range(4)))
        assert [len(page) for page in pages(database, Filters(), 2)] == [2, 2]

    def test_what_comes_in_meanwhile_shifts_nothing(self, database: Database) -> None:
        receive(database, *(new_case(n) for n in range(4)))
        with database.read() as conn:
            first = store.list_cases(conn, Filters(), limit=2)
        receive(database, new_case(7), new_case(8))
        with database.read() as conn:
            second = store.list_cases(conn, Filters(), limit=2, cursor=first.next)
        assert [case.source_order_no[-1] for case in first.cases + second.cases] == ["3", "2", "1", "0"]

    @pytest.mark.parametrize("order", ["created", "changed"])
    @pytest.mark.parametrize("department", [None, "market_regulation"])
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(minutes=st.lists(st.integers(0, 3), max_size=24), limit=st.integers(1, 7))
    def test_visit_each_case_exactly_once_under_ties(
        self, shelf: "Shelf", order: Order, department: str | None, minutes: list[int], limit: int
    ) -> None:
        """However many cases came in the same microsecond, and wherever the pages are cut."""
        ids, system = shelf.fill(minutes)
        filters = Filters(source_system=system, department=department)
        visited = [case.id for page in pages(shelf.database, filters, limit, order) for case in page]
        assert sorted(visited) == sorted(ids)


class Shelf:
    """One database for all examples of a property: each example files its cases under a source system of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._count = 0

    def fill(self, minutes: list[int]) -> tuple[list[str], str]:
        self._count += 1
        system = f"system {self._count}"
        at = [NOON + timedelta(minutes=minute) for minute in minutes]
        cases = [
            new_case(n, id=f"{self._count:013d}{n:013d}", source_system=system, created_at=moment, received_at=moment)
            for n, moment in enumerate(at)
        ]
        receive(self.database, *cases)
        return [case.id for case in cases], system


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


class TestTheListsPosition:
    def test_moves_with_every_change(self, database: Database) -> None:
        positions = []
        for n in range(3):
            receive(database, new_case(n))
            with database.read() as conn:
                positions.append(store.list_position(conn, Filters(status="dispatched")))
        assert positions == [1, 2, 3]


def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)read-?only"), database.read() as conn:
        store.insert_cases(conn, [new_case(1)])
