"""All hosts together, where figures are k-anonymous: their sums, shown beside the hosts' own figures.

To fold each host and then add up would lose most users of small hosts: a country with 500 users of whom no host has
five would be shown with none. So the sums are folded themselves. Why no group of too few follows from sums and hosts:

- A host that can tell at least half of what it knows by name is shown alone. Its table is parted into groups of k or
  more, and the sum takes these as they are.
- All other hosts are a pool: of each of them its totals alone are shown (its users are all `other`), and not even those
  where they are of too few. The pool is folded as one table. So what follows of the pool are the sums of its rows (a
  host's total) and of its columns (a group of the folded table), and each of these is empty or has k users or more;
  how many of a row are in a column does not follow.
- Hosts that are withheld at all are in the pool where they are enough together, and nowhere else: then the sums are
  without them, and so at least so many.
- A pool of one host is none: what it would be folded to is that host's own table.
- It is the same for active users. A window that some hosts do not tell is summed over all of them where those who do
  not tell it are, together, as far from what else is known of them as a host's own figures have to be; else over those
  who tell it, and is at least so many. So it is with the users known.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeVar

from headcount.figures.folding import differences, folded, folded_counts, is_apart, is_enough, sum_columns
from headcount.figures.totals import month_of_hosts, sum_active, sums
from headcount.months import shift
from headcount.snapshot import OTHER, UNKNOWN, Active, Cell, HostCounts, MonthCounts, Place, Quality
from headcount.windows import KEYS

REST = Cell(Place(OTHER), OTHER)
Hosts = Mapping[str, HostCounts]
_K = TypeVar("_K", Place, str)


def summed(exact: Hosts, shown: Hosts, this_month: str, min_count: int) -> tuple[HostCounts, dict[str, HostCounts]]:
    """What is shown of all hosts together, and what of each beside it; `shown` is what each would tell alone."""
    hosts = dict(shown)
    months, floors = {}, set[str]()
    for name in sorted({name for counts in exact.values() for name in counts.months}):
        of_month = _sum_of_month(
            {host: counts.months[name] for host, counts in exact.items() if name in counts.months},
            {host: counts.months[name] for host, counts in shown.items() if name in counts.months},
            min_count,
        )
        if of_month.sum is not None:
            months[name] = of_month.sum
        if of_month.is_floor:
            floors.add(name)
        for host, month in of_month.pooled.items():
            hosts[host] = replace(hosts[host], months={**hosts[host].months, name: month})
    active = _Windows(exact, shown, this_month, months.keys() - floors, min_count)
    for host in active.pooled:
        hosts[host] = replace(hosts[host], active=_rest_of(sum_active(shown[host].active.values())))
    known, is_floor = active.users_known()
    floors |= active.floors | ({"users_known"} if is_floor else set())
    hidden = active.hidden(known if is_floor else None)
    lacks = any(counts.at_least for counts in exact.values())
    total = HostCounts(known, active.cells, months, hidden=hidden, at_least=lacks)
    return replace(total, floors=frozenset(floors) - total.hidden), hosts


@dataclass(frozen=True, slots=True)
class _Month:
    """A month over all hosts (None: nobody can be shown), whether it lacks some, and what pooled hosts tell of it."""

    sum: MonthCounts | None
    is_floor: bool
    pooled: Mapping[str, MonthCounts]


def _sum_of_month(exact: Mapping[str, MonthCounts], shown: Mapping[str, MonthCounts], min_count: int) -> _Month:
    hidden = {host: month for host, month in exact.items() if host not in shown}
    is_floor = not is_enough(sum(month.users for month in hidden.values()), min_count)
    pool = {host: exact[host] for host, month in shown.items() if not _tells_enough(exact[host], month)}
    if not is_floor:
        pool |= hidden
    if len(pool) == 1 and not hidden.keys() & pool.keys():
        pool = {}
    parts = [month for host, month in shown.items() if host not in pool]
    if pool:
        parts.append(_folded_month(month_of_hosts(list(pool.values())), min_count))
    if not parts:
        return _Month(None, is_floor, {})
    found = month_of_hosts(parts)
    qualities = {month.quality for month in exact.values()}
    weakest = qualities.pop() if len(qualities) == 1 and not is_floor else Quality.LOWER_BOUND
    pooled = {host: _rest_of_month(shown[host]) for host in pool if host in shown}
    return _Month(replace(found, quality=weakest), is_floor, pooled)


def _folded_month(month: MonthCounts, min_count: int) -> MonthCounts:
    """The pool's month. A margin that lacks users is withheld: here it could be taken from what the hosts tell."""
    if month.cells is not None:
        return MonthCounts.of(month.quality, folded_counts(month.cells, min_count))
    places, clients = month.places, month.clients
    if places is not None and sum(places.values()) == month.users:
        by_place = folded_counts({Cell(place, ""): users for place, users in places.items()}, min_count)
        places = {cell.place: users for cell, users in by_place.items()}
    else:
        places = None
    if clients is not None and sum(clients.values()) == month.users:
        by_client = folded_counts({Cell(Place(), client): users for client, users in clients.items()}, min_count)
        clients = {cell.client: users for cell, users in by_client.items()}
    else:
        clients = None
    return replace(month, places=places, clients=clients)


