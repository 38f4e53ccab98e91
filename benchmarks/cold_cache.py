"""Reading everything from the disk, as after a reboot: the page cache is emptied before each run of each contender.

    python benchmarks/cold_cache.py [USERS] [ROUNDS]

Of a fifth of USERS, and of 100,000 at the most: the disk, not the number, is what is asked here.
"""

from cold_scan import show
from kit.contenders import (
    ACTIVE,
    C_SKIP,
    C_TWO,
    FIRST,
    LUA,
    SOURCE,
    by_active,
    by_c,
    by_first_start,
    by_lua,
    by_source,
    on,
)
from kit.page_cache import drop, way
from kit.report import Section
from kit.runs import interleaved
from kit.sizes import Size, alone
from kit.tree import tree_of


def measure(size: Size) -> Section:
    tree = tree_of(min(100_000, size.users // 5))
    contenders = {
        C_SKIP: by_c(tree, "skip"),
        C_TWO: by_c(tree, "skip", 2),
        LUA: by_lua(tree),
        on(ACTIVE, 2): by_active(tree, 2),
        on(SOURCE, 2): by_source(tree, 2),
        on(FIRST, 2): by_first_start(tree, 2),
    }
    results = interleaved(contenders, size.rounds, before=lambda: drop(tree))
    section = Section("cold_cache", "Reading everything, page cache cold", tree.users)
    section.words.append(f"The cache is emptied by {way()}. The engine's own files have to be read again too.")
    show(section, results)
    ratio = results.ratio(LUA, on(ACTIVE, 2))
    whole = results.ratio(LUA, on(FIRST, 2))
    section.goal(
        "2",
        f"cold scan, cold page cache, {tree.users:,} users",
        "≥ 3x Lua's speed",
        f"{ratio.told('.2f', 'x')} Lua's speed; the whole engine {whole.told('.2f', 'x')}" if ratio and whole else "?",
        None if ratio is None else ratio.median >= 3,
    )
    return section


if __name__ == "__main__":
    alone(measure)
