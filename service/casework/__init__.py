"""Casework: the life of a case from dispatch to archive, on the clock.

`models/moves.py` is the table; `decide` the pure core that reads it; `consequences` says what is written; `carry` does it inside a
transaction; `clockwork` strikes what is due.
"""

from service.casework.carry import Casework, Made, Now, Ordered, carry_out, within
from service.casework.clockwork import Clockwork
from service.casework.consequences import Birth, of_birth, of_move
from service.casework.decide import Standing, decide_move, standings
from service.casework.dossier import Dossier, open_dossier, read_notes
from service.casework.order import ADMIN, HOTLINE, SYSTEM, Actor, Ground
from service.casework.terms import Handbook, Terms
from service.casework.work import CaseClock, Progress, Work, at_a_glance, work_of

__all__ = [
    "ADMIN",
    "HOTLINE",
    "SYSTEM",
    "Actor",
    "Birth",
    "CaseClock",
    "Casework",
    "Clockwork",
    "Dossier",
    "Ground",
    "Handbook",
    "Made",
    "Now",
    "Ordered",
    "Progress",
    "Standing",
    "Terms",
    "Work",
    "at_a_glance",
    "carry_out",
    "decide_move",
    "of_birth",
    "of_move",
    "open_dossier",
    "read_notes",
    "standings",
    "within",
    "work_of",
]
