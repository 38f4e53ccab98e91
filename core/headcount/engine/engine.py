"""The one moving part: pulls records from a source, counts them, keeps what was counted, hands out snapshots."""

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress

from headcount.clients.patterns import ClientPatterns
from headcount.counting.saved_users import Rest
from headcount.engine import garbage
from headcount.engine.all_hosts import Counting
from headcount.engine.as_of import saved_as_of
from headcount.engine.broadcast import Packer, remembered
from headcount.engine.history import HistoryKeeper
from headcount.engine.marks import MarkKeeper
from headcount.engine.options import Options
from headcount.engine.retention import Retention, clock_of
from headcount.engine.trusted_clock import AHEAD
from headcount.errors import StateError
from headcount.feed import Publish
from headcount.months import month_of
from headcount.places.lookup import Places
from headcount.records import Flaw, Record, SourceFlaws, Users
from headcount.snapshot import Phase, Snapshot
from headcount.sources import Source
from headcount.state import HostUpdate, State, Update
from headcount.state.restart_index import HostIndex, IndexKeeper
from headcount.text import SENTENCES, clean

SHOW_READING = 0.25
"""Seconds between two snapshots while everything is read."""
SHOW = 0.05
"""Seconds between two snapshots while things happen."""
SHOW_COST_FACTOR = 20
"""Snapshots are no nearer than so many times as long as the last one took, or than a tick."""
TICK = 1.0
"""Seconds between two times of letting time pass and of keeping what changed."""
BUSY = 500
BUSY_TICK = 0.25
"""The same once so many users came, so that keeping them never holds up those who come meanwhile."""
ALIVE = 60.0
"""Seconds after which even an engine without news keeps, and shows, that it is there."""
GAP = 300.0
"""Seconds between two looks at the clock that mean that nobody was looking: the machine slept, the process stood."""
LIVE_RATE = 200_000
"""Characters a second at the most that are kept for those who look on, on average."""
WAIT = 0.2
"""Seconds that the source may wait for a change, so that a stop is noticed soon."""


