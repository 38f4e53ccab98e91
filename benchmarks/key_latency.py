"""How soon the screen answers a key while a data directory is read, against the same screen once it is idle.

    python benchmarks/key_latency.py [USERS]

Writes USERS lastlog2 files (default 100,000) to a temporary directory, opens the real screen on it in a
pseudo-terminal, presses `2` and `1` (another tab each) in turn and measures from each press to the first byte drawn.
"""

import contextlib
import fcntl
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

SIZE = (45, 140)
RECORD = 'return {{\n\t["login"] = {{\n\t\t["timestamp"] = {when};\n\t\t["ip"] = "{ip}";\n\t}};\n}};\n'


def write_users(root: Path, users: int) -> None:
    """A store with that many users, a fifth of them active this week."""
    store = root / "example%2ecom" / "lastlog2"
    store.mkdir(parents=True)
    dice, now = random.Random(1), int(time.time())
    for number in range(users):
        ip = ".".join(str(dice.randrange(1, 250)) for _ in range(4))
        when = now - int(dice.random() ** 3 * 365 * 86_400)
        (store / f"user{number}.dat").write_text(RECORD.format(when=when, ip=ip))


class Screen:
    """The real command in a pseudo-terminal."""

    def __init__(self, source: Path, state: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        command = [sys.executable, "-m", "headcount", str(source), "--state", str(state)]
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(SIZE[1]), "LINES": str(SIZE[0])}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def drain(self, quiet: float) -> str:
        """What is drawn until nothing came for `quiet` seconds."""
        drawn = b""
        with contextlib.suppress(OSError):  # the screen is gone
            while select.select([self.master], [], [], quiet)[0]:
                drawn += os.read(self.master, 65536)
        return drawn.decode("utf-8", "replace")

    def press(self, key: str) -> float:
        """Seconds from a key to the first byte drawn after it."""
        pressed = time.perf_counter()
        os.write(self.master, key.encode())
        if not select.select([self.master], [], [], 10)[0]:
            raise TimeoutError("no answer to a key for ten seconds")
        return time.perf_counter() - pressed

    def end(self) -> None:
        """Quits as a user does."""
        os.write(self.master, b"q")
        self.drain(0.5)
        self.process.wait(timeout=10)


def answers(screen: Screen, presses: int) -> tuple[list[float], str]:
    """Seconds to the answer of each of that many presses, and all that was drawn meanwhile."""
    seconds, drawn = [], ""
    for number in range(presses):
        seconds.append(screen.press("12"[number % 2]))
        drawn += screen.drain(0.05)
    return seconds, drawn


def told(name: str, seconds: list[float]) -> float:
    """Prints the figures of one run, in milliseconds; returns the median."""
    median = statistics.median(seconds)
    ninety_ninth = statistics.quantiles(seconds, n=100)[98]
    print(f"{name:<16} {len(seconds):>4} keys   p50 {median * 1000:6.1f} ms   p99 {ninety_ninth * 1000:6.1f} ms")
    return median


def main() -> None:
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "prosody"
        print(f"writing {users:,} users …")
        write_users(source, users)
        screen = Screen(source, Path(directory) / "state.db")
        drawn = ""
        while "scanning" not in drawn:
            drawn += screen.drain(0.02)
        reading, live = [], ""
        while "live" not in live:
            seconds, live = answers(screen, 2)
            reading += seconds
        screen.drain(1.5)
        idle, _ = answers(screen, 100)
        screen.end()
    ratio = told("while reading", reading) / told("idle", idle)
    print(f"{'ratio of p50':<16} {ratio:.1f}")


if __name__ == "__main__":
    main()
