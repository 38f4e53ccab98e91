"""Visits in months that have not begun yet: of a server whose clock is wrong, or a few seconds ahead of ours.

They count when their month begins, if the source still tells of them then. Nothing of them is kept: a user of whom one
is put off is left out of the restart index, so that a later start reads of it again.
"""

import math
from collections.abc import Collection
from datetime import tzinfo

from headcount.counting.meaning import Visit
from headcount.months import start_of


class Ahead:
    """The visits of one host's users, by the users' keys."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._put_off: dict[int, tuple[str, list[Visit]]] = {}
        self._next = math.inf

    @property
    def keys(self) -> Collection[int]:
        """The users of whom a visit is put off."""
        return self._put_off.keys()

    def put_off(self, key: int, user: str, visits: list[Visit], now: float) -> list[Visit]:
        """Puts off the visits in months that have not begun, in place of those that were put off of the user before;
        returns the others. The first telling of a visit tells what was before it, as later ones can't any more."""
        known = self._put_off.pop(key, None)
        off = [visit for visit in visits if visit.when > now and start_of(visit.month, self._zone) > now]
        if not off:
            return visits
        if known is not None:
            before = {visit.month: visit.before for visit in known[1]}
            off = [visit._replace(before=before.get(visit.month, visit.before)) for visit in off]
        self._put_off[key] = user, off
        self._next = min(self._next, *(start_of(visit.month, self._zone) for visit in off))
        return visits[: len(visits) - len(off)]  # they are in the order of their months

    def begun(self, now: float) -> list[tuple[int, str, list[Visit]]]:
        """The users' visits whose months have begun by now; they are put off no longer."""
        if now < self._next:
            return []
        found, self._next, waiting = [], math.inf, self._put_off
        self._put_off = {}
        for key, (user, visits) in waiting.items():
            begun = self.put_off(key, user, visits, now)
            if begun:
                found.append((key, user, begun))
        return found

    def due(self) -> float:
        """No month of theirs begins before this moment."""
        return self._next

    def lose(self, key: int) -> None:
        """The source does not tell of a user any more."""
        self._put_off.pop(key, None)

    def lose_all(self) -> None:
        """The source does not tell of any user any more."""
        self._put_off.clear()
