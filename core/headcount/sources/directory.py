"""A Prosody data directory as a source: read once in whole, then followed.

A change of a file is only a hint that its user's record has changed since: the user's files are read again in
every store, and what they say then is what counts. Hints get lost, so a sweep over all files' change times makes
it right: soon after any doubt, and at an interval that keeps its cost under a hundredth of a core. The directory
is opened for reading alone.
"""

import os
import stat
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from headcount.compact_map import CompactMap
from headcount.errors import MAY_READ, UsageError, no_permission
from headcount.prosody.files import SUFFIX, users_of
from headcount.prosody.many_files import STALE
from headcount.prosody.names import decode, encode
from headcount.records import (
    NOT_READABLE,
    HostGone,
    HostRead,
    HostVisitors,
    Problem,
    Record,
    ServerStarted,
    SourceProblems,
    VisitorMarkers,
)
from headcount.snapshot import Progress
from headcount.sources.files_read import StoreIndex
from headcount.sources.layout import LEFTOVER, Host, Layout, NotListedError, changed_at
from headcount.sources.pace import Pace
from headcount.sources.readers import HELP_FROM, Names
from headcount.sources.users import UserReader, is_unmoved
from headcount.sources.visitors import VisitorsReader
from headcount.sources.watch import Changes
from headcount.sources.watcher import Watcher
from headcount.text import clean
from headcount.user_keys import Keys

SETTLE = 1.5
"""Seconds after which files that were read as soon as they were written are read again."""
LOOK = 2.0
"""Seconds between two looks whether what should be in the directory is there: a volume that goes, or is back, tells
nothing."""
SLICE = 0.02
"""Seconds that a sweep goes on before changes that were reported meanwhile have their turn."""


