"""How many of the directories that are to be watched really are, and which limit of the system to raise.

Where Linux has no watch left (inotify(7)), watchfiles watches some directories and says nothing of the others. What
stands is in /proc/self/fdinfo; other systems have no such limits, or none that can be seen.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

_LIMITS = Path("/proc/sys/fs/inotify")
_OPEN = "/proc/self/fd"
_ABOUT_OPEN = Path("/proc/self/fdinfo")
_WATCH = "inotify wd:"
_CLOSED_WITHIN = 2.0
_TAKEN = 4


def limit(name: str) -> int | None:
    """A limit of inotify's by its name in sysctl, after `fs.inotify.`; None where there is none to be seen."""
    try:
        return int((_LIMITS / name).read_text())
    except (OSError, ValueError):
        return None


def instances() -> set[str]:
    """The descriptors of this process by which directories are watched; none where that can't be seen."""
    found = set()
    with suppress(OSError):
        for descriptor in os.listdir(_OPEN):
            with suppress(OSError):  # the one of the listing itself is closed by now
                if "inotify" in os.readlink(os.path.join(_OPEN, descriptor)):
                    found.add(descriptor)
    return found


def standing(descriptors: set[str]) -> int | None:
    """How many directories are watched by those descriptors; None where that can't be seen."""
    if not descriptors:
        return None
    try:
        return sum((_ABOUT_OPEN / descriptor).read_text().count(_WATCH) for descriptor in descriptors)
    except OSError:
        return None


def wait_for_end(descriptors: set[str]) -> None:
    """Waits until those descriptors are closed, which watchfiles does in a thread of its own."""
    end = time.monotonic() + _CLOSED_WITHIN
    while descriptors & instances() and time.monotonic() < end:
        time.sleep(0.002)


def identity(path: bytes) -> tuple[int, int] | None:
    """What tells a directory that can be watched from any other, whatever its name; None where it can't be."""
    effective = os.access in os.supports_effective_ids
    if not os.path.isdir(path) or not os.access(path, os.R_OK, effective_ids=effective):
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def too_few(standing: int, wanted: int) -> str:
    """What to tell the operator where the system watches only some directories."""
    return f"only {standing:,} of {wanted:,} directories are watched: raise {_named('max_user_watches')}"


def none_left() -> str:
    """The same where nothing can be watched, since this process or its user may not watch any more."""
    which = _named("max_user_instances") if _may_open() else "this process's limit of open files (ulimit -n)"
    return f"no directory is watched: raise {which}"


def _may_open() -> bool:
    """Whether this process may open the files that a watch takes."""
    opened: list[int] = []
    try:
        while len(opened) < _TAKEN:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


def _named(name: str) -> str:
    now = limit(name)
    return f"the sysctl fs.inotify.{name}" + ("" if now is None else f" ({now:,} now)")
