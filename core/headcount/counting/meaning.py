"""What a user's record means: where they are, with which client, and in which months they visited."""

from collections.abc import Callable, Collection, Iterable
from datetime import tzinfo
from typing import NamedTuple

from headcount.counting.presence import NEVER, Presence
from headcount.months import Months, shift
from headcount.records import Activity, Login, PlainUser, UserRecord
from headcount.snapshot import UNKNOWN, Cell, Place

SAME_LOGIN = 5.0
"""Seconds within which an activity and a login record are taken to be of one login: Prosody writes the one at
authentication and the other at resource binding, milliseconds later."""


_NO_CELL = Cell(Place(), UNKNOWN)
NOBODY = Presence(NEVER, _NO_CELL, is_open=False)


class Visit(NamedTuple):
    """A user was there in a month. `recorded` where a login record says so: its place and client are final.

    `before` is the last activity known of the user before (Unix seconds, or `NEVER`); None where it is unknown.
    """

    month: str
    when: float
    cell: Cell
    recorded: bool
    before: float | None = None


_Told = tuple[str, float, Cell | None, bool]
"""What is told of a visit: the month, the moment, the cell, whether a login record tells it."""


class Meaning:
    """Turns addresses into places and resources into clients, and goes no further with either."""

    def __init__(
        self,
        zone: tzinfo,
        place_of: Callable[[str | None], Place],
        client_of: Callable[[str | None], str],
        *,
        countries: frozenset[str] | None = None,
    ) -> None:
        """`countries` are the ISO codes of those recorded, None for all; users elsewhere are left out."""
        self.month_of = Months(zone).of
        self._place_of = place_of
        self._client_of = client_of
        self._found: dict[tuple[str | None, str | None], Cell] = {}
        self._countries = countries

    @property
    def records_all(self) -> bool:
        """Whether no user is left out."""
        return self._countries is None

    def cell_of(self, address: str | None, resource: str | None) -> Cell:
        """The cell of a user of whom that address and resource are known."""
        cell = self._found.get((address, resource))
        if cell is None:
            cell = self._found[address, resource] = Cell(self._place_of(address), self._client_of(resource))
        return cell

    def forget(self) -> None:
        """Forgets the addresses and resources that were asked for: they spare asking twice, and are not kept."""
        self._found.clear()

    def presence(self, record: UserRecord) -> Presence:
        """The user's newest activity, from anywhere; the newest place and client that are known."""
        opened = max((a.when for a in record.activities if a.kind == "login"), default=NEVER)
        is_open = opened > max((a.when for a in record.activities if a.kind == "logout"), default=NEVER)
        opened = max([opened, *(login.when for login in record.logins)])  # written at the same login, or at a later one
        addresses = [(activity.when, activity.address) for activity in record.activities]
        address = _newest(addresses + [(login.when, login.address) for login in record.logins])
        resource = _newest([(login.when, login.resource) for login in record.logins])
        cell = self.cell_of(address, resource)
        if not self._is_recorded(cell.place):
            return NOBODY
        return Presence(record.newest, cell, is_open, opened if is_open else None)

    def visits(self, record: UserRecord, before: float | None = None) -> list[Visit]:
        """One visit for each month that the record speaks of, oldest first. `before` is the last activity known from
        before the record; None where it is unknown.

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
        told = [
            self._recorded(month, logins[month], activities.get(month, []))
            if month in logins
            else self._bare(month, activities[month])
            for month in sorted({*logins, *activities})
        ]
        return _following(before, [one for one in told if self._is_recorded(one[2].place)])

    def plain_visits(self, user: PlainUser, closed: Collection[str], before: float | None) -> list[Visit]:
        """What `visits` says of a plain user, where all are recorded; nothing of months that are `closed`."""
        _, _, login, logout, login_address, logout_address, logins = user
        of_login = self.month_of(login) if login else None
        of_logout = self.month_of(logout) if logout else None
        told: dict[str, _Told] = {}
        for when, address, resource in logins:
            month = self.month_of(when)
            if month is None or month in told:
                continue
            if not address and login and 0 <= when - login <= SAME_LOGIN and of_login == month:
                address = login_address
            cell = None if month in closed else self.cell_of(address, resource)
            told[month] = month, when, cell, True
        if of_login is not None and of_login not in told:
            when, address = login, login_address
            if of_login == of_logout:
                when, address = max(login, logout), login_address or logout_address
            told[of_login] = of_login, when, None if of_login in closed else self.cell_of(address, None), False
        if of_logout is not None and of_logout not in told:
            cell = None if of_logout in closed else self.cell_of(logout_address, None)
            told[of_logout] = of_logout, logout, cell, False
        return _following(before, sorted(told.values()) if len(told) > 1 else told.values())

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

    def _recorded(self, month: str, login: Login, activities: list[Activity]) -> tuple[str, float, Cell, bool]:
        same = (a.address for a in activities if a.kind == "login" and a.address and _is_same_login(a, login))
        cell = self.cell_of(login.address or next(same, None), login.resource)
        return month, login.when, cell, True

    def _bare(self, month: str, activities: list[Activity]) -> tuple[str, float, Cell, bool]:
        address = next((a.address for a in activities if a.address), None)
        newest = max(a.when for a in activities)
        return month, newest, self.cell_of(address, None), False


def _following(before: float | None, told: Iterable[_Told]) -> list[Visit]:
    """The visits of one record, oldest first, each with the last activity known before it: one from before the record
    or, in it, an earlier visit. Where the former is unknown, the latter tells of the month right before alone. One
    without a cell only is before the next."""
    found: list[Visit] = []
    earlier: tuple[str, float] | None = None
    for month, when, cell, recorded in told:
        known = before
        if earlier is not None and (before is not None or earlier[0] == shift(month, -1)):
            known = earlier[1] if before is None or earlier[1] > before else before
        if cell is not None:
            found.append(Visit(month, when, cell, recorded, known))
        earlier = month, when
    return found


def _is_same_login(activity: Activity, login: Login) -> bool:
    """Authentication comes first; a login after the record is a later one, with an address of its own."""
    return 0 <= login.when - activity.when <= SAME_LOGIN


def plain_presence(user: PlainUser) -> tuple[int, bool, str | None, str | None]:
    """Of a plain user the newest activity, whether a session seems open, and the newest address and resource."""
    _, _, login, logout, login_address, logout_address, logins = user
    address: str | None
    if login_address and (login >= logout or not logout_address):
        newest, address = login, login_address
    else:
        newest, address = logout if logout_address else 0, logout_address
    resource = None
    for when, its_address, its_resource in logins:
        if its_address and when > newest:
            newest, address = when, its_address
        resource = its_resource or resource
    newest = max(login, logout, logins[-1][0]) if logins else max(login, logout)
    return newest, login > logout, address, resource


def _newest(told: list[tuple[float, str | None]]) -> str | None:
    """The newest text that was told at all."""
    known = [(when, text) for when, text in told if text]
    return max(known, key=lambda pair: pair[0])[1] if known else None
