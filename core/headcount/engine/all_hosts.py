"""All that is counted now: each host's users, and what is wrong with what was read."""

import logging
import math
from collections.abc import Collection, Iterable, Mapping

from headcount.clients.patterns import ClientPatterns
from headcount.counting.active_users import Export
from headcount.counting.activity_rule import Rule
from headcount.counting.host import HostCounter
from headcount.counting.meaning import Meaning
from headcount.counting.month_users import MonthlyVisitors
from headcount.counting.saved_users import UserFigures
from headcount.engine.as_of import record_as_of
from headcount.engine.changes import Changes
from headcount.engine.named_places import NamedPlaces
from headcount.engine.options import Options
from headcount.engine.other_zone import other_zone
from headcount.engine.problems import SOURCE, ZONE, Problems, Subject
from headcount.engine.sight import Sight
from headcount.months import month_of
from headcount.places.lookup import Places
from headcount.records import (
    HostGone,
    HostRead,
    HostVisitors,
    Problem,
    Record,
    ServerStarted,
    SourceProblems,
    UserRecord,
    Users,
    UsersGone,
)
from headcount.snapshot import HostCounts, Place
from headcount.state import Saved, SavedHost
from headcount.state.restart_index import HostIndex
from headcount.text import clean

log = logging.getLogger("headcount")


