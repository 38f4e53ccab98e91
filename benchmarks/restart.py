"""A later start, with a hundredth of the files changed since: when the first counts show, and when they are right.

    python benchmarks/restart.py [USERS] [ROUNDS]

Users who were not active for a month log in while no engine runs, so the counts of before are wrong by that hundredth.
The first counts are those of the first snapshot that is off by no more than that; they are right when a snapshot has
exactly what is there. What older months are counted from is read after that. The peer is the module's scan by Prosody's
own Lua, all of it each time, which tells who is active and nothing of months.
"""

from pathlib import Path

from kit.contenders import C_SKIP, LUA, Home, by_c, by_lua, warm
from kit.engine import Engine
from kit.report import Section
from kit.runs import Run, interleaved
from kit.sizes import Size, alone
from kit.tree import Tree, tree_of

FIRST_COUNTS = "Headcount, first counts"
VERIFIED = "Headcount, right again"
WHOLE = "Headcount, older months too"


def measure(size: Size) -> Section:
    tree = tree_of(size.users)
    home = Home(tree)
    stale = tree.active
    tree.log_in(tree.users // 100, 0).wait()
    first: list[Run] = []
    whole: list[Run] = []

    def restart() -> Run:
        soon, right, done = home.copied(lambda path: _restart(tree, path, stale))
        first.append(soon)
        whole.append(done)
        return right

    contenders = {C_SKIP: by_c(tree, "skip"), LUA: by_lua(tree), VERIFIED: restart}
    results = interleaved(contenders, size.rounds, before=lambda: warm(tree))
    results.runs |= {FIRST_COUNTS: first, WHOLE: whole}
    tree.restore()
    kept = home.size()
    home.remove()
    section = Section("restart", "Starting again with 1 % changed", tree.users)
    table = section.table("contender", "seconds", "processor s", "faster than Lua")
    for name in (C_SKIP, LUA, FIRST_COUNTS, VERIFIED, WHOLE):
        if name in results.runs:
            ratio = results.ratio(LUA, name)
            used = "–" if name in (FIRST_COUNTS, VERIFIED) else results.processor(name).told()
            table.add(name, results.seconds(name).told(), used, ratio.told(".2f", "x") if ratio else "–")
    section.words.append(
        f"What is kept between the two starts: {kept / 1e6:.1f} MB, {kept / tree.users:.1f} bytes a user."
    )
    section.skip(results.skipped)
    soon, right = results.seconds(FIRST_COUNTS).median, results.ratio(VERIFIED, LUA)
    section.goal(
        "3",
        "restart, 1 % changed",
        "first counts ≤ 0.5 s, right ≤ 1/8 of Lua's cold scan",
        f"first {soon:.2f} s; right {results.seconds(VERIFIED).told()} s, {right.told() if right else '?'} of Lua's",
        None if right is None else soon <= 0.5 and right.median <= 0.125,
    )
    return section


def _restart(tree: Tree, home: Path, stale: tuple[int, int, int]) -> tuple[Run, Run, Run]:
    """A start until there are counts at all, until they are right, and until everything is."""
    nearly = stale[2] * 0.99
    with Engine(tree.root, home) as engine:
        whole = engine.wait_for(tree)
        first = next(said for said in engine.said if said.active[2] >= nearly)
        right = next(said for said in engine.said if said.active == tree.active)
        used = engine.processor()
        return Run(first.at - engine.begun), Run(right.at - engine.begun), Run(whole.at - engine.begun, used)


if __name__ == "__main__":
    alone(measure)
