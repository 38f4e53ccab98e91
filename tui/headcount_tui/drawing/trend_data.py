"""What of the past the trend shows: the lines, where they are broken, and what happened. Pure functions, no drawing."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import tzinfo
from itertools import pairwise
from math import ceil
from statistics import median
from typing import NamedTuple

from headcount.figures.totals import WINDOWS, hidden, month_counts, month_names, total_active
from headcount.months import end_of, month_of
from headcount.snapshot import History, HistoryPoint, Mark, Past, Quality
from headcount.zones import zone_of
from headcount_tui.asked.shown import Shown, quality_of

HOUR, DAY = 3_600, 86_400
_HOURLY = 39 * DAY  # points are a day apart before that, and an hour apart since
_NEAR = 1.5 * DAY  # a point so near to a month's end stands for all of it
_BY_MONTH = 100 * DAY  # from that length on a month is too narrow for a line of its own

NAMES = (*(window.name for window in WINDOWS), "month users")


class Dot(NamedTuple):
    """Users at one moment (Unix seconds)."""

    when: float
    users: int


class Line(NamedTuple):
    """One of `NAMES` over time, in stretches with nothing known between them, oldest first."""

    name: str
    stretches: tuple[tuple[Dot, ...], ...]

    @property
    def last(self) -> Dot | None:
        """The newest of it."""
        return self.stretches[-1][-1] if self.stretches else None


class Gap(NamedTuple):
    """A time of which nothing is known, in Unix seconds."""

    since: float
    until: float


class MonthEnd(NamedTuple):
    """All users of a month, where no line shows them, at its end."""

    when: float
    users: int
    quality: Quality


class Course(NamedTuple):
    """What there is to draw between two moments (Unix seconds). `quality` is that of the month users now."""

    since: float
    until: float
    lines: tuple[Line, ...] = ()
    gaps: tuple[Gap, ...] = ()
    ends: tuple[MonthEnd, ...] = ()
    marks: tuple[Mark, ...] = ()
    quality: Quality | None = None

    @property
    def greatest(self) -> int:
        """The most users that anything in it shows."""
        dots = (dot.users for line in self.lines for stretch in line.stretches for dot in stretch)
        return max((*dots, *(end.users for end in self.ends)), default=0)


class Sums:
    """What the points of one history add up to, each worked out once: there are thousands of numbers in a point."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._known: dict[int, Past] = {}

    def __call__(self, point: HistoryPoint) -> Past:
        """The users of that point."""
        if point.when not in self._known:
            self._known[point.when] = self.history.sum_of(point)
        return self._known[point.when]


def course(shown: Shown, slots: int, sums: Callable[[HistoryPoint], Past] | None = None) -> Course:
    """What the trend shows, to be drawn `slots` dots wide.

    Of each slot's time it is the last point in it that is drawn, besides the last before and the first after each gap
    and each month's end: always what was measured at one moment, never a mean, nor a greatest.
    """
    zone = zone_of(shown.whole.timezone)
    sums = sums or shown.cut.history.sum_of
    until = shown.whole.generated_at if shown.is_current else end_of(shown.month, zone)
    points = shown.cut.history.points
    points = points[: bisect_right(points, until, key=_when)]
    now = _now(shown)
    ends = _month_ends(shown, until, zone)
    # To the hour, so that the chart moves but once an hour.
    until = ceil(until / HOUR) * HOUR
    since = _since(shown, until, points, ends)
    gaps = _gaps([point.when for point in points] + ([now[0]] if now else []))
    start = bisect_left(points, since, key=_when)
    picked = pick(points[start:], since, until, slots, gaps, zone)
    by_month = until - since > _BY_MONTH
    moments = [(float(point.when), sums(point)) for point in picked] + ([now] if now else [])
    return Course(
        since,
        until,
        tuple(
            Line(name, _stretches(moments[-1:] if now else (), index, gaps, zone))
            if by_month and name == "month users"
            else Line(name, _stretches(moments, index, gaps, zone))
            for index, name in enumerate(NAMES)
        ),
        tuple(Gap(max(gap.since, since), gap.until) for gap in gaps if gap.until > since),
        tuple(end for end in ends if end.when >= since and (by_month or not _is_noted(end.when, points, sums))),
        tuple(mark for mark in shown.cut.marks if since <= mark.when <= until),
        shown.counts.quality if shown.counts else None,
    )


