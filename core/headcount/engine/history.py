"""The users of the past: a point each hour of late, and of each older day the first point that it has, for good.

What is thinned, and when, follows from the points alone. So whoever goes on with them, in whatever time zone, knows
which of them are thinned already, and judges no point twice. And a clock that is ahead thins nothing: the days that it
leaps over have no points.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

from headcount.months import month_of
from headcount.snapshot import History, HistoryCounts, HistoryKey, HistoryPoint, HostCounts, MonthCounts, Past, Quality

HOUR = 3600
DAY = 86_400
HOURLY_FOR = 40 * DAY
"""Seconds of which all points stay: of the newest days that have any, with no more than a day between two points."""
HOURLY_FOR_AT_MOST = 2 * HOURLY_FOR
"""The same where points lie further apart, since the engine did not run, or its clock leapt."""
_NOBODY = MonthCounts.of(Quality.EXACT, {})


class HistoryKeeper:
    """Past points, oldest first, and those not kept by the state yet."""

    def __init__(self, points: list[HistoryPoint], zone: tzinfo) -> None:
        self._zone = zone
        self._points = sorted(points, key=_when)
        self._thinned_before = _hourly_since(self._points)
        self._frozen = self._seen = History(tuple(self._points))
        self.added: list[HistoryPoint] = []
        self.forgotten: list[int] = []

    def until(self, when: float) -> History:
        """The points until that moment, frozen; the same object as before where nothing changed."""
        seen = self._frozen.until(when)
        if seen.points is not self._seen.points and seen.points != self._seen.points:
            self._seen = seen
        return self._seen

    def note_kept(self) -> None:
        """What was added and forgotten has been kept."""
        self.added, self.forgotten = [], []

    def is_due(self, now: float) -> bool:
        """Whether the hour of `now` has no point yet, be it the newest or one that a clock which stepped back is in."""
        hour = now // HOUR * HOUR
        index = bisect_left(self._points, hour, key=_when)
        return index == len(self._points) or self._points[index].when >= hour + HOUR

    def add(self, now: float, hosts: Mapping[str, HostCounts]) -> None:
        """Notes the users of this moment, and thins the points that are now old enough for it."""
        month = month_of(now, self._zone) or ""
        point = HistoryPoint(int(now), {host: _coarsened(counts, month) for host, counts in hosts.items()})
        insort(self._points, point, key=_when)
        self.added.append(point)
        self._thin()
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

    def _thin(self) -> None:
        """Of the points that have grown old since the last time, keeps the first of each day in the zone of now."""
        since, until = self._thinned_before, _hourly_since(self._points)
        if until <= since:
            return
        self._thinned_before = until
        first, end = (bisect_left(self._points, bound, key=_when) for bound in (since, until))
        day = self._day_of(self._points[first - 1]) if first else None
        surplus = set()
        for point in self._points[first:end]:
            before, day = day, self._day_of(point)
            if day == before:
                surplus.add(point.when)
        if surplus:
            self._keep_if(lambda when: when not in surplus)

    def _day_of(self, point: HistoryPoint) -> int:
        return datetime.fromtimestamp(point.when, self._zone).toordinal()

    def _keep_if(self, is_kept: Callable[[int], bool]) -> None:
        self.forgotten += [point.when for point in self._points if not is_kept(point.when)]
        self._points = [point for point in self._points if is_kept(point.when)]
        self.added = [point for point in self.added if is_kept(point.when)]


def _hourly_since(points: Sequence[HistoryPoint]) -> float:
    """The moment (Unix seconds) from which on all points stay.

    Each 24 hours that have points count. Beyond a pause the count begins again, so that what is older than the pause is
    not thinned for what came after it, which may be no more than a clock's leap; but not for ever.
    """
    end, days, all_days = len(points), 0, 0
    newest = later = points[-1].when if points else 0
    while end:
        last = points[end - 1].when
        if later - last > DAY:
            newest, days = last, 0
        if days * DAY == HOURLY_FOR or all_days * DAY == HOURLY_FOR_AT_MOST:
            return last + 1
        day = max(0, newest - last - 1) // DAY
        end = bisect_left(points, newest - (day + 1) * DAY, hi=end, key=_when)
        later, days, all_days = points[end].when, days + 1, all_days + 1
    return float("-inf")


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
