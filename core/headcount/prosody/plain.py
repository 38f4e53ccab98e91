"""The shapes that nearly all files have to the byte, read many times as fast as the parser can.

Whatever looks otherwise goes the long way (`stores`), which gives the same. This file imports next to nothing, so that
a helper process begins at once.
"""

import re
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

PlainLogins = tuple[tuple[int, str | None, str | None], ...]
"""Login records by their time, each in a month of its own: the second, the address, the resource."""
Events = tuple[int, int, str | None, str | None]
"""Last login, last logout (0 where there was none), and the address of each."""

LARGEST: Final = 4096
"""Bytes of the largest file that is looked at here; one of these shapes has some hundred."""

_EVENT = r"""\t\["(log(?:in|out))"\]\ =\ \{\n
    (?:\t\t\["ip"\]\ =\ "([^"\\\r\n\0]+)";\n)?
    \t\t\["timestamp"\]\ =\ ([1-9][0-9]{0,17});\n
    (?:\t\t\["ip"\]\ =\ "([^"\\\r\n\0]+)";\n)?
    \t\};\n"""
_LASTLOG2 = re.compile(
    r"\0(?:return\ \{\n" + _EVENT + "(?:" + _EVENT + r")?\};\n(?![^\0])|[^\0]*)",
    re.VERBOSE,
)


def plain_lastlog2(files: Sequence[bytes]) -> list[Events | None]:
    """What each of those files of lastlog2 says; None for one that has not the shape.

    One search through all of them takes half as long as one for each.
    """
    found = _LASTLOG2.findall(b"".join([b"\0" + data for data in files]).decode("utf-8", "replace"))
    if len(found) != len(files):  # there is a zero byte in one of them
        return [None if b"\0" in data else plain_lastlog2([data])[0] for data in files]
    said: list[Events | None] = []
    for first, before, when, after, second, second_before, second_when, second_after in found:
        if first == second:  # not of the shape, where both are empty
            said.append(None)
            continue
        ip, other_ip = after or before or None, second_after or second_before or None
        other = int(second_when) if second else 0
        said.append((int(when), other, ip, other_ip) if first == "login" else (other, int(when), other_ip, ip))
    return said


_LOGIN = re.compile(
    r"""\t\["([0-9]{4}-[0-9]{2})"\]\ =\ \{\n
    (?:\t\t\["(?:
        timestamp"\]\ =\ ([1-9][0-9]{0,9})
        |ip"\]\ =\ "([^"\\\r\n\0]+)"
        |resource"\]\ =\ "([^"\\\r\n\0]+)"
    );\n){1,3}
    \t\};\n""",
    re.VERBOSE | re.ASCII,
)
_LOGINS = re.compile(
    r"\0(?:return\ \{\n" + _LOGIN.pattern + "((?:" + _LOGIN.pattern + r")*)\};\n(?![^\0])|[^\0]*)",
    re.VERBOSE | re.ASCII,
)


def plain_logins(files: Sequence[bytes]) -> list[PlainLogins | None]:
    """What each of those files of login records says where each lies in the month that it stands under, by UTC's
    calendar, as nearly all do; None for any other."""
    found = _LOGINS.findall(b"".join([b"\0" + data for data in files]).decode("utf-8", "replace"))
    if len(found) != len(files):  # there is a zero byte in one of them
        return [None if b"\0" in data else plain_logins([data])[0] for data in files]
    return [_logins_of([first, *_LOGIN.findall(rest)] if rest else [first]) for *first, rest, _, _, _, _ in found]


def _logins_of(records: "list[list[str] | tuple[str, ...]]") -> PlainLogins | None:
    """The logins of records (month, timestamp, address, resource; empty where there is none)."""
    logins: dict[str, tuple[int, str | None, str | None]] = {}
    for month, timestamp, ip, resource in records:
        when = int(timestamp or -1)
        if month in logins or when < 0 or _month_of_day(when // 86_400) != month:
            return None
        logins[month] = when, ip or None, resource or None
    return tuple(sorted(logins.values(), key=_when)) if len(logins) > 1 else tuple(logins.values())


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> str:
    """The month, as `YYYY-MM`, in which a day since 1970 lies."""
    return time.strftime("%Y-%m", time.gmtime(day * 86_400))


def _when(login: tuple[int, str | None, str | None]) -> int:
    return login[0]


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
