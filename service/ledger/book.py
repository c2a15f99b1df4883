"""Posting: a move that says something about whose a case is changes the verdict, and with it the accounts of the rules that fired.

In the transaction of the move, so that ledger and events cannot part; an account is changed by the difference that the move makes.
"""

from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from service import store
from service.ledger.judge import COUNTS, Counts, Key, birth_of, issues_of, judge, stands, wrong_rules
from service.ledger.verdict import NOTHING, RULINGS, Happened, Verdict, step
from service.store import CaseRow, Event, StoredVerdict, Tally, Wrong

CHINA = timezone(timedelta(hours=8))
"""Months are those that officials live by."""


def post(conn: Any, case: CaseRow, event: Event) -> None:
    """Enter what an event says about a case that stood as given before."""
    if event.kind not in RULINGS:
        return
    triage = orjson.loads(case.triage or "{}")
    stored = store.get_verdict(conn, case.id)
    before = Verdict.from_text(stored) if stored else NOTHING
    after = step(before, happened(event), birth_of(triage), issues_of(triage))
    if after == before:
        return
    whole = "evidence" in triage  # or the texts were struck out, and what the rules said with them: what was counted stays
    good = stands(triage, after) if whole else None
    store.put_verdict(conn, case.id, StoredVerdict(after.lead, after.outside, good, after.to_text()))
    if not whole:
        return
    changed = difference(judge(triage, before), judge(triage, after))
    month = month_of(case.created_at)
    store.add_tallies(conn, [_tally(key, counts, case.ruleset_version, month) for key, counts in changed.items()])
    if any(counts.wrongs for counts in changed.values()) or (before.known and after.word != before.word):
        found = [Wrong(rule, supports, orjson.dumps(terms).decode()) for rule, supports, terms in wrong_rules(triage, after)]
        store.put_wrongs(conn, case.id, event.at, found)


def happened(event: Event) -> Happened:
    """A stored event as verdicts read it."""
    return Happened(event.kind, event.actor, event.at.isoformat(), orjson.loads(event.data))


def month_of(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m")


def difference(before: dict[Key, Counts], after: dict[Key, Counts]) -> dict[Key, Counts]:
    """What must be added to come from one to the other, where anything must."""
    none = Counts()
    changes = {
        key: Counts(**{name: getattr(after.get(key, none), name) - getattr(before.get(key, none), name) for name in COUNTS})
        for key in {**before, **after}
    }
    return {key: counts for key, counts in changes.items() if counts != none}


def _tally(key: Key, counts: Counts, version: int, month: str) -> Tally:
    return Tally(rule=key[0], term=key[1], version=version, month=month, **{name: getattr(counts, name) for name in COUNTS})