class DirectorySource:
    """The records of all hosts below `path`. `trusts_files` is the operator's word that what lies there is all there
    is, even where hosts are gone or a newer database lies beside them. `clock` is monotonic, in
    seconds; `wall_ns` the time of day that the file system stamps files with."""

    def __init__(
        self,
        path: str,
        *,
        keys: Keys | None = None,
        watching: bool = True,
        trusts_files: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = os.fsencode(os.path.abspath(path))
        self._layout = Layout(self._path, trusts_files=trusts_files)
        self._keys = Keys() if keys is None else keys
        self._watcher = Watcher() if watching else None
        self._clock = clock
        self._reader = UserReader(self._layout, self._keys, wall_ns)
        self._visitors = VisitorsReader(self._layout, self._reader)
        self._pause = pause
        self._progress: Progress | None = None
        self._listing: list[Names] = []
        self._restored: set[str] = set()
        self._said_problems: tuple[Problem, ...] = ()
        self._said_start: float | None = None
        self._watch_problem: Problem | None = None
        self._watcher_stands = True
        self._pace = Pace(clock())
        self._sweeping: Generator[list[Record], None, None] | None = None
        self._settle_at = float("inf")
        self._look_at = float("-inf")

    @property
    def label(self) -> str:
        """The directory's path."""
        return clean(self._path)

    @property
    def progress(self) -> Progress | None:
        """How far `read` is, in users."""
        return self._progress

    def missing(self) -> str | None:
        """Why there is nothing to read yet. Raises NoPermissionError, and UsageError where it is no directory."""
        try:
            mode = os.stat(self._path).st_mode
            if not stat.S_ISDIR(mode):
                raise UsageError(f"{self.label} is not a directory.", "Name Prosody's data directory (its data_path).")
            os.stat(os.path.join(self._path, b"."))
            os.scandir(self._path).close()
        except FileNotFoundError:
            return f"There is no {self.label} yet."
        except PermissionError:
            raise no_permission(self.label) from None
        except OSError as error:
            raise UsageError(f"{self.label} can't be read: {error.strerror}.") from None
        return None

    def expect(self, hosts: Collection[str]) -> None:
        """Awaits the hosts that an earlier run saw: a directory without any of them may be an unmounted volume."""
        self._layout.expected = set(map(encode, hosts))

    def lost(self) -> Problem | None:
        """Why what is expected can't be read now, though the directory is there."""
        return None if self._layout.is_there() else self._layout.problems[self._path]

    def read(self) -> Iterator[list[Record]]:
        """Everything that is there, each file read once, a HostRead after each host; watching starts before."""
        begun = self._clock()
        self._layout.look(even_if_moved=True)
        self._watch()
        yield from self._say_start()
        awaited = {name for entry in self._layout.expected if (name := decode(entry)) is not None}
        gone = (self._restored | awaited) - {host.name for host in self._layout.hosts.values()}
        if gone and not self._layout.is_lost:
            yield [HostGone(name) for name in sorted(gone)]
        hosts = list(self._layout.hosts.values())
        stores = [store for host in hosts for store in host.stores.values() if not is_unmoved(store)]
        names = {store.path: self._reader.names(store) for store in stores}
        self._listing = list(names.values())
        self._progress = Progress(0, None)
        self._advance(0)
        for host in hosts:
            yield from self._read_recent(host, names)
        self._progress = replace(self._progress, active_done=True)
        for host in hosts:
            yield from self._read_later(host)
        if any(store.leftovers for host in hosts for store in host.stores.values()):
            self._pause(0.1)  # a write in progress is done by then
            for host in hosts:
                self._layout.note_leftovers(host)
        self._layout.is_there()  # by now it is known what should be
        yield from self._problems()
        self._progress = None
        ended = self._clock()
        self._pace.read(ended, ended - begun)
        self._settle_at = ended + SETTLE

    def follow(self, timeout: float) -> Iterator[list[Record]]:
        """What changed since the last call, waiting up to `timeout` seconds for a change; then a little of a sweep,
        where one is due."""
        changes = self._watcher.wait(0 if self._sweeping else timeout) if self._watcher else {}
        if self._is_watch_doubtful():
            self._pace.doubt(self._clock())
        if self._path in changes:
            yield from self._say_start()
        yield from self._reread_changed(changes)
        now = self._clock()
        self._look_whether_there(now)
        yield from self._settle(now)
        if self._sweeping is None and self._pace.is_due(now):
            self._begin_sweep()
        yield from self._go_on_sweeping()
        yield from self._problems()

    def visitors(self, month: str) -> Iterator[HostVisitors | VisitorMarkers | SourceProblems]:
        """What mod_monthly_visitors left, and nothing else: the counts of each host and the users whom it says it
        counted in `month`; at last what is wrong with the directories."""
        self._layout.look()
        for host in self._layout.hosts.values():
            if host.visitors:
                yield self._visitors.read(host)
                yield self._visitors.read_markers(host, month)
        yield SourceProblems(tuple(self._layout.problems.values()))

    def hosts(self) -> Collection[str]:
        """The hosts that there are now, those without a user too."""
        return [host.name for host in self._layout.hosts.values()]

    def stores(self) -> Collection[str]:
        """The kinds of stores that there are now, of all hosts together."""
        return {store for host in self._layout.hosts.values() for store in host.stores}

    def users(self) -> Mapping[str, Collection[str]]:
        """The names of all users that there are now, by host."""
        named: dict[str, set[str]] = {}
        for host in self._layout.hosts.values():
            names = named[host.name] = set()
            for store in host.stores.values():
                with suppress(NotListedError):
                    for files in self._layout.user_files(store):
                        names.update(filter(None, users_of(files)))
        return named

    def unsettled(self) -> dict[str, set[int]]:
        """By host all of whose files were read, the keys of the users whose files have to be read again."""
        return {
            host.name: {key for store in host.stores.values() for key in store.files.keys_of(STALE)}
            for host in self._layout.hosts.values()
            if host.was_read and not host.orphans and not self._layout.is_lost
        }

    def files(self, name: str) -> dict[str, StoreIndex]:
        """What was read of a host's files until now, by store."""
        host = next(host for host in self._layout.hosts.values() if host.name == name)
        return {
            store.name: StoreIndex(store.identity, store.unmoved, *store.files.columns())
            for store in host.stores.values()
        }

    def restore(self, hosts: Mapping[str, Mapping[str, StoreIndex]]) -> None:
        """Goes on from what was read before. A directory that has changed since is read in whole."""
        self._layout.look()
        self._restored = set(hosts)
        for host in self._layout.hosts.values():
            for name, index in hosts[host.name].items() if host.name in hosts else ():
                store = host.stores.get(name)
                if store is not None and store.identity == index.identity:
                    store.files = CompactMap.of_sorted(index.keys, index.changed)
                    index.keys, index.changed = array("Q"), array("Q")  # they are large
                    store.unmoved = index.unmoved
                else:
                    host.orphans.update(index.keys)

    def close(self) -> None:
        """Ends the watching."""
        self._stop_sweeping()
        if self._watcher:
            self._watcher.close()

    def _reread_changed(self, changes: Changes) -> Iterator[list[Record]]:
        """Reads again what the watcher reported. Where all is gone, nobody is taken for deleted."""
        if not changes:
            return
        if not self._layout.is_there():
            self._pace.doubt(self._clock())
            return
        host_of = {store.path: host for host in self._layout.hosts.values() for store in host.stores.values()}
        hosts = {host.path: host for host in self._layout.hosts.values()}
        dirty: dict[bytes, set[bytes]] = defaultdict(set)
        doubtful = False
        for directory, files in changes.items():
            if directory in host_of:
                dirty[host_of[directory].path] |= files - {b""}
            for file in files if directory not in host_of else files & {b""}:
                path = os.path.join(directory, file) if file else directory
                if directory in hosts and file in hosts[directory].visitors:
                    yield [self._visitors.read(hosts[directory])]
                elif not file.endswith(LEFTOVER) and self._layout.may_be_ours(path):
                    self._layout.doubt(path)
                    doubtful = True
        for host_path, names in dirty.items():
            yield from self._reader.read_changed(hosts[host_path], list(names))
        if doubtful and (yield from self._look_again()):
            self._begin_sweep()
            self._pace.doubt(self._clock())

    def _look_again(self) -> Generator[list[Record], None, bool]:
        """Looks for hosts and stores that came, went or were made again; whether any did. Then a doubt is to follow,
        for the first events of a new directory may be those that nobody saw."""
        before = {entry: host.name for entry, host in self._layout.hosts.items()}
        is_news = self._layout.look()
        if is_news:
            self._watch()
        gone = before.keys() - self._layout.hosts.keys()
        if gone:
            yield [HostGone(before[entry]) for entry in gone]
        return is_news

    def _look_whether_there(self, now: float) -> None:
        """Has all be swept, and watched again, once what was lost is back."""
        if now < self._look_at:
            return
        self._look_at = now + LOOK
        was_lost = self._layout.is_lost
        if self._layout.is_there() and was_lost:
            self._watch()
            self._begin_sweep()

    def _begin_sweep(self) -> None:
        """Begins a sweep, again where one is under way, which knows nothing of directories that came or went since."""
        self._stop_sweeping()
        self._sweeping = self._sweep(in_whole=self._pace.begin(self._clock()))

    def _stop_sweeping(self) -> None:
        if self._sweeping is not None:
            self._sweeping.close()
            self._sweeping = None

    def _go_on_sweeping(self) -> Iterator[list[Record]]:
        """Goes on with the sweep, if one is under way, for no longer than changes may wait."""
        if self._sweeping is None:
            return
        begun = self._clock()
        for batch in self._sweeping:
            if batch:
                yield batch
            if self._clock() - begun >= SLICE:
                self._pace.take(self._clock() - begun)
                return
        self._pace.take(self._clock() - begun)
        self._pace.end(self._clock(), was_in_vain=self._layout.is_lost)
        self._sweeping = None

    def _sweep(self, *, in_whole: bool) -> Generator[list[Record], None, None]:
        """Finds by their change times all files that are not what was read of them, and reads them; `in_whole` also in
        directories in which nothing was written by renaming, as Prosody writes, since all in them was read. What is new
        comes first."""
        if self._watcher_stands:
            self._watch_problem = None
        else:
            self._watch()
            self._watcher_stands = True
        yield from self._say_start()
        if (yield from self._look_again()):
            self._pace.doubt(self._clock())
        if self._layout.is_lost:
            return
        for host in sorted(self._layout.hosts.values(), key=lambda host: host.was_read and not host.unread):
            if host.is_empty and not host.orphans:
                continue
            for store in [*host.unread, *(store for store in host.stores.values() if len(store.files))]:
                if in_whole:
                    store.unmoved = 0
                yield from self._reader.sweep(host, store)
            yield from self._read_beside(host)
            yield from self._say_read(host)
            self._layout.note_leftovers(host)

    def _read_recent(self, host: Host, names: dict[bytes, Names]) -> Iterator[list[Record]]:
        """Reads what of a host is not what was read of it, of who may have been active within thirty days. `names` has
        those of files, by the path of their store; it is emptied."""
        if host.is_empty and not host.orphans:
            return
        yield from self._reader.read_recent(host, names, self._advance)
        yield from self._read_beside(host)

    def _read_beside(self, host: Host) -> Iterator[list[Record]]:
        """Tells of a host's orphans, and of what mod_monthly_visitors counted, where that changed."""
        yield from self._reader.read_orphans(host)
        if any(changed_at(os.path.join(host.path, file)) != read_at for file, read_at in host.visitors.items()):
            yield [self._visitors.read(host)]

    def _read_later(self, host: Host) -> Iterator[list[Record]]:
        """Reads what is left of a host."""
        if host.is_empty:
            return
        yield from self._reader.read_later(host, self._advance)
        yield from self._say_read(host)

    def _say_read(self, host: Host) -> Iterator[list[Record]]:
        if not host.was_read:
            host.was_read = True
            yield [HostRead(host.name)]

    def _say_start(self) -> Iterator[list[Record]]:
        """Tells of the server's last start, where another one is seen."""
        started = self._layout.started_at()
        if started is not None and started != self._said_start:
            self._said_start = started
            yield [ServerStarted(started)]

    def _advance(self, files: int) -> None:
        """Takes note that some more files are done, and lists on, until it is known how many there are."""
        if self._progress is None:
            return
        done, total = self._progress.done + files, self._progress.total
        if total is None:
            for names in self._listing:
                with suppress(NotListedError):  # whoever reads them gets the error
                    names.list_on(HELP_FROM)
            if all(names.is_done for names in self._listing):
                total, self._listing = sum(map(len, self._listing)), []
        self._progress = replace(self._progress, done=done if total is None else min(done, total), total=total)

    def _settle(self, now: float) -> Iterator[list[Record]]:
        """Reads again, once it is time, what was read so soon after it was written that it may have changed since."""
        if now >= self._settle_at:
            if not self._layout.is_there():  # nobody is taken for deleted
                self._settle_at = now + SETTLE
                self._pace.doubt(now)
                return
            self._settle_at = float("inf")
            for host in self._layout.hosts.values():
                yield from self._reader.read_fresh(host)
        if self._settle_at == float("inf") and any(host.fresh for host in self._layout.hosts.values()):
            self._settle_at = now + SETTLE

    def _watch(self) -> None:
        """Watches what is there now. Whatever comes of it, everything is looked through after it."""
        if self._watcher:
            stores = {store.path for host in self._layout.hosts.values() for store in host.stores.values()}
            self._watcher.watch({path: SUFFIX if path in stores else b"" for path in self._layout.identities()})

    def _is_watch_doubtful(self) -> bool:
        """Whether the watcher may have missed something, or ended for the first time since it was known to stand. The
        next sweep watches again; if that fails again at once, sweeps alone must do, at their own pace."""
        if self._watcher is None:
            return False
        is_doubtful = self._watcher.has_lost()
        failure = self._watcher.failure()
        if failure is not None:
            is_doubtful = is_doubtful or self._watch_problem is None
            why = f"{failure}; other changes show late, at the next sweep"
            self._watch_problem = Problem("watching interrupted", self.label, "", why)
        if is_doubtful or failure is not None:
            self._watcher_stands = False
        return is_doubtful

    def _problems(self) -> Iterator[list[Record]]:
        beside = (self._watch_problem, self._unreadable())
        problems = (*self._layout.problems.values(), *(problem for problem in beside if problem is not None))
        if problems != self._said_problems:
            self._said_problems = problems
            yield [SourceProblems(problems)]

    def _unreadable(self) -> Problem | None:
        """That there are files of users, and not one may be read: which says of nobody that they were not there."""
        hosts = self._layout.hosts.values()
        users = sum(len(host.unread_users) for host in hosts)
        if not users or any(host.is_readable for host in hosts if not host.is_empty):
            return None
        why = f"not one of the files of {users:,} users may be read; figures go on when they may. {MAY_READ}"
        return Problem(NOT_READABLE, self.label, "", why, is_urgent=True)
