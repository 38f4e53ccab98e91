"""The one moving part: pulls records from a source, has them counted, lets time pass, shows and keeps what changes."""

import math
import threading
from collections.abc import Collection, Mapping

from headcount.clients.patterns import ClientPatterns
from headcount.engine import garbage
from headcount.engine.all_hosts import Counting
from headcount.engine.as_of import saved_as_of
from headcount.engine.history import HistoryKeeper
from headcount.engine.keeping import Keeping
from headcount.engine.lookups import look_after
from headcount.engine.marks import MarkKeeper
from headcount.engine.options import Options
from headcount.engine.problems import CLOCK, STATE_DAMAGE, STATE_NOTICES
from headcount.engine.read_note import note_live
from headcount.engine.restart import Restart
from headcount.engine.retention import Retention, clock_of
from headcount.engine.showing import Showing
from headcount.engine.trusted_clock import AHEAD
from headcount.feed import Publish
from headcount.months import month_of
from headcount.places.lookup import Places
from headcount.records import Problem, Record, SourceProblems, Users
from headcount.snapshot import Phase, Snapshot
from headcount.sources import Source
from headcount.state import State
from headcount.state.restart_index import IndexKeeper

SHOW_READING = 0.25
"""Seconds between two snapshots while everything is read, or more where one takes long: reading is the work then."""
TICK = 1.0
"""Seconds between two times of letting time pass and of keeping what changed."""
BUSY = 500
BUSY_TICK = 0.25
"""The same once so many users came, so that keeping them never holds up those who come meanwhile."""
GAP = 300.0
"""Seconds between two looks at the clock that mean that nobody was looking: the machine slept, the process stood."""


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
        self._clients = clients
        self._options = options
        self._phase = Phase.WAITING
        self._now = options.clock()
        self._came = 0
        self._ticked_at = float("-inf")
        self._restart = Restart(state, index, options.keys)
        saved, figures = self._restart.begin(self._now)
        if options.at is not None:
            saved = saved_as_of(saved, options.at, options.zone)
        clock = clock_of(saved, self._now, options)
        sure_until = None if clock.doubted_since is None else clock.alive
        self._counting = Counting(places, clients, options, saved, self._now, sure_until)
        self._counting.remember(figures)
        source.expect(self._counting.there)
        problems = self._counting.problems
        problems.replace(STATE_NOTICES, [Problem("state set aside", "", "", why) for why in state.notices])
        problems.replace(STATE_DAMAGE, [Problem("state damaged", "", "", saved.damage)] if saved.damage else ())
        self._history = HistoryKeeper(saved.history, options.zone)
        self._marks = MarkKeeper(saved.marks, saved.geo)
        self._retention = Retention(clock, self._counting, self._history, self._marks, options, saved.pruned_before)
        self._keeping = Keeping(
            state,
            self._counting,
            self._history,
            self._marks,
            self._retention,
            options.ticks,
            options.stamp,
            zone=None if saved.zone == options.zone_name else options.zone_name,
            there=saved.there,
        )
        self._showing = Showing(self.snapshot, options.ticks)

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
            self._keeping.keep(self.snapshot, is_end=True)
            if self._may_write_index:
                self._restart.keep_last(self._counting, self._source)

    def snapshot(self) -> Snapshot:
        """All figures of now."""
        return Snapshot(
            generated_at=self._now,
            timezone=self._options.zone_name,
            month=month_of(self._now, self._options.zone) or "",
            source=self._source.label,
            phase=self._phase,
            progress=self._source.progress,
            geo=self._places.label,
            hosts=self._counting.counts(),
            history=self._history.until(self._now + AHEAD),
            marks=self._marks.marks,
            names=self._counting.names.all(),
            problems=self._counting.problems.summary(),
        )

    def users_counted(self, month: str, marked: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """See `Counting.users_counted`: of the users whom the source names now."""
        return self._counting.users_counted(month, self._source.users(), marked)

    def _wait_for_source(self, publish: Publish, stop: threading.Event) -> bool:
        """Waits until there is something to read; whether there is, before `stop` was set."""
        while not stop.is_set():
            problem = self._why_wait()
            if problem is None:
                return True
            # The last figures shown stand until there are others: an index lacks who was there just before its end.
            self._counting.remember(self._restart.last_shown())
            self._look_at_clock()
            self._counting.take([SourceProblems((problem,))], self._now)
            self._counting.problems.log_new()
            publish(self.snapshot())
            stop.wait(1.0)
        return False

    def _why_wait(self) -> Problem | None:
        """Why there is nothing to read yet; None where there is."""
        missing = self._source.missing()
        if missing is None:
            return self._source.lost()
        why = f"{missing} The figures begin, or go on, when it is there; is its name right?"
        return Problem("no data directory", self._source.label, "", why, is_urgent=True)

    def _read(self, publish: Publish, stop: threading.Event) -> None:
        began = self._options.ticks()
        self._phase = Phase.SCANNING
        self._counting.take([SourceProblems()], self._now)
        if self._restart.is_begun:
            self._counting.problems.pass_time(self._now)
            self._showing.show(publish, 0, 0)
        self._restart.go_on(self._counting, self._source, again=self._retention.counts_again)
        with garbage.paused():
            for batch in self._source.read():
                self._take(batch)
                self._tick_if_due()
                self._showing.show(publish, SHOW_READING, math.inf)
                if stop.is_set():
                    return
        self._phase = Phase.LIVE
        self._tick()
        note_live(self._options.ticks() - began, self._counting.counts().values(), len(self._source.stores()))
        self._showing.show(publish, 0, 0)

    def _follow(self, publish: Publish, stop: threading.Event) -> None:
        while not stop.is_set():
            for batch in self._source.follow(self._showing.patience()):
                self._take(batch)
                self._tick_if_due()
                self._showing.show(publish)
                if stop.is_set():
                    return
            self._tick_if_due()
            self._showing.show(publish)

    def _tick_if_due(self) -> None:
        """Once a second, and more often in a storm: lets time pass and keeps what changed."""
        ticks = self._options.ticks()
        if ticks - self._ticked_at < (BUSY_TICK if self._came >= BUSY and self._phase is Phase.LIVE else TICK):
            return
        self._ticked_at, self._came = ticks, 0
        self._tick()

    def _tick(self) -> None:
        self._showing.note_change()
        self._step()
        is_sure = not (self._retention.is_in_doubt or self._counting.is_blind)
        if self._phase is Phase.LIVE and is_sure and self._history.is_due(self._now):
            self._history.add(self._now, self._counting.counts())
        self._keeping.keep(self.snapshot)
        if self._may_write_index:
            self._restart.keep(self._counting, self._source)

    @property
    def _may_write_index(self) -> bool:
        return self._phase is Phase.LIVE and not self._retention.is_in_doubt

    def _step(self) -> None:
        """Lets time pass to now."""
        self._look_at_clock()
        if self._phase in (Phase.LIVE, Phase.STOPPED):
            self._retention.prove()
            self._counting.problems.replace(CLOCK, self._retention.doubts())
        if not self._retention.is_in_doubt:
            self._retention.prune(self._now)
            self._marks.note(self._places.label, self._now)
        look_after(self._places, self._clients, self._counting.problems)
        self._counting.step(self._now)
        self._counting.problems.log_new()

    def _take(self, batch: list[Record]) -> None:
        self._look_at_clock()
        self._showing.note_change()
        self._came += sum(len(record.users) if isinstance(record, Users) else 1 for record in batch)
        self._counting.take(batch, self._now)

    def _look_at_clock(self) -> None:
        """Takes the time of now, whether its clock is to be believed, and note of it where nobody looked for long."""
        before, self._now = self._now, self._options.clock()
        turned = self._retention.look(self._now, self._options.ticks())
        if not turned and self._now - before > GAP and self._phase is Phase.LIVE:
            self._counting.nobody_looked(before, self._now)
