"""A simulated XMPP server: it writes what Prosody would write, as things stand and as they go on."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from random import Random

from headcount.demo.accounts import Account, Stamp, Visit
from headcount.demo.months import PastVisit
from headcount.demo.past import PAST_DAYS, RHYTHM, Calendar, PastEvent, live_through
from headcount.demo.people import DAY, draw_person, population
from headcount.demo.stores import Stores
from headcount.months import month_of

_LONGEST_GAP = 3600.0  # after a long sleep of the machine, so much of what happened meanwhile is caught up
_BIND_DELAY = 0.02  # from authentication (activity) to resource binding (login record)


class SimulatedServer:
    """A busy server with three hosts that writes to `directory`.

    The same `seed`, `now` (Unix seconds) and `zone` (of the months) give the same server and the same life of
    it. `rate` is how much happens in a second, on average over the day. It asks no clock and never sleeps;
    it is not to be used from two threads at once.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        now: float,
        zone: tzinfo,
        seed: int = 1999,
        accounts: int = 1500,
        rate: float = 1.0,
    ) -> None:
        calendar = Calendar(now, zone)
        self._stores = Stores(directory, calendar.months[-1])
        self._begin = now
        self._zone = zone
        self._rate = rate
        self._rng = Random(seed)  # noqa: S311 - a game of chance, not a secret
        self._accounts: list[Account] = []
        self._past: list[PastEvent] = []
        for person in population(self._rng, accounts, now):
            account, events = live_through(person, calendar, self._rng)
            self._accounts.append(account)
            self._past += events
        self._past = sorted(event for event in self._past if event.when >= now - PAST_DAYS * DAY)
        self._taken = {(account.person.host.name, account.person.user) for account in self._accounts}
        self._fewest = len(self._accounts) // 2
        self._online = self._usually_online = sum(account.online for account in self._accounts)
        self._next = now + self._pause(now)

    def past_activity(self) -> Iterator[PastEvent]:
        """The logins and logouts of the last 75 days before `now`, oldest first.

        The last one of each user is what that user's files say after `write_all`.
        """
        yield from self._past

    def past_visits(self) -> Iterator[PastVisit]:
        """The first login of each month of each account."""
        for account in self._accounts:
            host, user = account.person.host.name, account.person.user
            for month, visit in account.visits.items():
                yield PastVisit(host, user, month, visit.spot.address, visit.device.resource)

    def write_all(self) -> None:
        """Write the data directory as it stands."""
        for account in self._accounts:
            if last := account.last():
                self._stores.write_activity(account, last[1].when)
            self._stores.write_records(account)
        self._stores.write_monthly_visitors(self._accounts)
        self._stores.write_room(self._begin)

    def step(self, now: float) -> int:
        """Live on until `now`, writing as things happen; the number of files written."""
        before = self._stores.written
        self._next = max(self._next, now - _LONGEST_GAP)
        while self._next + 2 * _BIND_DELAY <= now:  # so that its last write is no later than now
            self._let_happen(self._next)
            self._next += self._pause(self._next)
        return self._stores.written - before

    def run(self, stop: threading.Event, clock: Callable[[], float], interval: float = 0.5) -> None:
        """Live by `clock`, in steps of `interval` seconds, until told to stop."""
        while not stop.wait(interval):
            self.step(clock())

    def _pause(self, when: float) -> float:
        """The time until something happens, by the hour of the day."""
        return self._rng.expovariate(self._rate * RHYTHM[datetime.fromtimestamp(when, self._zone).hour])

    def _let_happen(self, when: float) -> None:
        dice = self._rng.random()
        # The more are online, the likelier it is that one of them leaves: the number stays near the usual.
        logout_share = min(0.85, 0.5 * self._online / max(1, self._usually_online))
        if dice < 0.012:
            self._register(when)
        elif dice < 0.018:
            self._delete(when)
        elif dice < 0.1:  # a reconnection: nothing but the login tells of it
            self._one(lambda account: account.online, self._log_in, when)
        elif self._rng.random() < logout_share:
            self._one(lambda account: account.online, self._log_out, when)
        else:
            self._one(lambda account: self._wants_in(account, when), self._log_in, when)

    def _one(self, wanted: Callable[[Account], bool], act: Callable[[Account, float], None], when: float) -> None:
        """Let a random account that is wanted act; none, where luck does not find one."""
        candidates = (self._rng.choice(self._accounts) for _ in range(500 if self._accounts else 0))
        account = next(filter(wanted, candidates), None)
        if account is not None:
            act(account, when)

    def _wants_in(self, account: Account, when: float) -> bool:
        """Mostly those who were there today come again: else all would have been, within the hour."""
        last = account.last()
        if account.online or when > account.person.left:
            return False
        was_here_today = last is not None and when - last[1].when < DAY
        return was_here_today or self._rng.random() < 0.09 * account.person.habit.day_chance

    def _log_in(self, account: Account, when: float) -> None:
        month = month_of(when, self._zone)
        assert month is not None, "a simulated server lives within the calendar"
        spot, device = account.person.in_month(month)
        self._online += not account.online
        account.login = Stamp(when, spot.address)
        self._stores.write_activity(account, when)
        if month not in account.visits:
            account.visits[month] = Visit(when + _BIND_DELAY, spot, device)
            self._stores.write_records(account)

    def _log_out(self, account: Account, when: float) -> None:
        assert account.login is not None, "nobody logs out before a login"
        self._online -= account.online
        account.logout = Stamp(when, account.login.address)
        self._stores.write_activity(account, when)

    def _register(self, when: float) -> None:
        person = draw_person(self._rng, self._taken, when)
        account = Account(person, registered=Stamp(when, person.home.address))
        self._accounts.append(account)
        self._stores.write_activity(account, when)
        self._log_in(account, when + _BIND_DELAY)

    def _delete(self, when: float) -> None:
        if len(self._accounts) <= self._fewest:
            return
        account = self._accounts.pop(self._rng.randrange(len(self._accounts)))
        if account.online:
            self._log_out(account, when)
        self._stores.remove(account, when)
