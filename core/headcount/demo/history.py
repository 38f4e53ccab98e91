"""The users of the demo's past: what an engine would have kept, had it followed the server all along."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import tzinfo

from headcount.clients.patterns import ClientPatterns
from headcount.counting.active_users import ActiveUsers
from headcount.counting.activity_rule import Presence
from headcount.demo.past import PAST_DAYS, PastEvent
from headcount.engine.history import HOUR, HistoryKeeper
from headcount.months import end_of, month_of
from headcount.places.lookup import Places
from headcount.snapshot import UNKNOWN, Cell, HistoryPoint, HostCounts, MonthCounts, Place, Quality
from headcount.user_keys import Keys

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
    month = _MonthSoFar(zone)
    cells: dict[tuple[str, str], Cell] = {}
    keys = Keys()
    known_from = now - (PAST_DAYS - 30) * DAY
    hour = known_from // STEP * STEP + STEP
    for event in events:
        while hour <= min(event.when, now):
            _note(keeper, hosts, month, hour)
            hour += STEP
        active = hosts.setdefault(event.host, ActiveUsers(event.when))
        cell = cells.get((event.address, event.resource))
        if cell is None:  # as coarse as a point is: there are few of them, and they are summed often
            country = Place(places.lookup(event.address).country)
            cell = cells[event.address, event.resource] = Cell(country, clients.client(event.resource))
        active.put(keys.of_host(event.host)(event.user), Presence(event.when, cell, event.kind == "login"))
        month.add(event, cell)
    while hour <= now:
        _note(keeper, hosts, month, hour)
        hour += STEP
    return keeper.added


class _MonthSoFar:
    """The users of the month that time is in, by host, each in the cell of the month's first login."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._end = 0.0
        self._name = ""
        self._users: dict[str, dict[str, Cell]] = {}

    def advance(self, when: float) -> None:
        """Begins again where `when` is in another month."""
        if when >= self._end:
            self._name = month_of(when, self._zone) or ""
            self._end = end_of(self._name, self._zone)
            self._users = defaultdict(dict)

    def add(self, event: PastEvent, cell: Cell) -> None:
        """Counts who is there; a logout alone does not tell with which client."""
        self.advance(event.when)
        users = self._users[event.host]
        known = users.get(event.user)
        if known is None or (known.client == UNKNOWN and event.kind == "login"):
            users[event.user] = cell._replace(client=UNKNOWN) if event.kind == "logout" else cell

    def counts(self, host: str) -> dict[str, MonthCounts]:
        """The host's counts of that month."""
        cells = Counter(self._users[host].values())
        return {self._name: MonthCounts(Quality.EXACT, cells.total(), cells, None, None)}


def _note(keeper: HistoryKeeper, hosts: dict[str, ActiveUsers], month: _MonthSoFar, hour: float) -> None:
    month.advance(hour)
    for active in hosts.values():
        active.advance(hour)
    keeper.add(
        hour, {name: HostCounts(active=active.cells(), months=month.counts(name)) for name, active in hosts.items()}
    )
