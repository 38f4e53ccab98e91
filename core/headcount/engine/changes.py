"""Which hosts may have changed: since they were shown last, since the state knew them, and by themselves by now. So
thousands of quiet hosts cost nothing."""

import math
from collections.abc import Mapping
from datetime import tzinfo

from headcount.counting.host import HostCounter
from headcount.counting.month_users import SETTLING
from headcount.engine.due import Due
from headcount.months import month_of
from headcount.snapshot import HostCounts


class Changes:
    """Takes note of what may have changed of `hosts`. `unkept` are those of which something may have to be kept."""

    def __init__(self, hosts: Mapping[str, HostCounter]) -> None:
        self._hosts = hosts
        self._due = Due()
        self._to_step: set[str] = set()
        self._looked_at = -math.inf
        self._settled = ""
        self._unshown: set[str] = set()
        self._counts: dict[str, HostCounts] = {}
        self._counted_until = ""
        self.unkept: set[str] = set()
        self.touch_all()

    def touch(self, name: str) -> None:
        """Takes note that a host may have changed."""
        self._unshown.add(name)
        self.unkept.add(name)
        self._due.put(name, self._hosts[name].due())

    def touch_all(self) -> None:
        """Takes note that all hosts may have changed, and are to be stepped."""
        self._unshown.update(self._hosts)
        self.unkept.update(self._hosts)
        self._to_step.update(self._hosts)

    def due(self, now: float, zone: tzinfo) -> list[str]:
        """The hosts that are to be stepped: whose moment has come; all where another month takes no more late records
        by now, or the clock went back."""
        settled = month_of(now - SETTLING, zone) or ""
        if settled != self._settled or now < self._looked_at:
            self.touch_all()
        self._looked_at, self._settled = now, settled
        found, self._to_step = self._to_step.union(self._due.pop(now)), set()
        return sorted(found)

    def counts(self, until: str) -> Mapping[str, HostCounts]:
        """The counts of each host, by its name, without the months after `until`. It is never changed, and the same
        object as before where nothing changed."""
        if until != self._counted_until:
            self._counted_until = until
            self._unshown.update(self._hosts)
        found = {name: self._hosts[name].counts(until) for name in self._unshown}
        self._unshown.clear()
        if any(self._counts.get(name) is not counts for name, counts in found.items()):
            self._counts = dict(sorted({**self._counts, **found}.items()))
        return self._counts
