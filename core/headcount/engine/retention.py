"""What is forgotten, and by which clock: months that are older than those to be kept, and what was written in the
future of a clock that is believed now. While it is in doubt nothing is, and no month closes."""

from headcount.engine.all_hosts import Counting
from headcount.engine.history import HistoryKeeper
from headcount.engine.marks import MarkKeeper
from headcount.engine.options import Options
from headcount.engine.trusted_clock import AHEAD, LastSign, TrustedClock, Turn
from headcount.months import month_of, shift, start_of
from headcount.records import Problem
from headcount.state import Saved


class Retention:
    """Forgets in all that is counted and kept, by a clock that it watches.

    `nothing_after` is the moment and the month after which the state shall hold nothing any more, None where that is
    not to be said; `is_kept` whether the state knows what was pruned. `said_pruned` is what it says of that itself.
    `counts_again` says that all of the source has to be read, whatever is known of it.
    """

    def __init__(
        self,
        clock: TrustedClock,
        counting: Counting,
        history: HistoryKeeper,
        marks: MarkKeeper,
        options: Options,
        said_pruned: str | None,
    ) -> None:
        self._clock = clock
        self._counting = counting
        self._history = history
        self._marks = marks
        self._options = options
        self._said_pruned = said_pruned or ""
        self.nothing_after: tuple[float, str] | None = None
        self.is_kept = not counting.has_pruned_months
        self.counts_again = False
        if not self.is_in_doubt and options.at is None:
            self._put_right(at_start=True)

    @property
    def is_in_doubt(self) -> bool:
        """Whether nothing may be deleted now because time has passed."""
        return self._clock.doubted_since is not None

    @property
    def pruned_before(self) -> str | None:
        """What the state is to be told of it now; None for nothing."""
        return None if self.is_kept else self._counting.pruned_before

    def sign(self) -> str:
        """What the state is to know of the clock."""
        return self._clock.sign().packed()

    def doubts(self) -> list[Problem]:
        """The problem that a clock in doubt is."""
        return [Problem("clock in doubt", "", "", self._clock.why(), is_urgent=True)] if self.is_in_doubt else []

    def look(self, now: float, ticks: float) -> bool:
        """Looks at the clock (`now` in Unix seconds); whether it came in doubt, or is believed again."""
        return self._take_note(self._clock.look(now, ticks))

    def prove(self) -> None:
        """Believes the clock if the days on which users were there speak for it. Only once all were read."""
        self._take_note(self._clock.prove(self._counting.days))

    def prune(self, now: float) -> None:
        """Deletes the months that are older than those to be kept. Not while the clock is in doubt."""
        if self._clock.is_behind and self._options.at is None:
            self._put_right()
        month, keep = month_of(now, self._options.zone), self._options.keep_months
        if month is None or keep is None:
            return
        before = shift(month, 1 - keep)
        if before > (self._counting.pruned_before or ""):
            self.is_kept, self._said_pruned = False, before
            self._counting.prune(before)
            begin = start_of(before, self._options.zone)
            self._history.forget_before(begin)
            self._marks.forget_before(begin)

    @property
    def is_all_kept(self) -> bool:
        """Whether the state has forgotten all that was."""
        return self.is_kept and self.nothing_after is None

    def note_kept(self) -> None:
        """What was forgotten, the state has forgotten too."""
        self.is_kept, self.nothing_after = True, None

    def _take_note(self, turn: Turn | None) -> bool:
        if turn is Turn.DOUBTED:
            self._counting.doubt(self._clock.alive, self._clock.now)
        elif turn is not None:
            self._counting.trust(self._clock.now, as_it_went=turn is Turn.ACCEPTED)
            self._put_right()
        return turn is not None

    def _put_right(self, *, at_start: bool = False) -> None:
        """Forgets what only a clock that was ahead can have written, and opens what it closed, if that is sure."""
        if not self._clock.is_sure():
            return
        self._clock.put_right()
        limit = self._clock.now + AHEAD
        month = month_of(limit, self._options.zone)
        if month is None:
            return
        self.counts_again = self._counting.open_again(self._clock.now, at_start=at_start) or self.counts_again
        found = [
            self._counting.forget_after(month, self._clock.now),
            self._history.forget_after(limit),
            self._marks.forget_after(limit),
            self._said_pruned > month,
        ]
        if any(found):
            self._said_pruned = ""
            self.nothing_after = limit, month


def clock_of(saved: Saved, now: float, options: Options) -> TrustedClock:
    """The clock beside what the state knows of it. A moment that was asked for is no clock's, and is not in doubt."""
    alive = [host.alive_at for host in saved.hosts.values() if host.alive_at is not None]
    return TrustedClock(
        None if options.at is not None else LastSign.unpacked(saved.clock, alive),
        now,
        options.ticks(),
        is_synchronised=options.is_synchronised,
        is_vouched_for=options.trust_clock,
    )
