"""The figures that screens and reports show: pure functions of a (filtered) snapshot. Their tables are in `tables`."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple, TypeVar

from headcount.months import end_of, shift, start_of
from headcount.snapshot import (
    OTHER,
    UNKNOWN,
    Active,
    Cell,
    HistoryKey,
    HistoryPoint,
    HostCounts,
    MonthCounts,
    Place,
    Quality,
    Snapshot,
)
from headcount.windows import WINDOWS, Window
from headcount.zones import zone_of

K = TypeVar("K", Place, str)
_C = TypeVar("_C", Cell, Place, str)
_G = TypeVar("_G")


AT_LEAST = (
    "Active users are at least so many: the server's files tell only when a user was there last, so of those who came "
    "again later nothing tells any more whether they were there then."
)
"""Why they are, where `Snapshot.active_at_least`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The users active in one window. None stands for what no history knows, and for what is withheld.

    `before` is the same window one window earlier; `series` has a value a day, oldest first, the newest last.
    `as_of` is the moment meant, in Unix seconds: now, or the end of a past month. `is_partial` says that `users` are
    those who are read so far: there is nothing then that they are compared with, and no value of now in the series.
    `is_floor` says that there are at least so many, because some are withheld.
    """

    window: Window
    as_of: float
    users: int | None
    before: int | None
    series: tuple[int | None, ...]
    is_partial: bool = False
    is_floor: bool = False


class Pace(NamedTuple):
    """The users of the month so far, and those that the month before had at the same day and time of day, which was
    `then` (Unix seconds)."""

    users: int
    before: int
    then: float


class Turnover(NamedTuple):
    """Of a month's users, those who were not there the month before and those who were; and those who were there
    then and are not now, None where that is not known yet."""

    new: int
    returning: int
    lost: int | None


def figures(snapshot: Snapshot, month: str | None = None, days: int = 30) -> tuple[Figure, ...]:
    """DAU, WAU and MAU now or, where `month` is a past one, as of its end; with `days` days before that."""
    zone = zone_of(snapshot.timezone)
    past = month is not None and month < snapshot.month
    as_of = end_of(month, zone) if month is not None and past else snapshot.generated_at
    at_end = snapshot.history.at(as_of) if past else None
    known = at_end if past else _active_shown(snapshot)
    earlier = [snapshot.history.at(_days_before(as_of, back, zone)) for back in range(days - 1, 0, -1)]
    partial = snapshot.is_partial and not past
    series = [*earlier, None if partial else known]
    result = []
    for index, window in enumerate(WINDOWS):
        before = None if partial else snapshot.history.at(_days_before(as_of, window.days, zone))
        result.append(
            Figure(
                window,
                as_of,
                known[index] if known else None,
                before[index] if before else None,
                tuple(point[index] if point else None for point in series),
                partial,
                not past and window.key in floors(snapshot),
            )
        )
    return tuple(result)


def _days_before(when: float, days: int, zone: tzinfo) -> float:
    """The same time of day so many days earlier: of older days only the point at their beginning is kept."""
    return (datetime.fromtimestamp(when, zone) - timedelta(days)).timestamp()


def pace(snapshot: Snapshot) -> Pace | None:
    """How the current month goes against the one before; None where either can't be known, or is not read yet.

    The month before is as the history noted it at the same day and time of day in the snapshot's zone, within an hour
    and a half; on a day that it did not have, at that time of its last day.
    """
    now, (when, point) = month_counts(snapshot, snapshot.month), _a_month_ago(snapshot)
    past = None if point is None else snapshot.history.sum_of(point)
    if snapshot.is_partial or now is None or past is None or past.to_date is None:
        return None
    return Pace(now.users, past.to_date, when)


def pace_by(snapshot: Snapshot, key: Callable[[HistoryKey], K]) -> dict[K, int] | None:
    """The users of the month before by `key`, as of the moment that `pace` takes; None where it tells nothing."""
    _, point = _a_month_ago(snapshot)
    if point is None or pace(snapshot) is None:
        return None
    keep = snapshot.history.keep
    groups: dict[K, int] = defaultdict(int)
    for host, counts in point.hosts.items():
        for of, past in counts.items():
            if keep is None or keep(host, of):
                groups[key(of)] += past.to_date or 0
    return dict(groups)


def _a_month_ago(snapshot: Snapshot) -> tuple[float, HistoryPoint | None]:
    """The same day and time of the month before, and the point of that month's history that tells of it."""
    zone, month = zone_of(snapshot.timezone), shift(snapshot.month, -1)
    when = _same_time_in(month, snapshot.generated_at, zone)
    begin, end = start_of(month, zone), end_of(month, zone)
    points = tuple(point for point in snapshot.history.points if begin <= point.when < end)
    return when, replace(snapshot.history, points=points).nearest(when)


