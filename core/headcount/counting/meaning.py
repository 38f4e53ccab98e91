"""What a user's record means: where they are, with which client, and in which months they visited."""

from collections.abc import Callable, Collection, Sequence
from datetime import tzinfo
from typing import NamedTuple

from headcount.counting.activity_rule import NEVER, Presence
from headcount.months import Months, shift
from headcount.records import UserRecord
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


SeenMonth = tuple[str, float, Cell | None, bool]
"""What a record says of one month: the month, the moment, the cell, whether a login record tells it."""


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
        self._countries = countries

    @property
    def records_all(self) -> bool:
        """Whether no user is left out."""
        return self._countries is None

    def cell_of(self, address: str | None, resource: str | None) -> Cell:
        """The cell of a user of whom that address and resource are known."""
        return Cell(self._place_of(address), self._client_of(resource))

    def read(self, user: UserRecord, closed: Collection[str] = ()) -> tuple[Presence, list[SeenMonth]]:
        """What a record says of now, and what it says of each month that it speaks of, oldest first; without a cell
        where that is `closed`.

        A month's login record decides its place and client; without one, the month's first login, or else its
        first activity, decides the place.
        """
        _, _, login, login_address, logout, logout_address, seen, logins, more, _, _, _ = user
        month_of, cell_of = self.month_of, self.cell_of
        newest = opened = login
        located, address = (login, login_address) if login_address else (NEVER, None)
        bare: dict[str, tuple[float, str | None]] = {}
        if login and (month := month_of(login)) is not None:
            bare[month] = login, login_address
        later = [(logout, logout_address), (seen, None)] if seen else [(logout, logout_address)] if logout else []
        if more:
            later, bare = _in_rank(user), {}
        for when, its_address in later:
            if when > newest:
                newest = when
            if its_address and when > located:
                located, address = when, its_address
            if when and (month := month_of(when)) is not None:
                if month in bare:
                    of_month = bare[month]
                    bare[month] = when if when > of_month[0] else of_month[0], of_month[1] or its_address
                else:
                    bare[month] = when, its_address
        resource = None
        recorded: dict[str, tuple[float, str | None, str | None]] = {}
        for when, its_address, its_resource in logins:
            if when > newest:
                newest = when
            if when > opened:
                opened = when  # written at the same login, or at a later one
            if its_address and when > located:
                located, address = when, its_address
            resource = its_resource or resource
            if (month := month_of(when)) is not None and month not in recorded:
                recorded[month] = when, its_address or _address_at(user, when), its_resource
                bare.pop(month, None)
        cell = cell_of(address, resource)
        known = address, resource  # most users have one address, and need not be looked up twice
        is_open = login > logout
        presence = Presence(newest or NEVER, cell, is_open, opened if is_open else None)
        seen_months: list[SeenMonth] = []
        for month, (when, its_address) in bare.items():
            its_cell = None if month in closed else cell if (its_address, None) == known else cell_of(its_address, None)
            seen_months.append((month, when, its_cell, False))
        for month, (when, its_address, its_resource) in recorded.items():
            its_own = its_address, its_resource
            seen_months.append(
                (month, when, None if month in closed else cell if its_own == known else cell_of(*its_own), True)
            )
        if len(seen_months) > 1:
            seen_months.sort(key=_month)
        if self._countries is not None:
            presence = presence if self._is_recorded(cell.place) else NOBODY
            seen_months = [one for one in seen_months if one[2] is None or self._is_recorded(one[2].place)]
        return presence, seen_months

    def _is_recorded(self, place: Place) -> bool:
        return self._countries is None or place.country in self._countries


def _in_rank(user: UserRecord) -> list[tuple[float, str | None]]:
    """All activities, the logins before the others, each by their time."""
    activities = sorted(user.activities, key=lambda activity: (activity[1] != "login", activity[0]))
    return [(when, address) for when, _, address in activities]


def _address_at(user: UserRecord, when: float) -> str | None:
    """The address that was logged at the login of which a login record tells. Authentication comes first; a login
    after the record is a later one, with an address of its own."""
    same = [
        (its_when, address)
        for its_when, kind, address in user.activities
        if kind == "login" and address and 0 <= when - its_when <= SAME_LOGIN
    ]
    return min(same)[1] if same else None


def visits_of(seen_months: Sequence[SeenMonth], before: float | None) -> list[Visit]:
    """The visits of one user, oldest first, each with the last activity known before it: one from before
    the record or, in it, an earlier visit. Where the former is unknown, the latter tells of the month right before
    alone. One without a cell only is before the next."""
    if len(seen_months) == 1:  # as most are
        month, when, cell, recorded = seen_months[0]
        return [] if cell is None else [Visit(month, when, cell, recorded, before)]
    found: list[Visit] = []
    earlier: tuple[str, float] | None = None
    for month, when, cell, recorded in seen_months:
        known = before
        if earlier is not None and (before is not None or earlier[0] == shift(month, -1)):
            known = earlier[1] if before is None or earlier[1] > before else before
        if cell is not None:
            found.append(Visit(month, when, cell, recorded, known))
        earlier = month, when
    return found


def _month(seen: SeenMonth) -> str:
    return seen[0]
