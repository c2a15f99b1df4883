"""Statutory clocks: when a case must be received, handed back, handled and followed up. Pure: no clock on the wall, no files, no settings.

    policy = Policy.of(clocks_file, clauses, documents)        # clocks.yaml, clauses.yaml
    calendar = Calendar(calendar_files)                        # calendar/YYYY.yaml
    deadlines(policy, calendar, received_at, urgency=..., complex_case=...)

Two ways of counting. Minutes always run (15 minutes on New Year's night are 15 minutes). Working days begin with the next working
day, skip weekends and holidays, count make-up days (调休), and end when the office closes. A pause holds the clock: as much working
time as it took is added at the end, to the microsecond, so a pause neither gains nor loses a department anything else.

What a calendar does not know is never guessed in silence: a year without a file raises CalendarYearMissing, which names the file to
write; a year whose holidays the State Council has not published makes a deadline `provisional`, with a line that says so and names
the file (or raises CalendarUnpublished where clocks.yaml says `refuse`). `outlook` tells how far the calendar reaches, so that the
file is asked for weeks before it is needed.
"""

from service.clocks.calendar import Calendar
from service.clocks.deadlines import deadlines, extend, follow_up, is_overdue, outlook, preview, recompute
from service.clocks.errors import (
    CalendarUnpublished,
    CalendarYearMissing,
    ClauseUnknown,
    ExtensionRefused,
    ExtensionTooLate,
    ExtensionTooLong,
    ExtensionUsedUp,
    MomentNaive,
    NotExtendable,
    PauseBackwards,
)
from service.clocks.policy import Policy

__all__ = [
    "Calendar",
    "CalendarUnpublished",
    "CalendarYearMissing",
    "ClauseUnknown",
    "ExtensionRefused",
    "ExtensionTooLate",
    "ExtensionTooLong",
    "ExtensionUsedUp",
    "MomentNaive",
    "NotExtendable",
    "PauseBackwards",
    "Policy",
    "deadlines",
    "extend",
    "follow_up",
    "is_overdue",
    "outlook",
    "preview",
    "recompute",
]
