"""Invented cases, as many as are wanted, put in by the store's own way: spread over the three years before a day, among departments."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from ulid import ULID

from models.decision import Outcome
from service import store
from service.db import Database
from service.store import CaseDepartment, Mark, NewCase
from tests.casework.house import arriving, decided
from tests.casework.people import TUESDAY

TOGETHER = 1_000
YEARS = timedelta(days=3 * 365)
LEADS = {"gym_office": "ball", "culture_sports": "arts", "science": "tech", "education": "subject"}
ASSISTS = ("market_regulation", "public_security", "fire_rescue", "towns", "human_resources")
STREETS = tuple(f"第{number}街" for number in range(20))
CONTENT = "家长反映孩子在某培训中心报名课程，缴费一万二千元共九十六课时，现机构关门，老师失联，要求退还剩余课时费用。" * 4


def seed(
    database: Database, count: int, told: Callable[[int], None] = lambda _: None, institutions: Mapping[str, str] | None = None
) -> None:
    """So many cases, the oldest first, a thousand in each transaction; of these institutions, by name and mark, if they are given."""
    chance = random.Random(count)  # noqa: S311 (cases, not secrets)
    kinds = [
        arriving(TUESDAY - YEARS, decided(outcome)) for outcome in (Outcome.DISPATCH,) * 7 + (Outcome.ESCALATE, *(Outcome.RETURN,) * 2)
    ]
    for begin in range(0, count, TOGETHER):
        group = [_case(chance, kinds, number, count) for number in range(begin, min(begin + TOGETHER, count))]
        if institutions:
            group = [replace(case, institution=chance.choice(tuple(institutions))) for case in group]
        with database.write() as conn:
            store.insert_cases(conn, group)
            store.add_marks(conn, _marks(group, institutions or {}))
        told(len(group))


def _marks(group: list[NewCase], institutions: Mapping[str, str]) -> Iterator[Mark]:
    """What the sorter would have marked, who goes along the feed alone and not among a thousand a second."""
    named = (case for case in group if case.institution in institutions)
    return (Mark(kind="name", mark=institutions[case.institution], received_at=case.received_at, case_id=case.id) for case in named)


def _case(chance: random.Random, kinds: list[NewCase], number: int, count: int) -> NewCase:
    kind, at = chance.choice(kinds), TUESDAY - YEARS + YEARS * (number / count)
    lead = chance.choice(tuple(LEADS)) if kind.lead else None
    parts = (CaseDepartment(department=lead, role="lead"), *_assists(chance)) if lead else ()
    return replace(
        kind,
        id=str(ULID(int(at.timestamp() * 1000).to_bytes(6, "big") + chance.randbytes(10))),
        source_order_no=f"S{number:09d}",
        body_hash=f"{chance.getrandbits(256):064x}",
        received_at=at,
        created_at=at,
        lead=lead,
        category=LEADS[lead] if lead else None,
        street=chance.choice(STREETS),
        content=CONTENT,
        departments=parts,
        # The clocks are copies of one case's: those of the past have struck long ago.
        timer=None,
    )


def _assists(chance: random.Random) -> list[CaseDepartment]:
    return [CaseDepartment(department=code, role="assist", issue="refund") for code in chance.sample(ASSISTS, chance.randrange(3))]
