"""What was taken over from mod_monthly_visitors, as it is kept."""

import sqlite3
from pathlib import Path

import pytest
from made_up import CELLS, FLAT, FRANKFURT

from headcount.counting.counted import How
from headcount.counting.month_users import Month, MonthChange
from headcount.snapshot import Cell, MonthCounts, Place, Quality
from headcount.state import HostUpdate, Update
from headcount.state.schema import STEPS, VERSION
from headcount.state.sqlite import SqliteState

HOST = "example.com"
DINO = Cell(FRANKFURT, "Dino")
OURS, OTHERS = b"a" * 16, b"b" * 16
THEIRS = (b"m" * 16, b"n" * 16)
JOINT = MonthCounts.of(Quality.IMPORTED, CELLS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def an_open_month(counts: MonthCounts) -> Month:
    month = Month(Quality.IMPORTED, {DINO: 1}, b"k" * 32)
    month.counted.put(OURS, How.FINAL)
    month.take_over(counts, THEIRS)
    return month


def save(state: SqliteState, month: Month, change: MonthChange) -> None:
    state.save(Update([HostUpdate(HOST, None, 20.0, {"2026-11": (month, change)})]))


def again(month: Month) -> MonthChange:
    return MonthChange(set(month.cells), bytearray().join((OURS, *THEIRS)), replaces_all=True)


def kept(state: SqliteState) -> Month:
    return state.load().hosts[HOST].months["2026-11"]


@pytest.mark.parametrize(
    "counts",
    [JOINT, FLAT, MonthCounts(Quality.IMPORTED, 3, None, {Place(): 3}, {"Dino": 2})],
)
def test_what_was_taken_over_comes_back_beside_our_own(path: Path, counts: MonthCounts) -> None:
    with SqliteState(path) as state:
        save(state, an_open_month(counts), again(an_open_month(counts)))
    with SqliteState(path) as state:
        month = kept(state)
    assert (month.imported, month.cells, month.quality) == (counts, {DINO: 1}, Quality.IMPORTED)
    assert [month.counted.get(digest) for digest in (OURS, *THEIRS)] == [How.FINAL, How.MARKED, How.MARKED]
    assert len(month.counted) == 3
    assert month.counts() == an_open_month(counts).counts()


def test_a_month_made_again_is_kept_in_place_of_what_was_kept(path: Path) -> None:
    earlier = Month(Quality.LOWER_BOUND, {DINO: 5}, b"e" * 32)
    earlier.counted.put(b"z" * 16, DINO)
    with SqliteState(path) as state:
        save(state, earlier, MonthChange({DINO}, bytearray(b"z" * 16)))
        save(state, an_open_month(JOINT), again(an_open_month(JOINT)))
        assert b"z" * 16 not in b"".join(file.read_bytes() for file in path.parent.iterdir())
        later = an_open_month(FLAT)
        later.cells = {}
        save(state, later, MonthChange(replaces_all=True))
        month = kept(state)
        assert (month.imported, month.cells, len(month.counted)) == (FLAT, {}, 3)
        later.key = b"l" * 32
        save(state, later, MonthChange(replaces_all=True))
        assert len(kept(state).counted) == 0
    assert OURS not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_what_is_counted_later_leaves_it_alone_and_closing_forgets_whom_the_module_counted(path: Path) -> None:
    month = an_open_month(FLAT)
    with SqliteState(path) as state:
        save(state, month, again(month))
        month.add(DINO, +1)
        month.counted.put(OTHERS, How.FINAL)
        save(state, month, MonthChange({DINO}, bytearray(OTHERS)))
        assert kept(state).counts().users == FLAT.users + 2
        assert [kept(state).counted.get(digest) for digest in (OTHERS, *THEIRS)] == [How.FINAL, How.MARKED, How.MARKED]
        month.close()
        save(state, month, MonthChange(closed=True))
        assert (len(kept(state).counted), kept(state).imported) == (0, FLAT)
    assert b"m" * 16 not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_pruning_deletes_it(path: Path) -> None:
    with SqliteState(path) as state:
        save(state, an_open_month(FLAT), again(an_open_month(FLAT)))
        state.save(Update(pruned_before="2026-12"))
        assert state.load().hosts == {}
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM imported").fetchone() == (0,)
    connection.close()


def test_a_state_from_before_there_were_imports_takes_the_step(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript("".join(STEPS[:2]) + "PRAGMA user_version = 2;")
        connection.execute("INSERT INTO months VALUES (?, '2026-11', 'lower bound', 1, NULL)", (HOST,))
    connection.close()
    assert VERSION >= 3
    for read_only in (True, False):
        with SqliteState(path, read_only=read_only) as state:
            assert kept(state).imported is None
