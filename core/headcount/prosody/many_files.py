"""Many users' files read, or looked at, at once: what all stores of a host say of each user.

This file imports next to nothing, so that a helper process begins at once.
"""

import os
import stat
from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import compress
from typing import Any, Final, NamedTuple

from headcount.activities import NOTHING, Activities, flat, together
from headcount.compact_map import CompactMap
from headcount.errors import PERMISSION_DENIED
from headcount.prosody.files import users_of
from headcount.prosody.plain import plain_reader
from headcount.user_keys import HostKeys

StorePaths = Sequence[tuple[str, bytes]]
"""The stores of a host by their names, each with the path of its directory."""

Row = tuple[Any, ...]
"""A user's record (`records.UserRecord`). Where anything is odd its problems are shorter (the number of the store
among those that were read, what it is, and why), and at its end stands whether any file could be read."""

Stamps = Sequence["array[int]"]
"""The change times (ns) of some users' files, by store."""
_Odd = tuple[int, str, bytes | str]
"""A file that has not the usual shape: the number and the name of its store, and its bytes or why it can't be read."""

MAX_SIZE: Final = 1024 * 1024
"""Bytes of the largest file of a user that is read; one has some hundred."""
STALE: Final = 0
"""The change time of a file that has to be read again whatever it says."""
GONE: Final = 1
"""The change time of a file that is not there: no file has it."""
UNREAD: Final = "unreadable record"
"""What is wrong with a file that can't be read."""
_USUAL: Final = 478
"""Bytes of a usual file: what is read into no more than that is made in Python's own pools."""
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_TYPE: Final = 0o170000
"""The bits of a mode that tell a regular file (`stat.S_IFREG`) from others."""


class Store(NamedTuple):
    """A store of a host, open: its name, its directory (None where it is not there), and what reads its files."""

    name: str
    directory: int | None
    plain: Callable[[bytes], Activities | None]


class UserStores:
    """The stores of a host, open. `keys` gives the users' keys. To be closed. Raises OSError where a directory can't be
    opened."""

    def __init__(self, paths: StorePaths, keys: HostKeys) -> None:
        self.keys = keys
        self.opened: list[Store] = []
        with ExitStack() as directories:
            for name, path in paths:
                directory = None
                with suppress(FileNotFoundError):
                    directory = os.open(path, _DIRECTORY)
                    directories.callback(os.close, directory)
                self.opened.append(Store(name, directory, plain_reader(name)))
            self._directories = directories.pop_all()

    def close(self) -> None:
        """Lets go of the directories."""
        self._directories.close()


class Read(NamedTuple):
    """What was read of some files: the `rows` of their users, in the order of their names, and by store the change
    times (ns) of their files, `GONE` where there is none. `nobody` are the names that are nobody's; `later` those of
    the files that were only looked at, with the same times of theirs."""

    rows: list[Row]
    stamps: Stamps
    nobody: list[bytes]
    later: list[bytes]
    later_stamps: Stamps


def read_users(stores: UserStores, files: Sequence[bytes], since: int = 0, stamps: Stamps = ()) -> Read:
    """Reads the files of those names in all stores; but of whom no file was written at `since` (ns) or later, none.
    `stamps` are the change times of all of them, where they were looked at before.

    A change time is always that of before the file was read: where the file is another one by then, so is the time.
    """
    later: list[bytes] = []
    later_stamps: Stamps = ()
    if since and not stamps:
        files, stamps, later, later_stamps = _looked_at(stores, files, since)
    users, nobody = users_of(files), []
    if None in users:
        nobody = [file for file, user in zip(files, users, strict=True) if user is None]
        is_user = [user is not None for user in users]
        files, stamps = list(compress(files, is_user)), [array("Q", compress(one, is_user)) for one in stamps]
        users = list(compress(users, is_user))
    read_stamps: list[array[int]] = []
    said: list[Activities | None] = [None] * len(files)
    odd: dict[int, list[_Odd]] = {}
    for number, store in enumerate(stores.opened):
        stamps_of, data = _data_of(store, files, stamps[number] if stamps else None)
        read_stamps.append(stamps_of)
        plain = store.plain
        found = [None if one is None else plain(one) if isinstance(one, bytes) else None for one in data]
        if found.count(None) > data.count(None):
            for at, (one, its_data) in enumerate(zip(found, data, strict=True)):
                if one is None and its_data is not None:
                    odd.setdefault(at, []).append((number, store.name, its_data))
        said = list(map(_both, said, found)) if number else found
    rows: list[Row] = [
        (key, user, *one, (), True, False)
        if one is not None and at not in odd
        else _odd_row(key, user or "", one, odd.get(at, ()))
        for at, (key, user, one) in enumerate(zip(stores.keys.many(users), users, said, strict=True))
    ]
    return Read(rows, read_stamps, nobody, later, later_stamps)


class Looks(NamedTuple):
    """What some files look like: the `keys` of their users (0 for a name that is nobody's), how many of those are
    `known`, and the files that are not as they were known to be, with key and change time (ns, 0 where it can't be
    told)."""

    keys: "array[int]"
    known: int
    changed: list[tuple[bytes, int, int]]


