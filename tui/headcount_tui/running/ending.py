"""Sees to it that the screen ends: soon after it was asked to, whatever it hangs on.

A thread of its own receives the signals that end a program, and notices where the terminal goes without one. It asks
the screen's loop to end. Where the process is still there some seconds later, it ends the process itself.
"""

import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

_OTHERS = [
    "SIGQUIT",
    "SIGUSR1",
    "SIGUSR2",
    "SIGALRM",
    "SIGVTALRM",
    "SIGPROF",
    "SIGXCPU",
    "SIGIO",
    "SIGPWR",
    "SIGSTKFLT",
]
ENDS: Final[Mapping[int, int]] = {signal.SIGHUP: 0, signal.SIGINT: 130, signal.SIGTERM: 0} | {
    int(number): 128 + number for name in _OTHERS if (number := getattr(signal, name, None)) is not None
}
"""The signals that end the screen, each with the exit code: all that would end a process that does not know them, and
that it may know. The machine that goes down, or the terminal that is closed, is no failure."""
GRACE: Final = 4.0
"""Seconds that an end may take before it is forced."""
LOOK: Final = 2.0
"""Seconds between two looks whether the terminal is still there."""


class Ending:
    """Watches over the end of one screen. Begun in the main thread, before the screen takes the terminal.

    `ask(code)` asks the screen to end with that exit code. `is_there()` says whether the terminal is still there.
    `force(code)` ends the process; it is called `grace` seconds after the end was asked for, by a signal or `begin`.
    `wake()` has the main thread go on for a moment: the handlers of signals that another thread received wait for that.
    All are called from this watch's own thread, which looks for the terminal every `look` seconds.
    """

    def __init__(
        self,
        ask: Callable[[int], None],
        is_there: Callable[[], bool],
        force: Callable[[int], None],
        wake: Callable[[], None] = lambda: None,
        grace: float = GRACE,
        look: float = LOOK,
    ) -> None:
        self._ask, self._is_there, self._force, self._wake = ask, is_there, force, wake
        self._grace, self._look = grace, look
        self._code: int | None = None
        self._until = float("inf")
        self._asked_for, self._woken = socket.socketpair()
        for end in (self._asked_for, self._woken):
            end.setblocking(False)

    @property
    def code(self) -> int | None:
        """The exit code that was asked for; None as long as nobody wants an end."""
        return self._code

    def start(self) -> None:
        """Receive signals from now on, until the process is gone."""
        # A signal's number reaches the thread at once, whatever the main thread hangs on.
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in ENDS:
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._watch, name="ending", daemon=True).start()

    def begin(self, code: int) -> None:
        """The screen is about to end by itself: see to it that it does."""
        self._note(code)
        with suppress(OSError):  # full of signals, so it wakes up anyway; or closed, after the end
            self._woken.send(b"\0")

    def _note(self, code: int) -> None:
        if self._code is None:
            self._code, self._until = code, time.monotonic() + self._grace

    def _watch(self) -> None:
        with self._asked_for, self._woken:
            with selectors.DefaultSelector() as selector:
                selector.register(self._asked_for, selectors.EVENT_READ)
                while (left := self._until - time.monotonic()) > 0:
                    if selector.select(min(left, self._look)):
                        self._receive(self._asked_for.recv(4096))
                    if self._code is None and not self._is_there():
                        self._end(0)
            self._force(self._code or 0)

    def _receive(self, numbers: bytes) -> None:
        """Ends for the first of these signals that ends a program; others wake this thread too."""
        self._wake()
        for number in numbers:
            if number in ENDS and self._code is None:
                self._end(ENDS[number])

    def _end(self, code: int) -> None:
        self._note(code)
        self._ask(code)
