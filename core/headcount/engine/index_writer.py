"""When the restart index is written, and of what: of what the state has, never of more."""

from contextlib import suppress

from headcount.counting.saved_users import Rest
from headcount.engine.all_hosts import Counting
from headcount.errors import StateError
from headcount.sources import Source
from headcount.state import State, Update
from headcount.state.restart_index import HostIndex, IndexKeeper
from headcount.user_keys import Keys


class IndexWriter:
    """Has `index` written of what is counted and of what the source has read, and named by the state once it is:
    only then is it believed. `keys` are those of the users."""

    def __init__(self, index: IndexKeeper, state: State, counting: Counting, source: Source, keys: Keys) -> None:
        self._index = index
        self._state = state
        self._counting = counting
        self._source = source
        self._keys = keys

    def write_if_due(self) -> None:
        """Begins to write it where it is time, and names what has been written."""
        self._name(self._index.written())
        if self._index.is_due():
            self._write()

    def write_last(self) -> None:
        """Writes it of what is known at the end, and waits for it."""
        self._name(self._index.written(wait=True))
        self._write()
        self._name(self._index.written(wait=True))

    def _write(self) -> None:
        counting = self._counting
        if counting.is_blind or any(host.months.changes for host in counting.hosts.values()):
            return
        users = counting.export(self._source.unsettled())
        files = {name: self._source.files(name) for name in users}

        def hosts(rest: Rest) -> dict[str, HostIndex]:
            made = {}
            while users:  # they are large
                name, export = users.popitem()
                known, left = export.told(rest)
                for store in files[name].values():
                    store.leave_out(left)
                made[name] = HostIndex(files[name], known)
            return made

        self._index.write(self._keys.secret, hosts)

    def _name(self, token: str | None) -> None:
        if token is not None:
            with suppress(StateError):
                self._state.save(Update(index=token))