def _same_time_in(month: str, when: float, zone: tzinfo) -> float:
    moment = datetime.fromtimestamp(when, zone)
    year, number = int(month[:4]), int(month[5:])
    day = min(moment.day, monthrange(year, number)[1])
    return moment.replace(year=year, month=number, day=day).timestamp()


def turnover(snapshot: Snapshot, month: str) -> Turnover | None:
    """Who came, stayed and went from the month before to `month`; None unless that is exact of every host shown and
    shown of each of its users."""
    hosts = [counts for counts in snapshot.hosts.values() if month in counts.months]
    arrivals = [counts.arrivals[month] for counts in hosts if month in counts.arrivals]
    is_whole = len(arrivals) == len(hosts) and not any(found.unknown for found in arrivals)
    if not hosts or not is_whole or not all(_is_exact(counts.months[month]) for counts in hosts):
        return None
    returning = sum(found.returning for found in arrivals)
    users = sum(counts.months[month].users for counts in hosts)
    before = _users_before(snapshot, month)
    return Turnover(users - returning, returning, None if before is None else before - returning)


def _users_before(snapshot: Snapshot, month: str) -> int | None:
    """The users of the month before, of whom those who are not there in `month` are lost; None before the month is over
    and where the month before is not exact of each of the hosts."""
    earlier = shift(month, -1)
    hosts = [counts.months for counts in snapshot.hosts.values() if month in counts.months or earlier in counts.months]
    if month >= snapshot.month or not all(_is_exact(months.get(earlier)) for months in hosts):
        return None
    return sum(months[earlier].users for months in hosts)


def _is_exact(counts: MonthCounts | None) -> bool:
    return counts is not None and counts.quality is Quality.EXACT


def shown(snapshot: Snapshot) -> list[HostCounts]:
    """What all figures of several hosts are sums of: the hosts, or what is shown of them together."""
    return list(snapshot.hosts.values()) if snapshot.total is None else [snapshot.total]


def floors(snapshot: Snapshot) -> frozenset[str]:
    """The figures (see `HostCounts.floors`) and the months that lack some users of the hosts shown, because these are
    withheld: there are at least so many."""
    found = frozenset(figure for counts in shown(snapshot) for figure in counts.floors)
    if snapshot.anonymity is not None and snapshot.total is None and len(snapshot.hosts) > 1:
        found |= {month for counts in snapshot.hosts.values() for month in counts.months}
    return found


def at_least(shown: str, is_floor: bool) -> str:
    """`≥ 14` where there are at least so many."""
    return f"{Quality.LOWER_BOUND.mark} {shown}" if is_floor else shown


class Share(NamedTuple):
    """A part of 1. `is_floor`: at least so much."""

    share: float
    is_floor: bool = False


class Known(NamedTuple):
    """The parts of a month's users whose country, and whose client, are known; None: can't tell."""

    places: Share | None = None
    clients: Share | None = None


def known_of(snapshot: Snapshot, month: str) -> Known:
    """How much of the month is known. Nothing can be said of one without users, nor of one that lacks some; of those
    who are shown as others, country and client may be known or not."""
    counts = month_counts(snapshot, month)
    if counts is None or not counts.users or month in floors(snapshot):
        return Known()
    everyone = counts.users

    def known(margin: Mapping[K, int] | None, key: Callable[[K], str | None]) -> Share | None:
        if margin is None:
            return None
        unknown = sum(users for of, users in margin.items() if key(of) in (None, UNKNOWN))
        others = sum(users for of, users in margin.items() if snapshot.anonymity and key(of) == OTHER)
        return Share(1 - (unknown + others) / everyone, is_floor=others > 0)

    return Known(known(counts.places, lambda place: place.country), known(counts.clients, lambda client: client))


