"""The state: what was kept comes back, in whole or not at all, and says nothing of anybody."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from headcount.errors import NoPermissionError, StateError, StateLockedError, UsageError
from headcount.monthly_visitors import Month, MonthChange
from headcount.snapshot import Cell, HistoryKey, HistoryPoint, Place, PlaceName, Quality
from headcount.state import HostUpdate, Update
from headcount.state.sqlite import SqliteState, path_of
from support import unprivileged

DINO = Cell(Place("DE", "HE", 2925533), "Dino")
BARE = Cell(Place(), "?")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def update(month: Month, change: MonthChange, name: str = "2026-11") -> Update:
    return Update(hosts=[HostUpdate("example.com", 10.0, 20.0, {name: (month, change)})])


def an_open_month() -> tuple[Month, MonthChange]:
    month = Month(Quality.EXACT, {DINO: 2, BARE: 1}, b"k" * 32, {b"a" * 16: None, b"b" * 16: BARE})
    return month, MonthChange({DINO, BARE}, {b"a" * 16, b"b" * 16})


def test_what_was_kept_comes_back(path: Path) -> None:
    month, change = an_open_month()
    point = HistoryPoint(3600, {"example.com": {HistoryKey("DE", "Dino"): (1, 2, 3), HistoryKey(None, "?"): (0, 0, 1)}})
    with SqliteState(path) as state:
        state.save(update(month, change))
        state.save(Update(history=[point], names={DINO.place: PlaceName("Germany", "Hesse", "Frankfurt")}))
    with SqliteState(path) as state:
        saved = state.load()
    host = saved.hosts["example.com"]
    assert (host.followed_since, host.alive_at) == (10.0, 20.0)
    kept = host.months["2026-11"]
    assert (kept.quality, kept.cells, kept.key, kept.counted) == (month.quality, month.cells, month.key, month.counted)
    assert saved.history == [point]
    assert saved.names == {DINO.place: PlaceName("Germany", "Hesse", "Frankfurt")}


def test_a_cell_that_emptied_is_gone_and_a_closed_month_keeps_counts_alone(path: Path) -> None:
    month, change = an_open_month()
    with SqliteState(path) as state:
        state.save(update(month, change))
        del month.cells[BARE]
        month.closed, month.key, month.counted = True, None, {}
        state.save(update(month, MonthChange({BARE}, set(), closed=True)))
        kept = state.load().hosts["example.com"].months["2026-11"]
    assert (kept.cells, kept.closed, kept.key, kept.counted) == ({DINO: 2}, True, None, {})


def test_it_is_for_its_owner_alone(path: Path) -> None:
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}, modes


def test_one_engine_keeps_it_and_others_may_read_it(path: Path) -> None:
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        with pytest.raises(StateLockedError, match="Another Headcount engine"):
            SqliteState(path)
        with SqliteState(path, read_only=True) as reader:
            assert "example.com" in reader.load().hosts
            reader.save(update(Month(Quality.EXACT, {DINO: 99}), MonthChange({DINO})))
        assert state.load().hosts["example.com"].months["2026-11"].cells[DINO] == 2
    with SqliteState(path) as again:
        assert "example.com" in again.load().hosts


def test_reading_makes_nothing(path: Path) -> None:
    with SqliteState(path, read_only=True) as reader:
        assert reader.load().hosts == {}
    assert not path.parent.exists()
    SqliteState(path).close()
    before = sorted(os.listdir(path.parent))
    with SqliteState(path, read_only=True) as reader:
        reader.load()
        assert sorted(os.listdir(path.parent)) == before


def test_a_change_is_kept_in_whole_or_not_at_all(path: Path) -> None:
    month, change = an_open_month()
    broken = Update(
        hosts=[HostUpdate("example.com", 10.0, 20.0, {"2026-11": (month, change)})],
        history=[HistoryPoint(1, {"example.com": {HistoryKey("DE", "Dino"): (object(), 0, 0)}})],  # type: ignore[dict-item]
    )
    with SqliteState(path) as state:
        with pytest.raises(StateError):
            state.save(broken)
        assert state.load().hosts == {}


def test_what_is_no_state_is_told_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="Move it away"):
        SqliteState(path)
    assert path.read_bytes() == b"no database at all" * 100


def test_a_newer_state_is_refused(path: Path) -> None:
    SqliteState(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StateError, match="newer Headcount"):
        SqliteState(path)
    with pytest.raises(StateError, match="newer Headcount"):
        SqliteState(path, read_only=True)


def test_no_permission_is_told(open_tmp: Path) -> None:
    open_tmp.chmod(0o555)
    with unprivileged(), pytest.raises(NoPermissionError, match="--state"):
        SqliteState(open_tmp / "state" / "state.db")


def test_a_directory_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="can't be used"):
        SqliteState(tmp_path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/headcount/state.db", "/var/lib/headcount/state.db"),
        ("sqlite:///state.db", "state.db"),
        ("/srv/state.db", "/srv/state.db"),
    ],
)
def test_a_state_is_named_by_url_or_path(url: str, expected: str) -> None:
    assert path_of(url) == Path(expected)


def test_another_kind_of_state_is_refused() -> None:
    with pytest.raises(UsageError, match="mysql"):
        path_of("mysql://localhost/x")
