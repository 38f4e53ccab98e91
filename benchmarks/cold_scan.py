"""Reading everything, with the files in the page cache: Headcount against Prosody's own Lua and against bare C.

    python benchmarks/cold_scan.py [USERS] [ROUNDS]

The bare source makes records of files, first of those who may be active, which is all that the module and the C program
count, then of the rest, which older months are counted from. The first start is the whole engine, from the start of its
process to a snapshot with all active users, their places and the month's users, kept. The C program does the least that
any program can.
"""

from kit.contenders import (
    ACTIVE,
    C_ALL,
    C_SKIP,
    C_TWO,
    FIRST,
    FIRST_ACTIVE,
    LATER,
    LUA,
    SOURCE,
    Home,
    by_active,
    by_c,
    by_first_active,
    by_first_start,
    by_later_start,
    by_lua,
    by_source,
    on,
    warm,
)
from kit.page_cache import cached
from kit.report import Section
from kit.runs import Results, Spread, interleaved
from kit.sizes import Size, alone
from kit.tree import tree_of


def measure(size: Size) -> Section:
    tree = tree_of(size.users)
    home = Home(tree)
    contenders = {
        "C, names alone": by_c(tree, "list"),
        "C, stat of each": by_c(tree, "stat"),
        C_ALL: by_c(tree, "all"),
        C_SKIP: by_c(tree, "skip"),
        C_TWO: by_c(tree, "skip", 2),
        LUA: by_lua(tree),
        on(ACTIVE, 1): by_active(tree, 1),
        on(ACTIVE, 2): by_active(tree, 2),
        on(SOURCE, 1): by_source(tree, 1),
        on(SOURCE, 2): by_source(tree, 2),
        on(FIRST_ACTIVE, 2): by_first_active(tree, 2),
        on(FIRST, 1): by_first_start(tree, 1),
        on(FIRST, 2): by_first_start(tree, 2),
        on(LATER, 2): lambda: home.copied(lambda path: by_later_start(tree, 2, path)()),
    }
    left: list[float] = []
    results = interleaved(contenders, size.rounds, before=lambda: warm(tree), after=lambda: left.append(cached(tree)))
    home.remove()
    section = Section("cold_scan", "Reading everything, page cache warm", tree.users)
    section.words.append(
        "Median (least–most) seconds from the start of the process to the right counts, and what that is to its peers "
        "in the same round. All files are read once right before each run; at its end "
        f"{min(left):.0%} to {max(left):.0%} of them were still in the cache. "
        "A Headcount on one core cannot gain by a second process; on two it may."
    )
    show(section, results)
    tell_goals(section, results)
    return section


def show(section: Section, results: Results) -> None:
    """A row for each contender, with its ratios to Lua and to C."""
    table = section.table("contender", "seconds", "processor s", "µs a user", "faster than Lua", "times C with skip")
    for name in results.runs:
        seconds = results.seconds(name)
        faster, slower = results.ratio(LUA, name), results.ratio(name, C_SKIP)
        table.add(
            name,
            seconds.told(),
            results.processor(name).told(),
            f"{seconds.median / section.users * 1e6:.1f}",
            faster.told(".2f", "x") if faster else "–",
            slower.told(".2f", "x") if slower else "–",
        )
    section.skip(results.skipped)


def tell_goals(section: Section, results: Results) -> None:
    lua_1, lua_2 = (results.ratio(LUA, on(ACTIVE, cores)) for cores in (1, 2))
    c_2 = results.ratio(on(ACTIVE, 2), C_SKIP)
    engine = results.ratio(LUA, on(FIRST_ACTIVE, 2)), results.ratio(LUA, on(FIRST, 2))
    is_reached = None if lua_2 is None or c_2 is None else lua_2.median >= 4 and c_2.median <= 1.1
    measured = (
        f"{_told(lua_2)} Lua's speed; {_told(c_2)} C's time; the whole engine {_told(engine[0])} Lua's speed, with all "
        f"older months {_told(engine[1])}"
    )
    section.goal("1a", "cold scan, two processes", "≥ 4x Lua's speed, ≤ 1.1x C's time", measured, is_reached)
    is_reached = None if lua_1 is None else lua_1.median >= 2.3
    section.goal("1b", "cold scan, one process", "≥ 2.3x Lua's speed", f"{_told(lua_1)} Lua's speed", is_reached)


def _told(ratio: Spread | None) -> str:
    return ratio.told(".2f", "x") if ratio else "?"


if __name__ == "__main__":
    alone(measure)
