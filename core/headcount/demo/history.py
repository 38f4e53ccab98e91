"""The active users of the demo's past: what an engine would have kept, had it followed the server all along."""

from collections.abc import Iterable
from datetime import tzinfo

from headcount.active_users import ActiveUsers, Presence
from headcount.clients import ClientPatterns
from headcount.demo.past import PAST_DAYS, PastEvent
from headcount.geo import Places
from headcount.history import HOUR, HistoryKeeper
from headcount.snapshot import Cell, HistoryPoint, HostCounts

DAY = 86_400
STEP = 3 * HOUR


def past_points(
    events: Iterable[PastEvent], now: float, zone: tzinfo, places: Places, clients: ClientPatterns
) -> list[HistoryPoint]:
    """A point each three hours, as far back as the events tell of the 30 days before it; `events` are oldest first.

    Any moment is then within 90 minutes of a point, which is as near as a comparison asks for.
    """
    keeper = HistoryKeeper([], zone)
    hosts: dict[str, ActiveUsers] = {}
    known_from = now - (PAST_DAYS - 30) * DAY
    hour = known_from // STEP * STEP + STEP
    for event in events:
        while hour <= min(event.when, now):
            _note(keeper, hosts, hour)
            hour += STEP
        active = hosts.setdefault(event.host, ActiveUsers(event.when))
        cell = Cell(places.lookup(event.address), clients.client(event.resource))
        active.put(event.user, Presence(event.when, cell, event.kind == "login"))
    while hour <= now:
        _note(keeper, hosts, hour)
        hour += STEP
    return keeper.added


def _note(keeper: HistoryKeeper, hosts: dict[str, ActiveUsers], hour: float) -> None:
    for active in hosts.values():
        active.advance(hour)
    keeper.add(hour, {name: HostCounts(active=active.cells()) for name, active in hosts.items()})
