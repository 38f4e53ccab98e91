"""Active users of one host: who was active in the last 24 hours, 7 and 30 days, exact at every second.

A user counts in a window while `now - last_activity < window`, as mod_measure_active_users has it, and is
counted in the one cell (place, client) that is known of them last. Nothing here asks for the time. Users are known by
their keys (`keys`) alone, and take 16 bytes each.
"""

import heapq
import math
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from headcount.compact import CompactMap, places_of, without
from headcount.index import Rest, UserFigures, UsersIndex
from headcount.snapshot import Active, Cell, Place

DAY = 86_400
WINDOWS = (DAY, 7 * DAY, 30 * DAY)
AHEAD: Final = 3600.0
"""Seconds for which the users who will leave a window are known in advance, so that all are looked through once in
that time."""


class Presence(NamedTuple):
    """What is known of a user now: the newest activity (Unix seconds, may be infinite; `NEVER`), the cell,
    and whether a session seems open."""

    last: float
    cell: Cell
    is_open: bool


NEVER = -math.inf

# A user is one number: the second of the last activity, the number of the cell, whether a session is open. The first
# of the seconds means NEVER, the last one that `_odd` tells: no whole second, or one too far away.
_CELL_BITS: Final = 27
_SHIFT: Final = _CELL_BITS + 1
_NEVER: Final = 0
_ODD: Final = (1 << (64 - _SHIFT)) - 1
_CELL: Final = (1 << _CELL_BITS) - 1
# What an index tells of users without any activity, and of those who were not there for a long time: a second that is
# long ago, and the first cell, whichever it is.
_NOBODY: Final = 0
_LONG_AGO: Final = 1 << _SHIFT
_PART: Final = 1 << 11
"""Users that are looked at in one go: a list of all would take much memory, and let no other thread have a turn."""


PlainPresence = tuple[int, int, int, bool]
"""A user's key, the whole second of the newest activity, the number of a cell, whether a session seems open."""


