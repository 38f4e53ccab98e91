"""What the screen and the engine cost while nothing happens, and what the screen sends while users log in.

    python benchmarks/screen_cost.py [USERS]

Idle: `headcount engine`, the screen, and `top` at one picture a second as their peer, side by side; from a million
users on it lasts minutes, so that the regular looks at all files, which are rare then, are in it. Live: LOGINS a
second, so that counts change with each picture.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from kit.native import room
from kit.processes import processor, quiet
from kit.report import Section, Table
from kit.sizes import Size, alone
from kit.terminal import Terminal, headcount
from kit.tree import tree_in_memory

LOGINS = 10
LIVE = 10
SCREEN, ENGINE, TOP = "headcount, the screen", "headcount engine", "peer: top -d 1"


def measure(size: Size) -> Section:
    section = Section("screen_cost", "The screen and the engine, idle and live", size.users)
    table = section.table("what", "when", "% of a core", "bytes a second at 140x45")
    with tree_in_memory(size.users) as tree, tempfile.TemporaryDirectory(dir=room()) as directory:
        engine = subprocess.Popen(
            [sys.executable, "-m", "headcount", "engine", str(tree.root), "--state", f"{directory}/engine.db"],
            stderr=subprocess.DEVNULL,
        )
        screen = headcount(tree.root, Path(directory) / "screen.db")
        terminals = {SCREEN: screen}
        if shutil.which("top"):
            terminals[TOP] = Terminal(["top", "-d", "1"])
        else:
            section.skipped.append("top: not here: apt-get install procps")
        try:
            screen.until("live", 900)
            quiet(screen.process.pid, look=lambda: drop(terminals))
            quiet(engine.pid, look=lambda: drop(terminals))
            idle = watch(table, "idle", size.idle, terminals, engine.pid)
            writer = tree.log_in(LOGINS * (LIVE + 4), LOGINS)
            time.sleep(2)
            live = watch(table, f"{LOGINS} logins a second", LIVE, terminals, engine.pid)
            writer.wait()
        finally:
            for terminal in terminals.values():
                terminal.end()
            engine.terminate()
            engine.wait(timeout=60)
    goal(section, idle, live)
    return section


Cost = dict[str, tuple[float, float]]
"""Per cent of a core and bytes a second, by name."""


def watch(table: Table, when: str, seconds: float, terminals: dict[str, Terminal], engine: int) -> Cost:
    """What each takes and sends in that time."""
    pids = {ENGINE: engine, **{name: terminal.process.pid for name, terminal in terminals.items()}}
    before = {name: processor(pid) for name, pid in pids.items()}
    sent = {ENGINE: 0}
    threads = [
        threading.Thread(target=lambda name=name, terminal=terminal: sent.update({name: terminal.drawn_in(seconds)}))
        for name, terminal in terminals.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cost = {name: ((processor(pid) - before[name]) / seconds * 100, sent[name] / seconds) for name, pid in pids.items()}
    for name, (share, flow) in cost.items():
        table.add(name, when, f"{share:.2f}", "–" if name == ENGINE else f"{flow:,.0f}")
    return cost


def drop(terminals: dict[str, Terminal]) -> None:
    """Reads what was drawn by all."""
    for terminal in terminals.values():
        terminal.swallow()


def goal(section: Section, idle: Cost, live: Cost) -> None:
    engine, screen, flow = idle[ENGINE][0], idle[SCREEN], live[SCREEN][1]
    peer = f" (top: {live[TOP][1] / 1000:.1f})" if TOP in live else ""
    section.goal(
        "8",
        "idle, and live at 1 Hz",
        "≤ 0.5 % of a core; screen 0 bytes/s idle, < 12 KB/s live",
        f"engine {engine:.2f} %, screen {screen[0]:.2f} %, {screen[1]:,.0f} bytes/s; live {flow / 1000:.1f} KB/s{peer}",
        engine <= 0.5 and screen[0] <= 0.5 and screen[1] < 1 and flow < 12_000,
    )


if __name__ == "__main__":
    alone(measure)
