"""News are what two snapshots tell: who is new, never who it is."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from samples import SAMPLE

from headcount.snapshot import Cell, HostCounts, MonthCounts, Phase, Place, ProblemGroup, Quality, Snapshot
from headcount_tui.asked.news import Note, Visitors, news

CELLS = [Cell(Place(country), client) for country in ("DE", "FR", None) for client in ("DINO", "?")]


def month_of(cells: dict[Cell, int], host: str = "example.com", **changes: object) -> Snapshot:
    """A snapshot of one host with these users in its month."""
    counts = HostCounts(9, {}, {SAMPLE.month: MonthCounts.of(Quality.EXACT, cells)})
    return replace(SAMPLE, hosts={host: counts}, **changes)  # type: ignore[arg-type]


def came(before: dict[Cell, int], after: dict[Cell, int]) -> list[tuple[int, Cell | None]]:
    """How many of which cell were told of."""
    return [(n.users, n.cell) for n in news(month_of(before), month_of(after)) if isinstance(n, Visitors)]


def test_a_new_visitor() -> None:
    assert came({CELLS[0]: 4}, {CELLS[0]: 5}) == [(1, CELLS[0])]
    assert came({}, {CELLS[2]: 2}) == [(2, CELLS[2])]
    assert came({CELLS[0]: 4}, {CELLS[0]: 4}) == []


def test_a_user_whose_cell_is_corrected_is_no_new_one() -> None:
    """A login record tells better than the bare activity before it."""
    assert came({CELLS[1]: 4}, {CELLS[1]: 3, CELLS[0]: 1}) == []
    assert came({CELLS[1]: 4}, {CELLS[1]: 3, CELLS[0]: 2}) == [(1, CELLS[0])]


def test_many_at_once_are_told_in_one_line() -> None:
    assert came({}, dict.fromkeys(CELLS, 3)) == [(18, None)]


@given(
    st.dictionaries(st.sampled_from(CELLS), st.integers(1, 50)),
    st.dictionaries(st.sampled_from(CELLS), st.integers(1, 50)),
)
def test_as_many_are_told_of_as_the_month_has_gained(before: dict[Cell, int], after: dict[Cell, int]) -> None:
    gained = sum(after.values()) - sum(before.values())
    assert sum(users for users, _ in came(before, after)) == max(0, gained)


def test_those_whom_a_reading_finds_are_no_news() -> None:
    before, after = month_of({}, phase=Phase.SCANNING), month_of({CELLS[0]: 9}, phase=Phase.SCANNING)
    assert news(before, after) == []
    assert [n.words for n in news(after, replace(after, phase=Phase.LIVE)) if isinstance(n, Note)] == [
        "everything is read; figures are live from here on"
    ]


def test_notes_tell_of_hosts_problems_places_and_months() -> None:
    later = replace(
        SAMPLE,
        hosts={**SAMPLE.hosts, "new.example": HostCounts()},
        geo="DB-IP 2026-12",
        month="2026-12",
        problems=(ProblemGroup("no data directory", 1, "", "gone", True),),
    )
    told = {n.words for n in news(SAMPLE, later) if isinstance(n, Note)}
    assert told == {
        "a new month: 2026-12",
        "places now come from DB-IP 2026-12",
        "a host appeared: new.example",
        "a problem: no data directory",
        "solved: unreadable record",
        "solved: timestamp in the future",
    }
    assert "a host is gone: new.example" in {n.words for n in news(later, SAMPLE) if isinstance(n, Note)}
