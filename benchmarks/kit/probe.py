"""Runs an engine as `headcount engine` does, and says on standard output what each snapshot shows, as it is published.

    python probe.py SOURCE STATE

Each line: the moment (CLOCK_MONOTONIC), the phase, users known, active in 1, 7, 30 days, users of this month. A line is
said only where it is another one than before.
"""

import os
import signal
import sys
import threading
import time

from headcount.engine.assemble import open_run
from headcount.settings import load
from headcount.snapshot import Snapshot


def figures(snapshot: Snapshot) -> tuple[str, int, int, int, int, int]:
    """What a line says."""
    known = day = week = month = visitors = 0
    for host in snapshot.hosts.values():
        known += host.users_known
        for active in host.active.values():
            day, week, month = day + active.day, week + active.week, month + active.month
        this = host.months.get(snapshot.month)
        visitors += this.users if this else 0
    return str(snapshot.phase), known, day, week, month, visitors


def main() -> None:
    stop = threading.Event()
    said: list[object] = [None]

    def publish(snapshot: Snapshot) -> None:
        now = time.monotonic()
        shown = figures(snapshot)
        if shown != said[0]:
            said[0] = shown
            print(f"{now:.6f}", *shown, flush=True)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = load({"source": sys.argv[1], "state": sys.argv[2]}, os.environ, os.devnull)
    with open_run(settings, os.environ, keep="always") as run:
        run.engine.run(publish, stop)


if __name__ == "__main__":
    main()
