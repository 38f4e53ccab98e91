"""k-anonymity for what leaves the machine: no figure, sum or difference tells of a group of fewer than k users.

Nobody is taken out: users are told more coarsely (generalisation and complementary suppression: Willenborg and de Waal,
"Elements of statistical disclosure control", 2001). Why nothing that is hidden follows from what is shown:

- The users of a table are parted by a tree: by country, then client, then subdivision, then city. A branch with too few
  folds into the rest at its fork: the place around it for a city or subdivision, `other` for a client or country. A
  rest with too few takes the smallest of the other branches too, until it has enough or all. So a parent is told
  with its true total or not at all, and the leaves are groups of k users or more, each user in one of them. Any other
  figure of the table is a sum of leaves and tells nothing new.
- A place whose finer parts are null holds the users of whom nothing finer is known and those of whom nothing finer is
  told. That is meant: told apart, they would say how many are hidden. The unknown country, though, is a country like
  others: it may fold into `other`, and is never what others fold into.
- The windows of active users lie in each other, so what is counted is the rings between them. A group is told where
  each of its rings is empty or has enough; then so has every difference of windows, of a country or of all.
- The totals of a host have no parent. A month of too few is left out. A window is hidden where it, or its difference
  to another, is of too few; this month is in truth a window too, of those seen since its first second, and on the
  eighth all but the same as 7d (and the month before, early in a month, as 30d). So it goes for open sessions, of
  which the host's total alone is told, and for the users known, of whom all others are a part.
- Two margins without a joint count (flat months) fold each alone. Of the users in places P and with clients C all that
  follows is that they are from max(0, P + C - all) to min(P, C), and the latter is 0 or enough. A margin that lacks
  users of the month is left out where it lacks too few.
- Months and windows are not parts of each other by place: the one takes a user's first place, the other the last.
  Hosts have no user in common, and no figure is given of all hosts that is not a sum of theirs.
- Problems and history are for the operator: they count files, and other moments.

Out of scope: the difference of exports made at two moments, and of two months' totals.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from headcount.filters import Filter, only_month
from headcount.months import shift
from headcount.snapshot import OTHER, Active, Cell, History, HostCounts, MonthCounts, Place, Snapshot
from headcount.views import sum_active

Counts = tuple[int, ...]
"""How many users a group has, in columns that have no user in common."""
_WINDOWS = ("1d", "7d", "30d")


class _Fork(NamedTuple):
    """One level of the tree: which branch a cell is in, and the cell that its users are told in when that folds."""

    branch: Callable[[Cell], Hashable]
    fold: Callable[[Cell], Cell]


def _region(place: Place) -> Place:
    """The subdivision that a place is in, or the place itself where none is known."""
    return place if place.subdivision is None else Place(place.country, place.subdivision)


_TREE = (
    _Fork(lambda cell: cell.place.country, lambda cell: Cell(Place(OTHER), cell.client)),
    _Fork(lambda cell: cell.client, lambda cell: Cell(cell.place, OTHER)),
    _Fork(lambda cell: _region(cell.place), lambda cell: Cell(Place(cell.place.country), cell.client)),
    _Fork(lambda cell: cell.place, lambda cell: Cell(_region(cell.place), cell.client)),
)


def anonymous(snapshot: Snapshot, min_count: int) -> Snapshot:
    """The snapshot as it may leave the machine: neither a figure of it nor several together tell of 1 to
    `min_count` - 1 users.

    Totals are unchanged. Those that are not told are named in `HostCounts.hidden`, or their month is left out.
    """
    hosts = {host: _host(counts, snapshot.month, min_count) for host, counts in snapshot.hosts.items()}
    return replace(snapshot, hosts=hosts, history=History(), problems=(), anonymity=min_count)


def narrowed(snapshot: Snapshot, asked: Filter) -> Snapshot:
    """A snapshot through a filter. One that is to be anonymous has to be so before, lest the answers to two questions
    differ by those who are hidden.

    Where nobody is left of it, those asked for may be folded: that is no count of none, so it is not told.
    """
    through = asked.apply(snapshot)
    if snapshot.anonymity is None or all(term.field in ("host", "month") for term in asked.terms):
        return through
    hosts = {}
    for host, counts in through.hosts.items():
        everyone = sum_active(counts.active.values())
        empty = {window for window, users in zip(_WINDOWS, everyone[:3], strict=True) if not users}
        months = {name: month for name, month in counts.months.items() if month.users}
        hosts[host] = replace(counts, months=months, hidden=counts.hidden | empty | {"open_sessions"})
    return replace(through, hosts=hosts)


def nameless(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the one thing in it that may name a user: the files that have problems."""
    return replace(snapshot, problems=tuple(replace(problem, example="") for problem in snapshot.problems))


def told(snapshot: Snapshot, asked: Filter, min_count: int | None, *, is_local: bool = False) -> Snapshot:
    """What a report or an export tells: k-anonymous where there is a `min_count`, of what passes the filter, and of its
    month alone where it names one. Files are named in what `is_local` to the operator alone."""
    if min_count is not None:
        snapshot = anonymous(snapshot, min_count)
    elif not is_local:
        snapshot = nameless(snapshot)
    shown, month = narrowed(snapshot, asked), asked.value("month")
    return shown if month is None else only_month(shown, month)


