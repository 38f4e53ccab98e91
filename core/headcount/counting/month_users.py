"""Month users of one host: each user once in a month, by place and client. Records in, counts out.

Who was counted is known by a keyed hash alone, and only while a month is open: from its beginning until a week
after its end, for records that come late. A month that was over before anybody looked is counted from what is
there when the host is read for the first time, and is closed when that is done. What mod_monthly_visitors counted
can be taken over (`taking_over`): it stands beside what is counted here, of other users.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TypeVar

from headcount.counting.arrivals import was_there_before, with_one_more
from headcount.counting.counted import Counted, How
from headcount.counting.meaning import Visit
from headcount.counting.month_hashes import HASH_SIZE, UserHashes
from headcount.months import end_of, month_of, shift, start_of
from headcount.snapshot import Arrivals, Cell, MonthCounts, Quality

_K = TypeVar("_K")
SETTLING = 7 * 86_400
"""Seconds after its end for which a month still takes records that come late."""
_ZONES = 2 * 86_400
"""Seconds by which a month of another time zone may have been closed earlier, by a clock that was right."""


@dataclass(slots=True)
class Month:
    """One month of one host while its counts are at hand.

    An open month has a `key`, and knows who was `counted` by their hashes. A closed month has counts alone. One that is
    neither is being read for the first time after it ended. `imported` is what mod_monthly_visitors had counted when
    it was taken over.

    `arrivals` tells who of those counted here were there the month before; None where that was not noted of them all.
    """

    quality: Quality
    cells: dict[Cell, int] = field(default_factory=dict)
    key: bytes | None = None
    counted: Counted = field(default_factory=Counted)
    closed: bool = False
    imported: MonthCounts | None = None
    arrivals: Arrivals | None = field(default_factory=Arrivals)
    _frozen: MonthCounts | None = None
    _hashes: UserHashes | None = None

    def hash_of(self, host: str, user: str) -> bytes:
        """What a user is known by in this month, which must be open."""
        if self._hashes is None or self._hashes.host != host:
            assert self.key is not None, "nobody is known in a month without a key"
            self._hashes = UserHashes(self.key, host)
        return self._hashes.of(user)

    def close(self) -> None:
        """Forgets who was counted."""
        self.closed, self.key, self.counted, self._hashes = True, None, Counted(), None

    def counts(self) -> MonthCounts:
        """The counts as they are now, frozen."""
        if self._frozen is None:
            own = MonthCounts.of(self.quality, dict(self.cells))
            self._frozen = own if self.imported is None else _together(self.imported, own)
        return self._frozen

    def take_over(self, imported: MonthCounts, marked: Iterable[bytes] = ()) -> None:
        """Lets what mod_monthly_visitors counted stand beside what is counted here; `marked` are its users' hashes."""
        self._frozen = None
        self.quality, self.imported = Quality.IMPORTED, imported
        for digest in marked:
            self.counted.put(digest, How.MARKED)

    def add(self, cell: Cell, by: int) -> None:
        """Counts users of a cell, or takes them away."""
        self._frozen = None
        users = self.cells.get(cell, 0) + by
        if users:
            self.cells[cell] = users
        else:
            del self.cells[cell]

    def weaken(self) -> None:
        """Takes note that users may have been missed."""
        if self.quality is Quality.EXACT:
            self._frozen = None
            self.quality = Quality.LOWER_BOUND


@dataclass(slots=True)
class MonthChange:
    """What has to be kept of a month's changes: counts that moved, the hashes of users newly counted, one after the
    other, the month's own row; of one that `replaces_all`, everything in place of everything that was kept, but who was
    counted under the key that it has still."""

    cells: set[Cell] = field(default_factory=set)
    counted: bytearray = field(default_factory=bytearray)
    closed: bool = False
    replaces_all: bool = False

    def hashes(self) -> list[bytes]:
        """The hashes of the users newly counted, in ascending order."""
        return sorted({bytes(self.counted[at : at + HASH_SIZE]) for at in range(0, len(self.counted), HASH_SIZE)})


