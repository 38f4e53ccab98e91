"""Whose turn it is: of Python's threads one runs at a time, and the screen's has the right of way over the feed's.

A feed asks again and again whether to stop. While the screen's loop is at work it is not answered, and so rests: else
it would take every other turn from the loop, and from the threads that take up keys and send what is drawn.
"""

import asyncio
import selectors
import sys
import threading
import time
from typing import Final

TURN: Final = 0.001
"""Seconds for which Python lets one thread go on while another waits."""
PATIENCE: Final = 0.05
"""Seconds for which a feed rests at the most."""
BREATH: Final = 0.0002
"""Seconds for which a feed rests at the least. A thread that wants a turn asks for it only when nobody let go for the
time of one, and a feed that reads many files lets go at each of them, for too short a time to be taken at its word."""


class RightOfWay(threading.Event):
    """What asks a feed to stop, and has it give way to the loop that `new_loop` makes."""

    def __init__(self) -> None:
        super().__init__()
        self._is_free = threading.Event()
        self._is_free.set()

    def is_set(self) -> bool:
        """Whether the feed is to stop; answered when the loop is not at work."""
        time.sleep(BREATH)
        self._is_free.wait(PATIENCE)
        return super().is_set()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A loop for the screen."""
        sys.setswitchinterval(TURN)
        return asyncio.SelectorEventLoop(_Selector(self._is_free))


class _Selector(selectors.DefaultSelector):
    """Notes when the loop waits for something to happen."""

    def __init__(self, is_free: threading.Event) -> None:
        super().__init__()
        self._is_free = is_free

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._is_free.set()
        try:
            return super().select(timeout)
        finally:
            self._is_free.clear()

    def close(self) -> None:
        super().close()
        self._is_free.set()
