"""k-anonymity for what leaves the machine: no figure, sum or difference tells of a group of fewer than k users.

Nobody is taken out: users are shown more coarsely (generalisation and complementary suppression: Willenborg and de
Waal, "Elements of statistical disclosure control", 2001). Why nothing that is hidden follows from what is shown:

- The users of a table are parted by a tree: by country, then client, then subdivision, then city. A branch with too few
  folds into the rest at its fork: the place around it for a city or subdivision, `other` for a client or country. A
  rest with too few takes the smallest of the other branches too, until it has enough or all. So a parent is shown
  with its true total or not at all, and the leaves are groups of k users or more, each user in one of them. Any other
  figure of the table is a sum of leaves and tells nothing new.
- A place whose finer parts are null holds the users of whom nothing finer is known and those of whom nothing finer is
  shown. That is meant: shown apart, they would say how many are hidden. The unknown country, though, is a country like
  others: it may fold into `other`, and is never what others fold into.
- The windows of active users lie in each other, so what is counted is the rings between them. A group is shown where
  each of its rings is empty or has enough; then so has every difference of windows, of a country or of all.
- The totals of a host have no parent. A month of too few is left out. A window is hidden where it, or its difference
  to another, is of too few; this month is in truth a window too, of those seen since its first second, and on the
  eighth all but the same as 7d (and the month before, early in a month, as 30d). So it goes for open sessions, of
  which the host's total alone is shown, and for the users known, of whom all others are a part.
- Two margins without a joint count (flat months) fold each alone. Of the users in places P and with clients C all that
  follows is that they are from max(0, P + C - all) to min(P, C), and the latter is 0 or enough. A margin that lacks
  users of the month is left out where it lacks too few.
- Months and windows are not parts of each other by place: the one takes a user's first place, the other the last.
  Hosts have no user in common. What is shown of several hosts together is in `anonymous_sums`.
- What is shown of a group that is called by its name may lack users who are shown with others, or as of the place
  around it: of a client, for one, in the countries where it has too few. So the forms say of such groups that there are
  at least so many, and take nobody who is shown as another for known.
- Problems and history are for the operator: they count files, and other moments.

Out of scope: the difference of exports made at two moments, and of two months' totals.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import accumulate

from headcount.figures.anonymous_sums import summed
from headcount.figures.filters import Filter, only_month
from headcount.figures.folding import differences, folded, folded_counts, is_apart, is_enough
from headcount.figures.totals import sum_active
from headcount.months import shift
from headcount.snapshot import OTHER, Active, Cell, History, HostCounts, MonthCounts, Place, Quality, Snapshot
from headcount.windows import KEYS


def anonymous(snapshot: Snapshot, min_count: int) -> Snapshot:
    """The snapshot as it may leave the machine: neither a figure of it nor several together tell of 1 to
    `min_count` - 1 users.

    A host's totals are unchanged. Those that are withheld are named in `HostCounts.hidden`, or their month is left out.
    What is shown of several hosts together is in `Snapshot.total`; what of it lacks some users is named in its
    `floors`."""
    total, hosts = None, {host: _host(counts, snapshot.month, min_count) for host, counts in snapshot.hosts.items()}
    if len(hosts) > 1:
        total, hosts = summed(snapshot.hosts, hosts, snapshot.month, min_count)
    return replace(snapshot, hosts=hosts, total=total, history=History(), problems=(), anonymity=min_count)


def narrowed(snapshot: Snapshot, asked: Filter) -> Snapshot:
    """A snapshot through a filter. One that is to be anonymous has to be so before, lest the answers to two questions
    differ by those who are hidden.

    Where nobody is left of it, those asked for may be folded: that is no count of none, so it is withheld.
    """
    through = asked.apply(snapshot)
    if snapshot.anonymity is None or asked.is_of_whole_hosts:
        return through
    by_country = {term.field for term in asked.terms} <= {"host", "month", "country"}
    hosts = {host: _part(counts, is_whole=by_country) for host, counts in through.hosts.items()}
    return replace(through, hosts=hosts, total=through.total and _part(through.total, is_whole=False))


def _part(counts: HostCounts, *, is_whole: bool) -> HostCounts:
    """What is shown of a part of a host's users. Of a country that is shown it is all; of anything finer, and of
    several hosts, some may be shown with others, so that there are at least so many."""
    everyone = sum_active(counts.active.values())
    empty = {window for window, users in zip(KEYS, everyone[:3], strict=True) if not users}
    months = {name: month for name, month in counts.months.items() if month.users}
    hidden = counts.hidden | empty | {"open_sessions"}
    if is_whole:
        return replace(counts, months=months, hidden=hidden)
    months = {name: replace(month, quality=Quality.LOWER_BOUND) for name, month in months.items()}
    return replace(counts, months=months, hidden=hidden, floors=frozenset({*KEYS, *months}) - hidden)


def nameless(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the one thing in it that may name a user: the files that have problems."""
    return replace(snapshot, problems=tuple(replace(problem, example="") for problem in snapshot.problems))


def to_report(snapshot: Snapshot, asked: Filter, min_count: int | None, *, is_local: bool = False) -> Snapshot:
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
        name: _month(month, min_count) for name, month in counts.months.items() if is_enough(month.users, min_count)
    }
    everyone = sum_active(counts.active.values())
    near = [months[name].users for name in (this_month, shift(this_month, -1)) if name in months]
    hidden = set()
    longest_first = reversed(list(zip(KEYS, everyone, strict=False)))
    for figure, users in (*longest_first, ("open_sessions", everyone.open_sessions)):
        if is_apart(users, near, min_count):
            near.append(users)
        else:
            hidden.add(figure)
    known = counts.users_known
    if not is_apart(known, [*near, *(month.users for month in months.values())], min_count):
        hidden.add("users_known")
        known = 0
    active = _active(counts.active, hidden, min_count)
    return HostCounts(known, active, months, hidden=frozenset(hidden), at_least=counts.at_least)


def _active(cells: Mapping[Cell, Active], hidden: Collection[str], min_count: int) -> dict[Cell, Active]:
    open_windows = [index for index, window in enumerate(KEYS) if window not in hidden]
    rings = {cell: differences([active[index] for index in open_windows]) for cell, active in cells.items()}
    result = {}
    for cell, counts in folded(rings, min_count).items():
        windows = dict(zip(open_windows, accumulate(counts), strict=True))
        result[cell] = Active(*(windows.get(index, 0) for index in range(len(KEYS))))
    sessions = sum_active(cells.values()).open_sessions
    if sessions and "open_sessions" not in hidden:
        rest = Cell(Place(OTHER), OTHER)  # one cell for all of them: the host's sum is right, and no place's is shown
        result[rest] = result.get(rest, Active())._replace(open_sessions=sessions)
    return result


def _month(month: MonthCounts, min_count: int) -> MonthCounts:
    if month.cells is not None:
        return MonthCounts.of(month.quality, folded_counts(month.cells, min_count))
    places, clients = month.places, month.clients
    if places is not None and is_apart(sum(places.values()), [month.users], min_count):
        by_place = folded_counts({Cell(place, ""): users for place, users in places.items()}, min_count)
        places = {cell.place: users for cell, users in by_place.items()}
    else:
        places = None
    if clients is not None and is_apart(sum(clients.values()), [month.users], min_count):
        by_client = folded_counts({Cell(Place(), client): users for client, users in clients.items()}, min_count)
        clients = {cell.client: users for cell, users in by_client.items()}
    else:
        clients = None
    return replace(month, places=places, clients=clients)
