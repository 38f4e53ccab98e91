"""What the stores of one user tell: activities and login records.

Sources: mod_lastlog, mod_lastlog2 and mod_measure_active_users (prosody-modules), mod_account_activity
(Prosody 13), and Headcount's own companion module for the login records.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from headcount.activities import Activity, Kind, Login
from headcount.months import end_of, is_month, start_of
from headcount.prosody.file_problems import (
    EMPTY,
    NO_MONTH,
    NO_TIME,
    OUTSIDE_MONTH,
    UNEXPECTED,
    UNREADABLE,
    FileProblem,
    kind_of,
    merged,
)
from headcount.prosody.files import ACCOUNT_ACTIVITY, LASTLOG, LASTLOG2, LOGIN_STORE
from headcount.prosody.lua_table import LuaKey, LuaTable, LuaValue, parse
from headcount.prosody.lua_tokens import UnreadableError
from headcount.prosody.many_files import MAX_SIZE

# A month begins 14 hours before UTC's in the first time zone, and ends 12 hours after it in the last.
_ZONES: Final = 14 * 3600

_EVENTS: Final[tuple[tuple[bytes, Kind], ...]] = ((b"login", "login"), (b"logout", "logout"))


@dataclass(frozen=True, slots=True)
class StoreReading:
    """What one store says of one user.

    `known`: the store holds something of that user. `component`: it is no user, but a room that a component
    keeps a record of (mod_lastlog and mod_lastlog2 do so); then nothing else is said.
    """

    known: bool = False
    activities: tuple[Activity, ...] = ()
    logins: tuple[Login, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    component: bool = False


NOTHING = StoreReading()
_COMPONENT = StoreReading(component=True)
_EMPTY_FILE = StoreReading(problems=(FileProblem(EMPTY, "the file is empty: what it held is lost"),))


def read_store(store: str, data: bytes) -> StoreReading:
    """What a user's file in one of `files.USER_STORES` says, whatever its shape. Never raises for what the file holds.

    A file that is empty is a problem, for Prosody never writes one: it is what a power cut leaves. One that
    holds nil or `{}` is as good as absent.
    """
    if data.strip() in (b"", b"return"):
        return _EMPTY_FILE
    try:
        value = parse(data, max_size=MAX_SIZE)
    except UnreadableError as error:
        return StoreReading(known=True, problems=(FileProblem(UNREADABLE, str(error)),))
    return _READERS[store](value)


def lastlog2(value: LuaValue) -> StoreReading:
    """mod_lastlog2: `login` and `logout`, each the last one; `registered` is no activity."""
    table, reading = _table(value)
    if table is None:
        return reading
    if not any(name in table for name, _ in _EVENTS) and _is_of_component(table):
        return _COMPONENT
    problems: list[FileProblem] = []
    activities = [
        activity
        for name, kind in _EVENTS
        if name in table and (activity := _activity(table[name], kind, f"the {kind}", problems))
    ]
    return StoreReading(known=True, activities=tuple(activities), problems=merged(problems))


def lastlog(value: LuaValue) -> StoreReading:
    """mod_lastlog: the last event of any kind, with the kind's name in `event`."""
    table, reading = _table(value)
    if table is None:
        return reading
    event = table.get(b"event")
    if event == b"message":
        return _COMPONENT
    if event == b"registered":
        return StoreReading(known=True)
    for name, kind in _EVENTS:
        if event == name:
            return _single(table, kind)
    return StoreReading(known=True, problems=(FileProblem(UNEXPECTED, "its event is none that Prosody writes"),))


def account_activity(value: LuaValue) -> StoreReading:
    """mod_account_activity: when the user was last seen, and nothing else."""
    table, reading = _table(value)
    return reading if table is None else _single(table, "seen")