class MonthlyVisitors:
    """The months of one host. `new_key` gives 32 random bytes; `followed_since` is the moment (Unix seconds) from
    which the host has been followed without a gap over a month's bound, None before it was read once.

    While the clock is doubted (`doubt`), nothing is taken for over that was not so at `sure_until`; and from
    `unseen_since` on it is not sure that anybody looked."""

    def __init__(
        self,
        host: str,
        zone: tzinfo,
        new_key: Callable[[], bytes],
        months: dict[str, Month] | None = None,
        followed_since: float | None = None,
    ) -> None:
        self._host = host
        self.zone = zone
        self._new_key = new_key
        self._reading = True
        self.months = months if months is not None else {}
        self.followed_since = followed_since
        self.pruned_before = ""
        self.sure_until = math.inf
        self.unseen_since = math.inf
        self._doubted_since = -math.inf
        self.changes: dict[str, MonthChange] = {}

    def resume(self, alive_at: float, now: float) -> None:
        """Takes note that nobody looked from `alive_at` to `now`: a month whose bound lies in that gap is a lower
        bound from here on; while the clock is doubted, once it is believed."""
        if self._is_doubted:
            self.unseen_since, self._doubted_since = min(self.unseen_since, alive_at), now
            return
        if month_of(alive_at, self.zone) == month_of(now, self.zone):
            return
        self.followed_since = now
        for name, month in self.months.items():
            bounds = start_of(name, self.zone), end_of(name, self.zone)
            if not month.closed and any(alive_at < bound <= now for bound in bounds):
                month.weaken()
                self._change(name)

    def doubt(self, sure_until: float, now: float) -> None:
        """The clock, which says `now`, is doubted: nothing is over that was not so at `sure_until`, and of how the host
        was followed nothing is sure but what comes from here on."""
        self.sure_until, self._doubted_since = sure_until, now
        self.unseen_since = min(self.unseen_since, sure_until)

    def trust(self, now: float, *, as_it_went: bool) -> None:
        """The clock is believed, `as_it_went` in doubt or as it went before. From when it was sure until the host was
        followed again by it, nobody looked."""
        if self._is_doubted:
            unseen_since, again = self.unseen_since, self._doubted_since if as_it_went else now
            self.sure_until, self.unseen_since, self._doubted_since = math.inf, math.inf, -math.inf
            self.resume(unseen_since, again)

    def forget_after(self, month: str, now: float) -> bool:
        """Forgets what a clock that was ahead wrote: the months after that one, and that the host is followed since a
        moment after `now`; whether there was any of it."""
        later = [name for name in self.months if name > month]
        for name in later:
            del self.months[name]
            self.changes.pop(name, None)
        if self.pruned_before > month:
            self.pruned_before = ""
        was_ahead = self.followed_since is not None and self.followed_since > now
        if was_ahead:
            self.followed_since = now
        return bool(later) or was_ahead

    def open_again(self, now: float, *, at_start: bool) -> list[str]:
        """Puts right what a clock that was ahead closed, by one that is believed: the month that goes on is counted
        again, where all is to be read `at_start`; returns it. Where that can't be, users are missed, and it says so."""
        again = []
        for name, month in self.months.items():
            end = end_of(name, self.zone)
            if not month.closed or now >= end + SETTLING - _ZONES:
                continue
            if at_start and now < end and month.imported is None:
                self.months[name] = Month(Quality.LOWER_BOUND, key=self._new_key())
                self.changes[name] = MonthChange(replaces_all=True)
                again.append(name)
            elif month.quality is Quality.EXACT:
                month.weaken()
                self._change(name)
        return again

    def count(self, user: str, visits: Iterable[Visit], now: float, *, first_seen: bool, put_off: bool = False) -> None:
        """Counts a user's visits in the months that do not know of them yet. `first_seen` says that nothing was
        read of this user since the reading of the host began; `put_off` that they were read before their months had
        begun, as it seemed: so a month that is over by now is counted as far as they go."""
        for visit in visits:
            name, _, cell, recorded, _ = visit
            month = self.months.get(name) or self._begin(name, now, put_off=put_off)
            if month is None or month.closed:
                continue
            if month.key is None:
                if first_seen or put_off:
                    self._add(name, month, cell, +1)
                continue
            digest = month.hash_of(self._host, user)
            known = month.counted.add(digest, How.FINAL if recorded else cell)
            if known is None:
                self._add(name, month, cell, +1)
                self._arrive(user, visit, month)
            elif recorded and isinstance(known, Cell):
                month.counted.put(digest, How.FINAL)
                self._add(name, month, known, -1)
                self._add(name, month, cell, +1)
            else:
                continue
            self.changes[name].counted += digest

    def closed(self) -> set[str]:
        """The months that take no more users."""
        return {name for name, month in self.months.items() if month.closed}

    def is_counted(self, user: str, name: str) -> bool:
        """Whether a user is counted in a month that is open."""
        month = self.months.get(name)
        if month is None or month.key is None:
            return False
        return month.hash_of(self._host, user) in month.counted

    def note_read(self, now: float) -> None:
        """The host has been read once in whole: months that were over before are complete as far as they go."""
        self._reading = False
        if self.followed_since is None:
            self.followed_since = now
        self.close(now)

    def close(self, now: float) -> list[str]:
        """Closes the months that ended a week ago, forgetting who was counted; returns their names.

        Not while the host is being read: what is there of such a month is counted first.
        """
        if self._reading:
            return []
        closing = [name for name, month in self.months.items() if not month.closed and not self._is_open(name, now)]
        for name in closing:
            month = self.months[name]
            month.close()
            change = self._change(name)
            change.closed, change.counted = True, bytearray()
        return closing

    def keepable(self) -> dict[str, tuple[Month, MonthChange]]:
        """The changes that can be kept: those of a month that is being read for the first time wait until all of it
        is there, since nothing would tell after a restart who of it was counted already."""
        return {
            name: (self.months[name], change)
            for name, change in self.changes.items()
            if self.months[name].key is not None or self.months[name].closed
        }

    def note_kept(self, names: Iterable[str]) -> None:
        """The changes of these months have been kept."""
        for name in names:
            del self.changes[name]

    @property
    def _is_doubted(self) -> bool:
        return self._doubted_since > -math.inf

    def _is_open(self, name: str, now: float) -> bool:
        return min(now, self.sure_until) < end_of(name, self.zone) + SETTLING

    def prune(self, before: str) -> None:
        """Forgets the months before that one, and does not count them again."""
        self.pruned_before = before
        for name in [name for name in self.months if name < before]:
            del self.months[name]
            self.changes.pop(name, None)

    def weaken_open(self, now: float) -> None:
        """Takes note that the bounds of the open months have moved."""
        self.followed_since = now
        for name, month in self.months.items():
            if not month.closed:
                month.weaken()
                self._change(name)

    def lack(self, name: str, now: float) -> None:
        """Takes note that users of a month that goes on may be missed, of whom nothing tells any more."""
        self.followed_since = now
        month = self.months.get(name)
        if month is not None and not month.closed:
            month.weaken()
            self._change(name)

    def _begin(self, name: str, now: float, *, put_off: bool) -> Month | None:
        """A month that is counted for the first time; None where it came too late for that."""
        if name < self.pruned_before:
            return None
        is_open = self._is_open(name, now)
        if not is_open and not self._reading and not put_off:
            return None
        since = self.followed_since
        if since is not None and self._is_doubted:  # one that is ahead of this clock is of another one
            since = max(since, self._doubted_since) if since <= now else self._doubted_since
        whole = since is not None and since <= start_of(name, self.zone)
        month = Month(
            Quality.EXACT if whole and is_open else Quality.LOWER_BOUND,
            key=self._new_key() if is_open else None,
        )
        self.months[name] = month
        return month

    def _arrive(self, user: str, visit: Visit, month: Month) -> None:
        """Notes of a user who is first counted in a month whether they were there the month before. One who comes so
        late that the month after has counted them was noted there as new, where this month is exact."""
        if month.arrivals is not None:
            month.arrivals = with_one_more(month.arrivals, self._was_there_before(user, visit))
        after = shift(visit.month, 1)
        later = self.months.get(after)
        if later is not None and later.arrivals is not None and self.is_counted(user, after):
            later.arrivals = with_one_more(later.arrivals, True if month.quality is Quality.EXACT else None)
            self._change(after)

    def _was_there_before(self, user: str, visit: Visit) -> bool | None:
        before = shift(visit.month, -1)
        month = self.months.get(before)
        if month is not None and month.key is not None and month.quality is Quality.EXACT:
            return self.is_counted(user, before)
        return was_there_before(visit.month, visit.before, self.zone)

    def _add(self, name: str, month: Month, cell: Cell, by: int) -> None:
        month.add(cell, by)
        self._change(name).cells.add(cell)

    def _change(self, name: str) -> MonthChange:
        """What has to be kept of a month's changes."""
        change = self.changes.get(name)
        if change is None:
            change = self.changes[name] = MonthChange()
        return change


def known_arrivals(months: Mapping[str, Month]) -> dict[str, Arrivals]:
    """The arrivals of the months that are exact: of another one, those who were missed might have arrived too."""
    return {
        name: month.arrivals
        for name, month in months.items()
        if month.arrivals is not None and month.quality is Quality.EXACT
    }


def _together(imported: MonthCounts, own: MonthCounts) -> MonthCounts:
    """The counts of different users as one; joint where both are."""
    if imported.cells is not None and own.cells is not None:
        return MonthCounts.of(own.quality, _sum(imported.cells, own.cells))
    places = _sum(imported.places or {}, own.places or {})
    clients = _sum(imported.clients or {}, own.clients or {})
    return MonthCounts(own.quality, imported.users + own.users, None, places, clients)


def _sum(one: Mapping[_K, int], other: Mapping[_K, int]) -> dict[_K, int]:
    return dict(Counter(one) + Counter(other))
