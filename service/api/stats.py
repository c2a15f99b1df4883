"""Figures of a period: what came in, where it went, and how it went."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import Query
from starlette.responses import Response

from models.case import Status
from models.clocks import ClockKind
from models.decision import Outcome
from models.moves import MOVES, Move
from models.stats import Stats, StatsQuery
from service import store
from service.api import etag, responses, told
from service.api.cases import check_codes, own
from service.api.deps import Reach, Reading, Rules
from service.api.plain import Json, door
from service.errors import FieldFault, OthersCases, ParameterInvalid
from service.evaluate.chance import wilson
from service.store import Period, Tried

router = door("/v1/stats", "统计")

USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)
COLUMNS = ("decision", "status", "lead", "hops", "category", "street", "issues")
Counts = Counter[tuple[Any, ...]]
TAKEN_UP = frozenset({Status.ACCEPTED, Status.REPLIED, Status.COMPLETED, Status.FOLLOWED_UP, Status.ARCHIVED})
"""How cases stand that a department has signed for."""
ENDING = (Move.ACCEPT, Move.HAND_BACK, Move.COMPLETE, Move.FOLLOW_UP)
"""Moves by which clocks end in time or late."""


@router.get(
    "",
    summary="统计",
    response_model=Stats,
    response_description="一段时间的各项数字",
    responses={
        200: {"headers": responses.headers(ETag="数字的版本", Cache_Control="每次都要再问")},
        304: {"description": "自 If-None-Match 那次以来没有任何变更"},
        **responses.problems(ParameterInvalid, OthersCases, *responses.READ),
    },
)
async def stats(
    query: Annotated[StatsQuery, Query()], rules: Rules, reads: Reading, reach: Reach, condition: etag.Condition = None
) -> Response:
    """件数按这段时间受理的案件计，按它们现在的状态、单位分；按时率、解决率、满意率按这段时间所做的动作计。

    每个比例都给出分子、分母和 95% 置信区间。不写单位则为全部；单位的钥匙只看得到本单位的数字。
    """
    query = own(query, reach)
    await check_codes(query, rules.engine, reads)
    period = _period(query, datetime.now(told.CHINA))
    tag, body = await reads(_figures, period, condition)
    return etag.unchanged(tag) if body is None else Json(body, headers=etag.headers(tag))


def _period(query: StatsQuery, now: datetime) -> Period:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = query.until or midnight + timedelta(days=1)
    since = query.since or until - USUAL
    if not timedelta(0) < until - since <= LONGEST:
        fault = FieldFault("/since", "须早于 until，且至多相距 366 天", "out_of_range")
        raise ParameterInvalid(faults=[fault])
    return Period(since, until, query.department)


def _figures(conn: Any, period: Period, condition: str | None) -> tuple[str, dict[str, Any] | None]:
    # The head before the figures: if something changes in between, the tag is too old, and the next question is answered in full.
    head, overdue = store.feed_head(conn), store.count_overdue(conn, datetime.now(told.CHINA), period.department)
    tag = f'W/"{head}-{overdue}-{period.since.timestamp():.0f}-{period.until.timestamp():.0f}-{period.department or ""}"'
    if etag.holds(condition, tag):
        return tag, None
    return tag, _came_in(conn, period) | _done(conn, period) | {"overdue": overdue}


def _came_in(conn: Any, period: Period) -> dict[str, Any]:
    counts = store.count_together(conn, period, COLUMNS)
    decision, hops = _of(counts, "decision"), _of(counts, "hops")
    whole, sent = decision.total(), decision.total() - decision[Outcome.RETURN]
    hand_backs = store.count_hand_backs(conn, period)
    return {
        "since": told.local(period.since),
        "until": told.local(period.until),
        "department": period.department,
        "cases": whole,
        "incidents": store.count_incidents(conn, period),
        "status": _named(_of(counts, "status")),
        "lead_status": _by_lead(counts),
        "decision": _named(decision),
        "departments": _parts(conn, period),
        "category": _named(_of(counts, "category")),
        "issue": _named(_issues(counts)),
        "street": _named(_of(counts, "street")),
        "day": _days(store.count_hours(conn, period)),
        "first_dispatch": _first_dispatch(hand_backs),
        "handed_back": _share(sent, sum(number for handed_back, *_, number in hand_backs if handed_back)),
        "returned": _share(whole, decision[Outcome.RETURN]),
        "escalated": _share(sent, decision[Outcome.ESCALATE]),
        "hops": _hops(hops),
    }


def _first_dispatch(hand_backs: Sequence[tuple[int, int, str, int]]) -> dict[str, Any]:
    """Of the cases that the first department has taken up or handed back, those that were rightly its own; the others nobody knows yet."""
    known = [(upheld, number) for handed_back, upheld, status, number in hand_backs if handed_back or status in TAKEN_UP]
    return _share(sum(number for _, number in known), sum(number for upheld, number in known if not upheld))


def _done(conn: Any, period: Period) -> dict[str, Any]:
    ended = store.count_on_time(conn, period, list(ClockKind), [MOVES[move].event for move in ENDING])
    said = store.count_said(conn, period, MOVES[Move.FOLLOW_UP].event, ["solved", "satisfied"])
    answers = {name: _tried(found) for name, found in said.items()}
    return {"on_time": {str(clock): _tried(found) for clock, found in ended.items()}, **answers}


def _parts(conn: Any, period: Period) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for department, role, count in sorted(store.count_parts(conn, period)):
        found.setdefault(department, {"lead": 0, "assist": 0})[role] = count
    return found


def _of(counts: Counts, *names: str) -> Counter[Any]:
    """By one column, or by a pair of them."""
    places, found = [COLUMNS.index(name) for name in names], Counter[Any]()
    for values, count in counts.items():
        found[values[places[0]] if len(places) == 1 else tuple(values[place] for place in places)] += count
    return found


def _issues(counts: Counts) -> Counter[str]:
    """By issue: cases are counted by their list of issues, of which there are few, and then taken apart."""
    found = Counter[str]()
    for listed, count in _of(counts, "issues").items():
        found.update(dict.fromkeys(orjson.loads(listed), count))
    return found


def _by_lead(counts: Counts) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (lead, status), count in sorted(_of(counts, "lead", "status").items(), key=lambda item: (-item[1], str(item[0]))):
        found.setdefault(lead or "", {})[status] = count
    return found


def _named(counts: Counter[Any]) -> dict[str, int]:
    """The most first; "" stands for what is not told."""
    return {str(value or ""): count for value, count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}


def _days(hours: Mapping[datetime, int]) -> dict[str, int]:
    days: Counter[str] = Counter()
    for hour, count in hours.items():
        days[told.local(hour).date().isoformat()] += count
    return dict(sorted(days.items()))


def _hops(hops: Counter[int]) -> dict[str, Any]:
    sent = {times: count for times, count in sorted(hops.items()) if times}
    n = sum(sent.values())
    mean = round(sum(times * count for times, count in sent.items()) / n, 4) if n else None
    return {"n": n, "mean": mean, "counts": {str(times): count for times, count in sent.items()}}


def _tried(found: Tried) -> dict[str, Any]:
    return _share(found.n, found.count)


def _share(n: int, count: int) -> dict[str, Any]:
    if not n:
        return {"n": 0, "count": 0, "share": None, "low": None, "high": None}
    low, high = wilson(count, n)
    return {"n": n, "count": count, "share": round(count / n, 4), "low": round(low, 4), "high": round(high, 4)}