def login_records(value: LuaValue) -> StoreReading:
    """The first login of each month. A record counts for the month of its timestamp, not for that of its key."""
    table, reading = _table(value)
    if table is None:
        return reading
    problems: list[FileProblem] = []
    logins = [login for key, record in table.items() if (login := _login(key, record, problems))]
    logins.sort(key=lambda login: (login[0], login[1] or "", login[2] or ""))
    return StoreReading(known=True, logins=tuple(logins), problems=merged(problems))


_READERS: Final[dict[str, Callable[[LuaValue], StoreReading]]] = {
    LASTLOG2: lastlog2,
    LASTLOG: lastlog,
    ACCOUNT_ACTIVITY: account_activity,
    LOGIN_STORE: login_records,
}


def _table(value: LuaValue) -> tuple[LuaTable | None, StoreReading]:
    """A store's table, or the reading where there is none."""
    if value is None or value == {}:
        return None, NOTHING
    if isinstance(value, dict):
        return value, NOTHING
    why = f"it holds {kind_of(value)}, not a table"
    return None, StoreReading(known=True, problems=(FileProblem(UNEXPECTED, why),))


def _is_of_component(table: LuaTable) -> bool:
    """mod_lastlog2 on a component mixes up its arguments: `message` stands under the component's name."""
    return b"message" in table or b"message" in table.values()


def _single(table: LuaTable, kind: Kind) -> StoreReading:
    problems: list[FileProblem] = []
    activity = _activity(table, kind, "the record", problems)
    return StoreReading(known=True, activities=(activity,) if activity else (), problems=merged(problems))


def _activity(record: LuaValue, kind: Kind, name: str, problems: list[FileProblem]) -> Activity | None:
    if not isinstance(record, dict):
        problems.append(FileProblem(UNEXPECTED, f"{name} is {kind_of(record)}, not a table"))
        return None
    when = _time(record, name, problems)
    return None if when is None else (when, kind, _text(record, b"ip", name, problems))


def _login(key: LuaKey, record: LuaValue, problems: list[FileProblem]) -> Login | None:
    month = month_key(key)
    if month is None:
        problems.append(FileProblem(NO_MONTH, "a login record stands under what is no month YYYY-MM"))
        return None
    name = f"the login record of {month}"
    if not isinstance(record, dict):
        problems.append(FileProblem(UNEXPECTED, f"{name} is {kind_of(record)}, not a table"))
        return None
    when = _time(record, name, problems)
    if when is None:
        return None
    if not start_of(month, UTC) - _ZONES <= when <= end_of(month, UTC) + _ZONES:
        why = f"{name} has a timestamp in another month; it is counted in that month"
        problems.append(FileProblem(OUTSIDE_MONTH, why))
    return (when, _text(record, b"ip", name, problems), _text(record, b"resource", name, problems))


def month_key(key: LuaKey) -> str | None:
    """A key as a month; None where it is none, or one that the calendar cannot end."""
    if not isinstance(key, bytes) or not key.isascii():
        return None
    month = key.decode("ascii")
    return month if is_month(month) and month < "9999" else None


def _time(record: LuaTable, name: str, problems: list[FileProblem]) -> float | None:
    """The record's timestamp, if it is one: mod_measure_active_users too takes infinity for a time."""
    when = record.get(b"timestamp")
    if isinstance(when, bool) or not isinstance(when, int | float):
        why = "is missing" if when is None else f"is {kind_of(when)}"
    elif math.isnan(when):
        why = "is not a number"
    elif when <= 0:
        why = "is zero" if when == 0 else "is negative"
    else:
        return when
    problems.append(FileProblem(NO_TIME, f"the timestamp of {name} {why}"))
    return None


def _text(record: LuaTable, field: bytes, name: str, problems: list[FileProblem]) -> str | None:
    """An optional text field of a record."""
    text = record.get(field)
    if text is None:
        return None
    if isinstance(text, bytes):
        return text.decode("utf-8", "replace")
    problems.append(FileProblem(UNEXPECTED, f"the {field.decode()} of {name} is {kind_of(text)}, not text"))
    return None
