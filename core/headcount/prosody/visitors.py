"""What mod_monthly_visitors counted: its aggregate of one host, month by month, in either of two shapes.

Flat, the original: `geo-DE-HE-2925533` and `client-IOS`, each with a number. Nested, a variant:
`DE-HE-2925533` with `users_seen` and `clients_seen`. A number as value tells the one, a table the other. A
month in which the module was exchanged holds both; its users are different ones then, for each is counted
once, so the two are added.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from headcount.prosody.file_problems import (
    DISAGREE,
    EMPTY,
    NO_COUNT,
    NO_MONTH,
    UNEXPECTED,
    UNREADABLE,
    FileProblem,
    kind_of,
    merged,
)
from headcount.prosody.lua_table import LuaTable, LuaValue, parse
from headcount.prosody.lua_tokens import UnreadableError
from headcount.prosody.stores import month_key
from headcount.records import VisitedMonth
from headcount.text import clean

_Place = tuple[str | None, str | None, int | None]
_Key = TypeVar("_Key")

UNKNOWN: Final = "?"
_NOWHERE: Final[_Place] = (None, None, None)
_HIGHEST: Final = 2**53  # beyond it, a float is no count
_CITY_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class VisitorsReading:
    """The months of one host in their order, and what was wrong in its file."""

    months: tuple[VisitedMonth, ...] = ()
    problems: tuple[FileProblem, ...] = ()


def read_visitors(data: bytes) -> VisitorsReading:
    """What a host's `monthly%2dvisitors.dat` says. Never raises for what the file holds."""
    if data.strip() in (b"", b"return"):
        return VisitorsReading(problems=(FileProblem(EMPTY, "the file is empty: what it held is lost"),))
    try:
        return visitors(parse(data))
    except UnreadableError as error:
        return VisitorsReading(problems=(FileProblem(UNREADABLE, str(error)),))


def visitors(value: LuaValue) -> VisitorsReading:
    """The aggregate as months. A month without any count is left out."""
    if value is None:
        return VisitorsReading()
    if not isinstance(value, dict):
        return VisitorsReading(problems=(FileProblem(UNEXPECTED, f"it holds {kind_of(value)}, not a table"),))
    months: list[VisitedMonth] = []
    problems: list[FileProblem] = []
    for key, entries in value.items():
        month = month_key(key)
        if month is None:
            problems.append(FileProblem(NO_MONTH, "counts stand under what is no month YYYY-MM"))
        elif not isinstance(entries, dict):
            problems.append(FileProblem(UNEXPECTED, f"{month} is {kind_of(entries)}, not a table"))
        else:
            counted = _Month(month, problems)
            counted.add(entries)
            months += counted.visited()
    return VisitorsReading(tuple(sorted(months, key=lambda visited: visited.month)), merged(problems))


def read_marker(data: bytes) -> str | FileProblem:
    """The month in which mod_monthly_visitors last counted the user whose file this is, or why nothing tells it.
    Never raises for what the file holds."""
    try:
        value = parse(data)
    except UnreadableError as error:
        return FileProblem(UNREADABLE, str(error))
    return visitor_marker(value) or FileProblem(NO_MONTH, "it names no month, so its user may be counted twice")


def visitor_marker(value: LuaValue) -> str | None:
    """The month in which mod_monthly_visitors last counted a user, from that user's own file; None if none."""
    marker = value.get(b"last-recorded") if isinstance(value, dict) else None
    return month_key(marker) if isinstance(marker, bytes) else None


@dataclass(slots=True)
class _Month:
    """One month while it is read."""

    month: str
    problems: list[FileProblem]
    flat_places: dict[_Place, int] = field(default_factory=dict)
    flat_clients: dict[str, int] = field(default_factory=dict)
    cells: dict[tuple[_Place, str], int] = field(default_factory=dict)

    def add(self, entries: LuaTable) -> None:
        for key, value in entries.items():
            if not isinstance(key, bytes):
                self._problem(UNEXPECTED, "a key is not text")
            elif isinstance(value, dict):
                self._add_nested(self._place(key), value)
            elif key.startswith(b"geo-"):
                _add(self.flat_places, self._place(key[4:]), self._count(value))
            elif key.startswith(b"client-"):
                _add(self.flat_clients, _client(key[7:]), self._count(value))
            else:
                self._problem(UNEXPECTED, "a key is neither a place nor a client")
        if sum(self.flat_places.values()) != sum(self.flat_clients.values()):
            self._problem(DISAGREE, "their sums are not the same")

    def _add_nested(self, place: _Place, entry: LuaTable) -> None:
        """A user of `users_seen` whom no client accounts for has client `?`.

        Where the clients are more than `users_seen`, they are believed: each was counted with a user.
        """
        seen = self._count(entry.get(b"users_seen", 0))
        of_clients = entry.get(b"clients_seen", {})
        if not isinstance(of_clients, dict):
            self._problem(UNEXPECTED, f"clients_seen is {kind_of(of_clients)}, not a table")
            of_clients = {}
        known = 0
        for name, value in of_clients.items():
            if isinstance(name, bytes):
                count = self._count(value)
                known += count
                _add(self.cells, (place, _client(name)), count)
            else:
                self._problem(UNEXPECTED, "a client's name is not text")
        if known > seen:
            self._problem(DISAGREE, "a place has more clients than users")
        _add(self.cells, (place, UNKNOWN), max(0, seen - known))

    def visited(self) -> Iterator[VisitedMonth]:
        """The month, if anything was counted in it. Only one that is nested throughout has joint counts."""
        places, clients = dict(self.flat_places), dict(self.flat_clients)
        for (place, client), users in self.cells.items():
            _add(places, place, users)
            _add(clients, client, users)
        if places or clients:
            joint = not self.flat_places and not self.flat_clients
            yield VisitedMonth(self.month, places, clients, self.cells if joint else None)

    def _place(self, key: bytes) -> _Place:
        """`DE-HE-2925533`, each part `?` where unknown. Users of a place that cannot be read are nowhere."""
        country, _, rest = clean(key).partition("-")
        subdivision, _, city = rest.rpartition("-")
        digits = city.isascii() and city.isdigit() and len(city) <= _CITY_DIGITS
        if not country or not subdivision or not (digits or city == UNKNOWN):
            self._problem(UNEXPECTED, "a place is not written as country-subdivision-city")
            return _NOWHERE
        return (_known(country), _known(subdivision), int(city) if digits else None)

    def _count(self, value: LuaValue) -> int:
        """A number of users, which Lua may hold as a float; 0 for what is none."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._problem(NO_COUNT, f"a count is {kind_of(value)}")
        elif not 0 <= value <= _HIGHEST or value != int(value):  # NaN is in no range
            self._problem(NO_COUNT, "a count is negative, broken or beyond all reason")
        else:
            return int(value)
        return 0

    def _problem(self, what: str, why: str) -> None:
        self.problems.append(FileProblem(what, f"{self.month}: {why}"))


def _add(counts: dict[_Key, int], key: _Key, users: int) -> None:
    if users:
        counts[key] = counts.get(key, 0) + users


def _client(name: bytes) -> str:
    return clean(name) or UNKNOWN


def _known(part: str) -> str | None:
    return None if part == UNKNOWN else part
