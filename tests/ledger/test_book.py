"""The books hold what the events say, whatever officers do, and in whichever order they do it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.decision import CategoryScore, Decision, Evidence, Outcome, Reason
from models.moves import MOVES, Move, Role
from service import store
from service.casework import SYSTEM
from service.casework.errors import GuardRefused, NotNow, NotYours
from service.errors import Invalid
from service.ledger import Verdict, birth_of, happened, issues_of, judge, month_of, of_events, recount
from service.ledger.judge import COUNTS
from service.store import Tally
from tests.casework.house import House, arriving, decided
from tests.casework.people import ADMIN, GYM, HOTLINE, MONEY, OFFICE, STAGE, TUESDAY

PIECES = (
    Evidence("ball.programs", "category:ball", "篮球", "content", 0, 2, "篮球", 9, None),
    Evidence("ball.programs", "category:ball", "足球", "content", 3, 5, "足球", 3, None),
    Evidence("scope.training", "scope:in", "篮球班", "content", 0, 3, "篮球班", 18, None),
    Evidence("scope.adult", "scope:adult", "成年人", "content", 6, 9, "成年人", 12, None),
    Evidence("issue.refund", "issue:refund", "退费", "content", 9, 11, "退费", 6, None),
    Evidence("stage.programs", "category:stage", "舞蹈", "content", 12, 14, "舞蹈", 3, None),
)
LEADS = ("gym_office", "stage_office", "study_office")
PEOPLE = (HOTLINE, OFFICE, ADMIN, GYM, STAGE, MONEY, replace(OFFICE))


def decision(outcome: Outcome = Outcome.DISPATCH) -> Decision:
    inside = outcome is not Outcome.RETURN
    reason = Reason.CLEAR if inside else Reason.OUT_ADULT
    category = "ball" if inside else None
    scores = (CategoryScore("ball", 9),) if inside else ()
    return replace(decided(outcome), evidence=PIECES, reason_code=reason, category=category, categories=scores)


def receive(house: House, what: Decision) -> str:
    case = arriving(house.clock.moment, what)
    case = replace(case, triage=orjson.dumps(what).decode(), reason_code=what.reason_code, category=what.category)
    with house.database.write() as conn:
        store.insert_cases(conn, [case])
    return case.id


SAID: dict[Move, st.SearchStrategy[dict[str, Any]]] = {
    Move.HAND_BACK: st.builds(
        lambda reason, lead: {"reason_code": reason, "suggested": lead},
        st.sampled_from(["not_ours", "out_of_scope", "other_district", "duplicate"]),
        st.just("money_office"),
    ),
    Move.RE_DISPATCH: st.builds(lambda lead: {"lead": lead}, st.sampled_from(LEADS)),
    Move.DESIGNATE: st.builds(lambda lead: {"lead": lead}, st.sampled_from(LEADS)),
    Move.RECLASSIFY: st.sampled_from([{"category": "stage"}, {"category": None, "lead": "stage_office"}, {"category": None, "issues": ()}]),
    Move.RETURN: st.builds(lambda code: {"reason_code": code}, st.sampled_from(["out_adult", "out_school", "duplicate"])),
}
STEPS = st.sampled_from([move for move in Move if MOVES[move].by_people and move not in {Move.MERGE, Move.UNMERGE, Move.RECOMPUTE}])
STORIES = st.lists(STEPS.flatmap(lambda move: st.tuples(st.just(move), SAID.get(move, st.just({})))), max_size=14)


def live(house: House, case_id: str, story: list[tuple[Move, dict[str, Any]]]) -> None:
    """Make the moves that may be made, by whoever may."""
    for move, said in story:
        house.clock.moment += timedelta(minutes=1)
        case = house.work(case_id)
        who = next((person for person in PEOPLE if person.roles(case, house.rules()) & set(MOVES[move].who) - {Role.SYSTEM}), SYSTEM)
        try:
            house.move(case_id, move, who, **said)
        except (NotNow, NotYours, GuardRefused, Invalid):
            continue


def from_events(house: House, case_id: str) -> Verdict:
    triage = orjson.loads(house.row(case_id).triage)
    return of_events(birth_of(triage), issues_of(triage), [happened(event) for event in house.events(case_id)])


def added_up(house: House, case_ids: list[str]) -> dict[tuple[str, str, int, str], Counter[str]]:
    """The accounts as the events alone make them."""
    whole: dict[tuple[str, str, int, str], Counter[str]] = {}
    for case_id in case_ids:
        row = house.row(case_id)
        for (rule, term), counts in judge(orjson.loads(row.triage), from_events(house, case_id)).items():
            account = whole.setdefault((rule, term, row.ruleset_version, month_of(row.created_at)), Counter())
            account.update({name: getattr(counts, name) for name in COUNTS})
    return {key: +account for key, account in whole.items()}


def booked(house: House) -> dict[tuple[str, str, int, str], Counter[str]]:
    tallies: list[Tally] = house.ask(store.all_tallies)
    found = {(each.rule, each.term, each.version, each.month): Counter({name: getattr(each, name) for name in COUNTS}) for each in tallies}
    return {key: +account for key, account in found.items() if +account}


_known: dict[str, list[str]] = {}
"""The cases of each house: what the books hold is of all of them."""


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(stories=st.lists(st.tuples(st.sampled_from(list(Outcome)), STORIES), min_size=1, max_size=3))
def test_the_books_are_what_the_events_add_up_to(house: House, stories: list[tuple[Outcome, list[tuple[Move, dict[str, Any]]]]]) -> None:
    """Whatever happens to cases, in whatever order: no second truth."""
    house.clock.moment = TUESDAY
    case_ids = _known.setdefault(house.database.url, [])
    for outcome, story in stories:
        case_ids.append(receive(house, decision(outcome)))
        live(house, case_ids[-1], story)
    assert booked(house) == added_up(house, case_ids)
    assert house.ask(recount).sound
    for case_id in case_ids[-len(stories) :]:
        verdict, stored = from_events(house, case_id), house.ask(store.get_verdict, case_id)
        assert (Verdict.from_text(stored) if stored else Verdict()) == verdict
        wrong = {rule for (rule, term), counts in judge(orjson.loads(house.row(case_id).triage), verdict).items() if counts.wrongs}
        assert wrong == {rule for rule in {piece.rule for piece in PIECES} if _is_listed(house, rule, case_id)}


def _is_listed(house: House, rule: str, case_id: str) -> bool:
    return any(case.case_id == case_id for case in house.ask(store.wrong_cases, rule, 100))


def test_books_that_were_touched_are_found_and_set_right(house: House) -> None:
    case_ids = [receive(house, decision()) for _ in range(3)]
    for case_id in case_ids:
        live(house, case_id, [(Move.HAND_BACK, {}), (Move.UPHOLD, {}), (Move.RE_DISPATCH, {"lead": "stage_office"})])
    with house.database.write() as conn:
        conn.exec_driver_sql("DELETE FROM wrongs")
        conn.exec_driver_sql("DELETE FROM tallies WHERE rule = 'ball.programs'")
        conn.exec_driver_sql(f"DELETE FROM verdicts WHERE case_id = '{case_ids[0]}'")  # noqa: S608 (an id of our own)
    found = house.ask(recount)
    assert (found.cases, found.otherwise, len(found.wrong_accounts)) == (3, case_ids[:1], 3)
    with house.database.write() as conn:
        recount(conn, mend=True)
    assert house.ask(recount).sound
    assert booked(house) == added_up(house, case_ids)
