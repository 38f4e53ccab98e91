"""Takes over what mod_monthly_visitors counted: its months beside ours, nobody counted twice, nothing guessed.

A month that is over is taken as it is, and is closed. Of the current month the module's markers tell whom it counted,
so its counts can be put together with ours exactly: a user whom both counted is taken out of ours. That needs to know
where we counted them, which is forgotten once a login record has told it. Such a month, and one that both counted
and that is over, is a conflict: the state stays as it is.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from headcount.counting.counted import How
from headcount.counting.month_users import Month, MonthChange
from headcount.records import VisitedMonth
from headcount.snapshot import Cell, MonthCounts, Place, Quality

_K = TypeVar("_K", Place, Cell)

FUTURE = "it has not begun yet: is a clock wrong?"
OWN = "Headcount counted it too, and nothing tells which users both counted"
EXACT = "Headcount counted it exactly"
OTHER = "other figures were imported before, and these are not a later state of them"


class Outcome(StrEnum):
    """What became of a month."""

    TAKEN = "taken over"
    UPDATED = "updated"
    REPLACED = "replaced"
    THERE = "already there"
    PRUNED = "pruned before"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one month: `users` as the module counted it, `marked` those of them with a marker, `had` what
    the state had before and has now (None: nothing); and why it is a conflict, where it is one."""

    month: str
    outcome: Outcome
    users: int
    marked: int
    had: MonthCounts | None
    has: MonthCounts | None
    why: str = ""


class _ConflictError(Exception):
    """Why a month cannot be taken over."""


@dataclass(slots=True)
class TakingOver:
    """Takes over the months of one host, into `months` as the state had them; `changes` is what has to be kept of it.
    `current` is the month of now.

    With `replace` what the module counted stands in place of lower bounds of ours that it conflicts with; an exact
    month of ours always stays. Months before `pruned_before` stay away. `new_key` gives 32 random bytes.
    """

    host: str
    months: dict[str, Month]
    current: str
    new_key: Callable[[], bytes]
    replace: bool = False
    pruned_before: str = ""
    changes: dict[str, MonthChange] = field(default_factory=dict)

    def take(self, name: str, counts: MonthCounts, marked: Collection[str] = ()) -> Taken:
        """Takes one month; `marked` are the users whom the module says it counted in it."""
        before, why = self._counts(name), ""
        try:
            outcome = self._take(name, self.months.get(name), counts, marked)
        except _ConflictError as conflict:
            outcome, why = Outcome.CONFLICT, str(conflict)
        return Taken(name, outcome, counts.users, len(marked), before, self._counts(name), why)

    def _counts(self, name: str) -> MonthCounts | None:
        month = self.months.get(name)
        return None if month is None else month.counts()

    def _take(self, name: str, had: Month | None, counts: MonthCounts, marked: Collection[str]) -> Outcome:
        if name > self.current:
            raise _ConflictError(FUTURE)
        if name < self.pruned_before:
            return Outcome.PRUNED
        if had is None:
            self._begin(name, counts, marked)
            return Outcome.TAKEN
        hashes = self._hashes(had, marked) if name == self.current else []
        knows_all = all(digest in had.counted for digest in hashes)
        if knows_all and (_is_same(counts, had.imported) or _is_same(counts, had.counts())):
            return Outcome.THERE
        try:
            if name == self.current:
                _put_together(had, counts, hashes)
            else:
                _grow(had, counts)
        except _ConflictError:
            if not self.replace or had.quality is Quality.EXACT:
                raise
            self._begin(name, counts, marked)
            return Outcome.REPLACED
        self._note(name, had, hashes)
        return Outcome.UPDATED

    def _begin(self, name: str, counts: MonthCounts, marked: Collection[str]) -> None:
        """The month as the module has it, and nothing else. It counts nobody late, so what is over is closed."""
        is_open = name == self.current
        month = Month(Quality.IMPORTED, key=self.new_key() if is_open else None, closed=not is_open)
        hashes = self._hashes(month, marked)
        month.take_over(counts, hashes)
        self.months[name] = month
        self._note(name, month, hashes)

    def _note(self, name: str, month: Month, hashes: list[bytes]) -> None:
        self.changes[name] = MonthChange(set(month.cells), bytearray().join(hashes), replaces_all=True)

    def _hashes(self, month: Month, users: Collection[str]) -> list[bytes]:
        return [] if month.key is None else [month.hash_of(self.host, user) for user in users]


def imported_counts(visited: VisitedMonth) -> MonthCounts:
    """A month of mod_monthly_visitors' own. Where places and clients disagree, the larger sum is believed."""
    if visited.cells is not None:
        cells: dict[Cell, int] = {}
        for (place, client), users in visited.cells.items():
            _add(cells, Cell(_place(*place), client), users)
        return MonthCounts.of(Quality.IMPORTED, cells)
    places: dict[Place, int] = {}
    for place, users in visited.places.items():
        _add(places, _place(*place), users)
    everyone = max(sum(places.values()), sum(visited.clients.values()))
    return MonthCounts(Quality.IMPORTED, everyone, None, places, dict(visited.clients))


def _place(country: str | None, subdivision: str | None, city: int | None) -> Place:
    return Place(country, subdivision, city or None)  # no city has the number 0


def _put_together(month: Month, counts: MonthCounts, hashes: list[bytes]) -> None:
    """The open month of both: users whom both counted are in the module's counts alone."""
    if month.quality is Quality.EXACT:
        raise _ConflictError(EXACT)
    if month.key is None:
        raise _ConflictError(OWN)
    if month.imported is not None and not _has_grown(month.imported, counts):
        raise _ConflictError(OTHER)
    known = [month.counted.get(digest) for digest in hashes]
    if How.FINAL in known:
        raise _ConflictError(OWN)
    for cell in known:
        if isinstance(cell, Cell):
            month.add(cell, -1)
    month.take_over(counts, hashes)


def _grow(month: Month, counts: MonthCounts) -> None:
    """A month that is over and was imported before it was."""
    if month.quality is Quality.EXACT:
        raise _ConflictError(EXACT)
    if month.cells or month.imported is None:
        raise _ConflictError(OWN)
    if not _has_grown(month.imported, counts):
        raise _ConflictError(OTHER)
    month.take_over(counts)


def _is_same(counts: MonthCounts, other: MonthCounts | None) -> bool:
    """Whether the figures are the same as far as both tell. The one shape of the module's files knows margins alone."""
    if other is None:
        return False
    is_joint = counts.cells is not None and other.cells is not None
    return counts.cells == other.cells if is_joint else _margins(counts) == _margins(other)


def _has_grown(earlier: MonthCounts, later: MonthCounts) -> bool:
    """Whether the module can have counted on from the one to the other: it never takes anybody away."""
    places, clients = _margins(later)
    before_places, before_clients = _margins(earlier)
    return all(places.get(place, 0) >= users for place, users in before_places.items()) and all(
        clients.get(client, 0) >= users for client, users in before_clients.items()
    )


def _margins(counts: MonthCounts) -> tuple[Mapping[Place, int], Mapping[str, int]]:
    return counts.places or {}, counts.clients or {}


def _add(counts: dict[_K, int], key: _K, users: int) -> None:
    counts[key] = counts.get(key, 0) + users