def _host(counts: HostCounts, this_month: str, min_count: int) -> HostCounts:
    months = {
        name: _month(month, min_count) for name, month in counts.months.items() if _is_enough(month.users, min_count)
    }
    everyone = sum_active(counts.active.values())
    near = [months[name].users for name in (this_month, shift(this_month, -1)) if name in months]
    hidden = set()
    for figure, users in (
        ("30d", everyone.month),
        ("7d", everyone.week),
        ("1d", everyone.day),
        ("open_sessions", everyone.open_sessions),
    ):
        if _is_apart(users, near, min_count):
            near.append(users)
        else:
            hidden.add(figure)
    known = counts.users_known
    if not _is_apart(known, [*near, *(month.users for month in months.values())], min_count):
        hidden.add("users_known")
        known = 0
    active = _active(counts.active, hidden, min_count)
    return HostCounts(known, active, months, hidden=frozenset(hidden), at_least=counts.at_least)


def _active(cells: Mapping[Cell, Active], hidden: Collection[str], min_count: int) -> dict[Cell, Active]:
    told = [index for index, window in enumerate(_WINDOWS) if window not in hidden]
    rings = {cell: _differences([active[index] for index in told]) for cell, active in cells.items()}
    result = {}
    for cell, counts in _folded(rings, min_count).items():
        windows = dict(zip(told, accumulate(counts), strict=True))
        result[cell] = Active(*(windows.get(index, 0) for index in range(len(_WINDOWS))))
    sessions = sum_active(cells.values()).open_sessions
    if sessions and "open_sessions" not in hidden:
        rest = Cell(Place(OTHER), OTHER)  # one cell for all of them: the host's sum is right, and no place's is told
        result[rest] = result.get(rest, Active())._replace(open_sessions=sessions)
    return result


def _month(month: MonthCounts, min_count: int) -> MonthCounts:
    if month.cells is not None:
        return MonthCounts.of(month.quality, _folded_counts(month.cells, min_count))
    places, clients = month.places, month.clients
    if places is not None and _is_apart(sum(places.values()), [month.users], min_count):
        by_place = _folded_counts({Cell(place, ""): users for place, users in places.items()}, min_count)
        places = {cell.place: users for cell, users in by_place.items()}
    else:
        places = None
    if clients is not None and _is_apart(sum(clients.values()), [month.users], min_count):
        by_client = _folded_counts({Cell(Place(), client): users for client, users in clients.items()}, min_count)
        clients = {cell.client: users for cell, users in by_client.items()}
    else:
        clients = None
    return replace(month, places=places, clients=clients)


def _folded_counts(cells: Mapping[Cell, int], min_count: int) -> dict[Cell, int]:
    folded = _folded({cell: (users,) for cell, users in cells.items()}, min_count)
    return {cell: users for cell, (users,) in folded.items()}


def _folded(cells: Mapping[Cell, Counts], min_count: int, tree: tuple[_Fork, ...] = _TREE) -> dict[Cell, Counts]:
    """The users parted anew, so that every column of every cell is 0 or at least `min_count`, as those of all are."""
    if not tree:
        return {cell: counts for cell, counts in cells.items() if any(counts)}
    fork, *finer = tree
    branches: dict[Hashable, dict[Cell, Counts]] = {}
    for cell, counts in cells.items():
        branches.setdefault(fork.branch(cell), {})[cell] = counts
    sizes = {branch: _sum(of_branch.values()) for branch, of_branch in branches.items()}
    rest: dict[Cell, Counts] = {}
    for branch in _too_small(sizes, {fork.branch(fork.fold(cell)) for cell in cells}, min_count):
        for cell, counts in branches.pop(branch).items():
            folded = fork.fold(cell)
            rest[folded] = _sum([rest[folded], counts]) if folded in rest else counts
    result = _folded(rest, min_count, tuple(finer)) if rest else {}
    for of_branch in branches.values():
        result |= _folded(of_branch, min_count, tuple(finer))
    return result


def _too_small(sizes: Mapping[Hashable, Counts], rest: Collection[Hashable], min_count: int) -> set[Hashable]:
    """The branches that fold: those with too few, those that are in the rest anyway, and as many others as it takes,
    the smallest first, for the rest to be large enough."""
    folded = {branch for branch, counts in sizes.items() if branch in rest or _lacking(counts, min_count)}
    while lacking := _lacking(_sum(sizes[branch] for branch in folded), min_count):
        others = [branch for branch in sizes if branch not in folded and any(sizes[branch][i] for i in lacking)]
        if not others:
            break
        folded.add(min(others, key=lambda branch: (sum(sizes[branch]), str(branch))))
    return folded


def _lacking(counts: Counts, min_count: int) -> list[int]:
    """The columns in which there are some users, but too few."""
    return [index for index, users in enumerate(counts) if not _is_enough(users, min_count)]


def _is_enough(users: int, min_count: int) -> bool:
    return users == 0 or users >= min_count


def _is_apart(users: int, others: Iterable[int], min_count: int) -> bool:
    """Whether a total can be told beside others that may be parts of it, or it of them."""
    return all(_is_enough(abs(users - other), min_count) for other in (0, *others))


def _differences(nested: list[int]) -> Counts:
    return tuple(outer - inner for inner, outer in pairwise([0, *nested]))


def _sum(groups: Iterable[Counts]) -> Counts:
    return tuple(map(sum, zip(*groups, strict=True)))
