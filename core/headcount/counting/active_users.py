"""Active users of one host: who was active in the last 24 hours, 7 and 30 days, exact at every second.

`activity_rule` says what counts; a user is counted in the one cell (place, client) that is known of them last. Nothing
here asks for the time. Users are known by their keys (`user_keys`) alone, and take 16 bytes each.
"""

import heapq
import math
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headcount.compact_map import CompactMap, places_of, without
from headcount.counting.activity_rule import LONGEST_SESSION, NEVER, SECONDS, Presence, Rule
from headcount.counting.saved_users import Rest, UserFigures, UsersIndex
from headcount.snapshot import Active, Cell, Place

AHEAD: Final = 3600.0
"""Seconds for which the users who will leave a window are known in advance, so that all are looked through once in
that time."""

NO_START: Final = Rule()
"""The rule where the server's last start is not known."""

# A user is one number: the second of the last activity, the number of the cell, whether a session is open. It is taken
# apart without a call where that is done for every record.
_CELL_BITS: Final = 27
_SHIFT: Final = _CELL_BITS + 1
_CELL: Final = (1 << _CELL_BITS) - 1
_NEVER: Final = 0
"""The second of one who was never active."""
_LONG_AGO: Final = 1
"""The second that an index tells of one who was not there for thirty days."""
_ODD: Final = (1 << (64 - _SHIFT)) - 1
"""The second of one whom `_odd` tells: no whole second, or one too far away."""
_PART: Final = 1 << 11
"""Users that are looked at in one go: a list of all would take much memory, and let no other thread have a turn."""


class ActiveUsers:
    """Counts a host's users by window and cell while time goes by.

    Who leaves a window within the next hour has a timer for it. A later activity does not move it: it fires, and
    finds that the user does not leave. So an update costs nothing but the change of counts, and a second in which
    nobody leaves costs nothing at all.
    """

    def __init__(self, now: float, rule: Rule = NO_START) -> None:
        self._now = now
        self._rule = rule
        self._users = CompactMap()
        self._odd: dict[int, float] = {}
        self._opened: dict[int, float] = {}  # of some of the odd ones: when their session was opened
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

    def put(self, key: int, presence: Presence) -> float | None:
        """Takes what is known of a user now in place of what was known before; returns the newest activity known
        before, None where the user was not known."""
        last, cell, is_open, opened = presence
        if opened == last:
            opened = None
        second = int(last) if 0 < last < _ODD else _NEVER if last == NEVER else _ODD
        is_odd = second == _ODD or opened is not None or (second != last and last != NEVER)
        number = self._numbers.get(cell)
        if number is None:
            number = self.cell_number(cell)
        packed = (_ODD if is_odd else second) << _SHIFT | number << 1 | is_open
        before = self._users.put(key, packed)
        if before == packed and not is_odd:
            return last
        last_before = None
        if before is not None:
            last_before = self._last(key, before)
            if before == packed and last_before == last and self._opened.get(key) == opened:
                return last_before
            self._count(key, before, -1)
            if _second(before) == _ODD:
                self._forget_odd(key)
        if is_odd:
            self._odd[key] = last
            if opened is not None:
                self._opened[key] = opened
        if last > self._now - SECONDS[-1]:  # nothing counts longer, nor does an open session
            self._count(key, packed, +1)
            if self._horizon > self._now:
                self._set_timers(key, last)
        return last_before

    def remove(self, key: int) -> None:
        """Forgets a user; one who is not there is no error."""
        packed = self._users.pop(key)
        if packed is not None:
            self._count(key, packed, -1)
            self._forget_odd(key)

    def start(self, started: float) -> None:
        """Takes note of the server's last start (Unix seconds): sessions that were opened before it are over."""
        before, self._rule = self._rule, self._rule._replace(started=started)
        first, end = sorted((before.started, started))
        for key, packed in self._users.odd():  # a session seems open
            if first <= self._opened_at(key, packed) < end:
                _count(
                    self._counts, before, self._now, packed, self._last(key, packed), self._opened_at(key, packed), -1
                )
                self._count(key, packed, +1)

    def advance(self, now: float) -> None:
        """Moves the windows to `now` (Unix seconds); back too, at the cost of counting again."""
        if now < self._now:
            self._now = now
            self._count_again()
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

    def due(self) -> float:
        """The next moment at which anybody may leave a window: nothing changes by itself before it."""
        looks_ahead = math.nextafter(self._horizon, math.inf)
        return min(self._timers[0][0], looks_ahead) if self._timers else looks_ahead

    def cells(self) -> dict[Cell, Active]:
        """The counts by cell, of cells that hold anybody. It is never changed: a later call gives another."""
        if self._frozen is None:
            self._frozen = _by_cell(self._cells, self._counts)
        return self._frozen

    def export(self, recent: float, left: Collection[int]) -> "Export":
        """Everything as it is now, for a restart index, of which another thread can make one.

        Of a user who was not there for thirty days it holds no more than that, and none who was there since `recent`,
        for of those more would have to be known; nor those in `left`.
        """
        figures = UserFigures(
            self._now,
            len(self._users),
            [[*cell.place, cell.client] for cell in self._cells],
            [[*of_cell] for of_cell in self._counts],
            self._rule.started,
        )
        columns, odd = self._users.columns(), (dict(self._odd), dict(self._opened))
        return Export(figures, *columns, *odd, self._rule, math.floor(recent), left)

    @classmethod
    def restored(cls, index: UsersIndex, rule: Rule = NO_START) -> "ActiveUsers":
        """The active users that were exported, with the server's last start that was known then. Takes their columns
        out of the index, which are large."""
        active = cls(index.figures.now, rule._replace(started=index.figures.started))
        for cell in _cells(index.figures):
            active.cell_number(cell)
        active._counts = index.figures.counts
        active._users = CompactMap.of_sorted(index.keys, index.packed)
        index.keys, index.packed = array("Q"), array("Q")
        return active

    def _last(self, key: int, packed: int) -> float:
        return _last(key, packed, self._odd)

    def _opened_at(self, key: int, packed: int) -> float:
        return _opened(key, packed, self._odd, self._opened)

    def _forget_odd(self, key: int) -> None:
        self._odd.pop(key, None)
        self._opened.pop(key, None)

    def _count(self, key: int, packed: int, by: int) -> None:
        """Counts a user, or no longer, as they count at this moment."""
        self._frozen = None
        _count(self._counts, self._rule, self._now, packed, self._last(key, packed), self._opened_at(key, packed), by)

    def _set_timers(self, key: int, last: float) -> None:
        ends = [last + window for window in SECONDS]
        if key in self._opened:
            ends.append(self._opened[key] + LONGEST_SESSION)
        for end in ends:
            if self._now < end <= self._horizon:
                heapq.heappush(self._timers, (end, key))

    def _look_ahead(self, horizon: float) -> None:
        """Sets timers for all who leave a window after the horizon of before and not after the new one."""
        for window in SECONDS:
            first = _pack(max(math.floor(self._horizon - window), _NEVER) + 1)
            end = _pack(math.floor(horizon - window) + 1)
            if first < end:
                for key, packed in self._users.between(first, end):
                    if _second(packed) != _ODD:
                        heapq.heappush(self._timers, (_second(packed) + window, key))
            for key, last in self._odd.items():
                if self._horizon < last + window <= horizon:
                    heapq.heappush(self._timers, (last + window, key))
        for key, opened in self._opened.items():
            if self._horizon < opened + LONGEST_SESSION <= horizon:
                heapq.heappush(self._timers, (opened + LONGEST_SESSION, key))
        self._horizon = horizon

    def _fire(self, when: float, key: int) -> None:
        """Counts a user no longer where they counted until that moment, if it is still so."""
        packed = self._users.get(key)
        if packed is None:
            return
        last, opened = self._last(key, packed), self._opened_at(key, packed)
        until = self._rule.counts(math.nextafter(when, -math.inf), last, opened)
        of_cell = self._counts[_cell(packed)]
        for column, (was, counts) in enumerate(zip(until, self._rule.counts(when, last, opened), strict=True)):
            if was and not counts:
                of_cell[column] -= 1
                self._frozen = None

    def _count_again(self) -> None:
        self._counts = [[0, 0, 0, 0] for _ in self._cells]
        self._timers.clear()
        self._horizon = self._now
        self._frozen = None
        for key, packed in self._users.items():
            self._count(key, packed, +1)