def _rest_of_month(month: MonthCounts) -> MonthCounts:
    """The month's total, and nothing else."""
    if month.cells is not None:
        return MonthCounts.of(month.quality, {REST: month.users})
    places = None if month.places is None else {REST.place: month.users}
    clients = None if month.clients is None else {REST.client: month.users}
    return replace(month, places=places, clients=clients)


def _rest_of(active: Active) -> dict[Cell, Active]:
    return {REST: active} if any(active) else {}


def _tells_enough(exact: MonthCounts, shown: MonthCounts) -> bool:
    """Whether at least half of those whose country and client are known are shown by them."""
    places = exact.places is None or shown.places is None or _are_named(exact.places, shown.places, _of_known_place)
    clients = (
        exact.clients is None or shown.clients is None or _are_named(exact.clients, shown.clients, _is_known_client)
    )
    return places and clients


def _are_named(exact: Mapping[_K, int], shown: Mapping[_K, int], is_named: Callable[[_K], bool]) -> bool:
    before, after = (sum(users for key, users in margin.items() if is_named(key)) for margin in (exact, shown))
    return 2 * after >= before


def _of_known_place(place: Place) -> bool:
    return place.country not in (None, OTHER)


def _is_known_client(client: str) -> bool:
    return client not in (UNKNOWN, OTHER)


