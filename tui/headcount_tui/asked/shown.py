"""What the screen shows: worked out once from a snapshot and what the user asks for, then only read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar

from headcount.figures.filters import Filter
from headcount.figures.totals import Figure, Known, figures, known_of, month_counts
from headcount.snapshot import MonthCounts, Phase, ProblemGroup, Quality, Snapshot
from headcount_tui.asked.news import News, Note

R = TypeVar("R")
DAYS = 60  # of history, for the sparklines


class Tab(StrEnum):
    """The views, in the order of their tabs."""

    COUNTRIES = "countries"
    PLACES = "places"
    CLIENTS = "clients"
    MONTHS = "months"
    TREND = "trend"
    MAP = "map"
    LIVE = "live"

    @property
    def label(self) -> str:
        """Its name on the screen."""
        return self.value[:1].upper() + self.value[1:]


class Zoom(Enum):
    """How far back the trend goes, in days; None: as far as there is anything."""

    MONTH = 30
    YEAR = 365
    ALL = None


class Sort(NamedTuple):
    """The column that a table is sorted by, and whether its greatest comes first."""

    column: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks for: the filter, the view, each table's order where it is not its own, the trend's length,
    and whether the figures are paused."""

    filter: Filter = field(default_factory=Filter)
    tab: Tab = Tab.COUNTRIES
    sorts: Mapping[Tab, Sort] = field(default_factory=dict)
    zoom: Zoom = Zoom.MONTH
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One state of the screen. `whole` is the snapshot as it came, `cut` is what passes the filter.

    `settled` says that the figures are true now: not while a scan runs, and not after the feed has ended.
    """

    whole: Snapshot
    asked: Asked
    settled: bool
    cut: Snapshot
    month: str
    figures: tuple[Figure, ...]
    counts: MonthCounts | None
    happened: tuple[News, ...] = ()
    _made: dict[Callable[[Snapshot, str], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_current(self) -> bool:
        """Whether the month shown is the one that is still going on."""
        return self.month == self.whole.month

    @property
    def sort(self) -> Sort:
        """The order of the table: the one asked for, or its own."""
        own = Sort("month" if self.asked.tab is Tab.MONTHS else "users", True)
        return self.asked.sorts.get(self.asked.tab, own)

    def rows(self, make: Callable[[Snapshot, str], list[R]]) -> list[R]:
        """The rows that `make` makes of what passes the filter, for the month; made once, whoever asks for them."""
        if make not in self._made:
            self._made[make] = make(self.cut, self.month)
        found: list[R] = self._made[make]
        return found

    def differs_in_view_alone(self, other: "Shown") -> bool:
        """Whether it is the other one but for the view and the orders of tables: the same objects, not equal ones."""
        return (
            self.whole is other.whole
            and self.cut is other.cut
            and self.settled == other.settled
            and replace(self.asked, tab=other.asked.tab, sorts=other.asked.sorts) == other.asked
        )


def look(
    whole: Snapshot, asked: Asked, ended: bool = False, happened: Sequence[News] = (), last: Shown | None = None
) -> Shown:
    """What there is to show; of what `happened`, oldest first, what passes the filter. `last` spares the work that
    neither a new snapshot nor a new filter asks."""
    settled = whole.phase is Phase.LIVE and not ended and not urgent(whole)
    if last is not None and last.whole is whole and last.asked.filter == asked.filter:
        return replace(last, asked=asked, settled=settled)
    month = asked.filter.value("month") or whole.month
    cut = _with_same_past(asked.filter.apply(whole), whole, asked.filter, last)
    found = figures(cut, month, DAYS)
    if not whole.hosts:  # nothing was counted yet, which is not the same as nobody
        found = tuple(replace(figure, users=None, series=()) for figure in found)
    passed = tuple(news for news in happened if _passes(news, asked.filter, whole))
    return Shown(whole, asked, settled, cut, month, found, month_counts(cut, month), passed)


def _with_same_past(cut: Snapshot, whole: Snapshot, asked: Filter, last: Shown | None) -> Snapshot:
    """The snapshot with the history object of the last one where neither the history nor the filter is another, so
    that what was added up of it is known still."""
    if (
        last is not None
        and last.whole.history.points is whole.history.points
        and asked.having("month", None) == last.asked.filter.having("month", None)
        and (asked.value("text") is None or whole.names == last.whole.names)
        and bool(cut.history.points) == bool(last.cut.history.points)
    ):
        return cut if cut.history is last.cut.history else replace(cut, history=last.cut.history)
    keep = cut.history.keep
    return cut if keep is None else replace(cut, history=replace(cut.history, keep=cache(keep)))


def urgent(snapshot: Snapshot) -> list[ProblemGroup]:
    """The problems that concern all figures: nothing newer is read, or kept."""
    return [problem for problem in snapshot.problems if problem.is_urgent]


def _passes(news: News, asked: Filter, whole: Snapshot) -> bool:
    if isinstance(news, Note):
        return not news.host or asked.value("host") in (None, news.host)
    if news.cell is None:
        return asked.wants_whole_hosts and asked.value("host") in (None, news.host)
    return asked.passes(news.host, news.cell, whole.names)


def quality_of(shown: Shown, month: str, counts: MonthCounts) -> Quality:
    """How true a month's counts are under the filter: a lower bound, where a host has the month but cannot answer."""
    having = [host for host in shown.cut.hosts if month in shown.whole.hosts[host].months]
    is_whole = all(month in shown.cut.hosts[host].months for host in having)
    return counts.quality if is_whole else Quality.LOWER_BOUND


def known(shown: Shown) -> Known:
    """How much of the month shown is known."""
    return known_of(shown.cut, shown.month)
