"""The shipped clocks and calendar, and small ways to say moments and pauses."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from models.clocks import CalendarFile, ClocksFile, Pause
from models.ruleset import Clause, Document
from service.clocks import Calendar, Policy

PACK = Path(__file__).parents[2] / "rules" / "beichen"
BEIJING = ZoneInfo("Asia/Shanghai")


def raw(name: str) -> Any:
    """A file of the pack; every value stays text, as the rulebook reads it."""
    return yaml.load((PACK / name).read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506, TID251 - BaseLoader makes only text


def year(number: int) -> CalendarFile:
    return CalendarFile.model_validate(raw(f"calendar/{number}.yaml"))


def calendar(*numbers: int) -> Calendar:
    return Calendar(year(number) for number in numbers or (2025, 2026, 2027))


def policy(**changes: Any) -> Policy:
    """The shipped policy, some of its keys changed. Clauses are stand-ins named after their code."""
    file = ClocksFile.model_validate(raw("clocks.yaml") | changes)
    clauses = {code: Clause(document="law", article=code, quote="原文") for code in file.clause_ids()}
    return Policy.of(file, clauses, {"law": Document(title="某办法", issuer="某机关")})


def at(text: str) -> datetime:
    """2026-09-30 16:20, Beijing time."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def pause(began: str, ended: str | None = None) -> Pause:
    return Pause(at(began), at(ended) if ended else None)