class Counting:
    """Takes records and lets time pass. `hosts` are the counts by host, `problems` what is wrong, `names` those of the
    places, `pruned_before` the first month that was not pruned. `has_pruned_months` says that the state has some before
    it all the same. `sure_until` is the last moment of a clock that was believed, where it is doubted from the
    beginning; `days` are then those (since 1970) on which any user was there. `there` are the hosts that are in the
    source, as far as is known; `changes` tells which may have changed."""

    def __init__(
        self,
        places: Places,
        clients: ClientPatterns,
        options: Options,
        saved: Saved,
        now: float,
        sure_until: float | None = None,
    ) -> None:
        self.problems = Problems()
        self.names = NamedPlaces(places.names)
        self.pruned_before = saved.pruned_before
        if options.at is None and (self.pruned_before or "") > (month_of(now, options.zone) or ""):
            self.pruned_before = None  # a clock that was ahead pruned
        self._places = places
        self._options = options
        self._now = now
        self._doubt = None if sure_until is None else (sure_until, now)
        self.days: set[int] = set()
        self._sight = Sight()
        self._rule = Rule(is_open_active=options.count_open_sessions)
        self._started_ahead: float | None = None
        self._meaning = Meaning(
            options.zone,
            self._place_of,
            clients.client,
            countries=options.countries,
        )
        for place, name in saved.names.items():
            places.names.learn(place, name)
        self.has_pruned_months = any(
            name < (self.pruned_before or "") for host in saved.hosts.values() for name in host.months
        )
        zone_changed = other_zone(saved, options, now)
        self.problems.replace(ZONE, zone_changed)
        self.hosts = {host: self._resumed(host, kept, bool(zone_changed)) for host, kept in saved.hosts.items()}
        self.there = saved.hosts_there()
        self.changes = Changes(self.hosts)

    def doubt(self, sure_until: float, now: float) -> None:
        """The clock, which says `now`, is doubted: it is sure that `sure_until` has passed, and no more than that."""
        self._doubt = sure_until, now
        for host in self.hosts.values():
            host.months.doubt(sure_until, now)
        self.changes.touch_all()

    def trust(self, now: float, *, as_it_went: bool) -> None:
        """The clock is believed, `as_it_went` in doubt or as it went before."""
        self._doubt = None
        self.days.clear()
        for host in self.hosts.values():
            host.months.trust(now, as_it_went=as_it_went)
        self.changes.touch_all()

    def forget_after(self, month: str, now: float) -> bool:
        """Forgets what a clock that was ahead wrote of months; whether there was any of it."""
        if (self.pruned_before or "") > month:
            self.pruned_before = None
        found = [host.months.forget_after(month, now) for host in self.hosts.values()]
        self.changes.touch_all()
        return any(found)

    def open_again(self, now: float, *, at_start: bool) -> bool:
        """Puts right what a clock that was ahead closed; whether all that the source has is to be counted again."""
        found = [
            (name, month)
            for name, host in self.hosts.items()
            for month in host.months.open_again(now, at_start=at_start)
        ]
        self.changes.touch_all()
        for name, month in found:
            log.info("%s of %s was closed by a clock that was ahead: it is counted again", month, clean(name))
        return bool(found)

    def nobody_looked(self, since: float, now: float) -> None:
        """Takes note that nobody looked from `since` to `now`."""
        for host in self.hosts.values():
            host.months.resume(since, now)
        self.changes.touch_all()

    def counts(self) -> Mapping[str, HostCounts]:
        """The counts of each host, by its name, as of the last moment that was told (see `Changes.counts`)."""
        return self.changes.counts(self._month())

    def step(self, now: float) -> None:
        """Lets time pass to `now`, for the hosts of which it changes anything."""
        self._now = now
        if self._started_ahead is not None and self._started_ahead <= now:
            self._start(self._started_ahead)
        for name in self.changes.due(now, self._options.zone):
            for month in self.hosts[name].step(now, is_seen=not self.is_blind):
                log.info("closed %s of %s: who was counted is forgotten", month, clean(name))
            self.changes.touch(name)
        self.problems.pass_time(now)

    def prune(self, before: str) -> None:
        """Deletes the months before that one."""
        self.pruned_before = before
        for host in self.hosts.values():
            host.months.prune(before)
        self.changes.touch_all()

    def release(self) -> None:
        """Counts the users that are held back."""
        for host in self.hosts.values():
            host.release()
        self.changes.touch_all()

    def export(self, unsettled: Mapping[str, set[int]]) -> dict[str, Export]:
        """The users of those hosts as they are now, for a restart index.

        A user of whom it can't tell everything is not in it at all, so that their files are read again.
        """
        unsure = {name: {*keys, *self.problems.users(name)} for name, keys in unsettled.items()}
        read = {name: host for name, host in self.hosts.items() if host.was_read}
        return {name: read[name].export(self._now, keys) for name, keys in unsure.items() if name in read}

    def remember(self, hosts: Mapping[str, UserFigures]) -> None:
        """Shows the figures of an index until `restore`."""
        for name, figures in hosts.items():
            if name in self.hosts:
                self.hosts[name].remember(figures)
                self._name_cells(self.hosts[name])
                self.changes.touch(name)

    def restore(self, hosts: Mapping[str, HostIndex]) -> dict[str, HostIndex]:
        """Goes on with the users of an index; returns the hosts that are known, and so go on."""
        for host in self.hosts.values():
            host.remember(None)
        known = {name: index for name, index in hosts.items() if name in self.hosts}
        for name, index in known.items():
            self.hosts[name].restore(index.users, self._now)
            self._name_cells(self.hosts[name])
        self.changes.touch_all()
        return known

    def users_counted(
        self, month: str, users: Mapping[str, Collection[str]], marked: Mapping[str, Collection[str]]
    ) -> dict[str, list[str]]:
        """Those of `users`, by host, who are counted in a month that is open. `marked` are those whom
        mod_monthly_visitors says it counted. Names, which no snapshot holds: for a server's own files alone."""
        return {
            name: host.users_counted(month, users.get(name, ()), marked.get(name, ()))
            for name, host in self.hosts.items()
        }

    def take(self, batch: Iterable[Record], now: float) -> None:
        """Counts what a source says, as of `now` (Unix seconds)."""
        self._now = now
        for record in batch:
            if self._doubt is not None:
                self.days |= _days_of(record)
            match record:
                case Users():
                    self._take_users(record)
                case UsersGone():
                    self._lose(record)
                case HostVisitors():
                    self._take_visitors(record)
                case HostRead():
                    if record.host in self.hosts:
                        self.hosts[record.host].note_read(self._now)
                case HostGone():
                    if record.host in self.hosts:
                        self.hosts[record.host].forget_users(self._now)
                    self.there.discard(record.host)
                    self.problems.drop_host(record.host)
                case SourceProblems():
                    self._take_source(record)
                case ServerStarted():
                    self._start(record.when)
            if not isinstance(record, SourceProblems | ServerStarted) and record.host in self.hosts:
                self.changes.touch(record.host)

    @property
    def is_blind(self) -> bool:
        """Whether the source can't be looked at now."""
        return self._sight.is_blind

    @property
    def seen_until(self) -> float:
        """The last moment (Unix seconds) at which the source could be looked at for sure."""
        until = self._sight.seen_until(self._now)
        return until if self._doubt is None else min(until, self._doubt[0])

    def _start(self, when: float) -> None:
        """Notes the server's last start, in the whole seconds that its logins are written in. One that lies ahead is
        not believed before it does no longer: of a moment that has passed, it came later."""
        self._started_ahead = when if when > self._now else None
        if self._started_ahead is None:
            self._rule = self._rule._replace(started=float(math.floor(when)))
            for host in self.hosts.values():
                host.start(self._rule.started)
            self.changes.touch_all()

    def _take_source(self, record: SourceProblems) -> None:
        self.problems.replace(SOURCE, record.problems)
        blind_since = self._sight.take(record.problems, self.seen_until)
        if blind_since is not None:
            self.nobody_looked(blind_since, self._now)

    def _take_users(self, record: Users) -> None:
        name, users = record.host, record.users
        ahead: dict[int, float] = {}
        if name in self.hosts or any(user.is_known for user in users):
            host, at = self._host(name), self._options.at
            of_then = users if at is None else [record_as_of(user, at) for user in users]
            ahead = {user.key: newest for user, newest in host.take(of_then, self._now) if newest > self._now + 1}
            if at is not None and any(then is not user for then, user in zip(of_then, users, strict=True)):
                host.lack(self._now)
        had_problems = self.problems.users(name)
        for user in users:
            if user.problems or user.key in ahead or user.key in had_problems:
                self._note_problems(name, user, ahead.get(user.key))

    def _note_problems(self, host: str, user: UserRecord, ahead_until: float | None) -> None:
        self.problems.replace(Subject.records(host, user.key), user.problems)
        ahead = Subject.ahead(host, user.key)
        if ahead_until is None:
            self.problems.replace(ahead, ())
        else:
            self.problems.replace_until(ahead_until, ahead, [_in_the_future(host, user.user)])

    def _lose(self, record: UsersGone) -> None:
        host = self.hosts.get(record.host)
        for key in record.keys:
            if host is not None:
                host.lose(key)
            self.problems.replace(Subject.records(record.host, key), ())
            self.problems.replace(Subject.ahead(record.host, key), ())

    def _take_visitors(self, record: HostVisitors) -> None:
        if record.months or record.host in self.hosts:
            self._host(record.host).take_visitors(record)
            self.names.add(Place(*place) for month in record.months for place in month.places)
        self.problems.replace(Subject.visitors(record.host), record.problems)

    def _host(self, name: str) -> HostCounter:
        if name not in self.hosts:
            self.hosts[name] = self._new_host(name, SavedHost())
        self.there.add(name)
        return self.hosts[name]

    def _resumed(self, name: str, saved: SavedHost, zone_changed: bool) -> HostCounter:
        host = self._new_host(name, saved)
        if saved.alive_at is not None:
            host.months.resume(saved.alive_at, self._now)
        if zone_changed:
            host.months.weaken_open(self._now)
        for month in saved.months.values():
            self.names.add(month.counts().places or ())
        return host

    def _new_host(self, name: str, saved: SavedHost) -> HostCounter:
        options = self._options
        months = MonthlyVisitors(name, options.zone, options.new_key, saved.months, saved.followed_since)
        if self.pruned_before is not None:
            months.prune(self.pruned_before)
        if self._doubt is not None:
            months.doubt(*self._doubt)
        return HostCounter(name, self._meaning, months, self._now, options.settle, self._rule)

    def _place_of(self, address: str | None) -> Place:
        place = self._places.lookup(address)
        self.names.add((place,))
        return place

    def _name_cells(self, host: HostCounter) -> None:
        self.names.add({cell.place for cell in host.counts(self._month()).active})

    def _month(self) -> str:
        """The last month that has begun; one after all months where the calendar can't name it."""
        return month_of(self._now, self._options.zone) or "9999-12"


def _in_the_future(host: str, user: str) -> Problem:
    why = "counted as active, as the server's own module does; is a clock wrong?"
    return Problem("timestamp in the future", clean(f"{host}: user {user}"), clean(host), why)


def _days_of(record: Record) -> set[int]:
    """The days (since 1970) on which the users of a record were there, as far as it tells."""
    if not isinstance(record, Users):
        return set()
    whens = {when for user in record.users for when, *_ in (*user.activities, *user.logins)}
    return {int(when // 86_400) for when in whens if math.isfinite(when)}
