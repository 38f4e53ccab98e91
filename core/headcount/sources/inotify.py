"""What Linux itself tells of changes (inotify(7)).

It is asked directly, since watchfiles asks for six events of one login instead of four and for two more of each file
that is read, looks a hundred times a second whether there are any, ends at a name that is not UTF-8, and does not tell
when the kernel has dropped some. The kernel itself tells that.
"""

import ctypes
import os
import select
import struct
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from headcount.sources.watcher import Watcher

REST: Final = 0.03
"""Seconds after which changes are told, all at once: so many that who reads such a file then has seen the last change
that its change time stands for (`users.SETTLED_NS`)."""
READ_AT_ONCE: Final = 1 << 18
MOST_READS: Final = 8
"""Bytes of changes that are read at once, and how often before what was read is told: more than the kernel holds."""
_EVENT: Final = struct.Struct("iIII")
_ATTRIBUTES, _WRITTEN, _MOVED, _CREATED, _DELETED, _ITSELF = 0x4, 0x8, 0x40 | 0x80, 0x100, 0x200, 0x400 | 0x800
_ONLY_DIRECTORIES: Final = 0x0100_0000
_WANTED: Final = _ATTRIBUTES | _WRITTEN | _MOVED | _CREATED | _DELETED | _ITSELF | _ONLY_DIRECTORIES
_OVERFLOW: Final = 0x4000


def is_there() -> bool:
    """Whether this system has it."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "inotify_init1")


class Inotify(Watcher):
    """By the kernel's own word, which tells too when there were more changes than it holds."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[int, bytes] = {}
        self._inotify: int | None = None
        self._stop: int | None = None
        self._thread: threading.Thread | None = None

    def watch(self, paths: Iterable[bytes]) -> None:
        """See `Watcher`."""
        try:
            library = ctypes.CDLL(None, use_errno=True)
            if self._thread is None or not self._thread.is_alive():
                self.close()
                self._begin(_checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)))
            with self._lock:
                before, self._paths = self._paths, {}
                for path in paths:
                    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                        self._paths[_checked(library.inotify_add_watch(self._inotify, path, _WANTED))] = path
                for left in before.keys() - self._paths.keys():
                    library.inotify_rm_watch(self._inotify, left)  # an error where it went by itself
        except (OSError, AttributeError) as error:
            self._fail(_why(error))

    def close(self) -> None:
        """See `Watcher`."""
        if self._thread is not None and self._stop is not None:
            os.close(self._stop)
            self._thread.join()
            self._thread = self._inotify = self._stop = None
            self._paths = {}

    def _begin(self, inotify: int) -> None:
        stopped, self._stop = os.pipe()
        self._inotify = inotify
        self._thread = threading.Thread(target=self._run, args=(inotify, stopped), name="watcher", daemon=True)
        self._thread.start()

    def _run(self, inotify: int, stopped: int) -> None:
        """Until the other end of the pipe `stopped` is closed."""
        changed, ended = select.poll(), select.poll()
        changed.register(inotify, select.POLLIN)
        changed.register(stopped)
        ended.register(stopped)
        try:
            while changed.poll():
                events: list[bytes] = []
                with suppress(BlockingIOError):
                    while len(events) < MOST_READS:
                        events.append(os.read(inotify, READ_AT_ONCE))
                if ended.poll(REST * 1000):
                    return
                for some in events:
                    self._take(some)
        except OSError as error:
            self._fail(_why(error))
        finally:
            os.close(inotify)
            os.close(stopped)

    def _take(self, events: bytes) -> None:
        padded: dict[int, set[bytes]] = defaultdict(set)
        unpack, start, at, has_lost = _EVENT.unpack_from, _EVENT.size, 0, False
        while at < len(events):
            watch, kind, _, length = unpack(events, at)
            end = at + start + length
            has_lost = has_lost or kind & _OVERFLOW != 0
            padded[watch].add(events[at + start : end])
            at = end
        with self._lock:
            self._has_lost = self._has_lost or has_lost
            for watch, names in padded.items():
                if (path := self._paths.get(watch)) is not None:
                    self._changes.setdefault(path, set()).update([name.rstrip(b"\0") for name in names])
            self._wake.set()


def _why(error: Exception) -> str:
    return (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "") or "not Linux"


def _checked(result: int) -> int:
    """What a function of the C library gave. Raises OSError, without a name in it, where that is an error."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result
