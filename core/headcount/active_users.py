"""Active users of one host: who was active in the last 24 hours, 7 and 30 days, exact at every second.

A user counts in a window while `now - last_activity < window`, as mod_measure_active_users has it, and is
counted in the one cell (place, client) that is known of them last. Nothing here asks for the time.
"""

import heapq
import math
from collections.abc import Iterator
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


class _User(NamedTuple):
    presence: Presence
    windows: int  # the number of windows they are counted in, the widest first
    timer: float  # when they may leave the next one, at the earliest


class ActiveUsers:
    """Counts a host's users by window and cell while time goes by.

    Each user within the widest window has one timer, set to when they leave the next window. A later activity does
    not move it: it fires too early, finds the user still active, and is set anew. So an update costs nothing but the
    change of counts, and a second in which nobody leaves costs nothing at all.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._users: dict[str, _User] = {}
        self._cells: dict[Cell, list[int]] = {}  # users in the last day, week, month; open sessions
        self._timers: list[tuple[float, str]] = []
        self._frozen: dict[Cell, Active] | None = None

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[str]:
        return iter(self._users)

    def __contains__(self, user: str) -> bool:
        return user in self._users

    def last(self, user: str, default: float | None) -> float | None:
        """A user's newest activity; `default` for one who is not there."""
        known = self._users.get(user)
        return default if known is None else known.presence.last

    def put(self, user: str, presence: Presence) -> None:
        """Takes what is known of a user now in place of what was known before."""
        before = self._users.get(user)
        if before is not None:
            if before.presence == presence:
                return
            self._count(before, -1)
        self._place(user, presence, before.timer if before else math.inf)

    def remove(self, user: str) -> None:
        """Forgets a user; one who is not there is no error."""
        gone = self._users.pop(user, None)
        if gone is not None:
            self._count(gone, -1)

    def advance(self, now: float) -> None:
        """Moves the windows to `now` (Unix seconds); back too, at the cost of counting anew."""
        back, self._now = now < self._now, now
        if back:
            self._recount()
        while self._timers and self._timers[0][0] <= now:
            when, name = heapq.heappop(self._timers)
            user = self._users.get(name)
            if user is None or user.timer != when:
                continue
            if self._windows(user.presence.last) != user.windows:
                self._count(user, -1)
                self._place(name, user.presence, math.inf)
            else:
                self._users[name] = self._with_timer(name, user.presence, user.windows, math.inf)

    def cells(self) -> dict[Cell, Active]:
        """The counts by cell, of cells that hold anybody. It is never changed: a later call gives another."""
        if self._frozen is None:
            self._frozen = {cell: Active(*counts) for cell, counts in self._cells.items() if any(counts)}
        return self._frozen

    def _windows(self, last: float) -> int:
        """In how many windows, the widest first, a user of that last activity is at this moment."""
        return sum(self._now < last + window for window in WINDOWS)

    def _place(self, name: str, presence: Presence, timer: float) -> None:
        """Counts a user where they belong. `timer` is the one that is set already, infinite for none."""
        user = self._with_timer(name, presence, self._windows(presence.last), timer)
        self._users[name] = user
        self._count(user, +1)

    def _with_timer(self, name: str, presence: Presence, windows: int, timer: float) -> _User:
        """The user with a timer that fires before they leave a window; the one already set where it does."""
        leaves = presence.last + WINDOWS[len(WINDOWS) - windows] if windows else math.inf
        if leaves < timer:
            heapq.heappush(self._timers, (leaves, name))
            timer = leaves
        return _User(presence, windows, timer)

    def _count(self, user: _User, by: int) -> None:
        self._frozen = None
        counts = self._cells.setdefault(user.presence.cell, [0, 0, 0, 0])
        for index in range(len(WINDOWS) - user.windows, len(WINDOWS)):
            counts[index] += by
        if user.presence.is_open:
            counts[-1] += by

    def _recount(self) -> None:
        self._cells.clear()
        self._timers.clear()
        self._frozen = None
        for name, user in self._users.items():
            self._place(name, user.presence, math.inf)
