"""Cases coming in: what is stored, and what is told of those that came before."""

from dataclasses import fields, replace

import orjson
import pytest

from service import store
from service.db import Database
from service.errors import Fault
from service.store import Case, CaseDepartment, NewCase, Outcome
from tests.builders import NOON, new_case


def receive(database: Database, *cases: NewCase) -> list[Outcome]:
    with database.write() as conn:
        return store.insert_cases(conn, cases)


def stored(database: Database, case_id: str) -> store.CaseRow | None:
    with database.read() as conn:
        return store.get_case(conn, case_id)


def results(outcomes: list[Outcome]) -> list[tuple[str, str | None]]:
    return [(outcome.result, outcome.by) for outcome in outcomes]


class TestANewCase:
    @pytest.mark.parametrize("company", [1, 20])
    def test_comes_back_as_it_went_in(self, database: Database, company: int) -> None:
        """Alone and in a batch, which go in by different ways on PostgreSQL."""
        sent = [new_case(n) for n in range(company)]
        receive(database, *sent)
        for case in sent:
            row = stored(database, case.id)
            assert row is not None
            assert {f.name: getattr(row, f.name) for f in fields(Case)} == {f.name: getattr(case, f.name) for f in fields(Case)}

    def test_begins_with_version_one_and_its_place_in_the_feed(self, database: Database) -> None:
        outcomes = receive(database, new_case(1), new_case(2))
        row = stored(database, outcomes[1].case.id)
        assert row is not None
        assert (row.version, row.seq, row.updated_at) == (1, 2, row.created_at)
        assert [outcome.seq for outcome in outcomes] == [1, 2]

    def test_may_leave_empty_what_may_be_unknown(self, database: Database) -> None:
        case = new_case(lead=None, category=None, demand_type=None, street=None, complainant=None, departments=())
        receive(database, case)
        row = stored(database, case.id)
        assert row is not None
        assert (row.lead, row.category, row.complainant, row.departments) == (None, None, None, ())

    @pytest.mark.parametrize(
        "content", ["", "'; DROP TABLE cases; --", "%s %(x)s ? :y", "\\N\t\r\n\\.", "𠮷野家👨‍👩‍👧\u200b" * 9, "课" * 100_000]
    )
    @pytest.mark.parametrize("company", [1, 9])
    def test_keeps_odd_text(self, database: Database, content: str, company: int) -> None:
        receive(database, *(new_case(n, content=content) for n in range(company)))
        with database.read() as conn:
            rows = store.list_cases(conn, store.Filters(), limit=20).cases
        assert [found.content for found in rows] == [content] * company

    def test_keeps_the_decision_byte_for_byte(self, database: Database) -> None:
        triage = '{"b": 1.0, "a":1e5, "b2":"\\u0000", "a2":null}'
        case = new_case(triage=triage)
        receive(database, case)
        row = stored(database, case.id)
        assert row is not None
        assert row.triage == triage

    def test_has_one_row_for_a_department_named_twice(self, database: Database) -> None:
        lead, first = CaseDepartment(department="towns", role="lead"), CaseDepartment(department="health", role="assist", issue="health")
        case = new_case(departments=(lead, first, replace(first, issue="safety")))
        receive(database, case)
        row = stored(database, case.id)
        assert row is not None
        assert row.departments == (lead, first)

    def test_is_told_in_the_feed(self, database: Database) -> None:
        case = new_case()
        receive(database, case)
        with database.read() as conn:
            (event,) = store.changes(conn, 0, 10)
        assert (event.seq, event.kind, event.case_id, event.actor, event.at) == (1, "case.received", case.id, "hotline", case.created_at)
        told = orjson.loads(event.data)
        assert told["lead"] == "culture_sports"
        assert told["assists"] == [{"department": "market_regulation", "issue": "refund"}]

    def test_without_company_costs_nothing(self, database: Database) -> None:
        assert receive(database) == []


