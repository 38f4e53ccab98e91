"""The shapes that nearly all files of users have to the byte, read without a parser.

Whatever looks otherwise goes the long way (`stores`), which gives the same. This file imports next to nothing, so that
a helper process begins at once.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from headcount.prosody.files import ACCOUNT_ACTIVITY, LASTLOG, LASTLOG2, LOGIN_STORE

Activity = tuple[int, Any, str | None]
Login = tuple[int, str | None, str | None]
Said = tuple[tuple[Activity, ...], tuple[Login, ...]]
"""What a file says of its user: activities and login records (as in `records`)."""

LARGEST: Final = 4096
"""Bytes of the largest file that is looked at here; one of these shapes has some hundred."""

_BEGIN, _END = "return {\n", "};\n"
_FIELDS: Final = r"""(?:{indent}\["(?:
        timestamp"\]\ =\ ([1-9][0-9]{{0,17}})
        |ip"\]\ =\ "([^"\\\r\n\0]+)"
        |{text}"\]\ =\ "([^"\\\r\n\0]+)"
    );\n){{1,3}}"""
_RECORD: Final = re.compile(
    r'\t\["([a-z]+|[0-9]{4}-[0-9]{2})"\]\ =\ \{\n'
    + _FIELDS.format(indent=r"\t\t", text="resource")
    + r"\t\};\n|[\s\S]+",  # what follows and is none is taken as a whole, without a name
    re.VERBOSE,
)
_KINDS: Final = {"login", "logout", "registered"}
_LAST: Final = 10**10
"""A second that no login record lies after, far before the calendar's end."""
_EVENT: Final = re.compile(_FIELDS.format(indent=r"\t", text="event"), re.VERBOSE)


def plain_reader(store: str) -> Callable[[bytes], Said | None]:
    """What reads a user's file in one of `files.USER_STORES`; it gives None for a file of any other shape."""
    return _READERS[store]


def _inside(data: bytes) -> str:
    """What stands in the table that a file returns; nothing where that is not told."""
    if len(data) <= LARGEST:
        text = data.decode("utf-8", "replace")
        if text.startswith(_BEGIN) and text.endswith(_END):
            return text[len(_BEGIN) : -len(_END)]
    return ""


def _lastlog2(data: bytes) -> Said | None:
    """The last login and the last logout; that a user registered is no activity."""
    events = {name: (when, ip) for name, when, ip, _ in _RECORD.findall(_inside(data))}
    if not events.keys() <= _KINDS:
        return None
    activities = []
    for name, (when, ip) in events.items():
        if name != "registered":
            if not when:
                return None
            activities.append((int(when), name, ip or None))
    return (tuple(activities), ()) if events else None


def _login_records(data: bytes) -> Said | None:
    """The login records, where each lies in the month that it stands under, by UTC's calendar, as nearly all do."""
    logins: dict[str, Login] = {}
    for month, timestamp, ip, resource in _RECORD.findall(_inside(data)):
        when = int(timestamp or -1)
        if not 0 < when < _LAST or _month_of_day(when // 86_400) != month:
            return None
        logins[month] = when, ip or None, resource or None
    return ((), tuple(sorted(logins.values(), key=_when))) if logins else None


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> str:
    """The month, as `YYYY-MM`, in which a day since 1970 lies."""
    return time.strftime("%Y-%m", time.gmtime(day * 86_400))


def _when(login: Login) -> int:
    return login[0]


def _lastlog(data: bytes) -> Said | None:
    """The last event of any kind."""
    found = _EVENT.fullmatch(_inside(data))
    if found is None:
        return None
    when, ip, event = found.groups()
    if event == "registered":
        return (), ()
    return (((int(when), event, ip),), ()) if when and event in _KINDS else None


def _account_activity(data: bytes) -> Said | None:
    """When the user was last seen, and nothing else."""
    found = _EVENT.fullmatch(_inside(data))
    if found is None or found[1] is None:
        return None
    return ((int(found[1]), "seen", found[2]),), ()


_READERS: Final[dict[str, Callable[[bytes], Said | None]]] = {
    LASTLOG2: _lastlog2,
    LASTLOG: _lastlog,
    ACCOUNT_ACTIVITY: _account_activity,
    LOGIN_STORE: _login_records,
}
