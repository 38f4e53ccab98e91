"""What a user's record means: where they are, with which client, and in which months they visited."""

import math
from collections.abc import Callable
from datetime import tzinfo
from typing import NamedTuple

from headcount.active_users import NEVER, Presence
from headcount.months import Months
from headcount.records import Activity, Login, UserRecord
from headcount.snapshot import UNKNOWN, Cell, Place

SAME_LOGIN = 5.0
"""Seconds within which an activity and a login record are taken to be of one login: Prosody writes the one at
authentication and the other at resource binding, milliseconds later."""


NOBODY = Presence(NEVER, Cell(Place(), UNKNOWN), is_open=False)


class Visit(NamedTuple):
    """A user was there in a month. `recorded` where a login record says so: its place and client are final.

    `before` is the last activity known of the user before (Unix seconds, or `NEVER`); None where it is unknown.
    """

    month: str
    when: float
    cell: Cell
    recorded: bool
    before: float | None = None


class Meaning:
    """Turns addresses into places and resources into clients, and goes no further with either."""

    def __init__(
        self,
        zone: tzinfo,
        place_of: Callable[[str | None], Place],
        client_of: Callable[[str | None], str],
        *,
        countries: frozenset[str] | None = None,
        count_open_sessions: bool = False,
    ) -> None:
        """`countries` are the ISO codes of those recorded, None for all; users elsewhere are left out."""
        self.month_of = Months(zone).of
        self.place_of = place_of
        self._client_of = client_of
        self._countries = countries
        self._count_open_sessions = count_open_sessions

    @property
    def records_all(self) -> bool:
        """Whether no user is left out."""
        return self._countries is None

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a record itself decides what it means."""
        return self._countries is None and not self._count_open_sessions

    def presence(self, record: UserRecord) -> Presence:
        """The user's newest activity, from anywhere; the newest place and client that are known."""
        logins = [a.when for a in record.activities if a.kind == "login"]
        logouts = [a.when for a in record.activities if a.kind == "logout"]
        is_open = max(logins, default=NEVER) > max(logouts, default=NEVER)
        addresses = [(activity.when, activity.address) for activity in record.activities]
        address = _newest(addresses + [(login.when, login.address) for login in record.logins])
        resource = _newest([(login.when, login.resource) for login in record.logins])
        last = math.inf if is_open and self._count_open_sessions else record.newest
        cell = Cell(self.place_of(address), self._client_of(resource))
        return Presence(last, cell, is_open) if self._is_recorded(cell.place) else NOBODY

    def visits(self, record: UserRecord) -> list[Visit]:
        """One visit for each month that the record speaks of.

        A month's login record decides its place and client; without one, the month's first login, or else its
        first activity, decides the place.
        """
        logins: dict[str, Login] = {}
        for login in sorted(record.logins, key=lambda login: login.when):
            month = self.month_of(login.when)
            if month is not None:
                logins.setdefault(month, login)
        activities: dict[str, list[Activity]] = {}
        for activity in sorted(record.activities, key=lambda a: (a.kind != "login", a.when)):
            month = self.month_of(activity.when)
            if month is not None:
                activities.setdefault(month, []).append(activity)
        visits = [
            self._recorded(month, logins[month], activities.get(month, []))
            if month in logins
            else self._bare(month, activities[month])
            for month in sorted({*logins, *activities})
        ]
        return [visit for visit in visits if self._is_recorded(visit.cell.place)]

    def plain_month(self, login: int, logout: int) -> str | None:
        """The one month that a plain user was there in, by the last login and logout (0 where there was none); None
        where they tell of two months, or of none."""
        of_logout = self.month_of(logout) if logout else None
        if not login:
            return of_logout
        of_login = self.month_of(login)
        return of_login if not logout or of_login == of_logout else None

    def _is_recorded(self, place: Place) -> bool:
        return self._countries is None or place.country in self._countries

    def _recorded(self, month: str, login: Login, activities: list[Activity]) -> Visit:
        same = (a.address for a in activities if a.kind == "login" and a.address and _is_same_login(a, login))
        place = self.place_of(login.address or next(same, None))
        return Visit(month, login.when, Cell(place, self._client_of(login.resource)), recorded=True)

    def _bare(self, month: str, activities: list[Activity]) -> Visit:
        address = next((a.address for a in activities if a.address), None)
        newest = max(a.when for a in activities)
        return Visit(month, newest, Cell(self.place_of(address), UNKNOWN), recorded=False)


def _is_same_login(activity: Activity, login: Login) -> bool:
    """Authentication comes first; a login after the record is a later one, with an address of its own."""
    return 0 <= login.when - activity.when <= SAME_LOGIN


def _newest(told: list[tuple[float, str | None]]) -> str | None:
    """The newest text that was told at all."""
    known = [(when, text) for when, text in told if text]
    return max(known, key=lambda pair: pair[0])[1] if known else None
