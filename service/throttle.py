"""How often somebody may do something: a moving window, held in the memory of this replica."""

from math import ceil
from time import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter


class Throttle:
    """At most `most` times in any `seconds`, for each name by itself.

    `often`: for what happens all the time; it holds two counts and not each moment, and is exact at the window's ends only.
    """

    def __init__(self, most: int, seconds: int, *, often: bool = False) -> None:
        self._limit = RateLimitItemPerSecond(most, seconds)
        self._window = (SlidingWindowCounterRateLimiter if often else MovingWindowRateLimiter)(MemoryStorage())

    def note(self, name: str) -> bool:
        """Count one more; False, and nothing is counted, where it would be one too many."""
        return self._window.hit(self._limit, name)

    def forget(self, name: str) -> None:
        """Begin anew for this name."""
        self._window.clear(self._limit, name)

    def wait(self, name: str) -> int:
        """For how many seconds no more is allowed; 0 if it is allowed now."""
        if self._window.test(self._limit, name):
            return 0
        return max(1, ceil(self._window.get_window_stats(self._limit, name).reset_time - time()))
