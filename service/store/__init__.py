"""The store: the only room that speaks SQL. Each function takes the connection of a transaction that stands around it.

Nothing here commits, reads a clock or makes an id.
"""

from service.store.cases import cases_by_id, find_case, get_case
from service.store.chain import verify_chain
from service.store.events import append_events, case_events, changes, feed_head, take_head
from service.store.keys import bind_data_key, note_data_key
from service.store.pages import list_cases, list_position
from service.store.receive import insert_cases
from service.store.register import (
    Listed,
    RegisterChange,
    RegisterMark,
    get_institution,
    list_institutions,
    read_register,
    register_mark,
    write_register,
)
from service.store.rows import (
    Case,
    CaseDepartment,
    CaseRow,
    ChainReport,
    Cursor,
    Event,
    Filters,
    NewCase,
    NewEvent,
    NewRuleset,
    NewTimer,
    Opinion,
    Order,
    Outcome,
    Page,
    RulesetRow,
)
from service.store.rulesets import activate_ruleset, active_ruleset, get_ruleset, list_rulesets, publish_ruleset, ruleset_files

__all__ = [
    "Case",
    "CaseDepartment",
    "CaseRow",
    "ChainReport",
    "Cursor",
    "Event",
    "Filters",
    "Listed",
    "NewCase",
    "NewEvent",
    "NewRuleset",
    "NewTimer",
    "Opinion",
    "Order",
    "Outcome",
    "Page",
    "RegisterChange",
    "RegisterMark",
    "RulesetRow",
    "activate_ruleset",
    "active_ruleset",
    "append_events",
    "bind_data_key",
    "case_events",
    "cases_by_id",
    "changes",
    "feed_head",
    "find_case",
    "get_case",
    "get_institution",
    "get_ruleset",
    "insert_cases",
    "list_cases",
    "list_institutions",
    "list_position",
    "list_rulesets",
    "note_data_key",
    "publish_ruleset",
    "read_register",
    "register_mark",
    "ruleset_files",
    "take_head",
    "verify_chain",
    "write_register",
]
