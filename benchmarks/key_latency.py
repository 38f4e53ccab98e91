"""How soon the screen answers a key while a data directory is read, against the same screen once it is idle.

    python benchmarks/key_latency.py [USERS]

Opens the real screen in a pseudo-terminal on USERS users (default 100,000), presses `2` and `1` (another tab each) in
turn and measures from each press to the first byte drawn.
"""

import statistics
import tempfile
from pathlib import Path

from kit.native import room
from kit.processes import quiet
from kit.report import Section, Table
from kit.sizes import Size, alone
from kit.terminal import Terminal, headcount
from kit.tree import tree_of

WHEN_IDLE = 100
AT_MOST = 200
"""Keys while it reads: a screen that is kept busy holds up the reading."""


def measure(size: Size) -> Section:
    tree = tree_of(size.users)
    with tempfile.TemporaryDirectory(dir=room()) as directory:
        screen = headcount(tree.root, Path(directory) / "state.db")
        try:
            screen.until("scanning", 60)
            reading: list[float] = []
            live = ""
            while "live" not in live and len(reading) < AT_MOST:
                seconds, live = answers(screen, 2)
                reading += seconds
            quiet(screen.process.pid, 900 + tree.users / 1000, screen.swallow)
            idle, _ = answers(screen, WHEN_IDLE)
        finally:
            screen.end()
    section = Section("key_latency", "Keys while everything is read", tree.users)
    table = section.table("when", "keys", "p50, ms", "p99, ms")
    (median, late), (idle_median, _) = told(table, "while reading", reading), told(table, "idle", idle)
    ratio = median / idle_median
    section.words.append(f"The median while reading is {ratio:.1f} times that of the idle screen.")
    section.goal(
        "8b",
        "keys while a million users are read",
        "p99 ≤ 50 ms",
        f"p50 {median * 1000:.0f} ms, p99 {late * 1000:.0f} ms",
        late <= 0.05 if tree.users >= 1_000_000 else None,
    )
    if len(reading) < 50:
        section.words.append("Reading was over after few keys: more users tell more.")
    return section


def answers(screen: Terminal, presses: int) -> tuple[list[float], str]:
    """Seconds to the answer of each of that many presses, and all that was drawn meanwhile."""
    seconds, drawn = [], ""
    for number in range(presses):
        seconds.append(screen.press("12"[number % 2]))
        drawn += screen.drain(0.05)
    return seconds, drawn


def told(table: Table, name: str, seconds: list[float]) -> tuple[float, float]:
    """A row of one run; gives the median and the 99th percentile."""
    median = statistics.median(seconds)
    ninety_ninth = statistics.quantiles(seconds, n=100)[98]
    table.add(name, len(seconds), f"{median * 1000:.1f}", f"{ninety_ninth * 1000:.1f}")
    return median, ninety_ninth


if __name__ == "__main__":
    alone(measure)
