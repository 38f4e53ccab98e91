"""A feed that publishes what a test hands it, and a screen on it: the seam that the core's engine fills."""

import queue
import threading
from collections.abc import Callable

from headcount.screen import ScreenOptions
from headcount.snapshot import Snapshot
from headcount_tui.app import HeadcountApp


class FakeFeed:
    """Publishes the snapshots it was made with, then each that `put` brings, until it is told to stop."""

    def __init__(self, *snapshots: Snapshot) -> None:
        self._queue: queue.SimpleQueue[Snapshot | BaseException | None] = queue.SimpleQueue()
        self.stopped = threading.Event()
        for snapshot in snapshots:
            self._queue.put(snapshot)

    def put(self, item: Snapshot | BaseException | None) -> None:
        """Publish a snapshot, raise an error, or (None) end by itself."""
        self._queue.put(item)

    def run(self, publish: Callable[[Snapshot], None], stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    item = self._queue.get(timeout=0.05)
                except queue.Empty:
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                publish(item)
        finally:
            self.stopped.set()


def screen_on(*snapshots: Snapshot, options: ScreenOptions | None = None) -> HeadcountApp:
    """An app that shows the snapshots as they come."""
    return HeadcountApp(FakeFeed(*snapshots), options or ScreenOptions(), pace=0.01)
