"""A real terminal (a pty) with the real screen in it, on made-up figures."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Terminal:
    """A program in a pty, and what it sends."""

    def __init__(self, process: int, fd: int) -> None:
        self.process, self.fd = process, fd

    def _next(self, seconds: float) -> bytes:
        """What is sent next; nothing where nothing is in that time, or the program has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self.fd, 65536)
        except OSError:  # Linux' way to say that the other end is closed
            return b""

    def read(self, seconds: float) -> bytes:
        """Everything that is sent in that time, or until the program ends."""
        sent, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and (part := self._next(left)):
            sent += part
        return sent

    def until(self, words: bytes, seconds: float = 120) -> bytes:
        """Everything that is sent until these words are."""
        sent, end = b"", time.monotonic() + seconds
        while words not in sent:
            assert time.monotonic() < end, sent[-2000:]
            sent += self._next(0.2)
        return sent

    def is_silent(self, seconds: float) -> bool:
        """Whether there comes a time of so many seconds in which it sends nothing, within two minutes."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if not self._next(seconds):
                return True
        return False

    def resize(self, columns: int, rows: int) -> None:
        """As if the window were dragged."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def exit_code(self, seconds: float = 120) -> int:
        """The code that it ends with; fails where it does not end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end")


@contextmanager
def terminal(mode: str, columns: int = 140, rows: int = 45, **environment: str) -> Iterator[Terminal]:
    """The screen on made-up figures in a terminal of that size."""
    process, fd = pty.fork()
    if process == 0:
        paths = os.pathsep.join(str(ROOT / part) for part in ("core", "tui", "tests/tui"))
        given = {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
        os.execve(
            sys.executable,
            [sys.executable, str(HERE / "preview.py"), mode],
            {"PATH": os.environ["PATH"], "PYTHONPATH": paths, **given},
        )
    there = Terminal(process, fd)
    there.resize(columns, rows)
    try:
        yield there
    finally:
        if there.process:
            os.kill(there.process, signal.SIGKILL)
            os.waitpid(there.process, 0)
        os.close(fd)
