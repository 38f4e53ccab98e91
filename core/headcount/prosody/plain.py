"""The one shape that nearly all files of lastlog2 have to the byte, and the reading of many such files at once.

One look at a file of this shape saves nine tenths of the time that parsing takes; whatever looks otherwise goes the
long way (`stores`), which gives the same. This file imports next to nothing, so that a helper process begins at once.
"""

import os
import re
import stat
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import lru_cache
from typing import Any, Final, NamedTuple

from headcount.compact import CompactMap
from headcount.prosody.names import decode

PlainLogins = tuple[tuple[int, str | None, str | None], ...]
"""Login records by their time, each in a month of its own: the second, the address, the resource."""
Row = tuple[int, str, int, int, str | None, str | None, PlainLogins]
"""Key, name, last login, last logout (0 where there was none), the address of each, and the login records
(`records.PlainUser`)."""


class StorePaths(NamedTuple):
    """The paths of a store of lastlog2, of the host's store of login records if it has one, and of its other stores."""

    directory: bytes
    records: bytes | None
    beside: Sequence[bytes]


class PlainStore(NamedTuple):
    """The same directories, open. A user who has a file in one of those beside wants a closer look. `key_of` gives the
    users' keys."""

    directory: int
    records: int | None
    beside: Sequence[int]
    key_of: Callable[[str], int]

    @classmethod
    def opened(cls, paths: StorePaths, key_of: Callable[[str], int]) -> "PlainStore":
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
                key_of,
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


LARGEST: Final = 4096
"""Bytes of the largest file that is looked at here; one of this shape has two hundred."""
_NO_RECORDS: Final[tuple[int, PlainLogins]] = (0, ())
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

_EVENT = rb"""\t\["(log(?:in|out))"\]\ =\ \{\n
    (?:\t\t\["ip"\]\ =\ "([^"\\\r\n]*)";\n)?
    \t\t\["timestamp"\]\ =\ ([1-9][0-9]{0,17});\n
    (?:\t\t\["ip"\]\ =\ "([^"\\\r\n]*)";\n)?
    \t\};\n"""
_COMMON_LASTLOG2 = re.compile(rb"return\ \{\n" + _EVENT + b"(?:" + _EVENT + rb")?\};\n", re.VERBOSE)

Events = tuple[int, int, str | None, str | None]
"""Last login, last logout, and the address of each, as in `Row`."""


def plain_lastlog2(data: bytes) -> Events | None:
    """What a file of that shape says; None for any other."""
    match = _COMMON_LASTLOG2.fullmatch(data)
    if match is None:
        return None
    first, before, when, after, second, second_before, second_when, second_after = match.groups()
    if first == second:
        return None
    ip = before if after is None else after
    address = None if ip is None else ip.decode("utf-8", "replace")
    other, other_address = 0, None
    if second is not None:
        other = int(second_when)
        ip = second_before if second_after is None else second_after
        other_address = None if ip is None else ip.decode("utf-8", "replace")
    if first == b"login":
        return int(when), other, address, other_address
    return other, int(when), other_address, address


_LOGIN = re.compile(
    rb"""\t\["([0-9]{4}-[0-9]{2})"\]\ =\ \{\n
    (?:\t\t\["(?:
        timestamp"\]\ =\ ([1-9][0-9]{0,9})
        |ip"\]\ =\ "([^"\\\r\n]+)"
        |resource"\]\ =\ "([^"\\\r\n]+)"
    );\n){1,3}
    \t\};\n""",
    re.VERBOSE,
)
_PLAIN_LOGINS = re.compile(rb"return\ \{\n(?:" + _LOGIN.pattern + rb")+\};\n", re.VERBOSE)


