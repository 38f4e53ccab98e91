"""Many files of one store read, or looked at, at once: what they say where they have the usual shapes (`plain`).

This file imports next to nothing, so that a helper process begins at once.
"""

import os
import stat
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from headcount.compact_map import CompactMap
from headcount.prosody.files import users_of
from headcount.prosody.plain import LARGEST, PlainLogins, plain_lastlog2, plain_logins
from headcount.user_keys import HostKeys

Row = tuple[int, str, int, int, str | None, str | None, PlainLogins]
"""Key, name, last login, last logout (0 where there was none), the address of each, and the login records
(`records.PlainUser`)."""


class StorePaths(NamedTuple):
    """The paths of a store of lastlog2, of the host's store of login records if it has one, and of its other stores."""

    directory: bytes
    records: bytes | None
    beside: Sequence[bytes]


class PlainStore(NamedTuple):
    """The same directories, open. A user who has a file in one of those beside wants a closer look. `keys` gives the
    users' keys."""

    directory: int
    records: int | None
    beside: Sequence[int]
    keys: HostKeys

    @classmethod
    def opened(cls, paths: StorePaths, keys: HostKeys) -> "PlainStore":
        """The store of those paths, to be closed. Raises OSError where a directory can't be opened."""
        with ExitStack() as opened:

            def descriptor_of(path: bytes) -> int:
                descriptor = os.open(path, _DIRECTORY)
                opened.callback(os.close, descriptor)
                return descriptor

            store = cls(
                descriptor_of(paths.directory),
                None if paths.records is None else descriptor_of(paths.records),
                [descriptor_of(path) for path in paths.beside],
                keys,
            )
            opened.pop_all()
        return store

    def close(self) -> None:
        """Lets go of the directories."""
        for descriptor in (self.directory, *self.beside, *(() if self.records is None else (self.records,))):
            os.close(descriptor)


class Rows(NamedTuple):
    """What is said of some files: the `rows` of those of the shape, in the order of their names, with their change
    times (ns) and those of the login records (0 where there are none); `others` are the names of those that want a
    closer look, `later` those of the ones that were not read, with their change times."""

    rows: list[Row]
    changed: "array[int]"
    recorded: "array[int]"
    others: list[bytes]
    later: list[bytes]
    later_changed: "array[int]"


_NO_RECORDS: Final[tuple[int, PlainLogins]] = (0, ())
_GONE: Final = -1
"""The change time of a file that is not there."""
_LONGEST_LASTLOG2: Final = 478
"""Bytes of the longest file of lastlog2 that is looked at here: one of its shape, with two addresses of IPv6, has some
250, and what is read into no more than so many is made in Python's own pools."""
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_TYPE: Final = 0o170000
"""The bits of a mode that tell a regular file (`stat.S_IFREG`) from others."""


def read_plain(store: PlainStore, files: Sequence[bytes], *, since: int = 0, stamps: Sequence[int] = ()) -> Rows:
    """Reads `files` of a store. Those that were written before `since` (ns) are only looked at; `stamps` are the change
    times of all of them where they were looked at before.

    A change time is always that of before the file was read: where the file is another one by then, so is the time.
    """
    others: list[bytes] = []
    later: list[bytes] = []
    later_changed = array("Q")
    if since and not stamps:
        files, stamps, others, later, later_changed = _looked_at(store.directory, files, since)
    if stamps:
        texts = [_read(file, store.directory) for file in files]
    else:
        read = [_read_with_stamp(file, store.directory, _LONGEST_LASTLOG2) for file in files]
        stamps, texts = [stamp for stamp, _ in read], [data for _, data in read]
    rows: list[Row] = []
    changed, recorded = array("Q"), array("Q")
    said = plain_lastlog2(texts)
    users = users_of(files)
    keys = store.keys.many(users)
    beside = iter(_told_beside(store, [file for file, events in zip(files, said, strict=True) if events is not None]))
    for file, user, key, stamp, events in zip(files, users, keys, stamps, said, strict=True):
        told = None if events is None else next(beside)
        if user is None or events is None or told is None:
            others.append(file)
            continue
        rows.append((key, user, *events, told[1]))
        changed.append(stamp)
        recorded.append(told[0])
    return Rows(rows, changed, recorded, others, later, later_changed)


