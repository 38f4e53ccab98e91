"""Who of a month's users had been there the month before, in numbers alone: told once, when a user is first counted.

Who was counted in the month before tells it as long as that month is open and exact (`MonthlyVisitors`). After that
the user's last activity before tells it, where it is known: it is held in memory and is kept nowhere.
"""

from collections.abc import Collection
from datetime import tzinfo

from headcount.counting.active_users import ActiveUsers
from headcount.counting.activity_rule import NEVER
from headcount.months import shift, start_of
from headcount.snapshot import Arrivals


def was_there_before(month: str, before: float | None, zone: tzinfo) -> bool | None:
    """Whether a user was seen in the month before `month`; None where that can't be known.

    `before` is the last activity (Unix seconds) known of before the user came, None where it is unknown: one that
    lies in `month` already hides what was before it.
    """
    if before is None or before >= start_of(month, zone):
        return None
    return before >= start_of(shift(month, -1), zone)


def with_one_more(arrivals: Arrivals, was_there: bool | None) -> Arrivals:
    """The arrivals with one user more, who was seen in the month before, or was not, or nobody can tell."""
    if was_there is None:
        return Arrivals(arrivals.returning, arrivals.unknown + 1)
    return Arrivals(arrivals.returning + 1, arrivals.unknown) if was_there else arrivals


class LastSeen:
    """When each user of one host was last active, before the record that is being taken. Users are known by their keys.

    The active users tell it of most: this holds what they don't. `is_known` is False where users are left out of the
    active users on purpose, and nothing can be told.
    """

    def __init__(self, *, is_known: bool) -> None:
        self._is_known = is_known
        self._knows_all = False
        self._apart: dict[int, float | None] = {}

    def before(self, key: int, last: float | None) -> float | None:
        """The user's last activity (Unix seconds); `NEVER` where there was none, None where that is unknown. `last` is
        the one that the active users know, None where they do not know the user."""
        if not self._is_known:
            return None
        if key in self._apart:
            return self._apart[key]
        if last is None:
            return NEVER if self._knows_all else None
        return last

    def note(self, key: int, *, has_problems: bool) -> None:
        """Takes note of what the active users are not told by a record: an odd one may hide an activity."""
        if not self._is_known:
            return
        if has_problems:
            self._apart[key] = None
        elif self._apart:
            self._apart.pop(key, None)

    @property
    def apart(self) -> Collection[int]:
        """The users of whom the active users do not tell it."""
        return self._apart.keys()

    def lose(self, key: int, active: ActiveUsers) -> None:
        """A user is about to go; another of that name may come, who counts as the same one."""
        if self._is_known:
            last = active.last(key, None)
            if last is not None:
                self._apart[key] = self.before(key, last)

    def lose_all(self, active: ActiveUsers) -> None:
        """All users are about to go, and who is not among them may come before all of them are read again."""
        self._knows_all = False
        for key in active:
            self.lose(key, active)

    def note_read(self) -> None:
        """All users have been read: of one who comes from here on, nothing was there before."""
        self._knows_all = True

    def forget_before(self, when: float, active: ActiveUsers) -> None:
        """Forgets the users who are gone and were not seen since."""
        for key in [key for key in self._apart if key not in active]:
            if (self._apart[key] or NEVER) < when:
                del self._apart[key]
