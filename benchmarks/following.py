"""Following logins: how soon the counts show them, what a storm of them costs, and whether any is lost.

    python benchmarks/following.py [USERS]

A writer lets users log in as Prosody writes it (a temporary file, then a rename), at a steady rate; each was not
active for a month, so each is one more in every window. The lag is that from the rename to the snapshot that shows it.
A plain loop over watchfiles, by its default settings, sees the same logins at the same rates in a directory of its own,
in turn.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kit.engine import Engine
from kit.lag import Lag, lag_of
from kit.native import MEMORY, room
from kit.processes import processor, quiet
from kit.report import Section, Table
from kit.sizes import Size, alone
from kit.tree import Tree, rate_of, tree_in_memory

RATES = (1000, 5000)
STORM = 20_000
PAUSED = 30_000
PLAIN_USERS = 100_000
PATIENCE = 180.0
"""Seconds after which what is not counted is lost."""
WATCH = Path(__file__).parent / "kit" / "plain_watch.py"
PLAIN = "plain watchfiles loop"


def measure(size: Size) -> Section:
    section = Section("following", "Following logins", size.users)
    table = section.table(
        "logins",
        "counted by",
        "a second, reached",
        "lag p50 / p99, ms",
        "all counted after, s",
        "lost",
        "µs processor each",
    )
    with tree_in_memory(size.users) as tree, tree_in_memory(PLAIN_USERS) as plain, Engine(tree.root) as engine:
        engine.wait_for(tree)
        quiet(engine.pid)
        found = {}
        for rate in (*RATES, STORM):
            found[rate] = steady(engine, tree, table, rate, size.seconds)
            by_plain = steady_plain(plain, table, rate, size.seconds)
        recorded = steady(engine, tree, table, STORM, size.seconds, records=True)
        section.goal("4", *lag_goal(found))
        section.goal("5", *storm_goal(found[STORM], recorded, by_plain))
        steady(engine, tree, table, 0, 0, paused=True)
        quiet(engine.pid)
        final, place = engine.said[-1].active, tree.root
    where = "in memory" if place.is_relative_to(MEMORY) else "on the disk, which may hold the writer up"
    section.words += [
        f"{size.seconds} s each; the storm is {STORM:,} logins a second, asked of the writer; with login records each "
        f"login writes two files. The files are {where}. Processor time is the engine's whole: watching, reading, "
        "places, clients, state, sweeps.",
        f"Stopped: SIGSTOP while {PAUSED:,} logins happen, then SIGCONT; the seconds are those from SIGCONT.",
        f"At the end the engine shows {final} active users, and there are {tree.active}.",
    ]
    return section


def steady(
    engine: Engine, tree: Tree, table: Table, rate: int, seconds: int, *, records: bool = False, paused: bool = False
) -> tuple[Lag, float, float]:
    """One row: logins at a rate, followed by the engine; the lag, the processor's µs a login, the rate reached."""
    number = PAUSED if paused else rate * seconds
    before = engine.said[-1].active[2]
    quiet(engine.pid)
    used = engine.processor()
    if paused:
        engine.pause()
    done = tree.log_in(number, rate, records=records).wait()
    reached = rate_of(done)
    if paused:
        engine.go_on()
        done = [time.monotonic()] * number
    engine.wait(lambda said: said.active == tree.active, PATIENCE, since=done[0])
    quiet(engine.pid)
    counted = [(said.at, said.active[2] - before) for said in engine.said if said.at >= done[0]]
    lag, each = lag_of(done, counted), (engine.processor() - used) / number * 1e6
    name = "Headcount, stopped meanwhile" if paused else "Headcount, with login records" if records else "Headcount"
    add(table, number, name, reached, lag, each)
    return lag, each, reached


def lag_goal(found: dict[int, tuple[Lag, float, float]]) -> tuple[str, str, str, bool]:
    lags = [found[rate][0] for rate in RATES]
    told = ", ".join(f"{rate:,}/s: {lag.told()} ms" for rate, lag in zip(RATES, lags, strict=True))
    is_reached = all(lag.p50 <= 0.1 and lag.p99 <= 0.2 and not lag.lost for lag in lags)
    return "rename → snapshot's counts, ≤ 5,000 logins/s", "p50 ≤ 100 ms, p99 ≤ 200 ms", told, is_reached


def storm_goal(
    storm: tuple[Lag, float, float], recorded: tuple[Lag, float, float], by_plain: float
) -> tuple[str, str, str, bool]:
    lag, each, reached = storm
    after = "never" if lag.after is None else f"{lag.after:.1f} s"
    is_reached = (
        not lag.lost and lag.after is not None and lag.after <= 2 and recorded[1] <= 60 and reached >= STORM * 0.95
    )
    return (
        "a storm of logins",
        "20,000/s caught up within 2 s, none lost, ≤ 60 µs each with records",
        f"{reached:,.0f}/s reached, caught up after {after}, {lag.lost} lost; {each:.0f} µs, "
        f"with records {recorded[1]:.0f} µs; the plain loop alone {by_plain:.0f} µs",
        is_reached,
    )


def steady_plain(tree: Tree, table: Table, rate: int, seconds: int) -> float:
    """One row: as many logins at the same rate, seen by the plain loop; the processor's µs a login."""
    number = rate * seconds
    with tempfile.TemporaryFile(dir=room()) as said:
        watch = subprocess.Popen([sys.executable, str(WATCH), str(tree.store)], stdout=said)
        time.sleep(2)
        used = processor(watch.pid)
        done = tree.log_in(number, rate).wait()
        quiet(watch.pid)
        used = processor(watch.pid) - used
        watch.terminate()
        watch.wait()
        said.seek(0)
        counted = [(float(at), int(seen)) for at, seen in map(bytes.split, said)]
    each = used / number * 1e6
    add(table, number, PLAIN, rate_of(done), lag_of(done, counted), each)
    return each


def add(table: Table, number: int, name: str, reached: float, lag: Lag, each: float) -> None:
    after = "never" if lag.after is None else f"{lag.after:.1f}"
    print(f"  {number:,} logins, {name}: {lag.told()} ms, lost {lag.lost:,}", flush=True)
    table.add(f"{number:,}", name, f"{reached:,.0f}", lag.told(), after, f"{lag.lost:,}", f"{each:.0f}")


if __name__ == "__main__":
    alone(measure)
