"""Past cases like this one, with what became of them: nearly the same text, the same institution, the same kind of complaint. Bounded."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from service import store
from service.casework import within
from service.incidents.likeness import story_score, telling, text_score
from service.incidents.traits import BAND, Kin, Traits
from service.store import CaseRow, Filters

NEAR = 60
"""Cases with a mark in common that are compared, the newest."""
OF_KIND = 150
"""Cases of the same category, or without one with the same lead, that are compared: the newest."""
REACH = timedelta(days=366)
SAME_TEXT = 60
"""In percent, from where two texts count as nearly the same."""
LEAST = 8
"""In percent, below which two stories have nothing in common but the matter itself."""
SHOWN = 8
"""Words in common that are told."""
LONG_NUMBER = 7
"""A number of so many digits may be somebody's, and is not told."""

Basis = Literal["text", "institution", "story"]
BEFORE: dict[Basis, int] = {"text": 0, "institution": 1, "story": 2}


@dataclass(frozen=True, slots=True)
class Similar:
    """A case like another: how like in percent, by what, and whether its decision stood the test (None: nobody knows yet)."""

    row: CaseRow
    score: int
    basis: Basis
    words: tuple[str, ...]
    stands: bool | None
    right_lead: str | None


def similar_to(conn: Any, row: CaseRow, kin: Kin, reach: str | None, limit: int) -> list[Similar]:
    """The cases most like this one among those that may be met, the likest first."""
    case = kin.of_new(row)
    found = {other.id: other for other in (*_marked(conn, case), *_of_kind(conn, row, reach))}
    found.pop(row.id, None)
    compared = [_compared(case, kin.traits(other), other, kin) for other in found.values() if within(other, reach)]
    best = sorted(filter(None, compared), key=lambda like: (BEFORE[like.basis], -like.score, like.row.id))[:limit]
    known = store.verdicts_on(conn, [like.row.id for like in best])
    return [replace(like, stands=known[id_][0], right_lead=known[id_][1]) if (id_ := like.row.id) in known else like for like in best]


def _marked(conn: Any, case: Traits) -> Iterable[CaseRow]:
    """Cases that share a mark: a piece of the text, the name or place of the institution."""
    since, until = case.received_at - REACH, case.received_at + REACH
    wanted = [*((kind, [mark]) for kind, mark in case.signs()), (BAND, list(case.bands))]
    ids = {id_ for kind, marks in wanted for id_ in store.marked(conn, kind, marks, since, until)}
    return store.cases_by_id(conn, sorted(ids, reverse=True)[:NEAR]).values()


def _of_kind(conn: Any, row: CaseRow, reach: str | None) -> Iterable[CaseRow]:
    same = {"category": row.category} if row.category else {"lead": row.lead}
    return store.list_cases(conn, Filters(department=reach, **same), limit=OF_KIND).cases if any(same.values()) else ()


def _compared(case: Traits, other: Traits, row: CaseRow, kin: Kin) -> Similar | None:
    text = text_score(case.text, other.text, SAME_TEXT)
    story = story_score(case.words, other.words, kin.weight)
    basis: Basis = "text" if text else "institution" if case.is_about(other) else "story"
    if basis == "story" and story < LEAST:
        return None
    words = [word for word in telling(case.words & other.words, kin.weight) if not (word.isdigit() and len(word) >= LONG_NUMBER)]
    return Similar(row, text or story, basis, tuple(words[:SHOWN]), None, None)