def plain_logins(data: bytes) -> PlainLogins | None:
    """What a file of login records says where each lies in the month that it stands under, by UTC's calendar, as nearly
    all do; None for any other."""
    if _PLAIN_LOGINS.fullmatch(data) is None:
        return None
    logins: dict[bytes, tuple[int, str | None, str | None]] = {}
    for month, timestamp, ip, resource in _LOGIN.findall(data):
        when = int(timestamp or -1)
        if month in logins or when < 0 or _month_of_day(when // 86_400) != month:
            return None
        logins[month] = when, _text(ip), _text(resource)
    return tuple(sorted(logins.values(), key=_when)) if len(logins) > 1 else tuple(logins.values())


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> bytes:
    """The month, as `YYYY-MM`, in which a day since 1970 lies."""
    return time.strftime("%Y-%m", time.gmtime(day * 86_400)).encode()


def _when(login: tuple[int, str | None, str | None]) -> int:
    return login[0]


def _text(text: bytes) -> str | None:
    return text.decode("utf-8", "replace") if text else None


_TEXT = rb'"[^"\\\r\n]*"'
_PLAIN_FIELD = rb"\[" + _TEXT + rb"\] = (?:[1-9][0-9]{0,17}|" + _TEXT + rb");\n"
_PLAIN_TABLE = re.compile(rb"return \{\n(?:\t\[" + _TEXT + rb"\] = \{\n(?:\t\t" + _PLAIN_FIELD + rb")+\t\};\n)+\};\n")
_A_TABLE = re.compile(rb'\t\["([^"\\\r\n]*)"\] = \{\n((?:\t\t' + _PLAIN_FIELD + rb")+)\t\};\n")
_A_FIELD = re.compile(rb'\t\t\["([^"\\\r\n]*)"\] = (?:([1-9][0-9]{0,17})|"([^"\\\r\n]*)");\n')


def plain_table(data: bytes) -> dict[Any, Any] | None:
    """What Lua makes of a file that holds a table of tables of whole numbers and of texts without escapes, just as
    Prosody writes it; None for any other."""
    if len(data) > LARGEST or _PLAIN_TABLE.fullmatch(data) is None:
        return None
    return {
        name: {field: int(number) if number else text for field, number, text in _A_FIELD.findall(fields)}
        for name, fields in _A_TABLE.findall(data)
    }


def read_plain(store: PlainStore, files: Sequence[bytes], *, since: int = 0, stamps: Sequence[int] = ()) -> Rows:
    """Reads `files` of a store. Those that were written before `since` (ns) are only looked at; `stamps` are the change
    times of all of them where they were looked at before.

    A change time is always that of before the file was read: where the file is another one by then, so is the time.
    """
    others: list[bytes] = []
    later: list[bytes] = []
    later_changed = array("Q")
    if not stamps:
        files, stamps, others, later, later_changed = _looked_at(store.directory, files, since)
    rows: list[Row] = []
    changed, recorded = array("Q"), array("Q")
    directory, records, key_of = store.directory, store.records, store.key_of
    for file, stamp in zip(files, stamps, strict=True):
        name = file[:-4]
        user = name.decode("ascii") if name.isalnum() else decode(name)
        if user is None or not file.endswith(b".dat"):
            others.append(file)
            continue
        try:
            descriptor = os.open(file, _FLAGS, dir_fd=directory)
            try:
                data = os.read(descriptor, LARGEST + 1)
            finally:
                os.close(descriptor)
        except OSError:
            others.append(file)
            continue
        events = plain_lastlog2(data) if len(data) <= LARGEST else None
        told = _NO_RECORDS if records is None else _read_records(file, records)
        if events is None or told is None or (store.beside and _is_in_any(store.beside, file)):
            others.append(file)
            continue
        record_stamp, logins = told
        rows.append((key_of(user), user, *events, logins))
        changed.append(stamp)
        recorded.append(record_stamp)
    return Rows(rows, changed, recorded, others, later, later_changed)


def _looked_at(
    directory: int, files: Sequence[bytes], since: int
) -> "tuple[list[bytes], array[int], list[bytes], list[bytes], array[int]]":
    """The names of the files that were written at `since` or later, with their change times; of those that want a
    closer look; and of those written before, with theirs."""
    recent: list[bytes] = []
    others: list[bytes] = []
    later: list[bytes] = []
    recent_changed, later_changed = array("Q"), array("Q")
    for file in files:
        try:
            found = os.stat(file, dir_fd=directory)
        except OSError:
            others.append(file)
            continue
        if not stat.S_ISREG(found.st_mode):
            others.append(file)
        elif found.st_mtime_ns < since:
            later.append(file)
            later_changed.append(found.st_ctime_ns)
        else:
            recent.append(file)
            recent_changed.append(found.st_ctime_ns)
    return recent, recent_changed, others, later, later_changed


def _read_records(file: bytes, directory: int) -> tuple[int, PlainLogins] | None:
    """The change time of a user's login records and what they say, `_NO_RECORDS` where there are none; None where they
    want a closer look."""
    try:
        descriptor = os.open(file, _FLAGS, dir_fd=directory)
    except FileNotFoundError:
        return _NO_RECORDS
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        data = os.read(descriptor, LARGEST + 1) if stat.S_ISREG(found.st_mode) else b""
    except OSError:
        return None
    finally:
        os.close(descriptor)
    logins = plain_logins(data) if len(data) <= LARGEST else None
    return None if logins is None else (found.st_ctime_ns, logins)


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


class Looks(NamedTuple):
    """What some files look like: the `keys` of their users (0 for a name that is nobody's), how many of those are
    `known`, and the files that are not as they were known to be, with key and change time (ns, 0 where it can't be
    told)."""

    keys: "array[int]"
    known: int
    changed: list[tuple[bytes, int, int]]


def look_at(store: PlainStore, known: CompactMap, files: Sequence[bytes]) -> Looks:
    """Looks at `files` of a store without reading them. `known` has the change times that are known, by key."""
    keys, stamps = array("Q"), array("Q")
    directory, key_of = store.directory, store.key_of
    for file in files:
        name = file[:-4]
        user = name.decode("ascii") if name.isalnum() else decode(name)
        if user is None or not file.endswith(b".dat"):
            keys.append(0)
            stamps.append(0)
            continue
        keys.append(key_of(user))
        try:
            stamps.append(os.stat(file, dir_fd=directory).st_ctime_ns)
        except OSError:
            stamps.append(0)
    befores = known.get_many(keys)
    changed = [
        (file, key, stamp)
        for file, key, stamp, before in zip(files, keys, stamps, befores, strict=True)
        if stamp != before
    ]
    return Looks(keys, len(befores) - befores.count(None), changed)