def look_at(stores: UserStores, number: int, known: CompactMap, files: Sequence[bytes]) -> Looks:
    """Looks at `files` of the store of that number without reading them. `known` has the change times that are known,
    by key."""
    keys = stores.keys.many(users_of(files))
    directory, count = stores.opened[number].directory, 0
    changed = []
    for file, key in zip(files, keys, strict=True):
        stamp = _changed_at(file, directory)
        before = known.get(key)
        count += before is not None
        if stamp != before:
            changed.append((file, key, stamp))
    return Looks(keys, count, changed)


def read_file(file: bytes, directory: int | None = None, limit: int = MAX_SIZE) -> tuple[int, bytes | str | None]:
    """A file's change time (ns) and bytes; in place of those why they can't be read, or None where it is not there.

    Never waits: what is no regular file (a FIFO, say) is not read.
    """
    try:
        descriptor = os.open(file, _FLAGS, dir_fd=directory)
    except FileNotFoundError:
        return GONE, None
    except OSError as error:
        return _changed_at(file, directory), _why(error)
    try:
        found = os.fstat(descriptor)
        if found.st_mode & _TYPE != stat.S_IFREG:
            return found.st_ctime_ns, "it is not a file"
        if found.st_size > limit:
            return found.st_ctime_ns, f"it is larger than {limit >> 20} MiB"
        return found.st_ctime_ns, os.read(descriptor, found.st_size + 1)
    except OSError as error:
        return 0, _why(error)
    finally:
        os.close(descriptor)


def _why(error: OSError) -> str:
    return PERMISSION_DENIED if isinstance(error, PermissionError) else error.strerror or ""


def _changed_at(file: bytes, directory: int | None) -> int:
    """A file's change time (ns); 0 where it can't be known."""
    try:
        return os.stat(file, dir_fd=directory).st_ctime_ns
    except OSError:
        return 0


def _looked_at(
    stores: UserStores, files: Sequence[bytes], since: int
) -> tuple[list[bytes], Stamps, list[bytes], Stamps]:
    """The names of those of whom a file was written at `since` or later, or is none, with the change times of all their
    files; those of all others, with theirs."""
    directories = [store.directory for store in stores.opened]
    recent: list[bytes] = []
    old: list[bytes] = []
    recent_stamps, old_stamps = [array("Q") for _ in directories], [array("Q") for _ in directories]
    for file in files:
        newest, stamps = 0, []
        for directory in directories:
            try:
                if directory is None:
                    raise FileNotFoundError
                found = os.stat(file, dir_fd=directory)
            except OSError as error:
                stamps.append(GONE if isinstance(error, FileNotFoundError) else STALE)
                continue
            stamps.append(found.st_ctime_ns)
            newest = max(newest, found.st_mtime_ns if found.st_mode & _TYPE == stat.S_IFREG else since)
        recent.append(file) if newest >= since else old.append(file)
        for column, stamp in zip(recent_stamps if newest >= since else old_stamps, stamps, strict=True):
            column.append(stamp)
    return recent, recent_stamps, old, old_stamps


def _data_of(
    store: Store, files: Sequence[bytes], stamps: "array[int] | None"
) -> "tuple[array[int], list[bytes | str | None]]":
    """The change times of some files of a store, and what `read_file` gives of each; `stamps` are the former where they
    are known."""
    directory = store.directory
    if directory is None:
        return array("Q", [GONE]) * len(files), [None] * len(files)
    if stamps is None:
        read = [read_file(file, directory) for file in files]
        return array("Q", [stamp for stamp, _ in read]), [data for _, data in read]
    if GONE not in stamps:
        return stamps, [_read(file, directory) for file in files]
    both = zip(files, stamps, strict=True)
    return stamps, [None if stamp == GONE else _read(file, directory) for file, stamp in both]


def _read(file: bytes, directory: int) -> bytes | str | None:
    """The bytes of a file that was a usual one when it was looked at, and may have changed since."""
    try:
        descriptor = os.open(file, _FLAGS, dir_fd=directory)
    except OSError:
        return read_file(file, directory)[1]
    try:
        data = os.read(descriptor, _USUAL + 1)
    except OSError:
        data = b""
    finally:
        os.close(descriptor)
    return data if 0 < len(data) <= _USUAL else read_file(file, directory)[1]


def _both(one: Activities | None, other: Activities | None) -> Activities | None:
    return together(one, other) if one and other else one or other


def _odd_row(key: int, user: str, said: Activities | None, odd: Sequence[_Odd]) -> Row:
    """The row of a user with files that have not the usual shapes, or can't be read, or who has none any more."""
    activities = said or NOTHING
    problems: list[tuple[int, str, str]] = []
    was_read = is_known = bool(said)
    is_unread = False
    for number, name, data in odd:
        if isinstance(data, str):
            problems.append((number, UNREAD, data))
            is_known = is_unread = True
            continue
        from headcount.prosody.stores import read_store  # here, since it takes a while and few users need it

        reading = read_store(name, data)
        was_read = True
        is_known = is_known or reading.known
        activities = together(activities, flat(reading.activities, reading.logins))
        problems += [(number, problem.what, problem.why) for problem in reading.problems]
    return key, user, *activities, tuple(problems), is_known, is_unread, was_read