class Engine:
    """Counts one source and keeps one state. Used from one thread; the snapshots may go anywhere."""

    def __init__(
        self,
        source: Source,
        places: Places,
        clients: ClientPatterns,
        state: State,
        options: Options,
        index: IndexKeeper | None = None,
    ) -> None:
        self._source = source
        self._places = places
        self._state = state
        self._options = options
        self._phase = Phase.WAITING
        self._now = options.clock()
        saved = state.load() if index is None else state.load(counted=False)
        self._index = index
        begun = None if index is None else index.begin(saved.index, self._now)
        self._saved = None if begun is None else saved
        if begun is not None:
            options.keys.go_on(begun.secret)
        elif index is not None:
            state.load_counted(saved)
        if options.at is not None:
            saved = saved_as_of(saved, options.at, options.zone)
        clock = clock_of(saved, self._now, options)
        sure_until = None if clock.doubted_since is None else clock.alive
        self._counting = Counting(places, clients, options, saved, self._now, sure_until)
        if begun is not None:
            self._counting.remember(begun.hosts)
        self._last_live = saved.live
        self._there_kept = saved.there
        source.expect(self._counting.there)
        self._problems = self._counting.problems
        self._problems.replace("state notices", [Flaw("state set aside", "", "", why) for why in state.notices])
        self._problems.replace("state damage", [Flaw("state damaged", "", "", saved.damage)] if saved.damage else ())
        self._history = HistoryKeeper(saved.history, options.zone)
        self._marks = MarkKeeper(saved.marks, saved.geo)
        self._zone_is_kept = saved.zone == options.zone_name
        self._retention = Retention(clock, self._counting, self._history, self._marks, options, saved.pruned_before)
        self._past = self._history.history
        self._packer = Packer()
        self._live: dict[str, str] = {}
        self._live_at = float("-inf")
        self._shown: Snapshot | None = None
        self._is_shown = False
        self._show_took = 0.0
        self._came = 0
        self._shown_at = self._ticked_at = self._kept_at = float("-inf")

    def read_once(self) -> Snapshot:
        """Reads everything there is and counts it, as of now. Keeps nothing."""
        self._phase = Phase.SCANNING
        with garbage.paused():
            for batch in self._source.read():
                self._take(batch)
        self._phase = Phase.STOPPED
        self._step()
        self._counting.release()
        return self.snapshot()

    def run(self, publish: Publish, stop: threading.Event) -> None:
        """Reads everything, then follows the source until `stop` is set; keeps and publishes what changes.

        Raises HeadcountError where it can't begin, or not go on. What was counted until then is kept.
        """
        try:
            if self._wait_for_source(publish, stop):
                self._read(publish, stop)
                with garbage.rare():
                    self._follow(publish, stop)
        finally:
            self._counting.release()
            self._kept_at = float("-inf")
            self._keep()
            self._write_last_index()

    def snapshot(self) -> Snapshot:
        """All figures of now."""
        past = self._history.history.until(self._now + AHEAD)
        if past.points is not self._past.points and past.points != self._past.points:
            self._past = past
        return Snapshot(
            generated_at=self._now,
            timezone=self._options.zone_name,
            month=month_of(self._now, self._options.zone) or "",
            source=self._source.label,
            phase=self._phase,
            progress=self._source.progress,
            geo=self._places.label,
            hosts=self._counting.counts(),
            history=self._past,
            marks=self._marks.marks,
            names=self._counting.all_names(),
            problems=self._problems.summary(),
        )

    def users_counted(self, month: str, marked: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """See `Counting.users_counted`: of the users whom the source names now."""
        return self._counting.users_counted(month, self._source.users(), marked)

    def _wait_for_source(self, publish: Publish, stop: threading.Event) -> bool:
        """Waits until there is something to read; whether there is, before `stop` was set."""
        while not stop.is_set():
            flaw = self._why_wait()
            if flaw is None:
                return True
            # The last figures shown stand until there are others: an index lacks who was there just before its end.
            if self._last_live:
                self._counting.remember(remembered(self._last_live))
                self._last_live = {}
            self._look_at_clock()
            self._counting.take([SourceFlaws((flaw,))], self._now)
            self._counting.tell_problems()
            publish(self.snapshot())
            stop.wait(1.0)
        return False

    def _why_wait(self) -> Flaw | None:
        """Why there is nothing to read yet; None where there is."""
        missing = self._source.missing()
        if missing is None:
            return self._source.lost()
        why = f"{missing} The figures begin, or go on, when it is there; is its name right?"
        return Flaw("no data directory", self._source.label, "", why, is_urgent=True)

    def _read(self, publish: Publish, stop: threading.Event) -> None:
        self._phase = Phase.SCANNING
        self._counting.take([SourceFlaws()], self._now)
        self._go_on(publish)
        with garbage.paused():
            for batch in self._source.read():
                self._take(batch)
                self._tick_if_due()
                self._show(publish, SHOW_READING)
                if stop.is_set():
                    return
        self._phase = Phase.LIVE
        self._tick()
        self._show(publish, 0)

    def _go_on(self, publish: Publish) -> None:
        """Shows the figures of an earlier run before anything is read, and has the source say only what changed."""
        saved, self._saved = self._saved, None
        if saved is None or saved.index is None or self._index is None:
            self._counting.restore({})
            return
        self._problems.pass_time(self._now)
        self._show(publish, 0)
        self._state.load_counted(saved)
        index = None if self._retention.counts_anew else self._index.read(saved.index)
        restored = self._counting.restore({} if index is None else index.hosts)
        if index is not None:
            self._source.restore({name: host.stores for name, host in restored.items()})

    def _follow(self, publish: Publish, stop: threading.Event) -> None:
        while not stop.is_set():
            for batch in self._source.follow(self._patience()):
                self._take(batch)
                self._tick_if_due()
                self._show(publish, self._show_interval())
                if stop.is_set():
                    return
            self._tick_if_due()
            self._show(publish, self._show_interval())

    def _patience(self) -> float:
        """Seconds that the source may wait for a change: until what happened is to be shown, where it is not."""
        if self._is_shown:
            return WAIT
        return min(WAIT, max(0.0, self._shown_at + self._show_interval() - self._options.ticks()))

    def _show_interval(self) -> float:
        return max(SHOW, min(TICK, SHOW_COST_FACTOR * self._show_took))

    def _show(self, publish: Publish, interval: float) -> None:
        """Publishes what there is, where it is news and the last time was an interval ago."""
        begun = self._options.ticks()
        if self._is_shown or begun - self._shown_at < interval:
            return
        self._is_shown = True
        snapshot = self.snapshot()
        if self._shown is None or _is_news(snapshot, self._shown):
            self._shown, self._shown_at = snapshot, begun
            publish(snapshot)
            self._show_took = self._options.ticks() - begun

    def _tick_if_due(self) -> None:
        """Once a second, and more often in a storm: lets time pass and keeps what changed."""
        ticks = self._options.ticks()
        if ticks - self._ticked_at < (BUSY_TICK if self._came >= BUSY and self._phase is Phase.LIVE else TICK):
            return
        self._ticked_at, self._came = ticks, 0
        self._tick()

    def _tick(self) -> None:
        self._is_shown = False
        self._step()
        can_tell = not (self._retention.is_in_doubt or self._counting.is_blind)
        if self._phase is Phase.LIVE and can_tell and self._history.is_due(self._now):
            self._history.add(self._now, self._counting.counts())
        self._keep()
        self._keep_index()

    def _step(self) -> None:
        """Lets time pass to now."""
        self._look_at_clock()
        if self._phase in (Phase.LIVE, Phase.STOPPED):
            self._retention.prove()
            self._problems.replace("clock", self._retention.doubts())
        if not self._retention.is_in_doubt:
            self._retention.prune(self._now)
            self._marks.note(self._places.label, self._now)
        self._counting.step(self._now)

    def _take(self, batch: list[Record]) -> None:
        self._look_at_clock()
        self._is_shown = False
        self._came += sum(len(record.users) if isinstance(record, Users) else 1 for record in batch)
        self._counting.take(batch, self._now)

    def _look_at_clock(self) -> None:
        """Takes the time of now, whether its clock is to be believed, and note of it where nobody looked for long."""
        before, self._now = self._now, self._options.clock()
        turned = self._retention.look(self._now, self._options.ticks())
        if not turned and self._now - before > GAP and self._phase is Phase.LIVE:
            self._counting.nobody_looked(before, self._now)

    def _pack_live(self) -> None:
        """Notes what is to be shown to those who look on: each second, or more rarely where it is much."""
        if self._options.ticks() >= self._live_at:
            news = self._packer.news(self.snapshot())
            self._live |= news
            self._live_at = self._options.ticks() + sum(map(len, news.values())) / LIVE_RATE

    def _keep_index(self) -> None:
        """Has the restart index written where it is time, of what is kept alone; names it once it is written."""
        if self._index is None or self._phase is not Phase.LIVE or self._retention.is_in_doubt:
            return
        self._name_index(self._index.written())
        if self._index.is_due():
            self._write_index(self._index)

    def _write_last_index(self) -> None:
        """Writes the restart index of what is known at the end."""
        if self._index is not None and self._phase is Phase.LIVE and not self._retention.is_in_doubt:
            self._name_index(self._index.written(wait=True))
            self._write_index(self._index)
            self._name_index(self._index.written(wait=True))

    def _write_index(self, index: IndexKeeper) -> None:
        if self._counting.is_blind or any(host.months.changes for host in self._counting.hosts.values()):
            return
        users = self._counting.export(self._source.unsettled())
        files = {name: self._source.files(name) for name in users}

        def hosts(rest: Rest) -> dict[str, HostIndex]:
            made = {}
            while users:  # they are large
                name, export = users.popitem()
                told, left = export.told(rest)
                for store in files[name].values():
                    store.leave_out(left)
                made[name] = HostIndex(files[name], told)
            return made

        index.write(self._options.keys.secret, hosts)

    def _name_index(self, token: str | None) -> None:
        """Has the state name the index, by which it is believed."""
        if token is not None:
            with suppress(StateError):
                self._state.save(Update(index=token))

    def _keep(self) -> None:
        """Keeps what changed since the last time; what can't be kept now stays for the next time."""
        counting = self._counting
        alive = self._options.ticks() - self._kept_at >= ALIVE
        hosts = []
        for host in counting.hosts.values():
            months = host.months.keepable()
            if months or alive:
                seen_until = min(counting.seen_until, host.months.unseen_since)
                hosts.append(HostUpdate(host.host, host.months.followed_since, seen_until, months))
        self._pack_live()
        retention = self._retention
        there = frozenset(counting.there)
        is_kept = retention.is_kept and retention.nothing_after is None and self._marks.is_kept
        is_kept = is_kept and there == self._there_kept
        if not hosts and not self._history.added and not self._live and is_kept and not alive:
            return
        learned = self._places.names.learned()
        update = Update(
            hosts,
            self._history.added,
            self._history.forgotten,
            self._marks.added,
            self._marks.forgotten_before,
            None if self._marks.is_kept else self._marks.geo,
            names={place: learned[place] for place in counting.unkept_names if place in learned},
            zone=None if self._zone_is_kept else self._options.zone_name,
            pruned_before=retention.pruned_before,
            live=self._live,
            clock=retention.sign() if alive else None,
            nothing_after=retention.nothing_after,
            there=None if there == self._there_kept else there,
        )
        try:
            self._state.save(update)
        except StateError as error:
            self._problems.replace("state", [_not_kept(error)])
            return
        self._problems.replace("state", ())
        self._zone_is_kept = True
        self._there_kept = there
        retention.kept()
        self._live = {}
        for kept in hosts:
            counting.hosts[kept.host].months.kept(kept.months)
        self._history.kept()
        self._marks.kept()
        counting.unkept_names.clear()
        if alive:
            self._kept_at = self._options.ticks()


def _not_kept(error: StateError) -> Flaw:
    mend = f"{error.mend} " if error.mend else ""
    why = (
        f"{error.message} {mend}What is counted is kept as soon as that is mended, and lost if the engine ends before."
    )
    return Flaw("state not kept", clean(error.message), "", clean(why, SENTENCES), is_urgent=True)


def _is_news(new: Snapshot, old: Snapshot) -> bool:
    """Whether there is anything to show: the counts of a host that did not change are the same object."""
    return (
        new.phase is not old.phase
        or new.progress != old.progress
        or new.problems != old.problems
        or new.history is not old.history
        or new.marks is not old.marks
        or new.geo != old.geo
        or int(new.generated_at // 60) != int(old.generated_at // 60)
        or new.hosts.keys() != old.hosts.keys()
        or any(new.hosts[name] is not old.hosts[name] for name in new.hosts)
    )
