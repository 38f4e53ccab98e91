"""What a start takes from the run before: the state, and the restart index where it is to be believed."""

from headcount.counting.saved_users import UserFigures
from headcount.engine.all_hosts import Counting
from headcount.engine.as_of import saved_as_of
from headcount.engine.broadcast import remembered
from headcount.engine.options import Options
from headcount.sources import Source
from headcount.state import Saved, State
from headcount.state.restart_index import IndexKeeper


class Restart:
    """Goes on from a state and, where there is one, its index."""

    def __init__(self, state: State, index: IndexKeeper | None) -> None:
        self._state = state
        self._index = index
        self._uncounted: Saved | None = None
        self._figures: dict[str, UserFigures] = {}
        self._last_live: dict[str, str] = {}

    def load(self, options: Options, now: float) -> Saved:
        """What the state has. Where an index goes with it, who was counted is loaded only when it is gone on with, so
        that its figures can be shown before."""
        index = self._index
        saved = self._state.load(counted=index is None)
        begun = None if index is None else index.begin(saved.index, now)
        if begun is not None:
            options.keys.go_on(begun.secret)
            self._uncounted, self._figures = saved, begun.hosts
        elif index is not None:
            self._state.load_counted(saved)
        if options.at is not None:
            saved = saved_as_of(saved, options.at, options.zone)
        self._last_live = saved.live
        return saved

    def remember(self, counting: Counting) -> None:
        """Has the index's figures shown until it is gone on with."""
        counting.remember(self._figures)
        self._figures = {}

    def remember_last_shown(self, counting: Counting) -> None:
        """Has the last figures shown stand where nothing can be read yet: an index lacks who was there just before its
        end."""
        if self._last_live:
            counting.remember(remembered(self._last_live))
            self._last_live = {}

    @property
    def has_figures(self) -> bool:
        """Whether there are figures of the run before that can be shown before anything is read."""
        return self._uncounted is not None

    def go_on(self, counting: Counting, source: Source, *, reads_all: bool) -> None:
        """Goes on with the users of the index, and has the source say only what changed since; where it `reads_all`,
        and without an index, with nobody."""
        saved, self._uncounted = self._uncounted, None
        index = None
        if saved is not None and saved.index is not None and self._index is not None:
            self._state.load_counted(saved)
            index = None if reads_all else self._index.read(saved.index)
        restored = counting.restore({} if index is None else index.hosts)
        if index is not None:
            source.restore({name: host.stores for name, host in restored.items()})
