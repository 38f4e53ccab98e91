"""A wake-up when files change. It may come late or not at all: only a sweep tells the truth."""

import threading
import time
from collections.abc import Callable, Mapping

from headcount.sources.watch import Changes, NotWatchedError, Watch

TRIES, TRY_AGAIN = 4, 0.05
"""How often a watch is tried again at the system's limits, and seconds in between."""


class Watcher:
    """Watches directories, not what is below them. What changed in them is collected under `_lock`, by threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._changes: Changes = {}
        self._has_lost = False
        self._failure: str | None = None
        self._watch: Watch | None = None
        self._ending: list[Watch] = []

    def watch(self, endings: Mapping[bytes, bytes]) -> None:
        """Watches those directories instead of the ones watched before, each for names that end so; a directory that is
        gone or closed is left out.

        The new watch stands before the old one ends, and both tell meanwhile. Only where the system's limits leave no
        room for two, the old one ends first: then what may have changed in between is to be looked for.
        """
        self._ending = [watch for watch in self._ending if watch.is_alive]
        before, made, why = self._watch, *self._made(endings)
        if before is not None and before.is_alive:
            if why is None:
                before.let_end()
                self._ending.append(before)
            elif before.lack and before.endings == endings and (made is None or not made.standing):
                _close(made)  # there is no more room than there was
                made, why = before, before.lack
            else:
                _close(before, made, *self._ending)
                made, why = self._made_again(endings)
        self._watch = made
        if why is not None:
            self._fail(why)

    def wait(self, timeout: float) -> Changes:
        """What changed since the last call, waiting at most `timeout` seconds for the first change."""
        self._wake.wait(timeout)
        with self._lock:
            self._wake.clear()
            changes, self._changes = self._changes, {}
        return changes

    def has_lost(self) -> bool:
        """Whether changes went untold, or may have, since this was asked last. A directory may then be another one of
        the same name, so all are to be watched again."""
        with self._lock:
            has_lost, self._has_lost = self._has_lost, False
        return has_lost

    def failure(self) -> str | None:
        """Why not everything is watched, and what to do, once; None while it is."""
        failure, self._failure = self._failure, None
        return failure

    def close(self) -> None:
        """Ends the watch and its thread."""
        _close(self._watch, *self._ending)
        self._watch, self._ending = None, []

    def _made(self, endings: Mapping[bytes, bytes]) -> tuple[Watch | None, str | None]:
        """A watch from now on, where there can be one, and why it is not one of everything."""
        try:
            watch = Watch(endings, self._take, self._fail, self._clock)
        except NotWatchedError as error:
            return None, str(error)
        return watch, watch.lack

    def _made_again(self, endings: Mapping[bytes, bytes]) -> tuple[Watch | None, str | None]:
        """The same, once the system has given back what was closed before, which takes it a moment."""
        made, why = self._made(endings)
        for _ in range(TRIES):
            if why is None:
                break
            time.sleep(TRY_AGAIN)
            _close(made)
            made, why = self._made(endings)
        return made, why

    def _take(self, changes: Changes, may_lack: bool) -> None:
        with self._lock:
            self._has_lost = self._has_lost or may_lack
            for directory, names in changes.items():
                self._changes.setdefault(directory, set()).update(names)
            if changes or may_lack:
                self._wake.set()

    def _fail(self, why: str) -> None:
        self._failure = why
        self._wake.set()


def _close(*watches: Watch | None) -> None:
    for watch in watches:
        if watch is not None:
            watch.close()
