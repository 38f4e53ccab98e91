"""Recording users' first logins of a month: Headcount's whole path against what mod_monthly_visitors does for each.

    python benchmarks/first_logins.py [LOGINS] [ROUNDS]

Headcount: new users log in with a login record each, as fast as a writer can; from the first rename until all are
counted in the month, with place and client, and kept. The module: its store holds 12 months of 300 keys, and it reads
and writes the whole of it at each first login, by Prosody's own datamanager.
"""

import tempfile

from kit.engine import Engine
from kit.native import lua_command, room, visitors_module
from kit.processes import quiet
from kit.report import Section
from kit.runs import Run, command, interleaved
from kit.sizes import Size, alone
from kit.tree import rate_of, tree_in_memory

USERS = 10_000
BY_MODULE = 200
HEADCOUNT = "Headcount"
MODULE = "mod_monthly_visitors"


def measure(size: Size) -> Section:
    logins = min(size.users, 200_000) // 4
    written: list[float] = []

    def headcount() -> Run:
        """Seconds for one login."""
        with tree_in_memory(USERS) as tree, Engine(tree.root) as engine:
            before = engine.wait_for(tree).month_users
            quiet(engine.pid)
            used = engine.processor()
            done = tree.log_in(logins, 0, records=True).wait()
            written.append(rate_of(done))
            # They were not there for thirty days, so each is new in this month.
            right = engine.wait(lambda said: said.month_users == before + logins, since=done[0])
            if right is None:
                raise TimeoutError(f"{engine.said[-1]} after {logins} logins, {before} month users before")
            quiet(engine.pid)
            return Run((right.at - done[0]) / logins, (engine.processor() - used) / logins)

    def module() -> Run:
        file = visitors_module()
        with tempfile.TemporaryDirectory(dir=room()) as directory:
            done = command(lua_command("monthly_visitors", directory, BY_MODULE, *([file] if file else [])))
        return Run(float(done.said) / BY_MODULE, done.processor / BY_MODULE)

    results = interleaved({HEADCOUNT: headcount, MODULE: module}, size.rounds)
    section = Section("first_logins", "Recording first logins of a month", USERS)
    section.words.append(
        f"{logins:,} logins by Headcount, {BY_MODULE} by the module ("
        + ("its own code" if visitors_module() else "its reads and writes, made as it makes them; its code is not here")
        + "; its look-ups of places cost nothing here)."
    )
    if written:
        section.words.append(f"The writer made {min(written):,.0f}–{max(written):,.0f} logins a second.")
    table = section.table("contender", "logins a second", "µs processor each", "faster than the module")
    for name in results.runs:
        ratio, each = results.ratio(MODULE, name), results.processor(name).median * 1e6
        table.add(
            name, f"{1 / results.seconds(name).median:,.0f}", f"{each:,.0f}", ratio.told(".0f", "x") if ratio else "–"
        )
    section.skip(results.skipped)
    ratio = results.ratio(MODULE, HEADCOUNT)
    section.goal(
        "6",
        "first-of-month logins, the module's store at 12 months of 300 keys",
        "≥ 100x the module's",
        f"{ratio.told('.0f', 'x')}" if ratio else "?",
        None if ratio is None else ratio.median >= 100,
    )
    return section


if __name__ == "__main__":
    alone(measure)
