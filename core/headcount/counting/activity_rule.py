"""What is known of a user now, and what of it counts at a moment: which windows, and whether a session seems open.

A user counts in a window while `now - last_activity < window`, as mod_measure_active_users has it. A session seems open
where the newest login is later than the newest logout. A server that is killed writes no logout, so one that began
before the server's last start is over, and so is one that has been open for thirty days: nothing tells of it any more.
"""

import math
from typing import Final, NamedTuple

from headcount.snapshot import Cell
from headcount.windows import WINDOWS

DAY, WEEK, MONTH = SECONDS = tuple(window.seconds for window in WINDOWS)
"""The windows' lengths."""
LONGEST_SESSION: Final = MONTH
"""Seconds after its login for which a session may seem open: the longest window, so that who leaves that one has no
open session either."""
NEVER: Final = -math.inf


class Presence(NamedTuple):
    """What is known of a user now: the newest activity (Unix seconds, may be infinite; `NEVER`), the cell, and whether
    a session seems open by login and logout alone. `opened` is when it was opened, if that is not the newest activity.
    """

    last: float
    cell: Cell
    is_open: bool
    opened: float | None = None


Counts = tuple[bool, bool, bool, bool]
"""Whether a user counts in the last day, week, month; whether a session is taken for open."""


class Rule(NamedTuple):
    """What counts. `started` is the server's last start (Unix seconds, 0 where it can't be seen); `is_open_active` has
    users whose session is taken for open count in all windows."""

    started: float = 0.0
    is_open_active: bool = False

    def counts(self, now: float, last: float, opened: float) -> Counts:
        """Of a user whose session seems open since `opened`, or `NEVER`. With time each of it only ever ends."""
        is_open = opened >= self.started and now < opened + LONGEST_SESSION
        if is_open and self.is_open_active:
            return True, True, True, True
        return now < last + DAY, now < last + WEEK, now < last + MONTH, is_open
