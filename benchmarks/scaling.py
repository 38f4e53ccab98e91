"""What grows with the users, and how: one million, three, ten; and where the next wall stands.

    python benchmarks/scaling.py [USERS] [ROUNDS]     a tenth of USERS, and USERS
    python benchmarks/run.py --full --only scaling    1M, 3M, 10M, as far as the disk allows
    sh benchmarks/in_inodes.sh python benchmarks/run.py --full --only scaling    where it does not

For each size one first start, one later start with nothing changed, and C and Lua on the same tree, in turn.
"""

import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kit.contenders import by_c, by_lua, warm
from kit.engine import STATE, Engine, wait_for_index
from kit.machine import file_system
from kit.native import MissingError, room, trees_room
from kit.processes import memory, quiet
from kit.report import Section
from kit.sizes import Size, alone
from kit.tree import RoomError, Tree, tree_of


@dataclass(slots=True)
class Scale:
    """The figures of one size: seconds, MB."""

    users: int
    c: float = math.nan
    lua: float = math.nan
    first: float = math.nan
    processor: float = math.nan
    stays: float = math.nan
    peak: float = math.nan
    kept: float = math.nan
    soon: float = math.nan
    later: float = math.nan


ROWS = {
    "C with skip, s": "c",
    "Lua, s": "lua",
    "first start, s": "first",
    "first start, processor s": "processor",
    "memory that stays, MB": "stays",
    "memory at its peak, MB": "peak",
    "state and index on disk, MB": "kept",
    "later start, first counts, s": "soon",
    "later start, all right, s": "later",
}


LINEAR = 1.05
"""The power up to which something is said to grow no faster than the users."""
GROWING = ("first", "stays", "peak", "kept", "soon", "later")


def measure(size: Size) -> Section:
    section = Section("scaling", "Growing", max(size.scales))
    scales, each = [], 0
    for users in size.scales:
        try:
            tree = tree_of(users)
        except RoomError as error:
            section.skipped.append(str(error))
            continue
        each = tree.bytes_each()
        try:
            scales.append(of_tree(tree))
        finally:
            tree.remove()  # the next one needs its room
    if scales:
        show(section, scales, each)
    return section


def of_tree(tree: Tree) -> Scale:
    scale = Scale(tree.users)
    warm(tree)
    home = Path(tempfile.mkdtemp(dir=room(), prefix="state-"))
    try:
        with Engine(tree.root, home) as engine:
            scale.first = engine.wait_for(tree).at - engine.begun
            scale.processor = engine.processor()
            print(f"  {tree.users:,}: first start {scale.first:.1f} s", flush=True)
            wait_for_index(home / STATE)
            quiet(engine.pid)
            taken = memory(engine.pid)
            scale.stays, scale.peak = taken["VmRSS"] + taken["below"], taken["VmHWM"]
        scale.kept = sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 1e6
        try:
            scale.c = by_c(tree, "skip")().seconds
            scale.lua = by_lua(tree)().seconds
        except MissingError as error:
            print(f"  {error}", flush=True)
        with Engine(tree.root, home) as engine:
            scale.later = engine.wait_for(tree).at - engine.begun
            nearly = tree.active[2] * 0.99
            scale.soon = next(said for said in engine.said if said.active[2] >= nearly).at - engine.begun
            print(f"  {tree.users:,}: later start {scale.later:.1f} s", flush=True)
    finally:
        shutil.rmtree(home)
    return scale


def show(section: Section, scales: list[Scale], each: int) -> None:
    """A row a figure, with what it is a user and how it grows; then the walls, in words. `each` is how many bytes a
    user's file takes on the disk."""
    least, most = scales[0], scales[-1]
    table = section.table(
        "figure", *(f"{scale.users:,}" for scale in scales), "a user at the most", "grows with users to the"
    )
    growths = {}
    for name, part in ROWS.items():
        values = [getattr(scale, part) for scale in scales]
        unit = 1e6
        a_user = f"{values[-1] / most.users * unit:.1f} {'µs' if name.endswith('s') else 'bytes'}"
        growths[part] = growth(values[0], values[-1], least.users, most.users)
        table.add(name, *(f"{value:.1f}" for value in values), a_user, f"{growths[part]:.2f}")
    section.words.append(
        "The last column is the power of the number of users that a figure grows with, from the smallest tree to the "
        "largest: 1 is linear, less is better."
    )
    ratios = ", ".join(f"{scale.users:,}: {scale.lua / scale.first:.2f}x" for scale in scales)
    section.words.append(f"The first start against Lua's scan of the same tree: {ratios} its speed.")
    section.words += beside_c(scales)
    section.words.append(f"The users' files are on {file_system(trees_room())}, {where_each(each)}.")
    section.words += walls(most, each)
    section.goal(
        "10",
        "1M → 10M users",
        "every figure linear or better, memory a user falls or holds",
        ", ".join(f"{name.rsplit(',', 1)[0]} ^{growths[part]:.2f}" for name, part in ROWS.items() if part in GROWING),
        all(growths[part] <= LINEAR for part in GROWING)
        if least.users >= 1_000_000 and most.users >= 10_000_000
        else None,
    )


def growth(least: float, most: float, users: int, more: int) -> float:
    """The power of the number of users that a figure grows with."""
    return math.log(most / least) / math.log(more / users) if least > 0 and most > 0 and more > users else math.nan


def beside_c(scales: list[Scale]) -> list[str]:
    """How the engine grows beside C's bare scan, in words."""
    least, most = scales[0], scales[-1]
    first = ", ".join(f"{scale.first / scale.c:.1f}x" for scale in scales)
    later = ", ".join(f"{scale.later / scale.c:.1f}x" for scale in scales)
    words = [f"In times of C's, the first start takes {first}; the later one {later}."]
    power = growth(least.c, most.c, least.users, most.users)
    if power > LINEAR:
        words.append(
            f"C's bare scan itself grows with the power of {power:.2f}: the files themselves, and not what reads them, "
            "are the wall that comes first."
        )
    return words


def where_each(each: int) -> str:
    return f"{each:,} bytes each" if each else "each in its inode (`benchmarks/in_inodes.sh`)"


def walls(most: Scale, each: int) -> list[str]:
    """Where each resource would end, were it to grow on in proportion; the nearest first."""
    there = shutil.disk_usage(trees_room())
    pages = int(Path("/proc/meminfo").read_text().split()[1]) * 1024 / 1e6
    reached = [
        (pages / most.peak * most.users, f"memory: this machine's {pages / 1000:.0f} GB would be full"),
        (600 / most.first * most.users, "a first start would take ten minutes"),
        (10 / most.soon * most.users, "a later start would show its first counts after ten seconds"),
        (60 / most.later * most.users, "a later start would be right after a minute"),
    ]
    if each:
        reached.append(
            (there.total / each, f"the server's own files, {each / 1024:.0f} KiB each, would fill this disk")
        )
    return [f"- at {users / 1e6:,.1f} million users {what}" for users, what in sorted(reached)]


if __name__ == "__main__":
    alone(measure)
