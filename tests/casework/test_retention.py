"""Retention: what was kept long enough is struck out, nothing of it is left, and the chain, the ledger and the decisions stand."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert, select, update

from models.case import Status
from models.complaint import Complainant, DemandType, WorkOrderIn
from models.decision import Assist, Evidence, Outcome
from models.moves import Move
from models.retention import RetentionClass
from models.tables import cases, duplicates, marks, metadata
from service import audit, db, retention, store
from service.casework.errors import NotNow
from service.intake import Desk, receive
from service.ledger.recount import recount
from service.retention import Line, months_before
from service.vault import Vault
from tests.casework.house import House, arriving, decided
from tests.casework.people import PATHS, TUESDAY, terms

MARK = "标记老师"
FOUND = Evidence("ball.terms", "category:ball", "篮球", "content", 0, 2, f"{MARK}篮球", 9, None)
CLASSES = (
    RetentionClass(id="report", name="举报", months=360, basis="x", demand_types=(DemandType.REPORT,)),
    RetentionClass(id="returned", name="退回", months=12, basis="x", decisions=(Outcome.RETURN,)),
    RetentionClass(id="ordinary", name="其他", months=120, basis="x", demand_types=(DemandType.COMPLAIN,)),
)


def arrive(house: House, **changes: Any) -> str:
    """A case that says the mark wherever it can; its id."""
    decision = replace(decided(), reason=f"提到{MARK}", evidence=(FOUND,))
    new = arriving(house.clock.moment, decision)
    texts: dict[str, Any] = dict.fromkeys(("title", "content", "institution", "address"), MARK)
    told = {"details": orjson.dumps({"extra": MARK}).decode(), "triage": orjson.dumps(decision).decode()}
    whole = replace(new, **{**texts, **told, "complainant": MARK.encode(), **changes})
    with house.database.write() as conn:
        store.insert_cases(conn, [whole])
    return whole.id


def archive(house: House, case_id: str) -> None:
    for move in PATHS[Status.ARCHIVED]:
        said: dict[str, Any] = {Move.REPLY: {"text": f"已答复{MARK}"}}.get(move, {})
        house.move(case_id, move, **said)


@pytest.fixture
def lived(house: House) -> dict[str, str]:
    """Cases: one archived with another merged into it, one reported, one that goes on; with all that stands beside them."""
    names = {name: arrive(house) for name in ("old", "member", "other")}
    names["report"] = arrive(house, demand_type="举报")
    house.move(names["member"], Move.MERGE, into=names["old"], reason=f"同为{MARK}")
    for name in ("old", "report"):
        archive(house, names[name])
    with house.database.write() as conn:
        for name in ("old", "member"):
            conn.execute(insert(marks).values(kind="name", mark=MARK, received_at=TUESDAY, case_id=names[name]))
        suspicion = {"score": 90, "basis": "text", "words": MARK, "state": "pending", "proposed_at": TUESDAY, "note": MARK}
        conn.execute(insert(duplicates).values(case_id=names["other"], other_id=names["old"], **suspicion))
    return names


def planned(house: House, after: timedelta) -> list[Line]:
    found: list[Line] = house.ask(retention.plan, CLASSES, TUESDAY + after)
    return found


def apply(house: House, after: timedelta = timedelta(days=366 * 11)) -> int:
    return retention.apply(house.database, planned(house, after), "auditor", lambda _: None)


def says(house: House, mark: str) -> set[str]:
    """The tables in which the mark stands."""
    with house.database.read() as conn:
        return {table.name for table in metadata.sorted_tables if mark in str(conn.execute(select(table)).all())}


class TestThePlan:
    def test_counts_by_class_and_age_and_names_what_is_ripe(self, house: House, lived: dict[str, str]) -> None:
        [report, returned, ordinary, none] = planned(house, timedelta(days=366 * 11))
        assert (report.ages, report.ripe) == ([0, 0, 0, 0, 1], [])
        assert (returned.ages, returned.ripe) == ([0] * 5, [])
        assert (ordinary.ages, ordinary.ripe) == ([0, 0, 0, 0, 1], [lived["old"]])
        assert (none.ages, none.ripe) == ([0] * 5, [])
        assert [line.ripe for line in planned(house, timedelta(days=366 * 2))] == [[], [], [], []]

    @pytest.mark.parametrize(
        ("day", "months", "wanted"), [("2026-03-31", 1, "2026-02-28"), ("2024-02-29", 12, "2023-02-28"), ("2026-01-15", 1, "2025-12-15")]
    )
    def test_counts_months_by_the_calendar(self, day: str, months: int, wanted: str) -> None:
        assert months_before(datetime.fromisoformat(day).replace(tzinfo=UTC), months).date().isoformat() == wanted


class TestStriking:
    def test_leaves_nothing_of_what_was_said_and_all_that_was_done(self, house: House, lived: dict[str, str]) -> None:
        before = house.row(lived["old"])
        assert apply(house) == 2
        row, member = house.row(lived["old"]), house.row(lived["member"])
        for struck in (row, member):
            assert (struck.title, struck.content, struck.institution, struck.address, struck.complainant) == ("", "", "", "", None)
            assert MARK not in str(struck)
            assert house.ask(store.case_notes, struck.id) == {}
        assert (row.status, row.lead, row.category, row.departments) == (before.status, before.lead, before.category, before.departments)
        assert MARK in house.row(lived["other"]).content
        assert MARK in house.row(lived["report"]).content
        assert says(house, MARK) == {"cases", "notes"}  # those of the other two
        assert apply(house) == 0

    def test_of_all_leaves_the_mark_nowhere(self, house: House) -> None:
        archive(house, arrive(house))
        assert apply(house) == 1
        assert says(house, MARK) == set()
        db.scrub(house.database)
        if house.database.path:
            files = [path for path in house.database.path.parent.iterdir() if path.name.startswith(house.database.path.name)]
            assert not [path for path in files if MARK.encode() in path.read_bytes()]

    def test_is_a_row_of_the_chain_which_stays_whole(self, house: House, lived: dict[str, str]) -> None:
        apply(house)
        assert audit.verify(house.database).broken is None
        told = house.events(lived["old"])[-1]
        assert (told.kind, told.actor, orjson.loads(told.data)["class"]) == ("case.struck", "auditor", "ordinary")

    def test_cannot_be_used_to_put_something_else_there(self, house: House, lived: dict[str, str]) -> None:
        apply(house)
        for forgery in ({"content": "别的"}, {"complainant": b"x"}, {"struck_at": None}, {"struck_at": TUESDAY}, {"triage": "{}"}):
            with house.database.writer.connect() as conn:
                conn.begin()
                conn.execute(update(cases).where(cases.c.id == lived["old"]).values(**forgery))
                assert store.verify_chain(conn).broken == 1, forgery
                conn.rollback()

    def test_ends_what_can_be_done_with_a_case(self, house: House, lived: dict[str, str]) -> None:
        apply(house)
        for name, move in (("old", Move.RECLASSIFY), ("member", Move.UNMERGE)):
            with pytest.raises(NotNow, match="已按保存期限清除"):
                house.move(lived[name], move)

    def test_takes_it_out_of_what_is_decided_again_and_leaves_the_ledger_sound(self, house: House, lived: dict[str, str]) -> None:
        apply(house)
        again = {case.id for stretch in house.ask(lambda conn: list(store.past_cases(conn))) for case in stretch}
        assert again == {lived["other"], lived["report"]}
        assert house.ask(recount).sound

    def test_keeps_the_number_of_the_order(self, house: House) -> None:
        """The hotline that sends it again, with who complained, hears of the same case."""

        async def keep(case: store.NewCase) -> store.Outcome:
            with house.database.write() as conn:
                return store.insert_cases(conn, [case])[0]

        decision = replace(decided(), assists=(Assist("money_office", "refund", None),))
        desk = Desk(lambda _: decision, terms, keep, Vault([Fernet.generate_key().decode()]))
        order = WorkOrderIn(source_system="s", source_order_no="N-1", content=MARK, complainant=Complainant(name=MARK))
        first = asyncio.run(receive(desk, order, TUESDAY))
        archive(house, first.case.id)
        lines = house.ask(retention.plan, [CLASSES[2].model_copy(update={"demand_types": ()})], TUESDAY + timedelta(days=4000))
        assert retention.apply(house.database, lines, "auditor", lambda _: None) == 1
        again = asyncio.run(receive(desk, order, TUESDAY))
        assert (again.created, again.case.id) == (False, first.case.id)
