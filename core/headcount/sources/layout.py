"""A data directory as it lies on disk: its hosts, their stores and the names in them, looked at but never touched."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from headcount.compact_map import CompactMap
from headcount.errors import MAY_READ, PERMISSION_DENIED
from headcount.prosody.files import ADMIN_SOCKET, SUFFIX, USER_STORES, VISITORS_FILES
from headcount.prosody.many_files import STALE, Stamps
from headcount.prosody.names import decode, encode_store, why_not_decoded
from headcount.records import MOVED, NO_HOST, Problem
from headcount.sources.moved_to_database import Databases, modified_at
from headcount.text import clean

STORES = {encode_store(store): store for store in USER_STORES}
"""Each store that is read, by the name of its directory."""
LEFTOVER = SUFFIX + b"~"
_NO_HOST = (
    "no host that was there is left: is its volume mounted? These are the last figures, which go on when one is back. "
    "If all hosts were deleted, start once with --trust-files"
)
_MOVED = (
    "so the server seems to keep its data there now, which can't be read yet. These are the last figures; they go on "
    "when a user's file is written again, or with --trust-files if something else is in that database"
)
TURN = 5000
"""Entries of a directory that are listed before others have their turns."""
UNKNOWN_DIRECTORY = (0, 0)


@dataclass(slots=True)
class Store:
    """One store of one host: a directory with a file a user.

    `files` has the signature of each when it was read, by its user's key. `unmoved` is the directory's change time (ns)
    of when all that is in it was read, 0 where something may have come since; `unmoved_later` what it is once those of
    the host's `later` are read too.
    """

    name: str
    path: bytes
    identity: tuple[int, int]
    files: CompactMap = field(default_factory=CompactMap)
    leftovers: dict[bytes, int] = field(default_factory=dict)
    unmoved: int = 0
    unmoved_later: int = 0


@dataclass(slots=True)
class Host:
    """One host's directory. `was_read` once everything in it has been said; `orphans` are the keys of the users whose
    files are gone, or were in stores that went: they may still have others. `unread_users` are the keys of those of
    whom no file may be read. `fresh` are the names of files that have to be read again soon, with a hash of what was
    said of them; `later` those (with a slash between) that were only looked at so far, with all those users' change
    times by store."""

    name: str
    path: bytes
    identity: tuple[int, int]
    stores: dict[str, Store] = field(default_factory=dict)
    visitors: dict[bytes, int] = field(default_factory=dict)
    orphans: set[int] = field(default_factory=set)
    unread_users: set[int] = field(default_factory=set)
    fresh: dict[bytes, int] = field(default_factory=dict)
    later: "list[tuple[bytes, Stamps]]" = field(default_factory=list)
    was_read: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that Headcount reads: a component, or a host without a login yet."""
        return not self.stores and not self.visitors

    @property
    def is_readable(self) -> bool:
        """Whether a file of any user could be read, or there is none."""
        unread = self.unread_users
        return not unread or any(
            len(store.files) > len(unread) or any(key not in unread for key in store.files)
            for store in self.stores.values()
        )

    @property
    def unread(self) -> list[Store]:
        """The stores of which no file was read yet."""
        return [store for store in self.stores.values() if not len(store.files)]


class NotListedError(Exception):
    """A directory can't be listed now; where that is a problem, it has been noted."""


