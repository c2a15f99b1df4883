"""Recounting: the whole ledger once more from the events alone, held against the books, and the books set right where that is wanted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from service import store
from service.ledger.book import happened, month_of
from service.ledger.judge import COUNTS, birth_of, issues_of, judge, stands, wrong_rules
from service.ledger.verdict import RULINGS, Verdict, of_events
from service.store import CaseRow, StoredVerdict, Tally, Wrong

Account = tuple[str, str, int, str]
"""Rule, term, version, month."""
PAGE = 200
EVENTS = 1_000
"""Of one case at a time."""


@dataclass(slots=True)
class Recount:
    """What the events say: how many cases were read, whose verdicts stand otherwise in the books, and the accounts.

    `left_out` are cases whose texts were struck out, and what the rules said with them: of these the accounts may hold more.
    """

    cases: int = 0
    left_out: int = 0
    otherwise: list[str] = field(default_factory=list)
    accounts: dict[Account, Counter[str]] = field(default_factory=dict)
    wrong_accounts: list[Account] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.otherwise and not self.wrong_accounts


def recount(conn: Any, *, mend: bool = False, told: Callable[[int], None] = lambda _: None) -> Recount:
    """Read every case that was ever moved; memory grows with the accounts, not with the cases. `mend`: write what was found."""
    found, after = Recount(), ""
    if mend:
        store.take_head(conn)
    while page := store.moved_cases(conn, after, PAGE):
        for case in page:
            _case(conn, case, found, mend=mend)
        after = page[-1].id
        told(len(page))
    _accounts(conn, found, mend=mend)
    return found


def _case(conn: Any, case: CaseRow, found: Recount, *, mend: bool) -> None:
    triage = orjson.loads(case.triage or "{}")
    if "evidence" not in triage:
        found.left_out += 1
        return
    found.cases += 1
    verdict = of_events(birth_of(triage), issues_of(triage), map(happened, _events(conn, case.id)))
    for (rule, term), counts in judge(triage, verdict).items():
        account = found.accounts.setdefault((rule, term, case.ruleset_version, month_of(case.created_at)), Counter())
        account.update({name: getattr(counts, name) for name in COUNTS})
    stored = store.get_verdict(conn, case.id)
    if (Verdict.from_text(stored) if stored else Verdict()) == verdict:
        return
    found.otherwise.append(case.id)
    if mend:
        store.put_verdict(conn, case.id, StoredVerdict(verdict.lead, verdict.outside, stands(triage, verdict), verdict.to_text()))
        wrong = [Wrong(rule, supports, orjson.dumps(terms).decode()) for rule, supports, terms in wrong_rules(triage, verdict)]
        store.put_wrongs(conn, case.id, case.updated_at, wrong)


def _events(conn: Any, case_id: str) -> list[store.Event]:
    events, after = list[store.Event](), 0
    while page := store.case_events(conn, case_id, after=after, limit=EVENTS):
        events += [event for event in page if event.kind in RULINGS]
        after = page[-1].seq
    return events


def _accounts(conn: Any, found: Recount, *, mend: bool) -> None:
    booked = {_key(tally): Counter({name: getattr(tally, name) for name in COUNTS}) for tally in store.all_tallies(conn)}
    none = Counter[str]()
    for key in {*booked, *found.accounts}:
        right, stood = found.accounts.get(key, none), booked.get(key, none)
        more = {name: right[name] - stood[name] for name in COUNTS}
        if any(more.values()) and not (found.left_out and max(more.values()) <= 0):
            found.wrong_accounts.append(key)
            if mend and not found.left_out:
                rule, term, version, month = key
                store.add_tallies(conn, [Tally(rule=rule, term=term, version=version, month=month, **more)])


def _key(tally: Tally) -> Account:
    return tally.rule, tally.term, tally.version, tally.month
