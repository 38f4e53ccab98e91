"""What the machine says of its clocks: seconds that go on whatever the time of day is set to, and whether that time is
kept right by a time service."""

import ctypes
import sys
import time
from typing import Final

_TIMEX_SIZE: Final = 512
"""More bytes than any Linux has in its `struct timex`, which is read and not looked into."""
_SYNCHRONISED: Final = range(5)
"""What adjtimex(2) returns of a clock that a time service keeps right: all states but TIME_ERROR (5)."""


def steady_seconds() -> float:
    """Seconds since some moment, which no setting of the clock moves; they go on while the machine sleeps, where it
    can tell."""
    if sys.platform != "linux":
        return time.monotonic()
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def is_synchronised() -> bool:
    """Whether the system says that a time service (NTP) keeps its clock right now; not where it does not say."""
    try:
        asked: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_SIZE))
    except (OSError, AttributeError):  # there is no such call here
        return False
    return asked in _SYNCHRONISED
