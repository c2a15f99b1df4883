"""What is shown of the people in a case: who complained is masked for all, numbers inside the texts for those who need not know them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from models.access import ADMIN, HOTLINE
from models.complaint import DemandType
from service import store
from service.keyring import Caller
from service.masks import shortened, veiled
from service.store import CaseRow
from service.vault import Vault

KNOWS = frozenset({HOTLINE, ADMIN})
"""Who reads the texts as they came: the hotline wrote them."""


def knows(caller: Caller) -> bool:
    return caller.key is None or bool(caller.scopes & KNOWS)


def is_confidential(case: CaseRow) -> bool:
    """Whether even the first sign of a name is too much: who complained asked for it, or reported somebody."""
    return case.demand_type == DemandType.REPORT.value or bool(orjson.loads(case.details).get("is_confidential"))


def person(case: CaseRow, vault: Vault) -> dict[str, str]:
    """Who complained, in clear. For masking it, and for those who said why they must know."""
    told = orjson.loads(vault.unseal(case.complainant)) if case.complainant else {}
    return {name: str(told.get(name, "")) for name in ("name", "phone", "address")}


def masked_person(case: CaseRow, vault: Vault, caller: Caller) -> dict[str, str] | None:
    if case.complainant is None or (is_confidential(case) and not knows(caller)):
        return None
    who = person(case, vault)
    return {
        "name": who["name"] and who["name"][:1] + "**",
        "phone": who["phone"] and shortened(who["phone"]),
        "address": who["address"] and who["address"][:3] + "***",
    }


def discreet(text: str, sealed: bytes | None, vault: Vault, caller: Caller) -> str:
    """A piece of a case's text, without what would tell who complained."""
    if knows(caller) or sealed is None:
        return text
    return veiled(text, vault.words(sealed))


async def discreet_flips(told: dict[str, Any], reads: Callable[..., Awaitable[Any]], vault: Vault, caller: Caller) -> dict[str, Any]:
    """The cases that an impact tells of, without what would tell who complained."""
    cases = {} if knows(caller) else await reads(store.cases_by_id, [flip["id"] for flip in told["flips"]])
    for flip in told["flips"]:
        if (case := cases.get(flip["id"])) is not None:
            flip["text"] = veiled(flip["text"], vault.words(case.complainant))
    return told


def veil(told: Mapping[str, Any], case: CaseRow, vault: Vault, caller: Caller) -> dict[str, Any]:
    """What is told of a case, for this caller."""
    if knows(caller):
        return dict(told)
    words = tuple(word for word in person(case, vault).values() if len(word) > 1)
    whole: dict[str, Any] = orjson.loads(orjson.dumps(told))  # stored JSON stands in it as text
    shown = {name: _veiled(value, words) for name, value in whole.items() if name not in PLAIN}
    if "details" in shown:
        shown["details"].pop("extra", None)  # the hotline's own fields may hold anything
    return whole | shown


PLAIN = frozenset(
    {"id", "case_id", "digest", "ruleset", "rule", "clause", "source_system", "source_order_no", "merged_into", "related_order_no"}
)
"""Codes and numbers of orders."""


def _veiled(value: Any, words: tuple[str, ...]) -> Any:
    match value:
        case str():
            return veiled(value, words)
        case dict():
            return {name: inner if name in PLAIN else _veiled(inner, words) for name, inner in value.items()}
        case list() | tuple():
            return [_veiled(inner, words) for inner in value]
        case int() if not isinstance(value, bool) and abs(value) >= 10**10:
            hidden = veiled(str(value))
            return value if hidden == str(value) else hidden
    return value