class Layout:
    """The hosts and stores below `root`, and what is wrong with their names, kinds and permissions.

    Every look replaces the problems of what it looked at; `problems` has those of now, by path. `expected` are the
    directories of hosts that an earlier run saw. `trusts_files` is the operator's word that nothing is missing there.
    """

    def __init__(self, root: bytes, *, trusts_files: bool = False) -> None:
        self.root = root
        self.expected: set[bytes] = set()
        self._databases = None if trusts_files else Databases(root)
        self.hosts: dict[bytes, Host] = {}
        self.problems: dict[bytes, Problem] = {}

    def look(self, *, even_if_moved: bool = False) -> bool:
        """Finds hosts and stores that came, went or were made again; whether any did. `even_if_moved` also where the
        server seems to have left its files for a database.

        A store made again is a new one; the users of the one before are orphans until they are found in it.
        """
        before = self.identities()
        entries = self._entries(even_if_moved=even_if_moved)
        if entries is None:
            return False
        found = {}
        for entry in entries:
            path = os.path.join(self.root, entry)
            identity = _directory(path)
            if identity is not None:
                found[entry] = path, identity
        for entry in [entry for entry in self.hosts if entry not in found]:
            del self.hosts[entry]
        for entry, (path, identity) in found.items():
            self._look_at_host(entry, path, identity)
        return self.identities() != before

    @property
    def is_lost(self) -> bool:
        """Whether the data directory could not be looked at when it was tried last."""
        return self.root in self.problems

    def is_there(self) -> bool:
        """Whether the data directory can be looked at now, and holds what it should."""
        return self._entries() is not None

    def started_at(self) -> float | None:
        """When the server was started last (Unix seconds), by the socket that it binds then; None where there is none:
        it ended in order, or keeps its socket elsewhere."""
        try:
            found = os.stat(os.path.join(self.root, ADMIN_SOCKET))
        except OSError:
            return None
        return found.st_mtime if stat.S_ISSOCK(found.st_mode) else None

    def may_be_ours(self, path: bytes) -> bool:
        """Whether a change at `path` may be that of a host's or store's directory, or of a file of a host's own."""
        directory, file = os.path.split(path)
        if path == self.root:
            return True
        if directory == self.root:
            return file in self.hosts or os.path.isdir(path)
        return file in STORES or file in VISITORS_FILES

    def doubt(self, path: bytes) -> None:
        """Takes the directory at `path`, if it is one of ours, for another one than it was: a new directory may
        have the number of a deleted one."""
        for host in self.hosts.values():
            if path == host.path:
                host.identity = UNKNOWN_DIRECTORY
            for store in host.stores.values():
                if path in (host.path, store.path):
                    store.identity = UNKNOWN_DIRECTORY

    def identities(self) -> dict[bytes, tuple[int, int]]:
        """The directories to watch, with what tells that one was made again."""
        found = {}
        identity = _directory(self.root)
        if identity is not None:
            found[self.root] = identity
        for host in self.hosts.values():
            found[host.path] = host.identity
            for store in host.stores.values():
                found[store.path] = store.identity
        return found

    def user_files(self, store: Store) -> Iterator[list[bytes]]:
        """The names of a store's files, of users or of nobody (`note_nobody`), some thousand at a time, so that others
        may have their turns meanwhile. Raises NotListedError where they can't be had now."""
        for path in [path for path in self.problems if os.path.dirname(path) == store.path]:
            if changed_at(path) is None:
                del self.problems[path]
        self.problems.pop(store.path, None)
        leftovers: dict[bytes, int] = {}
        try:
            with os.scandir(store.path) as found:
                while some := [entry.name for entry in islice(found, TURN)]:
                    joined = b"/".join(some) + b"/"
                    if not joined.isascii():
                        some = self._named_as_prosody_names(store, some)
                    if not joined.isascii() or joined.count(SUFFIX + b"/") < len(some):
                        for entry in some:
                            path = os.path.join(store.path, entry)
                            if entry.endswith(LEFTOVER) and (written := changed_at(path)) is not None:
                                leftovers[entry] = written
                        some = [entry for entry in some if entry.endswith(SUFFIX)]
                    yield some
        except OSError as error:
            self._note_unlisted(store.path, error)
            raise NotListedError from error
        store.leftovers = leftovers

    def note_nobody(self, store: Store, file: bytes) -> None:
        """Tells of a file that is nobody's, since Prosody would not write its name so."""
        path = os.path.join(store.path, file)
        self.problems[path] = self.problem("name is not canonical", path, why_not_decoded(file.removesuffix(SUFFIX)))

    def _named_as_prosody_names(self, store: Store, files: list[bytes]) -> list[bytes]:
        """Those names that are ASCII. The others are reported, and never opened: watchfiles ends at what happens to a
        file whose name is not UTF-8, be it that it is read."""
        for file in files:
            if file.endswith(SUFFIX) and not file.isascii():
                self.note_nobody(store, file)
        return [file for file in files if file.isascii()]

    def note_leftovers(self, host: Host) -> None:
        """Tells of temporary files that lie as they lay at the last look: a crash left them behind."""
        for store in host.stores.values():
            for file, written in store.leftovers.items():
                path = os.path.join(store.path, file)
                if changed_at(path) == written:
                    self.problems[path] = self.problem(
                        "leftover file",
                        path,
                        "a crash left it behind; the server overwrites it at its next write",
                    )

    def problem(self, what: str, path: bytes, why: str) -> Problem:
        """A problem of the file or directory at `path`."""
        parts = os.path.relpath(path, self.root).split(b"/")
        shown = [clean(decode(parts[0]) or parts[0]), *(clean(part) for part in parts[1:])]
        return Problem(what, clean("/".join(shown)), clean("/".join(shown[:2])), why)

    def _look_at_host(self, entry: bytes, path: bytes, identity: tuple[int, int]) -> None:
        entries = self._list(path)
        if entries is None:
            return
        stores = {
            name: (store_path, store_identity)
            for file, name in STORES.items()
            if file in entries and (store_identity := _directory(store_path := os.path.join(path, file)))
        }
        visitors = [file for file in VISITORS_FILES if file in entries]
        name = decode(entry)
        if name is None or name != clean(name):
            if stores or visitors:
                why = why_not_decoded(entry) if name is None else "no host can have that name"
                self.problems[path] = self.problem("name is not canonical", path, why)
            return
        host = self.hosts.get(entry)
        if host is None:
            host = self.hosts[entry] = Host(name, path, identity)
        host.identity = identity
        for gone in host.stores.keys() - stores.keys():
            host.orphans.update(host.stores.pop(gone).files)
        for store_name, (store_path, store_identity) in stores.items():
            store = host.stores.get(store_name)
            if store is None or store.identity != store_identity:
                host.orphans.update(store.files if store else ())
                host.fresh.clear()  # a sweep finds them, as it finds all that is in the new store
                host.stores[store_name] = Store(store_name, store_path, store_identity)
        host.visitors = {file: host.visitors.get(file, STALE) for file in visitors}

    def _entries(self, *, even_if_moved: bool = False) -> list[bytes] | None:
        """The entries of the data directory; None, and a problem, where they can't be had, or the server's files are
        not there any more: nobody deletes all hosts at once, but a volume may not be mounted."""
        entries = self._list(self.root)
        seen = (entry for entry, host in self.hosts.items() if not host.is_empty)
        known = next(chain(seen, self.expected), None)
        if entries is None or self._databases is None or known is None:
            return entries
        written = self._written(entries) if self._databases.are_among(entries) else 0
        database = self._databases.newer(entries, written)
        if database is not None and even_if_moved:
            return entries
        if database is not None:
            self._lose(MOVED, f"{clean(database)} is newer than all files of users, {_MOVED}")
        elif not any(self._has_stores(entry) for entry in chain((known,), entries)):
            self._lose(NO_HOST, _NO_HOST)
        else:
            return entries
        return None

    def _has_stores(self, entry: bytes) -> bool:
        try:
            found = os.listdir(os.path.join(self.root, entry))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # a host's directory that may not be read is there
        return any(file in STORES or file in VISITORS_FILES for file in found)

    def _written(self, entries: list[bytes]) -> int:
        """When a user's file was written last (ns), by the change of the directories that it is renamed in; 0 where
        there is none."""
        stores = (os.path.join(self.root, entry, store) for entry in entries for store in STORES)
        return max((modified_at(store) for store in stores), default=0)

    def _list(self, path: bytes) -> list[bytes] | None:
        """The entries of a directory; None, and a problem, where they can't be had now."""
        self.problems.pop(path, None)
        try:
            if path == self.root:
                os.stat(os.path.join(path, b"."))  # one that may be listed and not entered shows names alone
            return os.listdir(path)
        except OSError as error:
            self._note_unlisted(path, error)
        return None

    def _note_unlisted(self, path: bytes, error: OSError) -> None:
        """Tells why a directory can't be listed. Of one that is not there any more, nothing is wrong, unless it is the
        whole data directory."""
        is_denied = isinstance(error, PermissionError)
        why = PERMISSION_DENIED if is_denied else clean(error.strerror or str(error.errno))
        if isinstance(error, FileNotFoundError):
            if path == self.root:
                self._lose("no data directory", "it is gone: these are its last figures, which go on when it is back")
        elif path == self.root:
            hint = f" {MAY_READ}" if is_denied else ""
            self._lose("unreadable data directory", f"{why}: these are its last figures.{hint}")
        else:
            self.problems[path] = self.problem("unreadable directory", path, why)

    def _lose(self, what: str, why: str) -> None:
        """Takes note that the whole data directory can't be looked at now."""
        self.problems[self.root] = Problem(what, clean(self.root), "", why, is_urgent=True)


def _directory(path: bytes) -> tuple[int, int] | None:
    """What tells a directory from another one made later at its path; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def changed_at(path: bytes) -> int | None:
    """The change time (ns) of what is at `path`; None where there is nothing."""
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        return None
