"""When a snapshot is published: where there may be something new in it, and no more often than it costs little."""

from collections.abc import Callable
from typing import Final

from headcount.engine.beat import TICK
from headcount.feed import Publish
from headcount.snapshot import Snapshot

WHILE_READING: Final = 0.25
"""Seconds between two snapshots while everything is read."""
SHORTEST: Final = 0.05
"""Seconds between two snapshots while things happen."""
COST_FACTOR: Final = 20
"""Snapshots are no nearer than so many times as long as the last one took, or than a tick."""


class Showing:
    """Publishes what `snapshot` gives. `ticks` gives seconds for intervals."""

    def __init__(self, snapshot: Callable[[], Snapshot], ticks: Callable[[], float]) -> None:
        self._snapshot = snapshot
        self._ticks = ticks
        self._may_be_news = True
        self._last: Snapshot | None = None
        self._last_at = float("-inf")
        self._took = 0.0

    def look_again(self) -> None:
        """Something happened, so that the next snapshot may be another."""
        self._may_be_news = True

    def show(self, publish: Publish, interval: float | None = None) -> None:
        """Publishes what there is, where it is news and the last time was an `interval` ago: by itself one that what
        happens may be followed at."""
        begun = self._ticks()
        if not self._may_be_news or begun - self._last_at < (self._interval() if interval is None else interval):
            return
        self._may_be_news = False
        snapshot = self._snapshot()
        if self._last is None or is_news(snapshot, self._last):
            self._last, self._last_at = snapshot, begun
            publish(snapshot)
            self._took = self._ticks() - begun

    def patience(self, longest: float) -> float:
        """Seconds, `longest` at the most, that may pass without a look at what is new: until that may be shown."""
        if not self._may_be_news:
            return longest
        return min(longest, max(0.0, self._last_at + self._interval() - self._ticks()))

    def _interval(self) -> float:
        return max(SHORTEST, min(TICK, COST_FACTOR * self._took))


def is_news(new: Snapshot, old: Snapshot) -> bool:
    """Whether there is anything to show: the counts of a host that did not change are the same object."""
    return (
        new.phase is not old.phase
        or new.progress != old.progress
        or new.problems != old.problems
        or new.history is not old.history
        or new.marks is not old.marks
        or new.geo != old.geo
        or int(new.generated_at // 60) != int(old.generated_at // 60)
        or new.hosts.keys() != old.hosts.keys()
        or any(new.hosts[name] is not old.hosts[name] for name in new.hosts)
    )
