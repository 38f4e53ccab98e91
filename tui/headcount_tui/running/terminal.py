"""The terminal that the screen has taken: it is given back in every case.

Textual's own driver (8.2.8) writes in a thread. Where the terminal goes away, that thread dies of the first write that
fails, and the screen then waits for ever for a place in its queue. At a SIGCONT, which the end of a terminal brings
too, that driver takes the terminal a second time, with a second thread that reads keys. The driver here does neither.
"""

import os
import select
import signal
import termios
import threading
from contextlib import suppress
from typing import IO, Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

GIVE_BACK = (
    "\x18"  # ends whatever was sent by half
    "\x1b[?2004l\x1b[?2048l"  # pastes and sizes sent as keys
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse
    "\x1b[?1004l\x1b[<u"  # the focus, kitty's keys
    "\x1b[?1049l\x1b[?7h\x1b[?25h"  # the picture; long lines and the cursor as they were
)
"""What undoes all that Textual asks of a terminal. The kitty protocol's mode must go before the picture does."""
PAUSE = 0.1
"""Seconds between two looks whether what waits for room in a terminal is still wanted."""


class LastingDriver(LinuxDriver):
    """Textual's driver for a terminal that may go at any moment, and that may be taken and given back many times."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._lasting = _Lasting(self._file)
        self._file: IO[str] = self._lasting  # type: ignore[assignment]  # all that its writer asks of a file
        self.has_terminal = False

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self.has_terminal = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual gives it no types

    def close(self) -> None:
        """Send what is still to be sent; the terminal has been given back then."""
        super().close()
        self.has_terminal = False

    def give_back(self, modes: list[Any] | None) -> None:
        """Give the terminal back by force, if it was taken. `modes` is what `modes_of` said before it was."""
        if self.has_terminal:
            self._lasting.end()
            give_back(self.fileno, modes)

    def _sigtstp_application(self, *_: object) -> None:
        """Ask the loop: a signal may come while the output's queue is locked, so its handler must write nothing."""
        with suppress(RuntimeError):  # the loop is closed: the screen has ended
            self._loop.call_soon_threadsafe(self._stand_still)

    def _sigcont_application(self, *_: object) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._go_on)

    def _stand_still(self) -> None:
        if self._auto_restart and self.has_terminal and not self._app._exit:
            self.suspend_application_mode()
            self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _go_on(self) -> None:
        """Take the terminal again: whatever ran while this process was stopped may have changed it."""
        if not self._auto_restart or self._app._exit or not is_there(self.fileno):
            return
        if self.has_terminal:
            self.suspend_application_mode()
        elif not self._must_signal_resume:
            return
        self.resume_application_mode()
        self._app.refresh(layout=True)


class _Lasting:
    """A text file whose writes are lost, and raise nothing, where there is nobody to read them any more.

    Nobody can end a thread that waits in a write to a terminal which takes nothing, and as long as it waits nobody
    else can write there. So no write waits; this does, and looks now and then whether it is still wanted.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._encoding: str = getattr(file, "encoding", "utf-8")
        self._own = _own(file.fileno())
        self._writing = threading.Lock()
        self._is_ended = False

    def end(self) -> None:
        """All that is written from now on is lost, and so is what still waits for room."""
        with self._writing:
            self._is_ended = True

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            if self._own is not None:
                self._send(self._own, text.encode(self._encoding, "replace"))
            elif not self._is_ended:
                self._file.write(text)
        return len(text)

    def _send(self, fd: int, data: bytes) -> None:
        while data:
            with self._writing:
                if self._is_ended:
                    return
                with suppress(BlockingIOError):
                    data = data[os.write(fd, data) :]
                    continue
            select.select([], [self._file], [], PAUSE)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


def _own(fd: int) -> int | None:
    """The terminal by a description of its own: that it must not wait shall hold for nobody else who writes there."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None


def is_there(fd: int) -> bool:
    """Whether the terminal behind this descriptor still is one: it is none any more when it was closed."""
    return os.isatty(fd)


def modes_of(fd: int) -> list[Any] | None:
    """How the terminal takes keys now (see `termios`); None where there is no terminal."""
    try:
        return termios.tcgetattr(fd)
    except termios.error:
        return None


def give_back(fd: int, modes: list[Any] | None) -> None:
    """Gives the terminal back by force, waiting for nobody. `modes` is what `modes_of` said before it was taken."""
    if (own := _own(fd)) is not None:
        with suppress(OSError, termios.error):
            _send_now(own, GIVE_BACK.encode())
        os.close(own)
    if modes is not None:
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, modes)


def _send_now(fd: int, data: bytes) -> None:
    """Where there is no room for it, what nobody has read yet makes way: it is of a picture that goes anyway."""
    with suppress(BlockingIOError):
        if os.write(fd, data) == len(data):
            return
    termios.tcflush(fd, termios.TCOFLUSH)
    os.write(fd, data)
