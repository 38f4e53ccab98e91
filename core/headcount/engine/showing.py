"""When to show: soon after something happened, never twice the same, and never so often that showing is the work."""

from collections.abc import Callable

from headcount.feed import Publish
from headcount.snapshot import Snapshot

SHOW = 0.05
"""Seconds between two snapshots while things happen."""
COST_FACTOR = 20
"""Snapshots are no nearer than so many times as long as the last one took."""
LONGEST = 1.0
"""Seconds between two snapshots at the most while things happen, however long one takes."""
WAIT = 0.2
"""Seconds that nobody needs to look for changes, where there is nothing new to show: a stop is noticed soon."""


class Showing:
    """Publishes snapshots. `ticks` gives seconds for intervals."""

    def __init__(self, snapshot: Callable[[], Snapshot], ticks: Callable[[], float]) -> None:
        self._snapshot = snapshot
        self._ticks = ticks
        self._may_be_news = True
        self._last: Snapshot | None = None
        self._last_at = float("-inf")
        self._last_took = 0.0

    def note_change(self) -> None:
        """Something happened, so there may be something new to show."""
        self._may_be_news = True

    def show(self, publish: Publish, least: float = SHOW, most: float = LONGEST) -> None:
        """Publishes what there is, where it is news and the last time is long enough ago: `least` seconds, and more
        where a snapshot takes long, but `most` at the most."""
        begun = self._ticks()
        if not self._may_be_news or begun - self._last_at < self._interval(least, most):
            return
        self._may_be_news = False
        snapshot = self._snapshot()
        if self._last is None or is_news(snapshot, self._last):
            self._last, self._last_at = snapshot, begun
            publish(snapshot)
        self._last_took = self._ticks() - begun

    def patience(self) -> float:
        """Seconds that the source may wait for a change: until what happened is to be shown, where it is not."""
        if not self._may_be_news:
            return WAIT
        return min(WAIT, max(0.0, self._last_at + self._interval() - self._ticks()))

    def _interval(self, least: float = SHOW, most: float = LONGEST) -> float:
        return max(least, min(most, COST_FACTOR * self._last_took))


def is_news(new: Snapshot, old: Snapshot) -> bool:
    """Whether there is anything to show: counts that did not change are the same object."""
    return (
        new.phase is not old.phase
        or new.progress != old.progress
        or new.problems != old.problems
        or new.history is not old.history
        or new.marks is not old.marks
        or new.geo != old.geo
        or int(new.generated_at // 60) != int(old.generated_at // 60)
        or new.hosts is not old.hosts
    )
