"""Calendar months in a time zone: `YYYY-MM`, their bounds and their neighbours."""

import math
import re
from bisect import bisect_right
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def is_month(text: str) -> bool:
    """Whether `text` names a month as `YYYY-MM` that has a beginning and an end: from 0001-01 to 9998-12."""
    return _MONTH.fullmatch(text) is not None and "0001" <= text < "9999"


def month_of(when: float, zone: tzinfo) -> str | None:
    """The month of a moment (Unix seconds) in `zone`; None where the calendar cannot name it."""
    try:
        moment = datetime.fromtimestamp(when, zone)
    except (OverflowError, ValueError, OSError):
        return None
    if moment.year == datetime.max.year:  # its last month would have no end
        return None
    return f"{moment.year:04}-{moment.month:02}"


@lru_cache(maxsize=1024)
def shift(month: str, by: int) -> str:
    """The month `by` months after `month` (before it where negative)."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + by, 12)
    return f"{year:04}-{number + 1:02}"


@lru_cache(maxsize=1024)
def start_of(month: str, zone: tzinfo) -> float:
    """The first moment of `month` in `zone`, in Unix seconds."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=zone).astimezone(UTC).timestamp()


def end_of(month: str, zone: tzinfo) -> float:
    """The first moment after `month` in `zone`, in Unix seconds."""
    return start_of(shift(month, 1), zone)


def is_last_second(month: str, when: float, zone: tzinfo) -> bool:
    """Whether that moment (Unix seconds) is in the last second of `month`, or after it: all of it is over by then."""
    return end_of(month, zone) <= math.floor(when) + 1


_NEAR_A_BOUND = 2 * 86_400
"""Seconds around a month's bounds within which the clocks may be set, so that only the calendar itself can tell."""


class Months:
    """Names the months of moments in one zone as `month_of` does, and remembers where they lie."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._names: list[str] = []
        self._first, self._end, self._name = math.inf, -math.inf, ""  # those of the last month that was asked for

    def of(self, when: float) -> str | None:
        """The month of a moment (Unix seconds); None where the calendar cannot name it."""
        if self._first <= when < self._end:
            return self._name
        at = bisect_right(self._starts, when) - 1
        if at >= 0 and when < self._ends[at]:
            self._first, self._end, self._name = self._starts[at], self._ends[at], self._names[at]
            return self._name
        name = month_of(when, self._zone)
        if name is not None and name not in self._names:
            at = bisect_right(self._names, name)
            self._names.insert(at, name)
            self._starts.insert(at, start_of(name, self._zone) + _NEAR_A_BOUND)
            self._ends.insert(at, end_of(name, self._zone) - _NEAR_A_BOUND)
        return name
