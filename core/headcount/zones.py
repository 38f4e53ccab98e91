"""Time zones by name: those of the IANA database, and the rules that TZ may hold instead, such as EST5EDT or <+03>-3.

The rules are those of POSIX, with what RFC 8536 (section 3.3.1) adds. They are read by Python's own zoneinfo, which
finds them at the end of each of the database's files.
"""

import io
import os
import re
import struct
from collections.abc import Iterable
from contextlib import suppress
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

from headcount.months import start_of

LOCAL = Path("/etc/localtime")
"""What the C library takes for the machine's zone."""
_NAME = "(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_OFFSET = r"[+-]?(?:[01]?\d|2[0-2])(?::[0-5]\d){0,2}"  # with an hour for summer time still less than a day
_DAY = r"(?:M\d\d?\.\d\.\d|J\d{1,3})(?:/[+-]?\d{1,3}(?::[0-5]\d){0,2})?"
_POSIX = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}(?:{_OFFSET})?,{_DAY},{_DAY})?", re.ASCII)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name, or of those rules; the same one each time. Raises ZoneInfoNotFoundError for all else.

    Rules that do not say when summer time is are refused, since C libraries differ in it, and so are those whose days
    are counted from 0, since Pythons differ in those.
    """
    with suppress(LookupError, OSError, ValueError):  # a directory's name, one with a zero character, …
        return ZoneInfo(name)
    if _POSIX.fullmatch(name) is not None:
        with suppress(ValueError):  # a thirteenth month, say
            return _by_rules(name)
    raise ZoneInfoNotFoundError(f"there is no time zone {name}")


def _by_rules(rules: str) -> ZoneInfo:
    """A file of the database (RFC 8536) that holds nothing but rules, as it is read."""
    header = b"TZif3" + bytes(15) + struct.pack(">6L", 0, 0, 0, 0, 1, 4)
    nothing = header + struct.pack(">lbb", 0, 0, 0) + b"UTC\0"
    return ZoneInfo.from_file(io.BytesIO(nothing * 2 + f"\n{rules}\n".encode("ascii")), key=rules)


def zone_variable(variable: str) -> str:
    """The name of the zone that TZ is set to. Raises ZoneInfoNotFoundError where it names none that is known here."""
    name = variable.removeprefix(":")
    if not name:
        return "UTC"  # as the C library has it
    if os.path.isabs(name):
        return name_of(Path(name))
    zone_of(name)
    return name


def name_of(path: Path) -> str:
    """The name of the zone in a file of the database, wherever it lies; without one, the rules that it ends with.

    Raises ZoneInfoNotFoundError for what is no such file.
    """
    _, found, name = os.path.realpath(path).rpartition("/zoneinfo/")
    if found and _is_known(name):
        return name
    try:
        content = path.read_bytes()
        ZoneInfo.from_file(io.BytesIO(content))
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise ZoneInfoNotFoundError(f"there is no time zone in {path}") from error
    same = [name for name in sorted(available_timezones() - {"localtime"}) if _content(name) == content]
    if same:
        return next((name for name in same if name in _usual_names()), same[0])
    rules = content.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
    zone_of(rules)
    return rules


def have_the_same(months: Iterable[str], one: str, other: tzinfo) -> bool:
    """Whether those months begin at the same moments in the zone of a name and in another zone."""
    try:
        zone = zone_of(one)
    except ZoneInfoNotFoundError:  # it is of a machine that knew it
        return False
    return zone is other or all(start_of(month, zone) == start_of(month, other) for month in months)


def _is_known(name: str) -> bool:
    try:
        zone_of(name)
    except ZoneInfoNotFoundError:
        return False
    return True


def _content(name: str) -> bytes | None:
    path = next((path for place in TZPATH if (path := Path(place, name)).is_file()), None)
    return None if path is None else path.read_bytes()


def _usual_names() -> set[str]:
    """Those that people choose from, where the database comes with a table of them; others may be alike."""
    table = next((path for place in TZPATH if (path := Path(place, "zone1970.tab")).is_file()), None)
    lines = [] if table is None else table.read_text("utf-8").splitlines()
    return {line.split("\t")[2] for line in lines if line.count("\t") >= 2 and not line.startswith("#")}
