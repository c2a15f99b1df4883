"""One clock before it runs: how long, from when, what stops and what lengthens it."""

from dataclasses import dataclass
from datetime import datetime

from models.clocks import Citation, ClockKind, Deadline, Pause


@dataclass(frozen=True, slots=True)
class Clock:
    """Self-contained, so that a deadline can be computed again after its pack has changed."""

    kind: ClockKind
    name: str
    minutes: int | None
    working_days: int | None
    citation: Citation | None
    why: str | None
    start: datetime
    pauses: tuple[Pause, ...]
    extensions: tuple[int, ...] = ()

    @property
    def days(self) -> int:
        """The working days in all."""
        return (self.working_days or 0) + sum(self.extensions)

    @classmethod
    def of(cls, deadline: Deadline, pauses: tuple[Pause, ...], extensions: tuple[int, ...]) -> "Clock":
        """The clock that made a deadline, with other pauses and extensions."""
        return cls(
            deadline.kind,
            deadline.name,
            deadline.minutes,
            deadline.working_days,
            deadline.citation,
            deadline.why,
            deadline.start,
            pauses,
            extensions,
        )

    def starting(self, start: datetime) -> "Clock":
        """The same clock from another moment. Spelt out because dataclasses.replace takes eight times as long, on every case."""
        return Clock(self.kind, self.name, self.minutes, self.working_days, self.citation, self.why, start, self.pauses, self.extensions)
