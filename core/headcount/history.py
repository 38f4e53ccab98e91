"""The users of the past: a point each hour for forty days, and one a day, in its first hour, before that."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from headcount.months import month_of
from headcount.snapshot import History, HistoryCounts, HistoryKey, HistoryPoint, HostCounts, MonthCounts, Past, Quality

HOUR = 3600
HOURLY_FOR = 40 * 86_400
_NOBODY = MonthCounts.of(Quality.EXACT, {})


class HistoryKeeper:
    """Past points, oldest first, and those not kept by the state yet."""

    def __init__(self, points: list[HistoryPoint], zone: tzinfo) -> None:
        self._zone = zone
        self._points = sorted(points, key=_when)
        self._frozen = History(tuple(self._points))
        self.added: list[HistoryPoint] = []
        self.forgotten: list[int] = []

    @property
    def history(self) -> History:
        """All points, frozen."""
        return self._frozen

    def kept(self) -> None:
        """What was added and forgotten has been kept."""
        self.added, self.forgotten = [], []

    def is_due(self, now: float) -> bool:
        """Whether the hour of `now` has no point yet, be it the newest or one that a clock which stepped back is in."""
        hour = now // HOUR * HOUR
        index = bisect_left(self._points, hour, key=_when)
        return index == len(self._points) or self._points[index].when >= hour + HOUR

    def add(self, now: float, hosts: Mapping[str, HostCounts]) -> None:
        """Notes the users of this moment, and thins the points that are older than forty days."""
        month = month_of(now, self._zone) or ""
        point = HistoryPoint(int(now), {host: _coarsened(counts, month) for host, counts in hosts.items()})
        self._keep_if(lambda when: when >= now - HOURLY_FOR or self._begins_a_day(when))
        insort(self._points, point, key=_when)
        self.added.append(point)
        self._frozen = History(tuple(self._points))

    def forget_before(self, when: float) -> None:
        """Forgets the points from before that moment (Unix seconds)."""
        self._keep_if(lambda at: at >= when)
        self._frozen = History(tuple(self._points))

    def forget_after(self, when: float) -> bool:
        """Forgets the points from after that moment, which a clock that was ahead made; whether there were any."""
        if not self._points or self._points[-1].when <= when:
            return False
        self._keep_if(lambda at: at <= when)
        self._frozen = History(tuple(self._points))
        return True

    def _keep_if(self, is_kept: Callable[[int], bool]) -> None:
        self.forgotten += [point.when for point in self._points if not is_kept(point.when)]
        self._points = [point for point in self._points if is_kept(point.when)]
        self.added = [point for point in self.added if is_kept(point.when)]

    def _begins_a_day(self, when: int) -> bool:
        """Whether it is in the first hour of a day, which is not that of midnight where the clocks skip it."""
        day, hour_before = datetime.fromtimestamp(when, self._zone), datetime.fromtimestamp(when - HOUR, self._zone)
        return day.date() != hour_before.date()


def _when(point: HistoryPoint) -> int:
    return point.when


def _coarsened(counts: HostCounts, month: str) -> HistoryCounts:
    """A host's users by country and client; without those of the month so far where they are not known by both."""
    sums: dict[tuple[str | None, str], list[int]] = {}
    for (place, client), active in counts.active.items():
        if active.month:
            of_key = sums.setdefault((place.country, client), [0, 0, 0, 0])
            of_key[0] += active.day
            of_key[1] += active.week
            of_key[2] += active.month
    to_date = counts.months.get(month, _NOBODY).cells
    for (place, client), users in (to_date or {}).items():
        sums.setdefault((place.country, client), [0, 0, 0, 0])[3] += users
    if to_date is None:
        return {HistoryKey(*key): Past(*of_key[:3]) for key, of_key in sums.items()}
    return {HistoryKey(*key): Past(*of_key) for key, of_key in sums.items()}
