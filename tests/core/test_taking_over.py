"""Taking over mod_monthly_visitors' counts: its months beside ours, nobody twice, and what can't be told is said."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import FLAT, FRANKFURT, MUNICH, NOWHERE, PARIS

from headcount.counting.counted import How
from headcount.counting.meaning import Visit
from headcount.counting.month_users import SETTLING, Month, MonthlyVisitors
from headcount.counting.taking_over import EXACT, FUTURE, OTHER, OWN, Outcome, TakingOver, imported_counts
from headcount.months import end_of, start_of
from headcount.records import VisitedMonth
from headcount.snapshot import Cell, MonthCounts, Place, Quality

UTC = ZoneInfo("UTC")
NOW = float(made_up.NOW)
BARE, DINO, GAJIM = Cell(MUNICH, "?"), Cell(FRANKFURT, "Dino"), Cell(PARIS, "Gajim")
JOINT = MonthCounts.of(Quality.IMPORTED, {DINO: 2, GAJIM: 1})
MARKED = ("alice", "bob", "carol")
USERS = (*MARKED, "dave", "erin")


class Host:
    """A host's months, which are counted in and taken over into."""

    def __init__(self, followed_since: float | None = None) -> None:
        self.months = MonthlyVisitors("example.com", UTC, lambda: b"k" * 32, followed_since=followed_since)

    def visits(self, user: str, cell: Cell, *, recorded: bool = False, month: str = "2026-11") -> None:
        self.months.count(user, [Visit(month, NOW, cell, recorded)], NOW, first_seen=True)

    def takes(
        self, name: str, counts: MonthCounts, *marked: str, replace: bool = False, pruned_before: str = ""
    ) -> tuple[Outcome, str]:
        taking = TakingOver("example.com", self.months.months, "2026-11", lambda: b"n" * 32, replace, pruned_before)
        taken = taking.take(name, counts, marked)
        assert taken.has == (self.counts(name) if name in self.months.months else None)
        assert (taken.month, taken.users, taken.marked) == (name, counts.users, len(marked))
        return taken.outcome, taken.why

    def month(self, name: str = "2026-11") -> Month:
        return self.months.months[name]

    def counts(self, name: str = "2026-11") -> MonthCounts:
        return self.month(name).counts()

    def how(self, user: str, name: str = "2026-11") -> Cell | How | None:
        """How a user was counted in a month."""
        month = self.month(name)
        return None if month.key is None else month.counted.get(month.hash_of("example.com", user))

    def described(self) -> object:
        return {
            name: (month.counts(), month.key, {user: self.how(user, name) for user in USERS}, month.closed)
            for name, month in self.months.months.items()
        }


@pytest.fixture
def host() -> Host:
    return Host()


def joint(cells: Mapping[Cell, int]) -> MonthCounts:
    return MonthCounts.of(Quality.IMPORTED, cells)


@pytest.mark.parametrize("counts", [JOINT, FLAT])
def test_a_month_that_is_over_is_taken_as_it_is_and_closed(host: Host, counts: MonthCounts) -> None:
    assert host.takes("2019-03", counts) == (Outcome.TAKEN, "")
    month = host.month("2019-03")
    assert (month.counts(), month.closed, month.key) == (counts, True, None)
    host.visits("late", BARE, month="2019-03")
    assert host.counts("2019-03") == counts


def test_whom_the_module_counted_this_month_is_not_counted_again_and_others_are(host: Host) -> None:
    assert host.takes("2026-11", JOINT, *MARKED) == (Outcome.TAKEN, "")
    for user in MARKED:
        host.visits(user, BARE)
        host.visits(user, GAJIM, recorded=True)
    assert host.counts() == JOINT
    host.visits("dave", BARE)
    assert host.counts() == joint({DINO: 2, GAJIM: 1, BARE: 1})
    host.visits("dave", GAJIM, recorded=True)
    assert host.counts() == joint({DINO: 2, GAJIM: 2})


def test_a_flat_month_goes_on_as_margins_with_our_own_added_to_each(host: Host) -> None:
    host.takes("2026-11", FLAT, *MARKED)
    host.visits("dave", Cell(MUNICH, "Gajim"))
    counts = host.counts()
    assert (counts.quality, counts.users, counts.cells) == (Quality.IMPORTED, 13, None)
    assert counts.places == {FRANKFURT: 5, MUNICH: 3, PARIS: 3, NOWHERE: 2}
    assert counts.clients == {"Dino": 7, "?": 5, "Gajim": 1}