class _Windows:
    """The active users of all hosts: which windows lack some users, and who is in the pool."""

    def __init__(
        self, exact: Hosts, shown: Hosts, this_month: str, whole_months: Collection[str], min_count: int
    ) -> None:
        self._exact, self._told, self._min_count = exact, shown, min_count
        self._whole = set(whole_months)
        """The figures that are summed over all hosts, those that do not tell theirs among them."""
        self._figures = {host: _figures(counts) for host, counts in exact.items()}
        self._hiding = {window: {h for h, c in shown.items() if window in c.hidden} for window in KEYS}
        self.floors = set(KEYS)
        for window in reversed(KEYS):
            self.floors.discard(window)
            if self._can_be_shown(window, [*KEYS, this_month, shift(this_month, -1)]):
                self._whole.add(window)
            else:
                self.floors.add(window)
        self.pooled = self._pool()
        self.cells = self._cells()
        """The active users by cell."""

    def users_known(self) -> tuple[int, bool]:
        """The users known, and whether some are lacking."""
        hiding = {host for host, counts in self._told.items() if "users_known" in counts.hidden}
        here = sum(counts.users_known for counts in self._told.values())
        beside = sum(self._exact[host].users_known for host in hiding)
        figures = {figure for host in hiding for figure in self._figures[host] if figure != "open_sessions"}
        return (here + beside, False) if self._is_apart(beside, hiding, figures) else (here, True)

    def hidden(self, known_floor: int | None) -> frozenset[str]:
        """The figures that are withheld at all: those of which nobody is left. Open sessions are shown where each host
        tells them."""
        everyone = sum_active(self.cells.values())
        nothing = {w for w, users in zip(KEYS, everyone, strict=False) if w in self.floors and not users}
        if any("open_sessions" in counts.hidden for counts in self._told.values()):
            nothing.add("open_sessions")
        if known_floor == 0:
            nothing.add("users_known")
        return frozenset(nothing)

    def _cells(self) -> dict[Cell, Active]:
        alone = [
            (cell, _grown(active))
            for host, counts in self._told.items()
            if host not in self.pooled
            for cell, active in counts.active.items()
        ]
        found = sums([*alone, *self._folded_pool().items()])
        if any("open_sessions" in counts.hidden for counts in self._told.values()):
            return {cell: active._replace(open_sessions=0) for cell, active in found.items() if any(active[:3])}
        sessions = sum(sum_active(self._told[host].active.values()).open_sessions for host in self.pooled)
        if sessions:
            rest = found.get(REST, Active())
            found[REST] = rest._replace(open_sessions=rest.open_sessions + sessions)
        return found

    def _can_be_shown(self, window: str, beside: Collection[str]) -> bool:
        """Whether those who do not tell a window are, all together, far enough from what else is known of them."""
        hiding = self._hiding[window]
        if not self._is_apart(self._sum(window, hiding), hiding, [figure for figure in beside if figure != window]):
            return False
        whole = [other for other in KEYS if other in self._whole]
        for other in whole:
            either = hiding | self._hiding[other]
            if not is_enough(abs(self._sum(window, either) - self._sum(other, either)), self._min_count):
                return False
        silent = sorted(hiding.union(*(self._hiding[other] for other in whole)))
        everyone = (self._contributed(host, sum_active(self._exact[host].active.values())) for host in silent)
        rings = sum_columns(differences(list(active[:3])) for active in everyone)
        return all(is_enough(users, self._min_count) for users in rings)

    def _is_apart(self, users: int, hosts: Collection[str], figures: Collection[str]) -> bool:
        """Whether users of these hosts can be shown beside the figures: as far as each host tells them, and of all of
        them where their sum is shown."""
        known = [self._sum(figure, [h for h in hosts if self._tells(h, figure)]) for figure in figures]
        known += [self._sum(figure, hosts) for figure in figures if figure in self._whole]
        return is_apart(users, known, self._min_count)

    def _tells(self, host: str, figure: str) -> bool:
        counts = self._told[host]
        return figure in counts.months or (figure in KEYS and figure not in counts.hidden)

    def _sum(self, figure: str, hosts: Collection[str]) -> int:
        """A figure, or the users of a month, of several hosts."""
        return sum(self._figures[host].get(figure, 0) for host in hosts)

    def _pool(self) -> frozenset[str]:
        """Those of whom the sums tell a window that they do not tell, and those who tell too little by name."""
        pool = set[str]().union(*(self._hiding[window] for window in self._whole & self._hiding.keys()))
        pool |= {host for host, counts in self._told.items() if not _tells_enough_active(self._exact[host], counts)}
        return frozenset(pool) if len(pool) != 1 else frozenset()

    def _folded_pool(self) -> dict[Cell, Active]:
        rings = {}
        for cell, active in sums(
            (cell, self._contributed(host, active))
            for host in sorted(self.pooled)
            for cell, active in self._exact[host].active.items()
        ).items():
            rings[cell] = differences(list(active[:3]))
        return {cell: Active(*accumulate(counts)) for cell, counts in folded(rings, self._min_count).items()}

    def _contributed(self, host: str, active: Active) -> Active:
        """The windows of a cell, without what the host hides and the sums lack."""
        lacking = {window for window in self.floors if host in self._hiding[window]}
        return _grown(Active(*(0 if w in lacking else users for w, users in zip(KEYS, active, strict=False))))


def _figures(counts: HostCounts) -> dict[str, int]:
    everyone = sum_active(counts.active.values())
    windows = dict(zip((*KEYS, "open_sessions"), everyone, strict=True))
    return windows | {name: month.users for name, month in counts.months.items()}


def _grown(active: Active) -> Active:
    """Each window with at least the users of the shorter ones, who are a part of it, where it is withheld."""
    day, week, month = accumulate(active[:3], max)
    return Active(day, week, month, active.open_sessions)


def _tells_enough_active(exact: HostCounts, shown: HostCounts) -> bool:
    before, after = (
        MonthCounts.of(Quality.EXACT, {cell: max(active[:3]) for cell, active in counts.active.items()})
        for counts in (exact, shown)
    )
    return _tells_enough(before, after)