class Looks(NamedTuple):
    """What some files look like: the `keys` of their users (0 for a name that is nobody's), how many of those are
    `known`, and the files that are not as they were known to be, with key and change time (ns, 0 where it can't be
    told)."""

    keys: "array[int]"
    known: int
    changed: list[tuple[bytes, int, int]]


def look_at(store: PlainStore, known: CompactMap, files: Sequence[bytes]) -> Looks:
    """Looks at `files` of a store without reading them. `known` has the change times that are known, by key."""
    directory = store.directory
    stamps: list[int] = []
    for file in files:
        try:
            stamps.append(os.stat(file, dir_fd=directory).st_ctime_ns)
        except OSError:
            stamps.append(0)
    keys = store.keys.many(users_of(files))
    befores = known.get_many(keys)
    changed = [
        (file, key, stamp)
        for file, key, stamp, before in zip(files, keys, stamps, befores, strict=True)
        if stamp != before
    ]
    return Looks(keys, len(befores) - befores.count(None), changed)


def _looked_at(
    directory: int, files: Sequence[bytes], since: int
) -> "tuple[list[bytes], list[int], list[bytes], list[bytes], array[int]]":
    """The names of the files that were written at `since` or later, with their change times; of those that want a
    closer look; and of those written before, with theirs."""
    recent: list[bytes] = []
    others: list[bytes] = []
    later: list[bytes] = []
    recent_changed: list[int] = []
    later_changed = array("Q")
    for file in files:
        try:
            found = os.stat(file, dir_fd=directory)
        except OSError:
            others.append(file)
            continue
        if found.st_mode & _TYPE != stat.S_IFREG:
            others.append(file)
        elif found.st_mtime_ns < since:
            later.append(file)
            later_changed.append(found.st_ctime_ns)
        else:
            recent.append(file)
            recent_changed.append(found.st_ctime_ns)
    return recent, recent_changed, others, later, later_changed


def _read(file: bytes, directory: int) -> bytes:
    """The bytes of a file of lastlog2; none where it can't be read, or is too large to have the usual shape."""
    try:
        descriptor = os.open(file, _FLAGS, dir_fd=directory)
    except OSError:
        return b""
    try:
        data = os.read(descriptor, _LONGEST_LASTLOG2 + 1)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return data if len(data) <= _LONGEST_LASTLOG2 else b""


def _read_with_stamp(file: bytes, directory: int, longest: int) -> tuple[int, bytes]:
    """A file's change time and bytes; `_GONE` and none where it is not there, none of one longer than that."""
    try:
        descriptor = os.open(file, _FLAGS, dir_fd=directory)
    except FileNotFoundError:
        return _GONE, b""
    except OSError:
        return 0, b""
    try:
        found = os.fstat(descriptor)
        data = os.read(descriptor, longest + 1) if stat.S_ISREG(found.st_mode) else b""
    except OSError:
        return 0, b""
    finally:
        os.close(descriptor)
    return found.st_ctime_ns, data if len(data) <= longest else b""


def _told_beside(store: PlainStore, files: Sequence[bytes]) -> list[tuple[int, PlainLogins] | None]:
    """What some users' login records say, and their change time; None for a user who wants a closer look."""
    told: list[tuple[int, PlainLogins] | None] = [_NO_RECORDS] * len(files)
    if store.records is not None:
        told = _read_records(files, store.records)
    if not store.beside:
        return told
    return [None if _is_in_any(store.beside, file) else of_file for file, of_file in zip(files, told, strict=True)]


def _read_records(files: Sequence[bytes], directory: int) -> list[tuple[int, PlainLogins] | None]:
    """The change time of some users' login records and what they say, `_NO_RECORDS` where there are none; None where
    they want a closer look."""
    read = [_read_with_stamp(file, directory, LARGEST) for file in files]
    said = plain_logins([data for _, data in read])
    return [
        _NO_RECORDS if stamp == _GONE else None if logins is None else (stamp, logins)
        for (stamp, _), logins in zip(read, said, strict=True)
    ]


def _is_in_any(directories: Sequence[int], file: bytes) -> bool:
    """Whether the file is there, or may be, in one of the directories."""
    for directory in directories:
        try:
            os.stat(file, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError:
            return True
        return True
    return False