def test_the_module_s_users_are_known_by_hash_alone_and_forgotten_when_the_month_closes(host: Host) -> None:
    host.takes("2026-11", JOINT, *MARKED)
    assert {host.how(user) for user in MARKED} == {How.MARKED}
    assert len(host.month().counted) == 3
    assert host.months.is_counted("alice", "2026-11")
    assert not host.months.is_counted("dave", "2026-11")
    host.months.note_read(NOW)
    host.months.close(end_of("2026-11", UTC) + SETTLING)
    assert (len(host.month().counted), host.month().key, host.counts()) == (0, None, JOINT)


def test_whoever_was_counted_by_both_is_counted_as_the_module_did(host: Host) -> None:
    host.visits("alice", BARE)
    host.visits("dave", BARE)
    assert host.takes("2026-11", JOINT, *MARKED) == (Outcome.UPDATED, "")
    assert host.counts() == joint({DINO: 2, GAJIM: 1, BARE: 1})
    assert (host.how("alice"), host.how("dave")) == (How.MARKED, BARE)
    host.visits("alice", BARE)
    assert host.counts().users == 4


def test_where_nothing_tells_how_we_counted_them_it_is_a_conflict_and_nothing_changes(host: Host) -> None:
    host.visits("alice", DINO, recorded=True)
    host.visits("bob", BARE)
    before = host.described()
    assert host.takes("2026-11", JOINT, *MARKED) == (Outcome.CONFLICT, OWN)
    assert host.described() == before


def test_a_month_that_is_over_and_that_both_counted_is_a_conflict(host: Host) -> None:
    host.visits("alice", BARE, month="2026-08")
    host.months.note_read(NOW)
    before = host.described()
    assert host.takes("2026-08", JOINT) == (Outcome.CONFLICT, OWN)
    assert host.described() == before


@pytest.mark.parametrize("counts", [joint({BARE: 1}), MonthCounts(Quality.IMPORTED, 1, None, {MUNICH: 1}, {"?": 1})])
def test_a_month_that_both_counted_alike_is_there_already(host: Host, counts: MonthCounts) -> None:
    host.visits("alice", BARE, month="2026-08")
    host.months.note_read(NOW)
    assert host.takes("2026-08", counts) == (Outcome.THERE, "")
    assert host.counts("2026-08").quality is Quality.LOWER_BOUND


def test_replacing_lets_the_module_stand_for_lower_bounds_and_never_for_exact_months() -> None:
    host = Host()
    host.visits("alice", BARE, month="2026-08")
    host.visits("alice", DINO, recorded=True)
    host.months.note_read(NOW)
    assert host.takes("2026-08", FLAT, replace=True) == (Outcome.REPLACED, "")
    assert host.counts("2026-08") == FLAT
    assert host.takes("2026-11", JOINT, *MARKED, replace=True) == (Outcome.REPLACED, "")
    assert host.counts() == JOINT
    host.visits("dave", BARE)
    host.visits("alice", BARE)
    assert host.counts().users == 4

    followed = Host(followed_since=start_of("2026-11", UTC))
    followed.visits("alice", BARE)
    assert followed.counts().quality is Quality.EXACT
    assert followed.takes("2026-11", JOINT, *MARKED, replace=True) == (Outcome.CONFLICT, EXACT)
    assert followed.counts() == MonthCounts.of(Quality.EXACT, {BARE: 1})


@pytest.mark.parametrize("counts", [JOINT, FLAT])
def test_taking_over_twice_changes_nothing(host: Host, counts: MonthCounts) -> None:
    host.takes("2026-10", counts)
    host.takes("2026-11", counts, *MARKED)
    host.visits("dave", BARE)
    before = host.described()
    assert host.takes("2026-10", counts) == (Outcome.THERE, "")
    assert host.takes("2026-11", counts, *MARKED) == (Outcome.THERE, "")
    assert host.described() == before


