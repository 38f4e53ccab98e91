"""What lies in memory once a data directory was read: MB (10^6) by which a bare process grew, and of how many users.

    python structures.py engine|dict DATA_DIR

`engine`: all that an engine holds, read once without watching. `dict`: the peer, a plain dict of every user's name and
file time, from a listing.
"""

import gc
import os
import sys
from pathlib import Path

from headcount.engine.assemble import open_run
from headcount.settings import load

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> float:
    """MB of this process's memory that is in use now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def main() -> None:
    what, root = sys.argv[1:]
    if what == "dict":
        before = resident()
        store = f"{root}/example%2ecom/lastlog2"
        held = {entry.name.removesuffix(".dat"): int(entry.stat().st_mtime) for entry in os.scandir(store)}
        print(resident() - before, len(held))
        return
    settings = load({"source": root, "state": f"{root}/no state"}, os.environ, os.devnull)
    with open_run(settings, os.environ, keep="never") as run:
        before = resident()
        snapshot = run.engine.read_once()
        print(resident() - before, sum(host.users_known for host in snapshot.hosts.values()))


if __name__ == "__main__":
    main()
