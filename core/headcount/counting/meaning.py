"""What a user's record means: where they are, with which client, and in which months they visited."""

from collections.abc import Callable, Collection, Iterable
from datetime import tzinfo
from typing import NamedTuple

from headcount.counting.presence import NEVER, Presence
from headcount.months import Months, shift
from headcount.records import Activity, UserRecord
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

    def presence(self, user: UserRecord) -> Presence:
        """The user's newest activity, from anywhere; the newest place and client that are known."""
        newest = login = logout = located = NEVER
        address = resource = None
        for when, kind, its_address in user.activities:
            if when > newest:
                newest = when
            if kind == "login":
                if when > login:
                    login = when
            elif kind == "logout" and when > logout:
                logout = when
            if its_address and when > located:
                located, address = when, its_address
        is_open = login > logout
        for when, its_address, its_resource in user.logins:
            if when > newest:
                newest = when
            if when > login:
                login = when  # written at the same login, or at a later one
            if its_address and when > located:
                located, address = when, its_address
            resource = its_resource or resource
        cell = self.cell_of(address, resource)
        if not self._is_recorded(cell.place):
            return NOBODY
        return Presence(newest, cell, is_open, login if is_open else None)

    def visits(self, user: UserRecord, before: float | None = None, closed: Collection[str] = ()) -> list[Visit]:
        """One visit for each month that the record speaks of and that is not `closed`, oldest first. `before` is the
        last activity known from before the record; None where it is unknown.

        A month's login record decides its place and client; without one, the month's first login, or else its
        first activity, decides the place.
        """
        told: dict[str, _Told] = {}
        for when, address, resource in user.logins:
            month = self.month_of(when)
            if month is not None and month not in told:
                cell = None if month in closed else self.cell_of(address or _address_at(user, when), resource)
                told[month] = month, when, cell, True
        bare: dict[str, _Bare] = {}
        for activity in user.activities:
            month = self.month_of(activity[0])
            if month is not None and month not in told:
                bare[month] = _Bare.of(activity) if month not in bare else bare[month].with_one_more(activity)
        for month, one in bare.items():
            told[month] = month, one.newest, None if month in closed else self.cell_of(one.address, None), False
        told_in_order = [told[month] for month in sorted(told)] if len(told) > 1 else told.values()
        if self._countries is not None:
            told_in_order = [one for one in told_in_order if one[2] is None or self._is_recorded(one[2].place)]
        return _following(before, told_in_order)

    def _is_recorded(self, place: Place) -> bool:
        return self._countries is None or place.country in self._countries


class _Bare(NamedTuple):
    """The activities of a month without a login record: the newest moment, and the address that tells the place, with
    the moment that it was logged at and whether that was at a login."""

    newest: float
    address: str | None
    when: float
    is_login: bool

    @classmethod
    def of(cls, activity: Activity) -> "_Bare":
        when, kind, address = activity
        return cls(when, address, when, kind == "login")

    def with_one_more(self, activity: Activity) -> "_Bare":
        when, kind, address = activity
        newest, is_login = max(self.newest, when), kind == "login"
        if address and (not self.address or (not is_login, when) < (not self.is_login, self.when)):
            return _Bare(newest, address, when, is_login)
        return self._replace(newest=newest)


def _address_at(user: UserRecord, when: float) -> str | None:
    """The address that was logged at the login of which a login record tells. Authentication comes first; a login
    after the record is a later one, with an address of its own."""
    same = [
        (its_when, address)
        for its_when, kind, address in user.activities
        if kind == "login" and address and 0 <= when - its_when <= SAME_LOGIN
    ]
    return min(same)[1] if same else None


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
