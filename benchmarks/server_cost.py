"""What Headcount costs a server, against what the module does whose job it takes over.

    python benchmarks/server_cost.py [USERS]

Starts a real Prosody with USERS lastlog2 files (default 100,000), opens streams one after the other, and measures how
long the server takes to answer: on its own, while Headcount reads all users, while Headcount follows 100 written files
a second, and while mod_measure_active_users calculates. The longest answer is what a client feels.
"""

import multiprocessing
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from headcount.state.sqlite import SqliteState
from real_server.server import HOST, Prosody, missing

OPEN = (
    f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{HOST}' version='1.0'>"
)
RECORD = 'return {{\n\t["login"] = {{\n\t\t["timestamp"] = {when};\n\t\t["ip"] = "{ip}";\n\t}};\n}};\n'
SECONDS = 10.0
PAUSE = 0.01
WRITES = 100


def write_users(root: Path, users: int) -> None:
    """A store with that many users, a fifth of them active this week."""
    store = root / "example%2ecom" / "lastlog2"
    store.mkdir(parents=True)
    dice, now = random.Random(1), int(time.time())
    for number in range(users):
        ip = ".".join(str(dice.randrange(1, 250)) for _ in range(4))
        when = now - int(dice.random() ** 3 * 365 * 86_400)
        (store / f"user{number}.dat").write_text(RECORD.format(when=when, ip=ip))


def answer(port: int) -> float:
    """Seconds from opening a connection to the first byte of the server's stream."""
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=600) as stream:
        stream.sendall(OPEN.encode())
        stream.recv(1)
    return time.perf_counter() - begun


def answers(port: int, is_over: Callable[[], bool]) -> list[float]:
    """Seconds to each answer, one stream after the other, until it is over."""
    seconds = []
    while not is_over():
        seconds.append(answer(port))
        time.sleep(PAUSE)
    return seconds


def for_seconds(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def write_on(store: Path) -> None:
    """Users log in, for as long as this runs."""
    number = 0
    while True:
        path = store / f"user{number}.dat"
        temporary = path.with_name(path.name + "~")
        temporary.write_text(RECORD.format(when=int(time.time()), ip="8.8.8.8"))
        temporary.rename(path)
        number += 1
        time.sleep(1 / WRITES)


def month_users(state: Path) -> int:
    """Month users kept of all months."""
    if not state.exists():
        return 0
    with SqliteState(state, read_only=True) as opened:
        host = opened.load().hosts.get(HOST)
    return sum(sum(month.cells.values()) for month in host.months.values()) if host else 0


def told(name: str, seconds: list[float], alone: float | None = None) -> float:
    """Prints the figures of one phase, in milliseconds; returns the longest answer."""
    longest = max(seconds)
    ratio = "" if alone is None else f"   {longest / alone:7.1f} times the longest alone"
    print(
        f"{name:<32} {len(seconds):>5} streams   p50 {statistics.median(seconds) * 1000:7.1f} ms"
        f"   p99 {sorted(seconds)[int(len(seconds) * 0.99)] * 1000:8.1f} ms   longest {longest * 1000:8.1f} ms{ratio}"
    )
    return longest


def beside_headcount(server: Prosody, state: Path, users: int) -> tuple[list[float], list[float]]:
    """Answers while Headcount reads all users, and while it follows what is written."""
    command = [sys.executable, "-m", "headcount", "engine", str(server.data), "--state", str(state)]
    engine = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    all_read = threading.Event()

    def watch() -> None:
        while month_users(state) < users:
            time.sleep(0.2)
        all_read.set()

    threading.Thread(target=watch, daemon=True).start()
    reading = answers(server.port, all_read.is_set)
    store = server.file("lastlog2", "x").parent
    writer = multiprocessing.Process(target=write_on, args=(store,), daemon=True)
    writer.start()
    following = answers(server.port, for_seconds(SECONDS))
    writer.terminate()
    engine.send_signal(signal.SIGTERM)
    engine.wait(timeout=60)
    return reading, following


def beside_module(server: Prosody) -> list[float]:
    """Answers while the real module calculates."""
    calculated = threading.Event()

    def calculate() -> None:
        server.active_users()
        calculated.set()

    threading.Thread(target=calculate, daemon=True).start()
    return answers(server.port, calculated.is_set)


def main() -> None:
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    lacking = missing()
    if lacking is not None:
        sys.exit(lacking)
    with tempfile.TemporaryDirectory() as directory:
        server = Prosody(Path(directory))
        print(f"writing {users:,} users …")
        write_users(server.data, users)
        server.modules.remove("measure_active_users")  # it would calculate by itself, 15 seconds after the start
        server.start()
        try:
            print(f"Prosody {server.version()}, {os.cpu_count()} cores")
            alone = told("on its own", answers(server.port, for_seconds(SECONDS)))
            reading, following = beside_headcount(server, Path(directory) / "state.db", users)
            told("while Headcount reads", reading, alone)
            told("while Headcount follows", following, alone)
            server.stop()
            server.modules.append("measure_active_users")
            server.start()
            told("while the module calculates", beside_module(server), alone)
        finally:
            server.close()


if __name__ == "__main__":
    main()
