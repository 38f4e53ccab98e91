"""The one shape that nearly all files of lastlog2 have to the byte, and the reading of many such files at once.

One look at a file of this shape saves nine tenths of the time that parsing takes; whatever looks otherwise goes the
long way (`stores`), which gives the same. This file imports next to nothing, so that a helper process begins at once.
"""

import os
import re
import stat
from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from headcount.prosody.names import decode

Row = tuple[int, str, int, int, str | None, str | None]
"""Key, name, last login, last logout (0 where there was none), and the address of each (`records.PlainUser`)."""
Rows = tuple[list[Row], list[int], list[bytes]]

LARGEST: Final = 4096
"""Bytes of the largest file that is looked at here; one of this shape has two hundred."""
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


def read_plain(
    directory: int, key_of: Callable[[str], int], files: Sequence[bytes], beside: Sequence[int] = ()
) -> Rows:
    """Reads the `files` of a store of lastlog2 whose descriptor is `directory`; `beside` are those of the host's other
    stores. A user who has a file there too wants a closer look.

    Gives the rows of those that have the shape and their change times (ns), in the order of their names; and the names
    of all others, which want a closer look.
    """
    rows: list[Row] = []
    changed: list[int] = []
    others: list[bytes] = []
    for file in files:
        name = file[:-4]
        user = name.decode("ascii") if name.isalnum() else decode(name)
        if user is None or not file.endswith(b".dat"):
            others.append(file)
            continue
        try:
            descriptor = os.open(file, _FLAGS, dir_fd=directory)
        except OSError:
            others.append(file)
            continue
        try:
            found = os.fstat(descriptor)
            data = os.read(descriptor, LARGEST + 1) if stat.S_ISREG(found.st_mode) else b""
        except OSError:
            data = b""
        finally:
            os.close(descriptor)
        events = plain_lastlog2(data) if len(data) <= LARGEST else None
        if events is None or (beside and _is_in_any(beside, file)):
            others.append(file)
            continue
        rows.append((key_of(user), user, *events))
        changed.append(found.st_ctime_ns)
    return rows, changed, others


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


def look_at(directory: int, key_of: Callable[[str], int], files: Sequence[bytes]) -> tuple["array[int]", "array[int]"]:
    """The keys of the users whose `files` these are, and the files' change times (ns): 0 where there is none, be it
    that the file can't be looked at or that its name is nobody's (whose key is 0 too)."""
    keys, changed = array("Q"), array("Q")
    for file in files:
        name = file[:-4]
        user = name.decode("ascii") if name.isalnum() else decode(name)
        if user is None or not file.endswith(b".dat"):
            keys.append(0)
            changed.append(0)
            continue
        keys.append(key_of(user))
        try:
            changed.append(os.stat(file, dir_fd=directory).st_ctime_ns)
        except OSError:
            changed.append(0)
    return keys, changed