def pick(
    points: Sequence[HistoryPoint], since: float, until: float, slots: int, gaps: Sequence[Gap], zone: tzinfo
) -> list[HistoryPoint]:
    """The points to draw, as `course` says."""
    length = max(1.0, (until - since) / max(1, slots))
    edges = {when for gap in gaps if gap.until - gap.since > length for when in gap}
    return [
        point
        for point, later in zip(points, [*points[1:], None], strict=False)
        if later is None
        or point.when in edges
        or (point.when - since) // length != (later.when - since) // length
        or month_of(point.when, zone) != month_of(later.when, zone)
    ]


def _now(shown: Shown) -> tuple[float, Past] | None:
    """The users now, which is the end of every line, where the chart ends now and all of them are counted."""
    if not shown.is_current or not shown.whole.hosts or hidden(shown.cut) or shown.whole.is_partial:
        return None
    active = total_active(shown.cut)
    return shown.whole.generated_at, Past(*active[:3], shown.counts.users if shown.counts else None)


def _since(shown: Shown, until: float, points: Sequence[HistoryPoint], ends: Sequence[MonthEnd]) -> float:
    """Where the chart begins: as far back as is asked for, but not before anything is known."""
    first = min([*(point.when for point in points[:1]), *(end.when for end in ends[:1])], default=until - DAY)
    days = shown.asked.zoom.value
    since = first if days is None else max(first, until - days * DAY)
    return min(since, until - HOUR)


def _gaps(moments: Sequence[float]) -> list[Gap]:
    """Where moments lie half as far again from each other as they should."""
    if len(moments) < 2:
        return []
    hourly_since = moments[-1] - _HOURLY
    recent = [later - earlier for earlier, later in pairwise(moments[:-1]) if earlier >= hourly_since]
    usual = min(max(median(recent), HOUR), DAY) if recent else DAY
    return [
        Gap(earlier, later)
        for earlier, later in pairwise(moments)
        if later - earlier > 1.5 * (usual if earlier >= hourly_since else DAY)
    ]


def _stretches(
    moments: Sequence[tuple[float, Past]], index: int, gaps: Sequence[Gap], zone: tzinfo
) -> tuple[tuple[Dot, ...], ...]:
    """One of the four figures, broken at gaps, where it was not noted, and where it begins again with a month."""
    starts = {gap.until for gap in gaps}
    found: list[list[Dot]] = []
    is_open, month = False, None
    for when, past in moments:
        users = past[index]
        before, month = month, month_of(when, zone) if index == NAMES.index("month users") else None
        if users is None:
            is_open = False
            continue
        if not is_open or when in starts or month != before:
            found.append([])
        found[-1].append(Dot(when, users))
        is_open = True
    return tuple(tuple(stretch) for stretch in found)


def _month_ends(shown: Shown, until: float, zone: tzinfo) -> list[MonthEnd]:
    """The months that were over then, oldest first; a lower bound where a host cannot answer the filter."""
    found = []
    for month in month_names(shown.cut):
        end, counts = end_of(month, zone), month_counts(shown.cut, month)
        if counts is not None and end <= until:
            found.append(MonthEnd(end, counts.users, quality_of(shown, month, counts)))
    return found


def _is_noted(end: float, points: Sequence[HistoryPoint], sums: Callable[[HistoryPoint], Past]) -> bool:
    """Whether the line of month users reaches that month's end."""
    index = bisect_left(points, end, key=_when) - 1
    return index >= 0 and end - points[index].when <= _NEAR and sums(points[index]).to_date is not None


def _when(point: HistoryPoint) -> int:
    return point.when