def hidden(snapshot: Snapshot) -> frozenset[str]:
    """The figures (see `HostCounts.hidden`) that can't be known of all hosts, since one of them hides its own."""
    return frozenset(figure for counts in shown(snapshot) for figure in counts.hidden)


def _active_shown(snapshot: Snapshot) -> tuple[int | None, ...]:
    """Users active now, by window; None where they is withheld."""
    active, withheld = total_active(snapshot), hidden(snapshot)
    return tuple(None if window.key in withheld else users for window, users in zip(WINDOWS, active, strict=False))


def total_active(snapshot: Snapshot) -> Active:
    """The active users of all hosts shown."""
    return sum_active(active for counts in shown(snapshot) for active in counts.active.values())


def users_known(snapshot: Snapshot) -> int:
    """The users known on all hosts shown."""
    return sum(counts.users_known for counts in shown(snapshot))


def sum_active(figures: Iterable[Active]) -> Active:
    """Active users of several cells together; each user is in one cell."""
    return sums((None, active) for active in figures).get(None, Active())


def sums(figures: Iterable[tuple[_G, Active]]) -> dict[_G, Active]:
    """Active users by group. One pass, since there may be tens of thousands of cells, and a key waits meanwhile."""
    groups: dict[_G, tuple[int, int, int, int]] = {}
    for group, (day, week, month, is_open) in figures:
        so_far = groups.get(group)
        if so_far is None:
            groups[group] = (day, week, month, is_open)
        else:
            groups[group] = (so_far[0] + day, so_far[1] + week, so_far[2] + month, so_far[3] + is_open)
    return {group: Active(*figures) for group, figures in groups.items()}


def active_by_country(cells: Mapping[Cell, Active]) -> dict[str | None, Active]:
    """Active users by country; None holds those of unknown place."""
    return sums((cell.place.country, active) for cell, active in cells.items())


def month_names(snapshot: Snapshot) -> list[str]:
    """Every month that any host shown has counts of, and the current one, oldest first."""
    months = {snapshot.month}
    for counts in (*snapshot.hosts.values(), *shown(snapshot)):
        months.update(counts.months)
    return sorted(months)


def month_counts(snapshot: Snapshot, month: str) -> MonthCounts | None:
    """The month over all hosts shown; None where no host has it. The weakest quality stands for all."""
    found = [counts.months[month] for counts in shown(snapshot) if month in counts.months]
    if not found:
        return None
    counts = month_of_hosts(found)
    return replace(counts, quality=Quality.LOWER_BOUND) if month in floors(snapshot) else counts


def month_of_hosts(found: Sequence[MonthCounts]) -> MonthCounts:
    """One month of several hosts together."""
    if len(found) == 1:
        return found[0]
    qualities = {counts.quality for counts in found}
    return MonthCounts(
        quality=qualities.pop() if len(qualities) == 1 else Quality.LOWER_BOUND,
        users=sum(counts.users for counts in found),
        cells=_sum_all([counts.cells for counts in found]),
        places=_sum_all([counts.places for counts in found]),
        clients=_sum_all([counts.clients for counts in found]),
    )


def change_of_month(snapshot: Snapshot, month: str) -> float | None:
    """How a month's users differ from those of the month before, relative to these; None where it can't be known.

    A month that goes on and a whole one can't be compared, and of a lower bound nobody knows how far it is off.
    """
    now, before = month_counts(snapshot, month), month_counts(snapshot, shift(month, -1))
    if now is None or before is None or not before.users or not is_comparable(snapshot, month):
        return None
    return now.users / before.users - 1


def is_comparable(snapshot: Snapshot, month: str) -> bool:
    """Whether a month and the one before it are both over and both whole, so that their users can be compared."""
    both = [month_counts(snapshot, name) for name in (month, shift(month, -1))]
    return month < snapshot.month and all(
        counts is not None and counts.quality is not Quality.LOWER_BOUND for counts in both
    )


def _sum_all(margins: list[Mapping[_C, int] | None]) -> dict[_C, int] | None:
    """The sum of the mappings, key by key; None where one of them is unknown."""
    result: dict[_C, int] = defaultdict(int)
    for margin in margins:
        if margin is None:
            return None
        for key, users in margin.items():
            result[key] += users
    return dict(result)
