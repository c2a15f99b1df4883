"""Codes in what is said with a move: each must name something in the rules, or in the case."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from service.casework.order import Question
from service.errors import FieldFault, Invalid


class _Named(NamedTuple):
    """A code that was written somewhere, and what it must be one of."""

    pointer: str
    code: str | None
    known: Collection[str]
    sort: str


def check_codes(asked: Question) -> None:
    """Refuse what names nothing, all of it at once."""
    faults = [
        FieldFault(named.pointer, _told(named, named.code), "unknown_code")
        for named in _named(asked)
        if named.code is not None and named.code not in named.known
    ]
    if faults:
        raise Invalid(faults=faults)


def _told(named: _Named, code: str) -> str:
    near = get_close_matches(code, named.known, n=1, cutoff=0.8)
    return f"没有{named.sort} {code}{f'。您是否想写 {near[0]}？' if near else ''}"


def _named(asked: Question) -> Iterator[_Named]:
    said = asked.body.model_dump() if asked.body else {}
    case, terms = asked.case, asked.ground.terms
    inside, anywhere = terms.departments.keys(), terms.departments.keys() | terms.outside.keys()
    yield _Named("/lead", said.get("lead"), inside, "单位")
    yield _Named("/suggested", said.get("suggested"), anywhere - {case.lead}, "可建议的单位（主办单位自己除外）")
    yield _Named("/category", said.get("category"), terms.categories, "机构类别")
    yield _Named("/clause", said.get("clause"), terms.clauses, "条款")
    for number, code in enumerate(said.get("issues") or ()):
        yield _Named(f"/issues/{number}", code, terms.issues, "问题类型")
    for number, code in enumerate(said.get("assists") or ()):
        yield _Named(f"/assists/{number}", code, inside - {said["lead"]}, "可协办的单位")
    for number, waiver in enumerate(said.get("waivers", ())):
        assisting = [part.department for part in case.assists]
        yield _Named(f"/waivers/{number}/department", waiver["department"], assisting, "协办单位")