class ActiveUsers:
    """Counts a host's users by window and cell while time goes by.

    Who leaves a window within the next hour has a timer for it. A later activity does not move it: it fires, and
    finds that the user does not leave. So an update costs nothing but the change of counts, and a second in which
    nobody leaves costs nothing at all.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._users = CompactMap()
        self._odd: dict[int, float] = {}
        self._cells: list[Cell] = []
        self._numbers: dict[Cell, int] = {}
        self._counts: list[list[int]] = []  # by cell: users in the last day, week, month; open sessions
        self._timers: list[tuple[float, int]] = []
        self._horizon = now
        """All who leave a window after now and not after this have a timer."""
        self._frozen: dict[Cell, Active] | None = None

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[int]:
        return iter(self._users)

    def __contains__(self, key: int) -> bool:
        return key in self._users

    def last(self, key: int, default: float | None) -> float | None:
        """A user's newest activity; `default` for one who is not there."""
        packed = self._users.get(key)
        return default if packed is None else self._last(key, packed)

    def cell_number(self, cell: Cell) -> int:
        """The number that a cell has here."""
        number = self._numbers.get(cell)
        if number is None:
            number = self._numbers[cell] = len(self._cells)
            if number > _CELL:
                raise OverflowError("there are more cells than can be numbered")
            self._cells.append(cell)
            self._counts.append([0, 0, 0, 0])
        return number

    def put(self, key: int, presence: Presence) -> None:
        """Takes what is known of a user now in place of what was known before."""
        self.exchange(key, presence.last, self.cell_number(presence.cell), presence.is_open)

    def exchange(self, key: int, last: float, cell: int, is_open: bool) -> float | None:
        """As `put`; `cell` is the number of a cell. Returns the newest activity known before, None where the user was
        not known."""
        second = int(last) if 0 < last < _ODD else _NEVER if last == NEVER else _ODD
        is_odd = second == _ODD or (second != last and last != NEVER)
        packed = (_ODD if is_odd else second) << _SHIFT | cell << 1 | is_open
        before = self._users.put(key, packed)
        if before == packed and not is_odd:
            return self._last(key, packed)
        last_before = None
        if before is not None:
            last_before = self._last(key, before)
            if before == packed and last_before == last:
                return last_before
            self._count(last_before, before, -1)
            if before >> _SHIFT == _ODD and not is_odd:
                del self._odd[key]
        if is_odd:
            self._odd[key] = last
        self._count(last, packed, +1)
        self._set_timer(key, last)
        return last_before

    def exchange_many(self, users: Sequence[PlainPresence]) -> list[float | None]:
        """As `exchange`, of many users, each there once, in a fraction of the time."""
        if any(not 0 < last < _ODD for _, last, _, _ in users):
            return [self.exchange(*user) for user in users]
        all_packed = [last << _SHIFT | cell << 1 | is_open for _, last, cell, is_open in users]
        befores = self._users.put_many([user[0] for user in users], all_packed)
        counts, (day, week, month) = self._counts, [self._now - window for window in WINDOWS]
        known: list[float | None] = []
        note, is_ahead = known.append, self._horizon > self._now
        self._frozen = None
        for (key, last, cell, is_open), packed, before in zip(users, all_packed, befores, strict=True):
            if before is None:
                note(None)
            elif before == packed:
                note(last)
                continue
            else:
                last_before = self._last(key, before)
                note(last_before)
                self._count(last_before, before, -1)
                if before >> _SHIFT == _ODD:
                    del self._odd[key]
            of_cell = counts[cell]
            if last > month:
                of_cell[2] += 1
                if last > week:
                    of_cell[1] += 1
                    if last > day:
                        of_cell[0] += 1
                if is_ahead:
                    self._set_timer(key, last)
            if is_open:
                of_cell[3] += 1
        return known

    def remove(self, key: int) -> None:
        """Forgets a user; one who is not there is no error."""
        packed = self._users.pop(key)
        if packed is not None:
            self._count(self._last(key, packed), packed, -1)
            self._odd.pop(key, None)

    def advance(self, now: float) -> None:
        """Moves the windows to `now` (Unix seconds); back too, at the cost of counting anew."""
        if now < self._now:
            self._now = now
            self._count_anew()
            return
        if now > self._horizon:
            self._look_ahead(now + AHEAD)
        self._now = now
        fired: tuple[float, int] | None = None
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)
            if timer != fired:  # one who came, left and came back has two
                fired = timer
                self._fire(*timer)

    def cells(self) -> dict[Cell, Active]:
        """The counts by cell, of cells that hold anybody. It is never changed: a later call gives another."""
        if self._frozen is None:
            self._frozen = _by_cell(self._cells, self._counts)
        return self._frozen

    def export(self, recent: float, left: Collection[int]) -> "Export":
        """Everything as it is now, for a restart index, of which another thread can make one.

        Of a user who was not there for thirty days it holds no more than that, and none who was there since `recent`
        or whose session is open, for of those more would have to be known; nor those in `left`.
        """
        figures = UserFigures(
            self._now,
            len(self._users),
            [[*cell.place, cell.client] for cell in self._cells],
            [[*of_cell] for of_cell in self._counts],
        )
        return Export(figures, *self._users.columns(), dict(self._odd), math.floor(recent), left)

    @classmethod
    def restored(cls, index: UsersIndex) -> "ActiveUsers":
        """The active users that were exported. Takes their columns out of the index, which are large."""
        active = cls(index.figures.now)
        for cell in _cells(index.figures):
            active.cell_number(cell)
        active._counts = index.figures.counts
        active._users = CompactMap.of_sorted(index.keys, index.packed)
        index.keys, index.packed = array("Q"), array("Q")
        return active

    def _last(self, key: int, packed: int) -> float:
        return _last(key, packed, self._odd)

    def _count(self, last: float, packed: int, by: int) -> None:
        """Counts a user, or no longer, in the windows that they are in at this moment."""
        self._frozen = None
        _count(self._counts, self._now, last, packed, by)

    def _set_timer(self, key: int, last: float) -> None:
        for window in WINDOWS:
            if self._now < last + window <= self._horizon:
                heapq.heappush(self._timers, (last + window, key))

    def _look_ahead(self, horizon: float) -> None:
        """Sets timers for all who leave a window after the horizon of before and not after the new one."""
        for window in WINDOWS:
            first = max(math.floor(self._horizon - window) + 1, 1) << _SHIFT
            end = (math.floor(horizon - window) + 1) << _SHIFT
            if first < end:
                for key, packed in self._users.between(first, end):
                    if packed >> _SHIFT != _ODD:
                        heapq.heappush(self._timers, ((packed >> _SHIFT) + window, key))
            for key, last in self._odd.items():
                if self._horizon < last + window <= horizon:
                    heapq.heappush(self._timers, (last + window, key))
        self._horizon = horizon

    def _fire(self, when: float, key: int) -> None:
        """Takes a user out of the window that they leave at that moment, if it is still so."""
        packed = self._users.get(key)
        if packed is None:
            return
        last = self._last(key, packed)
        for index, window in enumerate(WINDOWS):
            if last + window == when:
                self._counts[packed >> 1 & _CELL][index] -= 1
                self._frozen = None

    def _count_anew(self) -> None:
        self._counts = [[0, 0, 0, 0] for _ in self._cells]
        self._timers.clear()
        self._horizon = self._now
        self._frozen = None
        for key, packed in self._users.items():
            self._count(self._last(key, packed), packed, +1)


