"""The one moving part: pulls records from a source, counts them, keeps what was counted, hands out snapshots."""

import threading
from collections.abc import Collection, Iterable, Mapping

from headcount.clients.patterns import ClientPatterns
from headcount.engine import garbage
from headcount.engine.all_hosts import Counting
from headcount.engine.beat import Beat
from headcount.engine.history import HistoryKeeper
from headcount.engine.index_writer import IndexWriter
from headcount.engine.keeping import Keeping
from headcount.engine.marks import MarkKeeper
from headcount.engine.options import Options
from headcount.engine.problems import Problems, Subject
from headcount.engine.read_note import note_live
from headcount.engine.restart import Restart
from headcount.engine.retention import Retention, clock_of
from headcount.engine.showing import WHILE_READING, Showing
from headcount.engine.trusted_clock import AHEAD
from headcount.feed import Publish
from headcount.months import month_of
from headcount.places.lookup import Places
from headcount.records import Flaw, Record, SourceFlaws, Users
from headcount.snapshot import Phase, Snapshot
from headcount.sources import Source
from headcount.state import State
from headcount.state.restart_index import IndexKeeper

GAP = 300.0
"""Seconds between two looks at the clock that mean that nobody was looking: the machine slept, the process stood."""
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
        self._options = options
        self._phase = Phase.WAITING
        self._now = options.clock()
        self._restart = Restart(state, index)
        saved = self._restart.load(options, self._now)
        clock = clock_of(saved, self._now, options)
        sure_until = None if clock.doubted_since is None else clock.alive
        self._counting = counting = Counting(places, clients, options, saved, self._now, sure_until)
        self._restart.remember(counting)
        source.expect(counting.there)
        _note_damage(counting.problems, state.notices, saved.damage)
        self._history = HistoryKeeper(saved.history, options.zone)
        self._marks = MarkKeeper(saved.marks, saved.geo)
        self._retention = Retention(clock, counting, self._history, self._marks, options, saved.pruned_before)
        self._keeping = Keeping(
            state, saved, counting, self._history, self._marks, self._retention, options, self.snapshot
        )
        self._index = None if index is None else IndexWriter(index, state, counting, source, options.keys)
        self._showing = Showing(self.snapshot, options.ticks)
        self._beat = Beat(options.ticks)

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
            self._keeping.keep(is_last=True)
            if self._index is not None and self._may_write_index():
                self._index.write_last()

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
            flaw = self._why_wait()
            if flaw is None:
                return True
            self._restart.remember_last_shown(self._counting)
            self._look_at_clock()
            self._counting.take([SourceFlaws((flaw,))], self._now)
            self._counting.log_problems()
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
        began = self._options.ticks()
        self._phase = Phase.SCANNING
        self._counting.take([SourceFlaws()], self._now)
        self._go_on(publish)
        with garbage.paused():
            for batch in self._source.read():
                self._take(batch)
                self._tick_if_due()
                self._showing.show(publish, WHILE_READING)
                if stop.is_set():
                    return
        self._phase = Phase.LIVE
        self._tick()
        note_live(self._options.ticks() - began, self.snapshot(), len(self._source.stores()))
        self._showing.show(publish, 0)

    def _go_on(self, publish: Publish) -> None:
        """Shows the figures of an earlier run before anything is read, and has the source say only what changed."""
        if self._restart.has_figures:
            self._counting.problems.pass_time(self._now)
            self._showing.show(publish, 0)
        self._restart.go_on(self._counting, self._source, reads_all=self._retention.counts_anew)

    def _follow(self, publish: Publish, stop: threading.Event) -> None:
        while not stop.is_set():
            for batch in self._source.follow(self._showing.patience(WAIT)):
                self._take(batch)
                self._tick_if_due()
                self._showing.show(publish)
                if stop.is_set():
                    return
            self._tick_if_due()
            self._showing.show(publish)

    def _tick_if_due(self) -> None:
        if self._beat.is_due(may_hurry=self._phase is Phase.LIVE):
            self._tick()

    def _tick(self) -> None:
        self._showing.look_again()
        self._step()
        can_tell = not (self._retention.is_in_doubt or self._counting.is_blind)
        if self._phase is Phase.LIVE and can_tell and self._history.is_due(self._now):
            self._history.add(self._now, self._counting.counts())
        self._keeping.keep()
        if self._index is not None and self._may_write_index():
            self._index.write_if_due()

    def _may_write_index(self) -> bool:
        """Whether all is read, by a clock that is believed."""
        return self._phase is Phase.LIVE and not self._retention.is_in_doubt

    def _step(self) -> None:
        """Lets time pass to now."""
        self._look_at_clock()
        if self._phase in (Phase.LIVE, Phase.STOPPED):
            self._retention.prove()
            self._counting.problems.replace(Subject("clock"), self._retention.doubts())
        if not self._retention.is_in_doubt:
            self._retention.prune(self._now)
            self._marks.note(self._places.label, self._now)
        self._counting.step(self._now)

    def _take(self, batch: list[Record]) -> None:
        self._look_at_clock()
        self._showing.look_again()
        self._beat.note(sum(len(record.users) if isinstance(record, Users) else 1 for record in batch))
        self._counting.take(batch, self._now)

    def _look_at_clock(self) -> None:
        """Takes the time of now, whether its clock is to be believed, and note of it where nobody looked for long."""
        before, self._now = self._now, self._options.clock()
        turned = self._retention.look(self._now, self._options.ticks())
        if not turned and self._now - before > GAP and self._phase is Phase.LIVE:
            self._counting.nobody_looked(before, self._now)


def _note_damage(problems: Problems, notices: Iterable[str], damage: str) -> None:
    """Notes what became of a state that was not whole."""
    problems.replace(Subject("state notices"), [Flaw("state set aside", "", "", why) for why in notices])
    problems.replace(Subject("state damage"), [Flaw("state damaged", "", "", damage)] if damage else ())