class TestTheSameNumber:
    def test_with_the_same_body_gives_the_stored_case(self, database: Database) -> None:
        first = new_case(1)
        receive(database, first)
        (outcome,) = receive(database, replace(first, id=new_case(9).id))
        assert (outcome.result, outcome.by, outcome.case.id, outcome.seq) == ("same", "order", first.id, 1)
        assert outcome.case.triage == first.triage

    def test_with_another_body_is_a_conflict(self, database: Database) -> None:
        first = new_case(1)
        receive(database, first)
        (outcome,) = receive(database, replace(first, id=new_case(9).id, body_hash="0" * 64))
        assert (outcome.result, outcome.case.id) == ("conflict", first.id)

    def test_from_another_system_is_another_case(self, database: Database) -> None:
        receive(database, new_case(1))
        assert results(receive(database, new_case(2, source_order_no="TJ00000001", source_system="12315"))) == [("created", None)]

    def test_twice_in_one_batch_is_stored_once(self, database: Database) -> None:
        first = new_case(1)
        twin, other = replace(first, id=new_case(8).id), replace(first, id=new_case(9).id, body_hash="0" * 64)
        outcomes = receive(database, first, twin, other)
        assert results(outcomes) == [("created", None), ("same", "order"), ("conflict", "order")]
        assert {outcome.case.id for outcome in outcomes} == {first.id}

    def test_leaves_no_gap_in_the_feed(self, database: Database) -> None:
        receive(database, new_case(1))
        receive(database, new_case(2), new_case(1), new_case(3))
        with database.read() as conn:
            assert [event.seq for event in store.changes(conn, 0, 10)] == [1, 2, 3]
            assert store.verify_chain(conn).broken is None


class TestAnIdempotencyKey:
    def test_sent_again_gives_the_same_case(self, database: Database) -> None:
        first = new_case(1, client="a", idempotency_key="k")
        receive(database, first)
        (outcome,) = receive(database, replace(first, id=new_case(9).id))
        assert (outcome.result, outcome.by, outcome.case.id) == ("same", "key", first.id)

    def test_with_another_body_is_a_conflict_and_stores_nothing(self, database: Database) -> None:
        receive(database, new_case(1, client="a", idempotency_key="k"))
        other = new_case(2, client="a", idempotency_key="k")
        assert results(receive(database, other)) == [("conflict", "key")]
        assert stored(database, other.id) is None

    def test_belongs_to_one_client(self, database: Database) -> None:
        receive(database, new_case(1, client="a", idempotency_key="k"))
        assert results(receive(database, new_case(2, client="b", idempotency_key="k"))) == [("created", None)]

    def test_twice_in_one_batch_is_stored_once(self, database: Database) -> None:
        first = new_case(1, client="a", idempotency_key="k")
        outcomes = receive(database, first, replace(first, id=new_case(8).id), new_case(2, client="a", idempotency_key="k"))
        assert results(outcomes) == [("created", None), ("same", "key"), ("conflict", "key")]

    def test_may_come_later_than_its_case(self, database: Database) -> None:
        first = new_case(1)
        receive(database, first)
        again = replace(first, client="a", idempotency_key="k")
        assert results(receive(database, again)) == [("same", "order")]
        assert results(receive(database, again)) == [("same", "key")]

    def test_stays_free_when_its_request_was_refused(self, database: Database) -> None:
        receive(database, new_case(1))
        receive(database, new_case(1, body_hash="0" * 64, client="a", idempotency_key="k"))
        assert results(receive(database, new_case(2, client="a", idempotency_key="k"))) == [("created", None)]


class TestABatch:
    def test_of_any_size_tells_each_in_order(self, database: Database) -> None:
        receive(database, *(new_case(n) for n in range(0, 300, 3)))
        outcomes = receive(database, *(new_case(n) for n in range(300)))
        assert results(outcomes) == [("same", "order") if n % 3 == 0 else ("created", None) for n in range(300)]

    def test_that_fails_stores_nothing(self, database: Database) -> None:
        with pytest.raises(Fault, match="status"):
            receive(database, new_case(1), new_case(2, status=None))
        assert stored(database, new_case(1).id) is None
        with database.read() as conn:
            assert store.feed_head(conn) == 0

    def test_refuses_a_moment_without_its_zone(self, database: Database) -> None:
        with pytest.raises(ValueError, match="zone"):
            receive(database, new_case(1, received_at=NOON.replace(tzinfo=None)))
