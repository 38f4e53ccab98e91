"""Where snapshots come from: a feed, run beside the screen, whose snapshots reach it as messages."""

import threading
from collections.abc import Callable

from textual.message import Message

from headcount.errors import HeadcountError, unforeseen
from headcount.feed import Feed
from headcount.snapshot import Snapshot
from headcount_tui.failure import Failure, failure_of
from headcount_tui.running.right_of_way import RightOfWay


class Published(Message):
    """A newer snapshot. It replaces any older one that still waits, so that a slow screen never queues."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether `message`, which is newer, makes this one needless."""
        return isinstance(message, Published)


class Ended(Message):
    """The feed has ended: by itself, or by a failure."""

    def __init__(self, failure: Failure | None) -> None:
        super().__init__()
        self.failure = failure


class FeedThread:
    """Runs a feed beside the screen and posts what it says.

    The thread is a daemon: a feed that hangs (a dead network mount) cannot keep the user from quitting.
    """

    def __init__(self, feed: Feed, post: Callable[[Message], bool]) -> None:
        self._feed = feed
        self._post = post
        self.right_of_way = self._stop = RightOfWay()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Start the feed."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the feed to end, without waiting for it."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        """Wait until the feed has ended, `timeout` seconds at the most."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        failure = None
        try:
            self._feed.run(self._publish, self._stop)
        except HeadcountError as error:
            failure = failure_of(error)
        except Exception as error:
            failure = failure_of(unforeseen(error))
        self._tell(Ended(failure))

    def _publish(self, snapshot: Snapshot) -> None:
        self._tell(Published(snapshot))

    def _tell(self, message: Message) -> None:
        if self._stop.is_set():
            return
        try:
            self._post(message)
        except RuntimeError:  # the screen closed in this very moment, and its event loop with it
            self._stop.set()
