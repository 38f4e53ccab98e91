"""When time is let pass, and what changed is kept: once a second, and more often where many users come."""

from collections.abc import Callable
from typing import Final

TICK: Final = 1.0
"""Seconds between two beats."""
BUSY: Final = 500
BUSY_TICK: Final = 0.25
"""The same once so many users came, so that keeping them never holds up those who come meanwhile."""


class Beat:
    """The engine's beat. `ticks` gives seconds for intervals."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._last = float("-inf")
        self._came = 0

    def note(self, users: int) -> None:
        """Takes note that so many users came."""
        self._came += users

    def is_due(self, *, may_hurry: bool) -> bool:
        """Whether it is time for the next beat, which it is then. It may come early only where it `may_hurry`."""
        now = self._ticks()
        if now - self._last < (BUSY_TICK if may_hurry and self._came >= BUSY else TICK):
            return False
        self._last, self._came = now, 0
        return True
