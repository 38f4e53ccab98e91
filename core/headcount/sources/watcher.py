"""A wake-up when files change. It may lose events, see them late or die: only a sweep tells the truth."""

import logging
import threading
from collections.abc import Sequence

import watchfiles

_TIMEOUT_MS = 250
# What it says of each batch names files, and so users; no log may hold that, at whatever level.
logging.getLogger("watchfiles").setLevel(logging.CRITICAL)


class Watcher:
    """Watches directories (not what is below them) in a thread and collects the paths that changed.

    The settings are those that lost nothing up to 20,000 renames a second: no filter (the default one drops
    names such as .venv), a short debounce, not recursive.
    """

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._threads: list[tuple[threading.Thread, threading.Event]] = []
        self._failure: str | None = None
        self.paths: frozenset[str] = frozenset()

    def watch(self, paths: Sequence[str], ready_within: float = 2.0) -> None:
        """Watches `paths` instead of those watched before; returns when the watch stands.

        The new watch stands before the old one ends, so nothing is missed in between.
        """
        before = self._threads
        self.paths = frozenset(paths)
        self._threads = []
        if paths:
            stop, ready = threading.Event(), threading.Event()
            thread = threading.Thread(target=self._run, args=(sorted(paths), stop, ready), name="watcher", daemon=True)
            thread.start()
            self._threads = [(thread, stop)]
            ready.wait(ready_within)
        _end(before)

    def wait(self, timeout: float) -> set[str]:
        """The paths that changed since the last call, waiting at most `timeout` seconds for the first."""
        self._wake.wait(timeout)
        with self._lock:
            self._wake.clear()
            changed, self._changed = self._changed, set()
        return changed

    def failure(self) -> str | None:
        """Why the watch ended by itself, once; None while it stands."""
        failure, self._failure = self._failure, None
        return failure

    def close(self) -> None:
        """Ends the watch and its thread."""
        _end(self._threads)
        self._threads = []

    def _run(self, paths: list[str], stop: threading.Event, ready: threading.Event) -> None:
        try:
            for changes in watchfiles.watch(
                *paths,
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
                    with self._lock:
                        self._changed.update(path for _, path in changes)
                        self._wake.set()
        except BaseException as error:  # the notifier panics on names that are not UTF-8
            if not stop.is_set():
                self._failure = type(error).__name__
                self._wake.set()
        finally:
            ready.set()


def _end(threads: list[tuple[threading.Thread, threading.Event]]) -> None:
    for _, stop in threads:
        stop.set()
    for thread, _ in threads:
        thread.join(timeout=2)
