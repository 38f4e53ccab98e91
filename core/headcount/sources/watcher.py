"""A wake-up when files change. It may come late or not at all: only a sweep tells the truth."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable

Changes = dict[bytes, set[bytes]]
"""The names that changed, by the path of their directory; the empty name is the directory itself."""


class Watcher(ABC):
    """Watches directories, not what is below them. What changed in them is collected by a thread, under `_lock`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._changes: Changes = {}
        self._has_lost = False
        self._failure: str | None = None

    @abstractmethod
    def watch(self, paths: Iterable[bytes]) -> None:
        """Watches `paths` instead of those watched before. One that is watched already misses nothing meanwhile; one
        that can't be watched, as it is gone or closed, is left out."""

    @abstractmethod
    def close(self) -> None:
        """Ends the watch and its thread."""

    def wait(self, timeout: float) -> Changes:
        """What changed since the last call, waiting at most `timeout` seconds for the first change."""
        self._wake.wait(timeout)
        with self._lock:
            self._wake.clear()
            changes, self._changes = self._changes, {}
        return changes

    def has_lost(self) -> bool:
        """Whether changes went untold, or may have, since this was asked last."""
        with self._lock:
            has_lost, self._has_lost = self._has_lost, False
        return has_lost

    def failure(self) -> str | None:
        """Why the watch does not stand, once; None while it does."""
        failure, self._failure = self._failure, None
        return failure

    def _fail(self, why: str) -> None:
        self._failure = why
        self._wake.set()
