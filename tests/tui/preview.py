"""The screen on made-up figures that move: `python tests/tui/preview.py [still|busy|fail|hostile|broken|hang]`."""

import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from samples import SAMPLE, hostile

from headcount.errors import NoPermissionError
from headcount.screen import ScreenOptions
from headcount.snapshot import MonthCounts, Phase, Progress, Snapshot
from headcount_tui.app import run


class Moving:
    """Scans for a few seconds, then sees someone come or go now and then."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def run(self, publish: Callable[[Snapshot], None], stop: threading.Event) -> None:
        snapshot = hostile() if self._mode == "hostile" else SAMPLE
        steps = 30 if self._mode in ("", "fail") else 1
        for step in range(1, steps):
            hosts = dict(list(snapshot.hosts.items())[: 1 + step // 15])
            progress = Progress(step * 40_000, 1_200_000)
            publish(replace(snapshot, phase=Phase.SCANNING, progress=progress, hosts=hosts))
            if stop.wait(0.1):
                return
        if self._mode == "broken":  # as a problem of the screen's own would be
            snapshot = replace(snapshot, timezone="Nowhere/At-all")
        publish(snapshot)
        if self._mode == "hang":  # the screen's loop, by a problem of its own, while a feed counts on and keeps it
            stop.wait(0.5)
            app = publish.__self__._post.__self__  # type: ignore[attr-defined]
            app.call_later(lambda: time.sleep(1000))
            time.sleep(0.5)
            publish(snapshot)
            stop.wait()
            print("\r\nfeed ended in order\r", file=sys.__stdout__, flush=True)
            return
        if self._mode == "fail":
            stop.wait(3)
            raise NoPermissionError("/var/lib/prosody may not be read", "sudo usermod -aG prosody $USER")
        while not stop.wait(1):
            if self._mode != "still":
                snapshot = moved(snapshot, 40 if self._mode == "busy" else 2)
                publish(snapshot)


def moved(snapshot: Snapshot, cells: int) -> Snapshot:
    """The same, a second later, with a few users more or fewer in some cells, and as many new visitors."""
    name, host = next(iter(snapshot.hosts.items()))
    active = dict(host.active)
    month = host.months[snapshot.month]
    visitors = dict(month.cells or {})
    for cell in random.sample(list(active), cells):
        active[cell] = active[cell]._replace(day=max(0, active[cell].day + random.choice((-1, 1, 2))))
        visitors[cell] = visitors.get(cell, 0) + 1
    months = {**host.months, snapshot.month: MonthCounts.of(month.quality, visitors)}
    changed = replace(host, active=active, months=months)
    return replace(snapshot, generated_at=time.time(), hosts={**snapshot.hosts, name: changed})


if __name__ == "__main__":
    sys.exit(run(Moving(sys.argv[1] if len(sys.argv) > 1 else ""), ScreenOptions()))
