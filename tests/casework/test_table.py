"""The table of moves, cell by cell: every move from every state and by everybody; and the words that are made from it."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from models.case import Status
from models.moves import MOVES, STATUS_NAMES, Effect, Guard, Move, Role, Stay
from service.casework import Actor, Ground, Work, decide_move, standings, timing
from service.casework.effects import EFFECTS
from service.casework.errors import GuardRefused, NotNow, NotYours
from service.casework.guards import GUARDS
from service.casework.table import description, markdown
from tests.casework.people import ADMIN, BY_ROLE, GYM, HOTLINE, MONEY, OFFICE, STAGE, TUESDAY, body, born, ground, in_state, make, person

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
CELLS = list(product(Move, Status))


def prepared(move: Move, status: Status) -> tuple[Work, Ground]:
    """A case in this state for which the conditions of the move hold, and somebody who may make it."""
    case = in_state(status, hops=3 if move is Move.DESIGNATE else 1)
    if move is Move.RESUME and status in MOVES[Move.PAUSE].origins:
        case = make(case, Move.PAUSE)
    if move is Move.RECOMPUTE:
        later = [replace(clock, due=clock.due + timedelta(days=1)) if clock.due else clock for clock in case.clocks]
        case = replace(case, clocks=tuple(later))
    if move is not Move.REPORT:
        return case, ground(person(move))
    case = replace(case, clocks=timing.struck(case.clocks, "receipt.urge"))
    return case, ground(person(move), TUESDAY + timedelta(days=3), timer="receipt.overdue")


def refusal(case: Work, move: Move, at: Ground) -> str | None:
    """Why the move is refused, if it is."""
    try:
        decide_move(case, move, body(move), at)
    except (NotNow, NotYours, GuardRefused) as refused:
        return refused.detail
    return None


class TestEachCell:
    @pytest.mark.parametrize(("move", "status"), [cell for cell in CELLS if cell[1] in MOVES[cell[0]].origins])
    def test_of_the_table_leads_where_it_says(self, move: Move, status: Status) -> None:
        case, at = prepared(move, status)
        outcome = decide_move(case, move, body(move), at)
        target = MOVES[move].target
        assert outcome.case.status == (target if isinstance(target, Status) else status if target is not Stay.BEFORE else Status.DISPATCHED)
        assert outcome.case.version == case.version + 1
        assert (outcome.facts["move"], outcome.facts["from"], outcome.facts["status"]) == (move, status, outcome.case.status)

    @pytest.mark.parametrize(("move", "status"), [cell for cell in CELLS if cell[1] not in MOVES[cell[0]].origins])
    def test_outside_of_the_table_is_refused(self, move: Move, status: Status) -> None:
        case, at = prepared(move, status)
        with pytest.raises(NotNow) as refused:
            decide_move(case, move, body(move), at)
        assert refused.value.status == 409
        assert STATUS_NAMES[status] in refused.value.detail
        assert refused.value.members["present"]["status"] == status

    @pytest.mark.parametrize(("move", "role"), list(product(Move, Role)))
    def test_is_open_only_to_those_named(self, move: Move, role: Role) -> None:
        case, at = prepared(move, MOVES[move].origins[0])
        asked = replace(at, actor=BY_ROLE[role])
        if role in MOVES[move].who and (move is not Move.REPORT) and role is not Role.SYSTEM:
            assert decide_move(case, move, body(move), asked).case.version == case.version + 1
        elif role not in MOVES[move].who:
            with pytest.raises(NotYours) as refused:
                decide_move(case, move, body(move), asked)
            assert refused.value.status == 403

    def test_is_closed_to_departments_without_a_part(self) -> None:
        with pytest.raises(NotYours, match="签收由主办单位（云溪区球场办）来做，云溪区舞台办不能做。"):
            decide_move(born(), Move.ACCEPT, body(Move.ACCEPT), ground(STAGE))


class TestStandings:
    @pytest.mark.parametrize(("actor", "status"), list(product([HOTLINE, OFFICE, ADMIN, GYM, MONEY, STAGE], Status)))
    def test_tell_beforehand_what_will_be_refused(self, actor: Actor, status: Status) -> None:
        case, at = in_state(status), ground(actor)
        for standing in standings(case, at):
            why = refusal(case, standing.row.move, at)
            assert standing.allowed == (why is None)
            assert why is None or why.startswith(str(standing.why_not))

    def test_of_completion_say_whose_opinions_must_be_waived(self) -> None:
        [done] = [one for one in standings(in_state(Status.REPLIED), ground(GYM)) if one.row.move is Move.COMPLETE]
        assert done.allowed
        assert done.needs is not None
        assert "云溪区" in done.needs
        assert "waivers" in done.needs

    def test_name_every_move_of_people(self) -> None:
        assert {standing.row.move for standing in standings(born(), ground(GYM))} == set(Move) - {Move.REPORT}

    def test_of_the_lead_when_the_case_comes(self) -> None:
        allowed = [standing.row.move for standing in standings(born(), ground(GYM)) if standing.allowed]
        assert allowed == [Move.ACCEPT, Move.HAND_BACK]


class TestTheTable:
    def test_has_a_function_for_each_guard_and_effect(self) -> None:
        assert (set(GUARDS), set(EFFECTS)) == (set(Guard), set(Effect))

    def test_uses_each_guard_and_effect(self) -> None:
        assert {guard for row in MOVES.values() for guard in row.guards} == set(Guard)
        assert {effect for row in MOVES.values() for effect in row.effects} == set(Effect)

    def test_names_each_move_and_event_once(self) -> None:
        rows = MOVES.values()
        assert list(MOVES) == list(Move)
        assert len({row.name for row in rows}) == len({row.event for row in rows}) == len(MOVES)

    def test_leaves_no_state_without_a_way_in_and_only_the_archive_without_a_way_out(self) -> None:
        entered = {row.target for row in MOVES.values()} | {Status.ESCALATED}
        left = {status for row in MOVES.values() for status in row.origins if row.target != Stay.SAME}
        assert set(Status) - entered == set()
        assert set(Status) - left == set()
        assert [row.move for row in MOVES.values() if Status.ARCHIVED in row.origins] == [Move.RECLASSIFY]

    def test_in_words_has_a_line_for_each_move(self) -> None:
        lines = markdown().splitlines()
        assert len(lines) == len(MOVES) + 2
        assert {line.count(" | ") for line in lines} == {7}
        assert all(f"`{move}`" in markdown() for move in Move)

    def test_in_the_documents_is_this_one(self) -> None:
        assert markdown() in CONTRIBUTING.read_text(encoding="utf-8"), "paste what service.casework.table.markdown() gives"

    def test_is_described_for_the_document(self) -> None:
        told = description(MOVES[Move.HAND_BACK])
        assert "已派单、提级牵头、已签收" in told
        assert "在退单期限之内" in told
        assert "`case.handed_back`" in told
