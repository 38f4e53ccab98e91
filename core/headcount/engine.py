"""The one moving part: pulls records from a source, counts them, keeps what was counted, hands out snapshots."""

import gc
import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo

from headcount.clients import ClientPatterns
from headcount.errors import StateError
from headcount.geo import Places
from headcount.history import HistoryKeeper
from headcount.host import HostCounter
from headcount.live import Packer
from headcount.meaning import Meaning
from headcount.monthly_visitors import MonthlyVisitors
from headcount.months import month_of, shift, start_of
from headcount.problems import Problems
from headcount.records import Flaw, HostGone, HostRead, HostVisitors, Record, SourceFlaws, UserRecord
from headcount.snapshot import Phase, Place, PlaceName, Snapshot
from headcount.sources import Source
from headcount.state import HostUpdate, SavedHost, State, Update
from headcount.text import clean

log = logging.getLogger("headcount")
Publish = Callable[[Snapshot], None]

SHOW_READING = 0.25
"""Seconds between two snapshots while everything is read."""
SHOW = 0.1
"""Seconds between two snapshots while things happen."""
TICK = 1.0
"""Seconds between two times of letting time pass and of keeping what changed."""
ALIVE = 60.0
"""Seconds after which even an engine without news keeps, and shows, that it is there."""
GAP = 300.0
"""Seconds between two looks at the clock that mean that nobody was looking: the machine slept, the process stood."""
LIVE_RATE = 200_000
"""Characters a second at the most that are kept for those who look on, on average."""
JUMP = 3600.0
"""Seconds that the time of day may run ahead of, or behind, a clock that only goes forward, before it is doubted."""
DOUBT = 3600.0
"""Seconds for which a clock that jumped must go steadily before anything is closed or pruned by it."""
WAIT = 0.2
"""Seconds that the source may wait for a change, so that a stop is noticed soon."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to count, and what comes from outside so that tests and replays can give it.

    `clock` gives Unix seconds, `ticks` seconds for intervals, `new_key` 32 random bytes. Fresh logins are held back
    for `settle` seconds. `countries` are the ISO codes of those recorded, None for all; `keep_months` is how many
    months, the current one among them, are kept, None for all.
    """

    zone: tzinfo
    zone_name: str
    countries: frozenset[str] | None = None
    keep_months: int | None = None
    count_open_sessions: bool = False
    settle: float = 5.0
    clock: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    new_key: Callable[[], bytes] = lambda: secrets.token_bytes(32)


