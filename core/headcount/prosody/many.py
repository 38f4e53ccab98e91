"""Many users' files read, or looked at, at once: what all stores of a host say of each user.

This file imports next to nothing, so that a helper process begins at once.
"""

import os
import stat
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

from headcount.compact_map import CompactMap
from headcount.errors import PERMISSION_DENIED
from headcount.prosody.files import users_of
from headcount.prosody.plain import plain_reader
from headcount.user_keys import HostKeys

StorePaths = Sequence[tuple[str, bytes]]
"""The stores of a host by their names, each with the path of its directory."""

Row = tuple[Any, ...]
"""A user's record (`records.UserRecord`). Where anything is odd its flaws are faults (the number of the store among
those that were read, what it is, and why), and at its end stands whether any file could be read."""

MAX_SIZE: Final = 1024 * 1024
"""Bytes of the largest file of a user that is read; one has some hundred."""
GONE: Final = 1
"""The change time of a file that is not there: no file has it."""
UNREAD: Final = "unreadable record"
"""What is wrong with a file that can't be read."""
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_TYPE: Final = 0o170000
"""The bits of a mode that tell a regular file (`stat.S_IFREG`) from others."""


class UserStores:
    """The stores of a host, open; one that is not there has no files. `keys` gives the users' keys. To be closed.
    Raises OSError where a directory can't be opened."""

    def __init__(self, paths: StorePaths, keys: HostKeys) -> None:
        self.keys = keys
        self.directories: list[int | None] = []
        with ExitStack() as opened:
            for _, path in paths:
                try:
                    directory = os.open(path, _DIRECTORY)
                except FileNotFoundError:
                    self.directories.append(None)
                else:
                    self.directories.append(directory)
                    opened.callback(os.close, directory)
            self._opened = opened.pop_all()
        self.readers = [(name, plain_reader(name)) for name, _ in paths]

    def close(self) -> None:
        """Lets go of the directories."""
        self._opened.close()


class Read(NamedTuple):
    """What was read of some files: the `rows` of their users, in the order of their names, and by store the change
    times (ns) of their files, `GONE` where there is none. `nobody` are the names that are nobody's, `later` those of
    the files that were not read yet, and `left` says how many files those are in each store."""

    rows: list[Row]
    stamps: "Sequence[array[int]]"
    nobody: list[bytes]
    later: list[bytes]
    left: list[int]


def read_users(stores: UserStores, files: Sequence[bytes], since: int = 0) -> Read:
    """Reads the files of those names in all stores; but of whom no file was written at `since` (ns) or later, none.

    A change time is always that of before the file was read: where the file is another one by then, so is the time.
    """
    later: list[bytes] = []
    left = [0] * len(stores.readers)
    if since:
        files, later, left = _recent(stores.directories, files, since)
    users: Sequence[str | None] = users_of(files)
    keys = stores.keys.many(users)
    stamps = [array("Q") for _ in stores.readers]
    columns = [
        (number, directory, *reader, note.append)
        for number, (directory, reader, note) in enumerate(zip(stores.directories, stores.readers, stamps, strict=True))
        if directory is not None
    ]
    rows: list[Row] = []
    nobody: list[bytes] = []
    for file, user, key in zip(files, users, keys, strict=True):
        if user is None:
            nobody.append(file)
            continue
        activities: tuple[Any, ...] = ()
        logins: tuple[Any, ...] = ()
        is_found, odd = False, []
        for number, directory, name, plain, note in columns:
            stamp, data = read_file(file, directory)
            note(stamp)
            if data is None:
                continue
            said = plain(data) if isinstance(data, bytes) else None
            if said is None:
                odd.append((number, name, data))
                continue
            is_found = True
            activities = activities + said[0] if activities else said[0]
            logins = logins + said[1] if logins else said[1]
        if odd:
            rows.append(_odd_row((key, user, activities, logins), is_found, odd))
        else:
            rows.append((key, user, activities, logins) if is_found else (key, user, (), (), (), False, False, True))
    for opened, of_store in zip(stores.directories, stamps, strict=True):
        if opened is None:
            of_store.extend([GONE] * len(rows))
    return Read(rows, stamps, nobody, later, left)


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
    directory, count = stores.directories[number], 0
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
    """A file's change time (ns); 0 where it can't be told."""
    try:
        return os.stat(file, dir_fd=directory).st_ctime_ns
    except OSError:
        return 0


def _recent(
    directories: Sequence[int | None], files: Sequence[bytes], since: int
) -> tuple[list[bytes], list[bytes], list[int]]:
    """The names of those of whom a file was written at `since` or later, or is none; those of all others, and how many
    files in each directory those are."""
    recent: list[bytes] = []
    old: list[bytes] = []
    left = [0] * len(directories)
    there = [(number, directory) for number, directory in enumerate(directories) if directory is not None]
    for file in files:
        found = []
        for number, directory in there:
            try:
                looked = os.stat(file, dir_fd=directory)
            except OSError:
                continue
            if looked.st_mtime_ns >= since or looked.st_mode & _TYPE != stat.S_IFREG:
                recent.append(file)
                break
            found.append(number)
        else:
            old.append(file)
            for number in found:
                left[number] += 1
    return recent, old, left


def _odd_row(plain: Row, is_found: bool, odd: Sequence[tuple[int, str, bytes | str]]) -> Row:
    """The row of a user with files that have not the usual shapes, or can't be read, beside what the others say."""
    from headcount.prosody.stores import read_store  # here, since it takes a while and few users need it

    key, user, activities, logins = plain
    faults: list[tuple[int, str, str]] = []
    is_known, is_unread, was_read = is_found, False, is_found
    for number, name, data in odd:
        if isinstance(data, str):
            faults.append((number, UNREAD, data))
            is_known = is_unread = True
            continue
        reading = read_store(name, data)
        was_read = True
        is_known = is_known or reading.known
        activities += reading.activities
        logins += reading.logins
        faults += [(number, fault.what, fault.why) for fault in reading.faults]
    return key, user, activities, logins, tuple(faults), is_known, is_unread, was_read