@dataclass(slots=True)
class Export:
    """Active users on their way into a restart index (`ActiveUsers.export`): copies of all, and who is to be `left`
    out. It is used once."""

    figures: UserFigures
    keys: "array[int]"
    packed: "array[int]"
    odd: Mapping[int, float]
    recent: int
    left: Collection[int]

    def told(self, rest: Rest) -> "tuple[UsersIndex, array[int]]":
        """What the index tells, and the keys of all whom it leaves out. `rest` is called now and then."""
        keys, packed = self.keys, self.packed
        since = (math.floor(self.figures.now - WINDOWS[-1]) + 1) << _SHIFT
        odd, nobody = _ODD << _SHIFT, 1 << _SHIFT
        untold = max(self.recent << _SHIFT, nobody)
        left = set(places_of(self.left, keys))
        for at in left:
            self._count_no_more(keys[at], packed[at])
        for start in range(0, len(keys), _PART):
            rest()
            some = packed[start : start + _PART]
            said = [
                of_user
                if since <= of_user < odd
                else odd
                if of_user & 1 or of_user >= untold
                else _NOBODY
                if of_user < nobody
                else _LONG_AGO
                for of_user in some
            ]
            if odd in said:
                for at in [start + n for n, of_user in enumerate(said) if of_user == odd]:
                    if at not in left:
                        left.add(at)
                        self._count_no_more(keys[at], packed[at])
            packed[start : start + _PART] = array("Q", said)
        places = sorted(left)
        left_out = array("Q", map(keys.__getitem__, places))
        left_out.extend(self.left)
        self.keys = keys = without(keys, places)
        self.packed = packed = without(packed, places)
        self.figures.known = len(keys)
        return UsersIndex(self.figures, keys, packed), left_out

    def _count_no_more(self, key: int, packed: int) -> None:
        _count(self.figures.counts, self.figures.now, _last(key, packed, self.odd), packed, -1)


class Remembered:
    """The figures of active users that were exported, to be shown until the users themselves are there."""

    def __init__(self, figures: UserFigures) -> None:
        self._known = figures.known
        self._by_cell = _by_cell(_cells(figures), figures.counts)

    def __len__(self) -> int:
        return self._known

    def cells(self) -> dict[Cell, Active]:
        """As `ActiveUsers.cells`."""
        return self._by_cell


def _last(key: int, packed: int, odd: Mapping[int, float]) -> float:
    """A user's newest activity; `odd` has those that no whole second tells."""
    second = packed >> _SHIFT
    if second == _ODD:
        return odd[key]
    return NEVER if second == _NEVER else second


def _count(counts: list[list[int]], now: float, last: float, packed: int, by: int) -> None:
    """Counts a user, or no longer, in the windows that they are in at `now`."""
    of_cell = counts[packed >> 1 & _CELL]
    for index, window in enumerate(WINDOWS):
        if now < last + window:
            of_cell[index] += by
    if packed & 1:
        of_cell[3] += by


def _cells(figures: UserFigures) -> list[Cell]:
    return [Cell(Place(country, subdivision, city), client) for country, subdivision, city, client in figures.cells]


def _by_cell(cells: Sequence[Cell], counts: Sequence[Sequence[int]]) -> dict[Cell, Active]:
    return {cell: Active(*of_cell) for cell, of_cell in zip(cells, counts, strict=True) if any(of_cell)}
