"""A program in a pseudo-terminal of 140x45: what it draws, how soon it answers a key."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

SIZE = (45, 140)


class Terminal:
    """The program and what it sends."""

    def __init__(self, command: Sequence[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(SIZE[1]), "LINES": str(SIZE[0])}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def drain(self, quiet: float) -> str:
        """What is drawn until nothing came for `quiet` seconds."""
        drawn = b""
        with contextlib.suppress(OSError):  # the program is gone
            while select.select([self.master], [], [], quiet)[0]:
                drawn += os.read(self.master, 65536)
        return drawn.decode("utf-8", "replace")

    def drawn_in(self, seconds: float) -> int:
        """How many bytes are drawn in that time."""
        end, count = time.monotonic() + seconds, 0
        with contextlib.suppress(OSError):
            while (left := end - time.monotonic()) > 0:
                if select.select([self.master], [], [], left)[0]:
                    count += len(os.read(self.master, 65536))
        return count

    def swallow(self) -> None:
        """Reads what was drawn so far: a program whose output nobody reads waits."""
        self.drawn_in(0.05)

    def until(self, word: str, within: float) -> None:
        """Waits until a word is drawn."""
        end, drawn = time.monotonic() + within, ""
        while word not in drawn:
            if time.monotonic() > end:
                raise TimeoutError(f"no {word!r} on the screen in {within:.0f} s: {drawn[-500:]!r}")
            drawn = drawn[-200:] + self.drain(0.02)

    def press(self, key: str) -> float:
        """Seconds from a key to the first byte drawn after it."""
        pressed = time.perf_counter()
        os.write(self.master, key.encode())
        if not select.select([self.master], [], [], 10)[0]:
            raise TimeoutError("no answer to a key for ten seconds")
        return time.perf_counter() - pressed

    def end(self) -> None:
        """Quits as a user does."""
        with contextlib.suppress(OSError):
            os.write(self.master, b"q")
        self.drain(0.5)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def headcount(source: Path, state: Path) -> Terminal:
    """Headcount's screen on a data directory."""
    return Terminal([sys.executable, "-m", "headcount", str(source), "--state", str(state)])
