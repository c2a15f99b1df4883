"""Moves in a real database: everything in one transaction, once for each key, for one of two officers."""

import threading
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
import pytest
from sqlalchemy import text

from models.case import Status
from models.decision import Outcome
from models.moves import Move
from service import store
from service.casework import Ordered
from service.casework.errors import GuardRefused, Stale
from service.errors import CaseNotFound, FenpaiError, KeyConflict
from tests.casework.house import House, decided
from tests.casework.people import BEIJING, GYM, MONEY, OFFICE, TUESDAY


def timer(house: House, case_id: str) -> tuple[str, datetime] | None:
    """The case's timer as it stands in the database."""
    with house.database.write() as conn:
        far = TUESDAY + timedelta(days=3650)
        found = [claim for claim in store.claim_timers(conn, far, 1000) if claim.case_id == case_id]
        conn.rollback()
        conn.begin()
    return (found[0].kind, found[0].due_at) if found else None


class TestAMove:
    def test_raises_the_version_and_tells_the_feed_in_one_go(self, house: House) -> None:
        case_id = house.receive()
        made = house.move(case_id, Move.ACCEPT)
        row = house.row(case_id)
        assert (row.version, row.status, row.seq, row.updated_at) == (2, "accepted", made.event.seq, TUESDAY)
        assert [event.kind for event in house.events(case_id)] == ["case.received", "case.accepted"]
        told = orjson.loads(made.event.data)
        assert len(told.pop("state_hash")) == 64
        assert told == {
            "move": "accept",
            "version": 2,
            "from": "dispatched",
            "status": "accepted",
            "department": "gym_office",
            "lead": "gym_office",
            "hops": 1,
            "contacted": False,
            "on_time": {"receipt": True},
        }

    def test_keeps_what_people_wrote_out_of_the_feed(self, house: House) -> None:
        case_id = house.receive()
        made = house.move(case_id, Move.HAND_BACK, text="当事人张某学的是舞蹈")
        assert "张某" not in made.event.data
        notes = house.ask(store.case_notes, case_id)
        assert orjson.loads(notes[2]) == {"text": "当事人张某学的是舞蹈"}
        assert orjson.loads(made.event.data)["note_hash"] == sha256(notes[2].encode()).hexdigest()
        assert house.ask(store.verify_chain).broken is None

    def test_whose_note_was_touched_breaks_the_chain(self, house: House) -> None:
        case_id = house.receive()
        made = house.move(case_id, Move.HAND_BACK)
        with house.database.write() as conn:
            conn.execute(text("UPDATE notes SET body = '{}'"))
        assert house.ask(store.verify_chain).broken == made.event.seq
        with house.database.write() as conn:
            conn.execute(text("DELETE FROM notes"))
        assert house.ask(store.verify_chain).broken == made.event.seq

    @pytest.mark.parametrize("forgery", ["status = 'archived'", "lead = 'stage_office'", "version = 9"])
    @pytest.mark.parametrize("moved", [True, False])
    def test_undone_by_hand_breaks_the_chain(self, house: House, forgery: str, moved: bool) -> None:
        case_id = house.receive()
        house.receive()
        last = house.move(case_id, Move.ACCEPT).event.seq if moved else 1
        with house.database.write() as conn:
            conn.execute(text(f"UPDATE cases SET {forgery} WHERE id = '{case_id}'"))  # noqa: S608 (our own)
        assert house.ask(store.verify_chain).broken == last

    def test_gives_the_case_to_its_new_departments(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.ASSIST_REPLY)
        house.move(case_id, Move.HAND_BACK)
        house.move(case_id, Move.RE_DISPATCH)
        parts = house.row(case_id).departments
        assert [(part.department, part.role, part.opinion, part.opinion_version) for part in parts] == [
            ("stage_office", "lead", None, None),
            ("money_office", "assist", "given", 2),
        ]
        assert parts[1].opinion_at == TUESDAY
        for department, count in (("stage_office", 1), ("gym_office", 0), ("money_office", 1)):
            page = house.ask(lambda conn, code=department: store.list_cases(conn, store.Filters(department=code), limit=9))
            assert len(page.cases) == count

    def test_sets_the_next_timer_or_takes_it_away(self, house: House) -> None:
        case_id = house.receive()
        assert timer(house, case_id) == ("receipt.urge", datetime(2026, 11, 26, 13, 48, tzinfo=BEIJING))
        house.move(case_id, Move.ACCEPT)
        assert timer(house, case_id) == ("handling.urge", datetime(2026, 12, 1, 15, 24, tzinfo=BEIJING))
        house.move(case_id, Move.RETURN)
        assert timer(house, case_id) is None
        house.move(case_id, Move.RE_DISPATCH)
        assert timer(house, case_id) == ("receipt.urge", datetime(2026, 11, 26, 13, 48, tzinfo=BEIJING))

    def test_of_a_case_that_went_back_at_once_has_no_timer(self, house: House) -> None:
        assert timer(house, house.receive(decision=decided(Outcome.RETURN))) is None

    def test_keeps_what_would_have_been_right(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.RECLASSIFY)
        house.move(case_id, Move.RECLASSIFY, category="letters", lead="stage_office")
        truth = house.ask(store.get_truth, case_id)
        assert (truth.category, truth.lead, truth.decided_category, truth.decided_lead) == ("letters", "stage_office", "ball", "gym_office")
        assert (truth.version, truth.actor, truth.department) == (3, "周接线", "hotline")

    def test_that_is_refused_leaves_nothing(self, house: House) -> None:
        case_id = house.receive()
        house.clock.moment += timedelta(days=9)
        with pytest.raises(GuardRefused):
            house.move(case_id, Move.HAND_BACK)
        assert house.row(case_id).version == 1
        assert len(house.events(case_id)) == 1

    def test_of_no_case_is_refused(self, house: House) -> None:
        with pytest.raises(CaseNotFound):
            house.move("0" * 26, Move.ACCEPT, version=1)