@dataclass(slots=True)
class Export:
    """Active users on their way into a restart index (`ActiveUsers.export`): copies of all, and who is to be `left`
    out. It is used once."""

    figures: UserFigures
    keys: "array[int]"
    packed: "array[int]"
    odd: Mapping[int, float]
    opened: Mapping[int, float]
    rule: Rule
    recent: int
    left: Collection[int]

    def index(self, rest: Rest) -> "tuple[UsersIndex, array[int]]":
        """What the index holds, and the keys of all whom it leaves out. `rest` is called now and then."""
        keys, packed = self.keys, self.packed
        since = _pack(math.floor(self.figures.now - SECONDS[-1]) + 1)
        never, ever, long_ago, odd = map(_pack, (_NEVER, _NEVER + 1, _LONG_AGO, _ODD))
        recent = max(_pack(self.recent), ever)
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
                if of_user >= recent
                else never
                if of_user < ever
                else long_ago
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
        last, opened = _last(key, packed, self.odd), _opened(key, packed, self.odd, self.opened)
        _count(self.figures.counts, self.rule, self.figures.now, packed, last, opened, -1)


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


def _pack(second: int, cell: int = 0, is_open: bool = False) -> int:
    """A user as one number; without a cell, the first number of that second."""
    return second << _SHIFT | cell << 1 | is_open


def _second(packed: int) -> int:
    return packed >> _SHIFT


def _cell(packed: int) -> int:
    """The number of a user's cell."""
    return packed >> 1 & _CELL


def _last(key: int, packed: int, odd: Mapping[int, float]) -> float:
    """A user's newest activity; `odd` has those that no whole second tells."""
    second = packed >> _SHIFT
    if second == _ODD:
        return odd[key]
    return NEVER if second == _NEVER else second


def _opened(key: int, packed: int, odd: Mapping[int, float], opened: Mapping[int, float]) -> float:
    """When the session was opened that seems open; `NEVER` where none seems so."""
    if not packed & 1:
        return NEVER
    return opened[key] if key in opened else _last(key, packed, odd)


def _count(counts: list[list[int]], rule: Rule, now: float, packed: int, last: float, opened: float, by: int) -> None:
    """Counts a user, or no longer, as they count at `now`."""
    of_cell = counts[packed >> 1 & _CELL]
    for column, is_counted in enumerate(rule.counts(now, last, opened)):
        if is_counted:
            of_cell[column] += by


def _cells(figures: UserFigures) -> list[Cell]:
    return [Cell(Place(country, subdivision, city), client) for country, subdivision, city, client in figures.cells]


def _by_cell(cells: Sequence[Cell], counts: Sequence[Sequence[int]]) -> dict[Cell, Active]:
    return {cell: Active(*of_cell) for cell, of_cell in zip(cells, counts, strict=True) if any(of_cell)}