class Engine:
    """Counts one source and keeps one state. Used from one thread; the snapshots may go anywhere."""

    def __init__(self, source: Source, places: Places, clients: ClientPatterns, state: State, options: Options) -> None:
        self._source = source
        self._places = places
        self._clients = clients
        self._state = state
        self._options = options
        self._meaning = Meaning(
            options.zone,
            self._place_of,
            clients.client,
            countries=options.countries,
            count_open_sessions=options.count_open_sessions,
        )
        self._now = options.clock()
        self._phase = Phase.WAITING
        self._problems = Problems()
        saved = state.load()
        self._history = HistoryKeeper(saved.history, options.zone)
        self._names: dict[Place, PlaceName] = {}
        self._new_names: dict[Place, PlaceName] = {}
        self._unkept_names: set[Place] = set()
        for place, name in saved.names.items():
            places.names.learn(place, name)
        self._zone_is_new = saved.zone != options.zone_name
        self._zone_changed = saved.zone is not None and self._zone_is_new
        self._pruned_before = saved.pruned_before
        self._prune_is_kept = True
        self._hosts = {host: self._resumed(host, of_host) for host, of_host in saved.hosts.items()}
        self._problems.replace("state notices", [Flaw("state set aside", "", "", why) for why in state.notices])
        self._packer = Packer()
        self._live: dict[str, str] = {}
        self._live_at = float("-inf")
        self._doubt_until = float("-inf")
        self._stepped_at = options.ticks()
        self._shown: Snapshot | None = None
        self._shown_at = self._ticked_at = self._kept_at = float("-inf")

    def read_once(self) -> Snapshot:
        """Reads everything there is and counts it, as of now. Keeps nothing."""
        self._phase = Phase.SCANNING
        for batch in self._source.read():
            self._take(batch)
        self._step()
        for host in self._hosts.values():
            host.release()
        self._phase = Phase.STOPPED
        return self.snapshot()

    def run(self, publish: Publish, stop: threading.Event) -> None:
        """Reads everything, then follows the source until `stop` is set; keeps and publishes what changes.

        Raises HeadcountError where it can't begin, or not go on. What was counted until then is kept.
        """
        try:
            if self._wait_for_source(publish, stop):
                self._read(publish, stop)
                self._follow(publish, stop)
        finally:
            for host in self._hosts.values():
                host.release()
            self._keep()
            self._source.close()

    def snapshot(self) -> Snapshot:
        """All figures of now."""
        hosts = {name: host.counts() for name, host in sorted(self._hosts.items())}
        return Snapshot(
            generated_at=self._now,
            timezone=self._options.zone_name,
            month=month_of(self._now, self._options.zone) or "",
            source=self._source.label,
            phase=self._phase,
            progress=self._source.progress,
            geo=self._places.label,
            hosts=hosts,
            history=self._history.history,
            names=self._all_names(),
            problems=self._problems.summary(),
        )

    def users_counted(self, month: str, marked: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """The users, by host, who are counted in a month that is open. `marked` are those whom mod_monthly_visitors
        says it counted. Names, which no snapshot holds: for a server's own files alone."""
        return {name: host.users_counted(month, marked.get(name, ())) for name, host in self._hosts.items()}

    def _wait_for_source(self, publish: Publish, stop: threading.Event) -> bool:
        """Waits until there is something to read; whether there is, before `stop` was set."""
        while not stop.is_set():
            missing = self._source.missing()
            if missing is None:
                return True
            self._problems.replace("source", [Flaw("no data directory", self._source.label, "", missing)])
            self._tell_problems()
            self._now = self._options.clock()
            publish(self.snapshot())
            stop.wait(1.0)
        return False

    def _read(self, publish: Publish, stop: threading.Event) -> None:
        self._phase = Phase.SCANNING
        self._problems.replace("source", ())
        with _collector_paused():
            for batch in self._source.read():
                self._take(batch)
                self._tick_if_due()
                self._show(publish, SHOW_READING)
                if stop.is_set():
                    return
        self._phase = Phase.LIVE
        self._tick()
        self._show(publish, 0)

    def _follow(self, publish: Publish, stop: threading.Event) -> None:
        while not stop.is_set():
            for batch in self._source.follow(WAIT):
                self._take(batch)
                self._tick_if_due()
                self._show(publish, SHOW)
                if stop.is_set():
                    return
            self._tick_if_due()
            self._show(publish, SHOW)

    def _show(self, publish: Publish, interval: float) -> None:
        """Publishes what there is, where it is news and the last time was an interval ago."""
        ticks = self._options.ticks()
        if ticks - self._shown_at >= interval:
            snapshot = self.snapshot()
            if self._shown is None or _is_news(snapshot, self._shown):
                self._shown, self._shown_at = snapshot, ticks
                publish(snapshot)

    def _tick_if_due(self) -> None:
        """Once a second: lets time pass and keeps what changed."""
        ticks = self._options.ticks()
        if ticks - self._ticked_at < TICK:
            return
        self._ticked_at = ticks
        self._tick()

    def _tick(self) -> None:
        self._step()
        if self._phase is Phase.LIVE and self._history.is_due(self._now):
            self._history.add(self._now, {name: host.active.cells() for name, host in self._hosts.items()})
        self._keep()

    def _step(self) -> None:
        """Lets time pass to now."""
        before, self._now = self._now, self._options.clock()
        self._watch_the_clock(before)
        self._prune_if_due()
        if self._places.refresh():
            log.info("places: now from %s", self._places.label)
        self._look_at_tools()
        for host in self._hosts.values():
            if self._now - before > GAP and self._phase is Phase.LIVE:
                host.months.resume(before, self._now)
            may_close = self._options.ticks() >= self._doubt_until
            for month in host.step(self._now, may_close=may_close):
                log.info("closed %s of %s: who was counted is forgotten", month, clean(host.host))
        self._problems.pass_time(self._now)
        self._tell_problems()

    def _tell_problems(self) -> None:
        """Logs each kind of problem when it first appears, by host and store; never by user."""
        for flaw in self._problems.untold():
            log.warning("problem: %s%s: %s", flaw.what, f" in {flaw.place}" if flaw.place else "", flaw.why)

    def _watch_the_clock(self, before: float) -> None:
        """A clock that jumps may be wrong, and what is closed can't be opened again: after a jump nothing is closed
        until the clock has gone steadily for a while."""
        ticks = self._options.ticks()
        jumped = abs((self._now - before) - (ticks - self._stepped_at)) > JUMP
        self._stepped_at = ticks
        if jumped:
            self._doubt_until = ticks + DOUBT

    def _prune_if_due(self) -> None:
        """Deletes the months that are older than those to be kept."""
        month, keep = month_of(self._now, self._options.zone), self._options.keep_months
        if month is None or keep is None or self._options.ticks() < self._doubt_until:
            return
        before = shift(month, 1 - keep)
        if before > (self._pruned_before or ""):
            self._pruned_before, self._prune_is_kept = before, False
            for host in self._hosts.values():
                host.months.prune(before)
            self._history.forget_before(start_of(before, self._options.zone))

    def _look_at_tools(self) -> None:
        places, clients = self._places, self._clients
        said = (*places.warnings, *places.notes, *places.problems)
        self._problems.replace("places", [Flaw("places", places.label, "", why) for why in said])
        self._problems.replace(
            "clients", [Flaw("client pattern", "client_patterns", "", why) for why in clients.problems]
        )

    def _take(self, batch: Iterable[Record]) -> None:
        self._now = max(self._now, self._options.clock())
        for record in batch:
            match record:
                case UserRecord():
                    self._take_user(record)
                case HostVisitors():
                    self._take_visitors(record)
                case HostRead():
                    if record.host in self._hosts:
                        self._hosts[record.host].read(self._now)
                case HostGone():
                    if record.host in self._hosts:
                        self._hosts[record.host].forget_users(self._now)
                    self._problems.drop_host(record.host)
                case SourceFlaws():
                    self._problems.replace("source", record.flaws)

    def _take_user(self, record: UserRecord) -> None:
        if record.known or record.host in self._hosts:
            self._host(record.host).take(record, self._now)
        subject = (record.host, record.user)
        self._problems.replace(subject, record.flaws)
        if record.newest > self._now + 1:
            self._problems.replace_until(record.newest, (*subject, "ahead"), [_in_the_future(record)])
        else:
            self._problems.replace((*subject, "ahead"), ())

    def _take_visitors(self, record: HostVisitors) -> None:
        if record.months or record.host in self._hosts:
            self._host(record.host).take_visitors(record)
            for month in record.months:
                for place in month.places:
                    self._name(Place(*place))
        self._problems.replace((record.host, "", "visitors"), record.flaws)

    def _host(self, name: str) -> HostCounter:
        if name not in self._hosts:
            self._hosts[name] = self._new_host(name, SavedHost())
        return self._hosts[name]

    def _resumed(self, name: str, saved: SavedHost) -> HostCounter:
        host = self._new_host(name, saved)
        if saved.alive_at is not None:
            host.months.resume(saved.alive_at, self._now)
        if self._zone_changed:
            host.months.weaken_open(self._now)
        for month in saved.months.values():
            for place in month.counts().places or ():
                self._name(place)
        return host

    def _new_host(self, name: str, saved: SavedHost) -> HostCounter:
        options = self._options
        months = MonthlyVisitors(name, options.zone, options.new_key, saved.months, saved.followed_since)
        if self._pruned_before is not None:
            months.prune(self._pruned_before)
        return HostCounter(name, self._meaning, months, self._now, options.settle)

    def _place_of(self, address: str | None) -> Place:
        place = self._places.lookup(address)
        self._name(place)
        return place

    def _name(self, place: Place) -> None:
        """Sees to it that the next snapshot names the place, its subdivision and its country."""
        if place in self._names or place in self._new_names:
            return
        for whole in {place, Place(place.country), Place(place.country, place.subdivision)}:
            self._new_names[whole] = self._places.names.name(whole)
            self._unkept_names.add(whole)

    def _all_names(self) -> Mapping[Place, PlaceName]:
        if self._new_names:
            self._names = {**self._names, **self._new_names}
            self._new_names = {}
        return self._names

    def _pack_live(self) -> None:
        """Notes what is to be shown to those who look on: each second, or more rarely where it is much."""
        if self._options.ticks() >= self._live_at:
            news = self._packer.news(self.snapshot())
            self._live |= news
            self._live_at = self._options.ticks() + sum(map(len, news.values())) / LIVE_RATE

    def _keep(self) -> None:
        """Keeps what changed since the last time; what can't be kept now stays for the next time."""
        alive = self._options.ticks() - self._kept_at >= ALIVE
        hosts = []
        for host in self._hosts.values():
            months = host.months.keepable()
            if months or alive:
                hosts.append(HostUpdate(host.host, host.months.followed_since, self._now, months))
        self._pack_live()
        if not hosts and not self._history.added and not self._live and self._prune_is_kept:
            return
        learned = self._places.names.learned()
        names = {place: learned[place] for place in self._unkept_names if place in learned}
        try:
            self._state.save(
                Update(
                    hosts,
                    self._history.added,
                    self._history.forgotten,
                    names,
                    self._options.zone_name if self._zone_is_new else None,
                    None if self._prune_is_kept else self._pruned_before,
                    self._live,
                )
            )
        except StateError as error:
            self._problems.replace("state", [Flaw("state not kept", error.message, "", error.mend)])
            return
        self._problems.replace("state", ())
        self._zone_is_new, self._prune_is_kept, self._live = False, True, {}
        for update in hosts:
            self._hosts[update.host].months.kept(update.months)
        self._history.kept()
        self._unkept_names.clear()
        if alive:
            self._kept_at = self._options.ticks()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Reading makes a lasting object or more of each user and no cycles; looking for cycles among all of them, again
    and again, would hold up every other thread, the screen's too, for a quarter of a second each time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _is_news(new: Snapshot, old: Snapshot) -> bool:
    """Whether there is anything to show: the counts of a host that did not change are the same object."""
    return (
        new.phase is not old.phase
        or new.progress != old.progress
        or new.problems != old.problems
        or new.history is not old.history
        or new.geo != old.geo
        or int(new.generated_at // 60) != int(old.generated_at // 60)
        or new.hosts.keys() != old.hosts.keys()
        or any(new.hosts[name] is not old.hosts[name] for name in new.hosts)
    )


def _in_the_future(record: UserRecord) -> Flaw:
    why = "counted as active, as the server's own module does; is a clock wrong?"
    where = clean(f"{record.host}: user {record.user}")
    return Flaw("timestamp in the future", where, clean(record.host), why)
