"""Active users of one host: who was active in the last 24 hours, 7 and 30 days, exact at every second.

A user counts in a window while `now - last_activity < window`, as mod_measure_active_users has it, and is
counted in the one cell (place, client) that is known of them last. Nothing here asks for the time.
"""

import heapq
import math
from typing import NamedTuple

from headcount.snapshot import Active, Cell

DAY = 86_400
WINDOWS = (DAY, 7 * DAY, 30 * DAY)


class Presence(NamedTuple):
    """What is known of a user now: the newest activity (Unix seconds, may be infinite; `NEVER`), the cell,
    and whether a session seems open."""

    last: float
    cell: Cell
    is_open: bool


NEVER = -math.inf


class ActiveUsers:
    """Counts a host's users by window and cell while time goes by.

    Each user within the widest window has one timer, set to when they leave the next window. An activity does
    not move the timer: it fires too early, finds the user still active, and is set anew. So an update costs
    nothing but the change of counts, and a second in which nobody leaves costs nothing at all.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._users: dict[str, tuple[Presence, int]] = {}  # with the number of windows they are counted in
        self._cells: dict[Cell, list[int]] = {}  # users in the last day, week, month; open sessions
        self._timers: list[tuple[float, str]] = []
        self._frozen: dict[Cell, Active] | None = None

    def __len__(self) -> int:
        return len(self._users)

    def __contains__(self, user: str) -> bool:
        return user in self._users

    def put(self, user: str, presence: Presence) -> None:
        """Takes what is known of a user now in place of what was known before."""
        before = self._users.get(user)
        if before is not None:
            if before[0] == presence:
                return
            self._count(before[0], before[1], -1)
        windows = self._windows(presence.last)
        self._users[user] = presence, windows
        self._count(presence, windows, +1)
        if windows and (before is None or not before[1] or presence.last < before[0].last):
            self._set_timer(user, presence.last, windows)

    def remove(self, user: str) -> None:
        """Forgets a user; one who is not there is no error."""
        gone = self._users.pop(user, None)
        if gone is not None:
            self._count(*gone, -1)

    def advance(self, now: float) -> None:
        """Moves the windows to `now` (Unix seconds); back too, at the cost of counting anew."""
        back, self._now = now < self._now, now
        if back:
            self._recount()
        while self._timers and self._timers[0][0] <= now:
            _, user = heapq.heappop(self._timers)
            if user not in self._users:
                continue
            presence, before = self._users[user]
            windows = self._windows(presence.last)
            if windows != before:
                self._count(presence, before, -1)
                self._count(presence, windows, +1)
                self._users[user] = presence, windows
            if windows:
                self._set_timer(user, presence.last, windows)

    def cells(self) -> dict[Cell, Active]:
        """The counts by cell, of cells that hold anybody. It is never changed: a later call gives another."""
        if self._frozen is None:
            self._frozen = {cell: Active(*counts) for cell, counts in self._cells.items() if any(counts)}
        return self._frozen

    def _windows(self, last: float) -> int:
        """In how many windows, the narrowest last, a user of that last activity is at this moment."""
        return sum(self._now < last + window for window in WINDOWS)

    def _set_timer(self, user: str, last: float, windows: int) -> None:
        heapq.heappush(self._timers, (last + WINDOWS[len(WINDOWS) - windows], user))

    def _count(self, presence: Presence, windows: int, by: int) -> None:
        self._frozen = None
        counts = self._cells.setdefault(presence.cell, [0, 0, 0, 0])
        for index in range(len(WINDOWS) - windows, len(WINDOWS)):
            counts[index] += by
        if presence.is_open:
            counts[-1] += by

    def _recount(self) -> None:
        self._cells.clear()
        self._frozen = None
        self._timers.clear()
        for user, (presence, _) in self._users.items():
            windows = self._windows(presence.last)
            self._users[user] = presence, windows
            self._count(presence, windows, +1)
            if windows:
                self._set_timer(user, presence.last, windows)
