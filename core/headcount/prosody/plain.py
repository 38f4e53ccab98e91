"""The shapes that nearly all files of users have to the byte, read without a parser.

Whatever looks otherwise goes the long way (`stores`), which gives the same. This file imports next to nothing, so that
a helper process begins at once.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from headcount.activities import NOTHING, Activities, Login
from headcount.prosody.files import ACCOUNT_ACTIVITY, LASTLOG, LASTLOG2, LOGIN_STORE

LARGEST: Final = 4096
"""Bytes of the largest file that is looked at here; one of these shapes has some hundred."""
LAST: Final = 10**10
"""A second that no login record of these shapes lies after, far before the calendar's end."""

_TEXT: Final = r'"([^"\\\r\n\0]+)"'
_WHEN: Final = r"([1-9][0-9]{0,17})"
_EVENT: Final = rf"""\t\["(log(?:in|out))"\]\ =\ \{{\n
    (?:\t\t\["ip"\]\ =\ {_TEXT};\n)?
    \t\t\["timestamp"\]\ =\ {_WHEN};\n
    (?:\t\t\["ip"\]\ =\ {_TEXT};\n)?
    \t\}};\n"""
_REGISTERED: Final = r"""(?:\t\["registered"\]\ =\ \{\n
    (?:\t\t\["(?:ip"\]\ =\ "[^"\\\r\n\0]*"|timestamp"\]\ =\ [1-9][0-9]{0,17});\n){1,2}
    \t\};\n)?"""
_LASTLOG2: Final = re.compile(
    rf"return\ \{{\n{_REGISTERED}(?:{_EVENT}{_REGISTERED}(?:{_EVENT}{_REGISTERED})?)?\}};\n", re.VERBOSE
)
_ONE_EVENT: Final = re.compile(
    rf'return\ \{{\n(?:\t\["(?:timestamp"\]\ =\ {_WHEN}|ip"\]\ =\ {_TEXT}|event"\]\ =\ "([a-z]+)");\n){{1,3}}\}};\n',
    re.VERBOSE,
)
# A record of one month. What is none, and all that follows, is taken as a whole, without a month.
_RECORD: Final = re.compile(
    r'\t\["([0-9]{4}-[0-9]{2})"\]\ =\ \{\n'
    rf'(?:\t\t\["(?:timestamp"\]\ =\ {_WHEN}|ip"\]\ =\ {_TEXT}|resource"\]\ =\ {_TEXT});\n){{1,3}}'
    r"\t\};\n|[\s\S]+",
    re.VERBOSE | re.ASCII,
)
_BEGIN, _END = "return {\n", "};\n"


def plain_reader(store: str) -> Callable[[bytes], Activities | None]:
    """What reads a user's file in one of `files.USER_STORES`; it gives None for a file of any other shape."""
    return _READERS[store]


def _text(data: bytes) -> str:
    """A file as text; nothing where it is too large."""
    return data.decode("utf-8", "replace") if len(data) <= LARGEST else ""


def _lastlog2(data: bytes) -> Activities | None:
    """The last login and the last logout; that a user registered is no activity."""
    found = _LASTLOG2.fullmatch(_text(data))
    if found is None:
        return None
    first, before, when, after, second, second_before, second_when, second_after = found.groups()
    if first is None:
        return NOTHING if b"registered" in data else None
    ip, second_ip = after or before, second_after or second_before
    if second is None:
        return (int(when), ip, 0, None, 0, (), ()) if first == "login" else (0, None, int(when), ip, 0, (), ())
    if first == second:
        return None
    if first == "login":
        return int(when), ip, int(second_when), second_ip, 0, (), ()
    return int(second_when), second_ip, int(when), ip, 0, (), ()


def _login_records(data: bytes) -> Activities | None:
    """The login records, where each lies in the month that it stands under, by UTC's calendar, as nearly all do."""
    text = _text(data)
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        return None
    logins: dict[str, Login] = {}
    for month, timestamp, ip, resource in _RECORD.findall(text, len(_BEGIN), len(text) - len(_END)):
        when = int(timestamp or -1)
        if not 0 < when < LAST or _month_of_day(when // 86_400) != month:
            return None
        logins[month] = when, ip or None, resource or None
    return (0, None, 0, None, 0, tuple(sorted(logins.values(), key=_when)), ()) if logins else None


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> str:
    """The month, as `YYYY-MM`, in which a day since 1970 lies."""
    return time.strftime("%Y-%m", time.gmtime(day * 86_400))


def _when(login: Login) -> float:
    return login[0]


def _lastlog(data: bytes) -> Activities | None:
    """The last event of any kind."""
    found = _ONE_EVENT.fullmatch(_text(data))
    if found is None:
        return None
    when, ip, event = found.groups()
    if event == "registered":
        return NOTHING
    if not when or event not in ("login", "logout"):
        return None
    return (int(when), ip, 0, None, 0, (), ()) if event == "login" else (0, None, int(when), ip, 0, (), ())


def _account_activity(data: bytes) -> Activities | None:
    """When the user was last seen, and nothing else."""
    found = _ONE_EVENT.fullmatch(_text(data))
    if found is None or found[1] is None or found[2] is not None:
        return None
    return 0, None, 0, None, int(found[1]), (), ()


_READERS: Final[dict[str, Callable[[bytes], Activities | None]]] = {
    LASTLOG2: _lastlog2,
    LASTLOG: _lastlog,
    ACCOUNT_ACTIVITY: _account_activity,
    LOGIN_STORE: _login_records,
}
