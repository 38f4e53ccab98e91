"""What an engine takes of memory once it has read everything, and how much of it is for the users.

    python benchmarks/memory.py [USERS]

The real `headcount engine`, recording all countries and then one alone; its peak (VmHWM) and what stays (VmRSS), with
what its helpers took beside it. Its structures: by how much a bare process grows; the peer is a plain dict of all
users.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kit.contenders import warm
from kit.engine import wait_for_index
from kit.native import room
from kit.processes import memory, quiet
from kit.report import Section
from kit.runs import command
from kit.sizes import Size, alone
from kit.tree import Tree, tree_of

STRUCTURES = Path(__file__).parent / "kit" / "structures.py"


def measure(size: Size) -> Section:
    tree = tree_of(size.users)
    warm(tree)
    section = Section("memory", "Memory", tree.users)
    table = section.table("what", "MB", "bytes a user")
    peer, held = structures(tree, "dict"), structures(tree, "engine")
    found = {"peer: a plain dict of all names": peer, "the engine's structures": held}
    for name, country in (("all countries", ""), ("record_country = DE", "DE")):
        stays, peak, helpers = of_engine(tree, country)
        found |= {f"engine, {name}: stays": stays, "… at its peak": peak, "… helpers at theirs": helpers}
        for what, megabytes in found.items():
            table.add(what, f"{megabytes:.1f}", f"{megabytes * 1e6 / tree.users:.0f}")
        if not country:
            per_million = 1e6 / tree.users
            section.goal(
                "7",
                "memory, 1M users",
                "structures ≤ 100 MB, the engine's RSS ≤ 180 MB",
                f"structures {held:.0f} MB ({held / peer:.1f}x a plain dict), RSS {stays:.0f} MB, peak {peak:.0f} MB",
                held * per_million <= 100 and stays <= 180 if tree.users >= 1e6 else None,
            )
        found = {}
    return section


def structures(tree: Tree, what: str) -> float:
    """MB by which a bare process grows."""
    megabytes, users = command([sys.executable, str(STRUCTURES), what, str(tree.root)]).said.split()
    if int(users) != tree.users:
        raise RuntimeError(f"{users} users held of {tree.users}")
    return float(megabytes)


def of_engine(tree: Tree, country: str) -> tuple[float, float, float]:
    """MB of the real command once it has read everything and written its restart index: what stays, its peak, and the
    most that its children took."""
    helpers = [0.0]
    environment = {**os.environ, **({"HEADCOUNT_RECORD_COUNTRY": country} if country else {})}
    with tempfile.TemporaryDirectory(dir=room()) as directory:
        line = [sys.executable, "-m", "headcount", "engine", str(tree.root), "--state", f"{directory}/state.db"]
        engine = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)
        try:
            quiet(engine.pid, 900 + tree.users / 2000, lambda: helpers.append(memory(engine.pid)["below"]))
            wait_for_index(Path(directory) / "state.db")
            quiet(engine.pid)
            taken = memory(engine.pid)
        finally:
            engine.terminate()
            engine.wait(timeout=60)
    print(f"  the engine: {taken['VmRSS']:.0f} MB", flush=True)
    return taken["VmRSS"], taken["VmHWM"], max(helpers)


if __name__ == "__main__":
    alone(measure)
