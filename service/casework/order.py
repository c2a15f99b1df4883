"""What a move is decided on: who orders it, with what said, and all that is known besides the case itself."""

from dataclasses import dataclass
from datetime import datetime

from models.moves import ROLE_NAMES, Role
from models.requests import Request
from service.casework.terms import Terms
from service.casework.work import Work

HOTLINE, ADMIN = Role.HOTLINE.value, Role.ADMIN.value
"""Codes by which those act that are no department of the rules."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, and the department (or hotline, admin) for which; by which API key."""

    name: str
    department: str
    key: str | None = None

    def roles(self, case: Work, terms: Terms) -> frozenset[Role]:
        """What they are to this case; one department may be several things."""
        if self.department in {HOTLINE, ADMIN, Role.SYSTEM}:
            return frozenset({Role(self.department)})
        found = {
            Role.LEAD: self.department == case.lead,
            Role.ASSIST: any(part.department == self.department for part in case.assists),
            Role.JOINT_OFFICE: self.department == terms.coordinator,
        }
        return frozenset(role for role, holds in found.items() if holds)

    def title(self, terms: Terms) -> str:
        """How the one who acts is called."""
        if self.department in {HOTLINE, ADMIN, Role.SYSTEM}:
            return ROLE_NAMES[Role(self.department)]
        return terms.name(self.department)


SYSTEM = Actor("system", Role.SYSTEM.value)


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands beside the case: the moment, the rules, who acts; the case to merge into; how many are merged into this one."""

    now: datetime
    terms: Terms
    actor: Actor
    target: Work | None = None
    members: int = 0
    timer: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a move may be made: of this case, on this ground, saying this; None where it is not said yet."""

    case: Work
    ground: Ground
    body: Request | None
