"""One host's counts: its users as the source tells of them, its active users, its months."""

from collections.abc import Collection, Iterable

from headcount.counting.active_users import ActiveUsers, Export, Remembered
from headcount.counting.activity_rule import Rule
from headcount.counting.ahead import Ahead
from headcount.counting.arrivals import LastSeen
from headcount.counting.held import Held
from headcount.counting.meaning import Meaning, visits_of
from headcount.counting.month_users import SETTLING, MonthlyVisitors, known_arrivals
from headcount.counting.saved_users import UserFigures, UsersIndex
from headcount.counting.taking_over import imported_counts
from headcount.months import is_last_second, month_of, shift, start_of
from headcount.records import HostVisitors, UserRecord
from headcount.snapshot import HostCounts, MonthCounts, Quality


class HostCounter:
    """Counts one host. `settle` is for how long (seconds) a user without a login record is held back, so that the
    record of the same login is put together with it. `rule` is what of a user counts as active."""

    def __init__(
        self, host: str, meaning: Meaning, months: MonthlyVisitors, now: float, settle: float, rule: Rule
    ) -> None:
        self.host = host
        self._rule = rule
        self.active = ActiveUsers(now, rule)
        self.months = months
        self._meaning = meaning
        self._seen = LastSeen(is_known=meaning.records_all)
        self._held = Held(settle)
        self._ahead = Ahead(months.zone)
        self._imported: dict[str, MonthCounts] = {}
        self._remembered: Remembered | None = None
        self._was_read = False
        self._read_again: set[int] | None = None
        self._forgot_in = ""
        self._is_lacking = False
        self._went_on = ""
        self._frozen = HostCounts()

    def take(self, users: Iterable[UserRecord], now: float) -> list[tuple[UserRecord, float]]:
        """Counts what a source says of some users now (Unix seconds); returns those whose newest activity lies ahead of
        that, with its moment."""
        closed = self.months.closed()
        later: list[tuple[UserRecord, float]] = []
        seen, ahead, put, read = self._seen, self._ahead, self.active.put, self._meaning.read
        count, was_read, reads_again = self.months.count, self._was_read, self._read_again is not None
        for user in users:
            key = user.key
            if not user.is_known:
                self.lose(key)
                continue
            presence, seen_months = read(user, closed)
            last = self.active.last(key, None) if user.is_unread else None
            if last is None or last <= presence.last:  # else what can't be read now was read before, and was newer
                last = put(key, presence)
            before = seen.before(key, last)
            seen.note(key, has_problems=bool(user.problems))
            visits = visits_of(seen_months, before)
            if (seen_months and seen_months[-1][1] > now) or key in ahead.keys:
                visits = ahead.put_off(key, user.user, visits, now)
            if was_read:
                visits = self._held.hold(key, user.user, visits, now)
            is_first = self._is_first_seen(key, last) if reads_again else last is None
            count(user.user, visits, now, first_seen=is_first)
            if presence.last > now:
                later.append((user, presence.last))
        return later

    def _is_first_seen(self, key: int, last: float | None) -> bool:
        """Whether nothing was read of a user since the reading of the host began. `last` is None for one who was not
        known; those of an index are known before anything is read of them."""
        if self._read_again is None:
            return last is None
        is_first = key not in self._read_again
        self._read_again.add(key)
        return is_first

    def lose(self, key: int) -> None:
        """A user is not in the source any more. What was counted stays counted."""
        self._ahead.lose(key)
        self._seen.lose(key, self.active)
        self.active.remove(key)

    def forget_users(self, now: float) -> None:
        """The host is not in the source any more. What was counted stays counted."""
        self._ahead.lose_all()
        self._seen.lose_all(self.active)
        self.active = ActiveUsers(now, self._rule)
        self._imported = {}

    def start(self, started: float) -> None:
        """The server was started again (Unix seconds)."""
        self._rule = self._rule._replace(started=started)
        self.active.start(started)

    def export(self, now: float, left: Collection[int]) -> Export:
        """The users as they are now, for a restart index, which leaves out those in `left` and all of whom more is to
        be counted. Only once the host was read."""
        self.active.advance(now)
        this = month_of(now, self.months.zone) or ""
        recent = start_of(shift(this, -1), self.months.zone) if this else 0.0
        return self.active.export(recent, {*left, *self._held.keys, *self._seen.apart, *self._ahead.keys})

    def remember(self, figures: UserFigures | None) -> None:
        """Shows the figures of an index in place of those of the users; None for those of the users again."""
        self._remembered = None if figures is None else Remembered(figures)

    def restore(self, index: UsersIndex, now: float) -> None:
        """Goes on with the users of an index, as they are now."""
        self._read_again = set()
        self.active = ActiveUsers.restored(index, self._rule)
        if not self._rule.started:
            self._rule = self._rule._replace(started=index.figures.started)
        self.active.start(self._rule.started)
        self.active.advance(now)

    def take_visitors(self, visitors: HostVisitors) -> None:
        """Takes what mod_monthly_visitors counted."""
        self._imported = {month.month: imported_counts(month) for month in visitors.months}

    @property
    def was_read(self) -> bool:
        """Whether everything of it has been counted once."""
        return self._was_read

    def note_read(self, now: float) -> None:
        """The host has been read once in whole."""
        self._was_read, self._read_again = True, None
        self._seen.note_read()
        self.months.note_read(now)

    def step(self, now: float, *, is_seen: bool = True) -> list[str]:
        """Lets time pass; returns the months that closed. While the host can't be seen, who is active stays as it
        was."""
        if is_seen:
            self.active.advance(now)
        for key, user, visits in self._ahead.begun(now):
            settled = self._held.hold(key, user, visits, now) if self._was_read else visits
            self.months.count(user, settled, now, first_seen=False, put_off=True)
        self.release(now)
        self._forget_seen(min(now, self.months.sure_until))
        return self.months.close(now)

    def due(self) -> float:
        """The next moment at which anything changes by itself, but for what a month's bound changes."""
        return min(self.active.due(), self._ahead.due(), self._held.due())

    def release(self, now: float = float("inf")) -> None:
        """Counts the users whose login has settled by `now`; by default all that are held back."""
        for user, visits in self._held.settled(now):
            self.months.count(user, visits, visits[0].when, first_seen=False)

    def users_counted(self, month: str, users: Collection[str], marked: Collection[str]) -> list[str]:
        """Those of `users` who are counted in a month that is open. `marked` are those whom mod_monthly_visitors says
        it counted: where its own count is shown, it is theirs."""
        shown = self.counts(month).months.get(month)
        if shown is not None and shown is self._imported.get(month):
            return sorted(marked)
        return sorted(user for user in {*users, *marked} if self.months.is_counted(user, month))

    def lack(self, now: float) -> None:
        """Takes note that users who were active by now may be lacking: all that is known of them came after."""
        if not self._is_lacking:
            self._is_lacking, zone = True, self.months.zone
            this = month_of(now, zone) or ""
            self.months.lack(this, now)
            if not is_last_second(this, now, zone):
                self._went_on = this  # so what the module counted in it is of later, too

    def counts(self, until: str) -> HostCounts:
        """The host's counts, frozen; the same object as before where nothing changed. A month after `until` has not
        begun, whatever is kept of it, and is not told before it has."""
        months = {name: month.counts() for name, month in self.months.months.items() if name <= until}
        for name, imported in self._imported.items():
            is_shown = self.months.pruned_before <= name <= until and name != self._went_on
            if is_shown and (name not in months or _is_better(imported, months[name])):
                months[name] = imported
        active = self.active if self._remembered is None else self._remembered
        arrivals = {name: known for name, known in known_arrivals(self.months.months).items() if name <= until}
        counts = HostCounts(len(active), active.cells(), months, arrivals, at_least=self._is_lacking)
        if not _is_same(counts, self._frozen):
            self._frozen = counts
        return self._frozen

    def _forget_seen(self, now: float) -> None:
        """Once a month, when the month before takes no more late records: who was gone before it tells nothing more."""
        month = month_of(now - SETTLING, self.months.zone)
        if month is not None and month != self._forgot_in:
            self._forgot_in = month
            self._seen.forget_before(start_of(shift(month, -1), self.months.zone), self.active)


def _is_better(imported: MonthCounts, own: MonthCounts) -> bool:
    """Both count the same month from below, unless ours is exact: the larger one is nearer to the truth. Of two that
    are as large ours stands, which knows places and clients jointly."""
    return own.quality is not Quality.EXACT and imported.users > own.users


def _is_same(counts: HostCounts, other: HostCounts) -> bool:
    """Whether two counts are made of the same frozen parts."""
    return (
        counts.users_known == other.users_known
        and counts.active is other.active
        and counts.arrivals == other.arrivals
        and counts.at_least == other.at_least
        and counts.months.keys() == other.months.keys()
        and all(counts.months[name] is other.months[name] for name in counts.months)
    )