def test_what_the_module_counted_since_the_last_time_is_added(host: Host) -> None:
    host.takes("2026-11", JOINT, *MARKED)
    host.visits("dave", BARE)  # whom the module counts too, in Frankfurt
    host.visits("erin", BARE)
    grown = joint({DINO: 3, GAJIM: 1})
    assert host.takes("2026-11", grown, *MARKED, "dave") == (Outcome.UPDATED, "")
    assert host.counts() == joint({DINO: 3, GAJIM: 1, BARE: 1})


def test_a_month_that_grew_until_it_was_over_is_taken_again(host: Host) -> None:
    host.takes("2026-10", JOINT)
    grown = joint({DINO: 3, GAJIM: 1})
    assert host.takes("2026-10", grown) == (Outcome.UPDATED, "")
    assert host.counts("2026-10") == grown


def test_a_month_that_is_over_and_went_on_in_both_since_its_import_is_a_conflict(host: Host) -> None:
    host.takes("2026-11", JOINT, *MARKED)
    host.visits("dave", BARE)
    month = host.months.months["2026-10"] = host.months.months.pop("2026-11")
    before = month.counts()
    assert host.takes("2026-10", joint({DINO: 3, GAJIM: 1})) == (Outcome.CONFLICT, OWN)
    assert host.counts("2026-10") == before


@pytest.mark.parametrize("name", ["2026-10", "2026-11"])
def test_another_server_s_figures_are_a_conflict(host: Host, name: str) -> None:
    host.takes(name, JOINT)
    assert host.takes(name, joint({DINO: 1, GAJIM: 9})) == (Outcome.CONFLICT, OTHER)
    assert host.counts(name) == JOINT


def test_a_month_to_come_is_a_conflict_and_a_pruned_one_stays_away(host: Host) -> None:
    assert host.takes("2026-12", JOINT) == (Outcome.CONFLICT, FUTURE)
    assert host.takes("2020-01", JOINT, pruned_before="2021-01") == (Outcome.PRUNED, "")
    assert host.months.months == {}


def test_an_imported_month_is_never_called_anything_else(host: Host) -> None:
    host.takes("2026-11", JOINT, *MARKED)
    host.months.resume(NOW, end_of("2026-11", UTC) + 60)
    assert host.counts().quality is Quality.IMPORTED


@given(
    ours=st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([BARE, DINO, GAJIM])),
    theirs=st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([DINO, GAJIM]), min_size=1),
    is_flat=st.booleans(),
)
def test_in_whatever_order_both_count_each_user_is_counted_once(
    ours: dict[str, Cell], theirs: dict[str, Cell], is_flat: bool
) -> None:
    """First we, then the module's are taken over; and the other way round; and twice."""
    cells: dict[Cell, int] = {}
    for cell in theirs.values():
        cells[cell] = cells.get(cell, 0) + 1
    counts = made_up.flat(joint(cells)) if is_flat else joint(cells)
    before, after = Host(), Host()
    for user, cell in ours.items():
        before.visits(user, cell)
    before.takes("2026-11", counts, *theirs)
    after.takes("2026-11", counts, *theirs)
    for user, cell in ours.items():
        after.visits(user, cell)
        before.visits(user, cell)
    assert after.takes("2026-11", counts, *theirs) == (Outcome.THERE, "")
    everyone = {**ours, **theirs}
    for host in (before, after):
        found = host.counts()
        assert found.users == len(everyone)
        assert sum((found.places or {}).values()) == sum((found.clients or {}).values()) == len(everyone)
        assert (found.clients or {}).get("?", 0) == sum(cell == BARE for cell in everyone.values())
    one, other = before.counts(), after.counts()
    assert (one.places, one.clients) == (other.places, other.clients)


def test_the_module_s_figures_as_counts() -> None:
    flat = VisitedMonth("2026-11", {("DE", "HE", 0): 1, ("DE", "HE", None): 2, (None, None, None): 1}, {"?": 3})
    counts = imported_counts(flat)
    assert (counts.quality, counts.users, counts.cells) == (Quality.IMPORTED, 4, None)
    assert counts.places == {Place("DE", "HE"): 3, Place(): 1}
    nested = VisitedMonth("2026-11", {("DE", None, None): 3}, {"?": 3}, {(("DE", None, None), "?"): 3})
    assert imported_counts(nested) == joint({Cell(Place("DE"), "?"): 3})
