"""Where figures are k-anonymous: which of the places and the clients that are shown may lack some of their users.

A table that tells a country tells all of its users, but who is in a country, or has a client, of too few is shown as
`other`; and of a place with too few, as of the place around it. Which tables there are, of several hosts, can be seen:
each host's own, and what the sum of all has besides them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from headcount.figures.totals import floors, shown
from headcount.snapshot import OTHER, HostCounts, MonthCounts, Place, Quality, Snapshot
from headcount.windows import KEYS


@dataclass(frozen=True, slots=True)
class Lacking:
    """What one period tells. `all_may` where some users are not in it at all, whoever they are."""

    all_may: bool = False
    places: frozenset[Place] = frozenset()
    clients: frozenset[str] = frozenset()
    whole: Callable[[str | None], bool] = lambda country: True

    def place(self, place: Place) -> bool:
        """Whether there may be more users in a place than are shown of it."""
        if place.country == OTHER or not self.places:
            return False
        around = {Place(place.country), place._replace(city=None)} - {place}
        return self.all_may or not self.whole(place.country) or any(other in self.places for other in around)

    def client(self, client: str) -> bool:
        """Whether there may be more users with a client than are shown of it."""
        return client != OTHER and (self.all_may or OTHER in self.clients)


NOTHING = Lacking()
"""Where every figure is exact."""


def of_month(snapshot: Snapshot, month: str) -> Lacking:
    """What may lack users in a calendar month."""
    return _of(snapshot, lambda counts: counts.months.get(month), month in floors(snapshot))


def of_now(snapshot: Snapshot) -> Lacking:
    """What may lack users who are active now."""

    def active(counts: HostCounts) -> MonthCounts:
        cells = {cell: max(active[:3]) for cell, active in counts.active.items()}
        return MonthCounts.of(Quality.EXACT, {cell: users for cell, users in cells.items() if users})

    return _of(snapshot, active, not floors(snapshot).isdisjoint(KEYS))


def _of(snapshot: Snapshot, table: Callable[[HostCounts], MonthCounts | None], all_may: bool) -> Lacking:
    if snapshot.anonymity is None:
        return NOTHING
    counted = [found for counts in shown(snapshot) if (found := table(counts)) is not None]
    places = frozenset(place for month in counted for place in month.places or ())
    clients = frozenset(client for month in counted for client in month.clients or ())
    hosts = [found for counts in snapshot.hosts.values() if (found := table(counts)) is not None]
    tables = [_by_country(found.places or {}) for found in hosts]
    if snapshot.total is not None:
        own = [countries for countries in tables if countries.keys() != {OTHER}]
        together = _sum(_by_country(found.places or {}) for found in counted)
        known = _sum(own)
        tables = [*own, {country: 1 for country, users in together.items() if users > known.get(country, 0)}]
    if len(tables) < 2:
        return Lacking(all_may, places, clients)
    folding = [countries for countries in tables if OTHER in countries]
    return Lacking(all_may, places, clients, lambda country: all(country in countries for countries in folding))


def _by_country(places: Mapping[Place, int]) -> dict[str | None, int]:
    return _sum([{place.country: users} for place, users in places.items()])


def _sum(tables: Iterable[Mapping[str | None, int]]) -> dict[str | None, int]:
    total: dict[str | None, int] = {}
    for countries in tables:
        for country, users in countries.items():
            total[country] = total.get(country, 0) + users
    return total