class TestTwoOfficers:
    def test_at_once_one_is_told_what_the_other_did(self, house: House) -> None:
        for _ in range(5):
            case_id = house.receive()
            orders = [house.order(case_id, Move.ACCEPT), house.order(case_id, Move.HAND_BACK)]
            answers: list[object] = []
            start = threading.Barrier(len(orders))

            def act(order: Ordered, answers: list[object] = answers, start: threading.Barrier = start) -> None:
                start.wait()
                try:
                    answers.append(house.carry(order))
                except FenpaiError as refusal:
                    answers.append(refusal)

            officers = [threading.Thread(target=act, args=(order,)) for order in orders]
            for officer in officers:
                officer.start()
            for officer in officers:
                officer.join()
            [stale] = [answer for answer in answers if isinstance(answer, Stale)]
            row = house.row(case_id)
            assert (row.version, stale.status) == (2, 412)
            assert stale.members["present"] == {
                "id": case_id,
                "version": 2,
                "status": row.status,
                "lead": "gym_office",
                "hops": 1,
            }

    def test_one_after_the_other_with_what_they_last_read(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.ASSIST_REPLY, MONEY)
        with pytest.raises(Stale, match="案件已是第 2 版，状态为已派单"):
            house.move(case_id, Move.ACCEPT, version=1)


class TestAKey:
    def test_makes_a_move_once(self, house: House) -> None:
        case_id = house.receive()
        first = house.order(case_id, Move.ACCEPT, key="k-1")
        made, again = house.carry(first), house.carry(first)
        assert (made.again, again.again) == (False, True)
        assert made.event == again.event
        assert house.row(case_id).version == 2

    def test_answers_the_same_long_after(self, house: House) -> None:
        case_id = house.receive()
        first = house.order(case_id, Move.ACCEPT, key="k-1")
        made = house.carry(first)
        house.move(case_id, Move.REPLY)
        assert house.carry(first).event == made.event

    def test_for_another_request_is_refused(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.ACCEPT, key="k-1")
        with pytest.raises(KeyConflict):
            house.move(case_id, Move.REPLY, key="k-1")

    def test_of_a_refused_move_stays_free(self, house: House) -> None:
        case_id = house.receive()
        with pytest.raises(FenpaiError):
            house.move(case_id, Move.REPLY, key="k-1")
        house.move(case_id, Move.ACCEPT, GYM, key="k-1")

    def test_belongs_to_its_department(self, house: House) -> None:
        case_id = house.receive()
        house.move(case_id, Move.ACCEPT, key="k-1")
        assert house.move(case_id, Move.ASSIST_REPLY, MONEY, key="k-1").again is False


class TestMerging:
    def test_reads_the_other_case(self, house: House) -> None:
        main, other = house.receive(), house.receive()
        house.move(other, Move.MERGE, into=main)
        assert house.work(other).merged_into == main
        assert house.ask(store.members, main) == [other]
        with pytest.raises(GuardRefused, match="有 1 个案件并入了本案"):
            house.move(main, Move.MERGE, into=house.receive())
        with pytest.raises(GuardRefused, match="没有编号为"):
            house.move(house.receive(), Move.MERGE, into="0" * 26)
        house.move(other, Move.UNMERGE, OFFICE)
        assert house.ask(store.members, main) == []

    def test_into_a_merged_case_is_refused(self, house: House) -> None:
        one, two, three = house.receive(), house.receive(), house.receive()
        house.move(one, Move.MERGE, into=two)
        with pytest.raises(GuardRefused, match="已并单"):
            house.move(three, Move.MERGE, into=one)


class TestTheWholeWay:
    def test_from_dispatch_to_archive(self, house: House) -> None:
        """Handed back twice, designated after the third dispatch, redone once."""
        case_id = house.receive()
        house.move(case_id, Move.HAND_BACK)
        house.move(case_id, Move.RE_DISPATCH, lead="gym_office")
        house.move(case_id, Move.HAND_BACK)
        house.move(case_id, Move.RE_DISPATCH, lead="gym_office")
        house.move(case_id, Move.HAND_BACK)
        house.move(case_id, Move.DESIGNATE)
        for move in (Move.ACCEPT, Move.EXTEND, Move.ASSIST_REPLY, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.REDO):
            house.move(case_id, move)
        for move in (Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.ARCHIVE):
            house.move(case_id, move)
        case = house.work(case_id)
        assert (case.status, case.version, case.hops, case.progress.redone) == (Status.ARCHIVED, 18, 4, 1)
        assert [orjson.loads(event.data)["version"] for event in house.events(case_id)[1:]] == list(range(2, 19))
        assert timer(house, case_id) is None
        assert house.ask(store.verify_chain).broken is None
