"""What happened between two snapshots, as news that name nobody: a pure function of the two.

The engine reports figures, not events. So the news say what the figures show, and no more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headcount.snapshot import Cell, MonthCounts, Phase, Snapshot

MOST_CELLS = 4
"""News of more cells than this at once become one line for each host."""


@dataclass(frozen=True, slots=True)
class Visitors:
    """New visitors of the month on a host: how many, and the cell they were counted in; None where they are many, of
    several cells."""

    when: float
    host: str
    users: int
    cell: Cell | None


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the engine or the data, in words; `host` is empty where it concerns all."""

    when: float
    host: str
    words: str


News = Visitors | Note


def news(before: Snapshot, after: Snapshot) -> list[News]:
    """What happened from one snapshot to the next, oldest first. A reading of the files is no news of visitors: who is
    found by it came before."""
    found: list[News] = list(_notes(before, after))
    if before.phase is Phase.LIVE and after.phase is Phase.LIVE:
        for host in after.hosts:
            if host in before.hosts and after.hosts[host] is not before.hosts[host]:
                found += _visitors(before, after, host)
    return found


def _visitors(before: Snapshot, after: Snapshot, host: str) -> list[News]:
    month = after.month
    then, now = before.hosts[host].months.get(month), after.hosts[host].months.get(month)
    if now is None or now is then:
        return []
    came = _more(then, now)
    if len(came) <= MOST_CELLS:
        return [Visitors(after.generated_at, host, users, cell) for cell, users in came.items()]
    return [Visitors(after.generated_at, host, came.total(), None)]


def _more(then: MonthCounts | None, now: MonthCounts) -> Counter[Cell]:
    """The users that cells have gained. A user who was moved to another cell, because a login record
    knew better, is not new: the cells that lost users take as many off those that gained, those of the same country
    first."""
    if now.cells is None or (then is not None and then.cells is None):
        return Counter()
    before: Mapping[Cell, int] = {} if then is None or then.cells is None else then.cells
    change = {cell: users - before.get(cell, 0) for cell, users in now.cells.items() if before.get(cell) != users}
    change |= {cell: -users for cell, users in before.items() if cell not in now.cells}
    gained = Counter({cell: users for cell, users in change.items() if users > 0})
    for cell, users in change.items():
        lost = -users
        same_first = sorted(gained, key=lambda other: other.place.country != cell.place.country)
        for other in same_first if lost > 0 else ():
            moved = min(lost, gained[other])
            gained[other] -= moved
            lost -= moved
    return +gained


def _notes(before: Snapshot, after: Snapshot) -> Iterator[Note]:
    when = after.generated_at
    if before.phase is not after.phase:
        words = {
            Phase.LIVE: "everything is read; figures are live from here on",
            Phase.SCANNING: "reading the server's files",
            Phase.WAITING: "waiting for the server's files",
            Phase.STOPPED: "the engine has ended",
        }
        yield Note(when, "", words[after.phase])
    if before.month != after.month:
        yield Note(when, "", f"a new month: {after.month}")
    if before.geo != after.geo and before.geo:
        yield Note(when, "", f"places now come from {after.geo}")
    for host in after.hosts:
        if host not in before.hosts and before.hosts:
            yield Note(when, host, f"a host appeared: {host}")
    for host in before.hosts:
        if host not in after.hosts:
            yield Note(when, host, f"a host is gone: {host}")
    known = {problem.what for problem in before.problems}
    for problem in after.problems:
        if problem.what not in known:
            yield Note(when, "", f"a problem: {problem.what}")
    for what in sorted(known - {problem.what for problem in after.problems}):
        yield Note(when, "", f"solved: {what}")
