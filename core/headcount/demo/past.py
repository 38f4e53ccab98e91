"""How the demo's people came and went before the demo began."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from datetime import tzinfo
from itertools import accumulate, pairwise
from random import Random
from typing import Literal, NamedTuple

from headcount.demo.accounts import Account, Stamp, Visit
from headcount.demo.hosts import ALL_MONTHS
from headcount.demo.people import DAY, Person
from headcount.months import month_of, shift, start_of

PAST_DAYS = 75

# Few log in at four at night, most in the afternoon: the demo is worth a look at any hour all the same.
RHYTHM = tuple(1 + 0.35 * math.cos((hour - 16) / 24 * math.tau) for hour in range(24))
_CUMULATIVE_RHYTHM = tuple(accumulate(RHYTHM))


class PastEvent(NamedTuple):
    """A login or logout that the files speak of, or did before a later one replaced it."""

    when: int
    host: str
    user: str
    address: str
    resource: str
    kind: Literal["login", "logout"]


class Calendar:
    """The months up to a moment. Every event is known from `since` on, before it first logins alone."""

    def __init__(self, now: float, zone: tzinfo) -> None:
        this_month = month_of(now, zone)
        assert this_month is not None, "a simulated server lives within the calendar"
        self.now = now
        self.months = [shift(this_month, by) for by in range(1 - ALL_MONTHS, 1)]
        self.starts = [start_of(month, zone) for month in self.months]
        self.since = self.starts[self._index(now - PAST_DAYS * DAY)]

    def month_at(self, when: float) -> str:
        """The month of a moment."""
        return self.months[self._index(when)]

    def earlier(self) -> Iterator[tuple[str, float, float]]:
        """Each month before `since`, oldest first, with its start and end."""
        for month, (start, end) in zip(self.months, pairwise(self.starts), strict=False):
            if end <= self.since:
                yield month, start, end

    def _index(self, when: float) -> int:
        return bisect_right(self.starts, when) - 1


def live_through(person: Person, calendar: Calendar, rng: Random) -> tuple[Account, list[PastEvent]]:
    """The person's account as it stands at the calendar's end, and the events that made it so."""
    account = Account(person)
    if rng.random() < 0.5:  # in-band registration leaves a trace, prosodyctl does not
        account.registered = Stamp(int(person.joined), person.home.address)
    for month, start, end in calendar.earlier():
        begin = max(start, person.joined)
        when = begin + (0 if begin > start else rng.expovariate(person.habit.day_chance) * DAY)
        if when < min(end, person.left):
            visit = _log_in(account, month, int(when))
            logout = min(int(end) - 1, int(when) + 60 + int(rng.random() * 7200))
            account.logout = Stamp(logout, visit.spot.address)
    events: list[PastEvent] = []
    for when, following in pairwise((*_logins(person, calendar, rng), math.inf)):
        visit = _log_in(account, calendar.month_at(when), int(when))
        address, resource = visit.spot.address, visit.device.resource
        key = person.host.name, person.user, address, resource
        events.append(PastEvent(int(when), *key, "login"))
        # A phone in a tunnel comes back before its old session ends: then there is no logout between.
        end = int(when) + 60 + int(rng.expovariate(1 / visit.device.app.hours) * 3600)
        if end < following and end <= calendar.now:
            account.logout = Stamp(end, address)
            events.append(PastEvent(end, *key, "logout"))
    return account, events


def _log_in(account: Account, month: str, when: int) -> Visit:
    """Set the login, and the month's visit with the first of them; what it looked like is returned."""
    spot, device = account.person.in_month(month)
    account.login = Stamp(when, spot.address)
    return account.visits.setdefault(month, Visit(when, spot, device))


def _logins(person: Person, calendar: Calendar, rng: Random) -> list[int]:
    """The moments at which the person logged in since the calendar's `since`, in order, none twice."""
    begin, end = max(calendar.since, person.joined), min(calendar.now, person.left)
    moments = {int(begin) + 2} if begin == person.joined else set()
    for day in range(int((end - calendar.since) // DAY) + 1):
        if rng.random() < person.habit.day_chance:
            for _ in range(max(1, round(rng.gauss(person.habit.logins, 0.7)))):
                hour = rng.choices(range(24), cum_weights=_CUMULATIVE_RHYTHM)[0]
                moments.add(int(calendar.since + day * DAY + (hour + rng.random()) * 3600))
    return sorted(moment for moment in moments if begin <= moment < end)
