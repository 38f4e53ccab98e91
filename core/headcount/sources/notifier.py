"""What watchfiles tells of changes, for the systems that have no inotify."""

import logging
import os
import threading
from collections.abc import Iterable

import watchfiles

from headcount.sources.watcher import Watcher

BURST = 1000
"""More changes at once than this may have overrun the system's queue, which is not told: of inotify's 16,384 events a
login and its reading take eight."""
_TIMEOUT_MS = 250
_READY_WITHIN = 2.0
# What it says of each batch names files, and so users; no log may hold that, at whatever level.
logging.getLogger("watchfiles").setLevel(logging.CRITICAL)


class Notifier(Watcher):
    """By watchfiles, which runs in a thread.

    The settings are those that lost nothing up to 20,000 renames a second: no filter (the default one drops names such
    as .venv), a short debounce, not recursive.
    """

    def __init__(self) -> None:
        super().__init__()
        self._running: tuple[threading.Thread, threading.Event] | None = None

    def watch(self, paths: Iterable[bytes]) -> None:
        """See `Watcher`. The new watch stands before the old one ends, so nothing is missed in between."""
        before, self._running = self._running, None
        there = sorted({path for path in paths if os.path.isdir(path)})
        if there:
            stop, ready = threading.Event(), threading.Event()
            thread = threading.Thread(target=self._run, args=(there, stop, ready), name="watcher", daemon=True)
            thread.start()
            self._running = thread, stop
            ready.wait(_READY_WITHIN)
        _end(before)

    def close(self) -> None:
        """See `Watcher`."""
        before, self._running = self._running, None
        _end(before)

    def _run(self, paths: list[bytes], stop: threading.Event, ready: threading.Event) -> None:
        try:
            for changes in watchfiles.watch(
                *map(os.fsdecode, paths),
                watch_filter=None,
                debounce=100,
                step=10,
                rust_timeout=_TIMEOUT_MS,
                yield_on_timeout=True,
                stop_event=stop,
                raise_interrupt=False,
                recursive=False,
                debug=False,
                ignore_permission_denied=True,
            ):
                ready.set()
                if changes:
                    self._take({os.fsencode(path) for _, path in changes}, paths)
        except BaseException as error:  # it panics on names that are not UTF-8
            if not stop.is_set():
                self._fail(type(error).__name__)
        finally:
            ready.set()

    def _take(self, changed: set[bytes], watched: list[bytes]) -> None:
        with self._lock:
            self._has_lost = self._has_lost or len(changed) > BURST
            for path in changed:
                directory, name = (path, b"") if path in watched else os.path.split(path)
                self._changes.setdefault(directory, set()).add(name)
            self._wake.set()


def _end(running: tuple[threading.Thread, threading.Event] | None) -> None:
    if running is not None:
        thread, stop = running
        stop.set()
        thread.join(timeout=2)
