"""What lets a run go on where the last one ended: the restart index, and what that one showed last.

The index is written now and then and at the end, of what the state has alone; then the state names it.
"""

from contextlib import suppress

from headcount.counting.saved_users import Rest, UserFigures
from headcount.engine.all_hosts import Counting
from headcount.engine.broadcast import remembered
from headcount.errors import StateError
from headcount.sources import Source
from headcount.state import Saved, State, Update
from headcount.state.restart_index import HostIndex, IndexKeeper
from headcount.user_keys import Keys


class Restart:
    """Begins with the index of an earlier run, where there is one, and writes the next one; without a keeper of it,
    neither. `keys` are those of the users, by which an index knows them."""

    def __init__(self, state: State, index: IndexKeeper | None, keys: Keys) -> None:
        self._state = state
        self._index = index
        self._keys = keys
        self._last_shown: dict[str, str] = {}
        self._unfinished: Saved | None = None  # as long as the users of the index, and who was counted, are to be read

    def begin(self, now: float) -> tuple[Saved, dict[str, UserFigures]]:
        """What the state has, and what the index tells of each host's active users as of its own moment."""
        if self._index is None:
            saved, begun = self._state.load(), None
        else:
            saved = self._state.load(counted=False)
            begun = self._index.begin(saved.index, now)
            if begun is None:
                self._state.load_counted(saved)
        self._last_shown = saved.live
        if begun is None:
            return saved, {}
        self._keys.go_on(begun.secret)
        self._unfinished = saved
        return saved, begun.hosts

    @property
    def is_begun(self) -> bool:
        """Whether there are figures of an index, whose users `go_on` is still to read."""
        return self._unfinished is not None

    def last_shown(self) -> dict[str, UserFigures]:
        """The figures that an earlier run showed last; none when asked again."""
        live, self._last_shown = self._last_shown, {}
        return remembered(live)

    def go_on(self, counting: Counting, source: Source, *, again: bool) -> None:
        """Has the users go on as the index has them, and the source say only what changed since. `again` says that all
        is to be read again."""
        self._last_shown, saved, self._unfinished = {}, self._unfinished, None
        if saved is None or saved.index is None or self._index is None:
            counting.restore({})
            return
        self._state.load_counted(saved)
        index = None if again else self._index.read(saved.index)
        restored = counting.restore({} if index is None else index.hosts)
        if index is not None:
            source.restore({name: host.stores for name, host in restored.items()})

    def keep(self, counting: Counting, source: Source) -> None:
        """Has the index written where it is time; names it once it is written."""
        if self._index is not None:
            self._name(self._index.written())
            if self._index.is_due():
                self._write(self._index, counting, source)

    def keep_last(self, counting: Counting, source: Source) -> None:
        """Writes the index of what is known at the end."""
        if self._index is not None:
            self._name(self._index.written(wait=True))
            self._write(self._index, counting, source)
            self._name(self._index.written(wait=True))

    def _write(self, index: IndexKeeper, counting: Counting, source: Source) -> None:
        """Nothing that the state has not: a kill between the two would lose it."""
        if counting.is_blind or any(host.months.changes for host in counting.hosts.values()):
            return
        users = counting.export(source.unsettled())
        files = {name: source.files(name) for name in users}

        def hosts(rest: Rest) -> dict[str, HostIndex]:
            made = {}
            while users:  # they are large
                name, export = users.popitem()
                of_host, left = export.index(rest)
                for store in files[name].values():
                    store.leave_out(left)
                made[name] = HostIndex(files[name], of_host)
            return made

        index.write(self._keys.secret, hosts)

    def _name(self, token: str | None) -> None:
        """Has the state name the index, by which it is believed."""
        if token is not None:
            with suppress(StateError):
                self._state.save(Update(index=token))
