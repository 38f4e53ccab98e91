"""The one seam between whatever counts and whatever shows: snapshots, handed over one way."""

import threading
from collections.abc import Callable
from typing import Protocol

from headcount.snapshot import Snapshot

Publish = Callable[[Snapshot], None]


class Feed(Protocol):
    """What a screen asks of an engine, or of a look at another one, and all it knows of it."""

    def run(self, publish: Publish, stop: threading.Event) -> None:
        """Publishes snapshots from this thread, as often as they change, until `stop` is set.

        Raises HeadcountError where the user can fix what is wrong.
        """
