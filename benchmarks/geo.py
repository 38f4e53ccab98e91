"""How a GeoIP file may be held so that nothing that is done to it reaches who reads it: what each way costs.

    python benchmarks/geo.py [FILE] [ROUNDS]

By default the built-in database of countries, unpacked. Each way is a fresh process, in turn with the others: how long
it takes to begin, how many addresses it looks up a second, and by how much it grows in memory. What the proof costs
that a file is good, once a file, is told below.
"""

import gzip
import ipaddress
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import maxminddb
from kit.runs import Results, Run, command, interleaved
from maxminddb.reader import Reader

from headcount.places.database_records import read_record
from headcount.places.lookup import Places
from headcount.places.private_copies import Store

PACKED = Path(__file__).parents[1] / "core" / "headcount" / "data" / "country.mmdb.gz"
LOOKUPS = 20_000
TODAY = "the operator's file, mapped, C (MODE_AUTO)"


def from_memory(path: str) -> Reader:
    """Read into memory without a name, which the C reader maps: it has no mode of its own for memory."""
    number = os.memfd_create("geo")
    with os.fdopen(number, "wb") as memory, open(path, "rb") as file:
        os.sendfile(number, file.fileno(), 0, os.path.getsize(path))
        memory.flush()
        return maxminddb.open_database(f"/proc/self/fd/{number}", maxminddb.MODE_MMAP_EXT)


WAYS: dict[str, tuple[str, Callable[[str], Reader], bool]] = {
    TODAY: ("a cut ends the process", lambda path: maxminddb.open_database(path, maxminddb.MODE_AUTO), False),
    "a private copy, mapped, C": (
        "nobody else has it",
        lambda path: maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT),
        True,
    ),
    "a copy in memory, C": ("nobody else has it", from_memory, False),
    "MODE_MEMORY, Python": ("nobody else has it", lambda p: maxminddb.open_database(p, maxminddb.MODE_MEMORY), False),
    "MODE_FILE, Python": (
        "an overwritten file gives wrong places",
        lambda path: maxminddb.open_database(path, maxminddb.MODE_FILE),
        False,
    ),
}


def hold(way: str, path: str) -> None:
    """One way, in a process of its own: prints what it took."""
    _, opened, is_copied = WAYS[way]
    if is_copied:
        path += ".copy"
    dice = random.Random(1)
    asked = [ipaddress.IPv4Address(dice.randrange(1 << 24, 224 << 24)) for _ in range(LOOKUPS)]
    before, begun = resident(), time.perf_counter()
    reader = opened(path)
    begins = time.perf_counter() - begun
    begun = time.perf_counter()
    for address in asked:
        read_record(reader.get_with_prefix_len(address)[0])
    taken = time.perf_counter() - begun
    print(json.dumps({"begins": begins, "rate": LOOKUPS / taken, "memory": resident() - before}))


def resident() -> float:
    """MB of memory that this process has (VmRSS): a mapped file's pages too, which the system may take back."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def table(results: Results) -> str:
    """What each way took, beside that of the mapped file."""
    told = {name: [json.loads(run.said) for run in runs] for name, runs in results.runs.items()}
    lines = [
        "| held as | what can happen | begins, ms | look-ups a second | of today's | grows by, MB |",
        "|---" * 6 + "|",
    ]
    for name, runs in told.items():
        rates = [run["rate"] for run in runs]
        ratio = statistics.median(run["rate"] / peer["rate"] for run, peer in zip(runs, told[TODAY], strict=True))
        begins, grows = (statistics.median(run[what] for run in runs) for what in ("begins", "memory"))
        lines.append(
            f"| {name} | {WAYS[name][0]} | {begins * 1000:.1f} | {statistics.median(rates):,.0f} | {ratio:.2f}x "
            f"| {grows:.1f} |"
        )
    return "\n".join(lines)


def prove(path: str, room: str) -> str:
    """What a file costs once, and at a later start."""
    taken = []
    for _ in range(2):
        begun = time.perf_counter()
        places = Places([path], usual=(), store=Store(f"{room}/geo"))
        taken.append(time.perf_counter() - begun)
        label = places.label
        places.close()
    return f"{label}: a new file is proved after {taken[0]:.1f} s, once; a later start has it after {taken[1]:.4f} s."


def main() -> None:
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as room:
        path = f"{room}/geo.mmdb"
        data = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else gzip.decompress(PACKED.read_bytes())
        for name in (path, f"{path}.copy"):
            Path(name).write_bytes(data)

        def contender(way: str) -> Callable[[], Run]:
            return lambda: command([sys.executable, __file__, "--hold", way, path])

        results = interleaved({way: contender(way) for way in WAYS}, rounds)
        print(f"\n{len(data) / 1e6:.1f} MB, {LOOKUPS:,} look-ups, medians of {rounds} rounds\n\n{table(results)}\n")
        print(prove(path, room))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--hold"]:
        hold(*sys.argv[2:])
    else:
        main()
