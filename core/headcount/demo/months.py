"""The month users of the demo's past: what an engine would have kept, had it followed the server for a year."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import NamedTuple

from headcount.clients.patterns import ClientPatterns
from headcount.counting.counted import How
from headcount.counting.month_users import SETTLING, Month, MonthChange
from headcount.demo.past import PastEvent
from headcount.months import end_of, month_of, shift, start_of
from headcount.places.lookup import Places
from headcount.snapshot import UNKNOWN, Arrivals, Cell, Quality
from headcount.state import HostUpdate

YEAR = 13
"""Months that are kept, the current one among them."""


class PastVisit(NamedTuple):
    """The first login of a month, as its record tells of it."""

    host: str
    user: str
    month: str
    address: str
    resource: str


Users = dict[str, Cell]
"""The users of a month, by name, with the cell that each is counted in."""


def past_months(
    visits: Iterable[PastVisit],
    events: Iterable[PastEvent],
    recorded: Mapping[str, int],
    now: float,
    zone: tzinfo,
    places: Places,
    clients: ClientPatterns,
) -> list[HostUpdate]:
    """The hosts' months of a year, at `now` (Unix seconds).

    Each visit counts for its month, and so does a logout (`events`, oldest first) whose login was in the month before.
    `recorded` says of how many months a host has login records.
    """
    found: dict[str, dict[str, Users]] = {host: defaultdict(dict) for host in recorded}
    for visit in visits:
        cell = Cell(places.lookup(visit.address), clients.client(visit.resource))
        found[visit.host][visit.month][visit.user] = cell
    month, end = "", 0.0
    for event in events:
        if event.when >= end:
            month = month_of(event.when, zone) or ""
            end = end_of(month, zone)
        users = found[event.host][month]
        if event.user not in users:  # nobody logs in without a visit, so it is a logout
            users[event.user] = Cell(places.lookup(event.address), UNKNOWN)
    this_month = month_of(now, zone) or ""
    return [
        _host(host, found[host], shift(this_month, 1 - min(YEAR, months)), now, zone)
        for host, months in recorded.items()
    ]


def _host(host: str, users: Mapping[str, Users], first: str, now: float, zone: tzinfo) -> HostUpdate:
    months = {}
    for name in sorted(name for name in users if name >= first):
        month, change = _month(host, users[name], is_open=now < end_of(name, zone) + SETTLING)
        returning = users[name].keys() & users.get(shift(name, -1), {}).keys()
        month.arrivals = Arrivals(len(returning))
        months[name] = month, change
    return HostUpdate(host, start_of(first, zone), now, months)


def _month(host: str, users: Users, *, is_open: bool) -> tuple[Month, MonthChange]:
    month = Month(Quality.EXACT, dict(Counter(users.values())), closed=not is_open)
    change = MonthChange(set(month.cells))
    if is_open:
        month.key = secrets.token_bytes(32)
        for user, cell in users.items():
            digest = month.hash_of(host, user)
            month.counted.put(digest, cell if cell.client == UNKNOWN else How.FINAL)
            change.counted += digest
    return month, change
