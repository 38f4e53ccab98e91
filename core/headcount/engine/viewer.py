"""A look at what another process's engine keeps and shows: live figures without reading anything again."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from headcount.engine.kept_snapshot import snapshot_of
from headcount.errors import NoPermissionError, StateLockedError
from headcount.feed import Publish
from headcount.places.names import PlaceNames
from headcount.snapshot import Phase, ProblemGroup
from headcount.state.files import is_locked
from headcount.state.sqlite import SqliteState

LOOK = 0.5
"""Seconds between two looks whether there is news."""
REST = 5
"""How many times as long as a look took the viewer rests after it, so that it never becomes a load."""
ENDED = ProblemGroup(
    "engine ended",
    1,
    "",
    "these are its last figures; as soon as an engine runs on this state again, they go on",
    is_urgent=True,
)


class Viewer:
    """Shows what the engine that holds the state at `path` shows. When that engine ends, `take_over` is tried, which
    runs an engine of this process's own; where that may not be, the last figures stay, and say so."""

    def __init__(self, path: Path, take_over: Callable[[Publish, threading.Event], None]) -> None:
        self._path = path
        self._take_over = take_over
        self._names = PlaceNames()

    def run(self, publish: Publish, stop: threading.Event) -> None:
        """Publishes what is news until `stop` is set, or takes over."""
        while not stop.is_set():
            self._look_on(publish, stop)
            if stop.is_set():
                return
            try:
                self._take_over(publish, stop)
            except StateLockedError:
                continue  # another engine was quicker
            except NoPermissionError:
                self._show_the_last(publish, stop)

    def _look_on(self, publish: Publish, stop: threading.Event) -> None:
        """Publishes while an engine holds the state."""
        with SqliteState(self._path, read_only=True) as state:
            seen = None
            while is_locked(self._path) and not stop.is_set():
                began = time.monotonic()
                change = state.changes()
                if change != seen:
                    snapshot = snapshot_of(state.load(counted=False), self._names)
                    if snapshot is not None:
                        publish(snapshot)
                        seen = change
                stop.wait(max(LOOK, REST * (time.monotonic() - began)))

    def _show_the_last(self, publish: Publish, stop: threading.Event) -> None:
        """Shows what was kept last until an engine runs again."""
        with SqliteState(self._path, read_only=True) as state:
            snapshot = snapshot_of(state.load(counted=False), self._names)
        if snapshot is not None:
            problems = (ENDED, *snapshot.problems)
            publish(replace(snapshot, phase=Phase.STOPPED, problems=problems))
        while not is_locked(self._path) and not stop.is_set():
            stop.wait(LOOK)
