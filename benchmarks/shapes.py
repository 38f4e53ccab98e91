"""What each kind of server costs: first starts and reports over the stores that real servers write.

    python benchmarks/shapes.py [USERS] [ROUNDS]

The peer is Prosody's own datamanager in Lua, reading all stores of the shape. `report` is the whole of `headcount
report`, from the start of its process to its end, in processor seconds. $BENCHMARKS_BEFORE may name a checkout of an
earlier Headcount, which then makes the same report in turn.
"""

import os
import sys
from pathlib import Path

from kit.contenders import READER
from kit.engine import Engine
from kit.native import lua_command, memory_room
from kit.report import Section
from kit.runs import Contender, Results, Run, Spread, command, interleaved
from kit.shape import FIRST, SHAPES, ShapedTree, shaped_tree
from kit.sizes import Size, alone

LUA, REPORT, BEFORE = "Lua", "report", "report, before"
ACTIVE, SOURCE = "source, who is active", "source, everything"
START_ACTIVE, START = "first start, who is active", "first start, everything"
AT_MOST = {
    "lastlog2 with registered": 1.15,
    "account_activity alone": 0.9,
    "lastlog2 + account_activity": 1.5,
    "lastlog2 + lastlog": 1.5,
    "lastlog2 + login_records": 1.6,
    "all four": 2.2,
}
"""Processor seconds of a report to reach, in those of the first shape's."""


def measure(size: Size) -> Section:
    section = Section("shapes", "Every kind of server", size.users)
    section.words.append(
        "One host; half of the users registered where that is said, a tenth without logout, keys in any order, one "
        "name in ten encoded, addresses of 64,000 networks, activity over three years, one to three login records a "
        "user; 8, 20 and 40 % active; change times as the server leaves them, but for the restored. Median seconds on "
        "two cores, and in brackets how many times faster that is than Lua's reading of all stores of the shape; a "
        "report in processor seconds."
    )
    table = section.table("shape", LUA, ACTIVE, SOURCE, START_ACTIVE, START, REPORT, "times the first", "times before")
    first: Spread | None = None
    for shape in SHAPES:
        with shaped_tree(shape, size.users, memory_room(size.users * len(shape.stores))) as tree:
            results = interleaved(contenders(tree), size.rounds)
        report = results.processor(REPORT)
        first = report if shape is FIRST else first
        assert first is not None
        before = _times(results, REPORT, BEFORE)
        shares = [_faster(results, name) for name in (ACTIVE, SOURCE, START_ACTIVE, START)]
        times = report.median / first.median
        table.add(
            shape.name,
            results.seconds(LUA).told(".1f") if LUA in results.runs else "–",
            *shares,
            report.told(".2f"),
            f"{times:.2f}",
            f"{before:.2f}" if before else "–",
        )
        if shape.name in AT_MOST:
            most = AT_MOST[shape.name]
            told = f"{times:.2f}x"
            section.goal(f"2{shape.name}", f"a report: {shape.name}", f"≤ {most}x the first shape", told, times <= most)
        elif shape is FIRST and before:
            section.goal("2", "a report: the first shape", "≤ 0.75x of before", f"{before:.2f}x", before <= 0.75)
        goal_against_lua(section, shape.name, results)
        section.skip(results.skipped)
    return section


def goal_against_lua(section: Section, shape: str, results: Results) -> None:
    """Whether the source and the engine are as many times faster than Lua as they are to be."""
    least = {ACTIVE: 4.5, SOURCE: 2.5, START_ACTIVE: 2.0, START: 1.4}
    ratios = {name: results.ratio(LUA, name) for name in least}
    known = {name: ratio.median for name, ratio in ratios.items() if ratio is not None}
    if not known:
        return
    section.goal(
        f"3{shape}",
        f"against Lua: {shape}",
        "source ≥ 4.5x, everything ≥ 2.5x; first start ≥ 2x, everything ≥ 1.4x",
        ", ".join(f"{ratio:.2f}x" for ratio in known.values()),
        all(known[name] >= least[name] for name in known),
    )


def contenders(tree: ShapedTree) -> dict[str, Contender]:
    """Those who read a tree, by name."""
    headcount = [sys.executable, "-m", "headcount", "report", str(tree.root), "--format", "json"]
    found: dict[str, Contender] = {
        LUA: lambda: command(lua_command("read_stores", tree.root, "example.com", *tree.shape.stores)),
        ACTIVE: lambda: _right(command([sys.executable, str(READER), str(tree.root), "active"]), tree),
        SOURCE: lambda: command([sys.executable, str(READER), str(tree.root)]),
        START_ACTIVE: lambda: _started(tree, whole=False),
        START: lambda: _started(tree, whole=True),
        REPORT: lambda: command(headcount),
    }
    before = os.environ.get("BENCHMARKS_BEFORE")
    if before:
        found[BEFORE] = lambda: command(["env", f"PYTHONPATH={Path(before) / 'core'}", *headcount])
    return found


def _started(tree: ShapedTree, *, whole: bool) -> Run:
    with Engine(tree.root) as engine:
        right = engine.wait(lambda said: said.active == tree.active and (said.phase == "live" or not whole))
        if right is None:
            raise TimeoutError(f"{tree.active} not counted; last: {engine.said[-1:]}")
        return Run(right.at - engine.begun, engine.processor())


def _right(run: Run, tree: ShapedTree) -> Run:
    if tuple(map(int, run.said.split())) != tree.active:
        raise RuntimeError(f"counted {run.said}, but it is {tree.active}")
    return run


def _faster(results: Results, name: str) -> str:
    ratio = results.ratio(LUA, name)
    seconds = results.seconds(name).told(".2f")
    return seconds if ratio is None else f"{seconds} [{ratio.median:.2f}x]"


def _times(results: Results, of: str, to: str) -> float | None:
    """How many times the processor time of one another took, by the median of the rounds."""
    if to not in results.runs:
        return None
    pairs = zip(results.runs[of], results.runs[to], strict=True)
    return Spread.of([a.processor / b.processor for a, b in pairs]).median


if __name__ == "__main__":
    alone(measure)
