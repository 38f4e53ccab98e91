"""The state: what was kept comes back, in whole or not at all, and says nothing of anybody."""

import json
import os
import socket
import sqlite3
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from headcount.counting.counted import How
from headcount.counting.month_users import Month, MonthChange
from headcount.errors import NoPermissionError, StateError, StateLockedError, UsageError
from headcount.snapshot import Arrivals, Cell, HistoryKey, HistoryPoint, Past, Place, PlaceName, Quality
from headcount.state import HostUpdate, Saved, Update
from headcount.state.files import is_locked, path_of
from headcount.state.months import load_months
from headcount.state.schema import STEPS, VERSION
from headcount.state.sqlite import SqliteState
from support import unprivileged

DINO = Cell(Place("DE", "HE", 2925533), "Dino")
BARE = Cell(Place(), "?")
ALICE, BOB, CAROL = b"a" * 16, b"b" * 16, b"c" * 16
HOW_IT_WAS_KEPT = [(ALICE, None), (BOB, json.dumps(BARE.place)), (CAROL, "")]
"""Of a state until version 5."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def update(month: Month, change: MonthChange, name: str = "2026-11") -> Update:
    return Update(hosts=[HostUpdate("example.com", 10.0, 20.0, {name: (month, change)})])


def an_open_month() -> tuple[Month, MonthChange]:
    month, change = counted([ALICE, BOB], b"k" * 32)
    month.counted.put(BOB, BARE)
    month.cells[BARE] = 1
    return month, MonthChange({DINO, BARE}, change.counted)


def counted(hashes: Sequence[bytes], key: bytes) -> tuple[Month, MonthChange]:
    """A month in which these users were counted in one cell for good."""
    month = Month(Quality.EXACT, {DINO: len(hashes)}, key)
    for digest in hashes:
        month.counted.put(digest, How.FINAL)
    return month, MonthChange({DINO}, bytearray().join(hashes))


def test_what_was_kept_comes_back(path: Path) -> None:
    month, change = an_open_month()
    point = HistoryPoint(
        3600, {"example.com": {HistoryKey("DE", "Dino"): Past(1, 2, 3), HistoryKey(None, "?"): Past(0, 0, 1, 7)}}
    )
    with SqliteState(path) as state:
        state.save(update(month, change))
        state.save(Update(history=[point], names={DINO.place: PlaceName("Germany", "Hesse", "Frankfurt")}))
    with SqliteState(path) as state:
        saved = state.load()
    host = saved.hosts["example.com"]
    assert (host.followed_since, host.alive_at) == (10.0, 20.0)
    kept = host.months["2026-11"]
    assert (kept.quality, kept.cells, kept.key) == (month.quality, month.cells, month.key)
    assert (kept.counted.get(ALICE), kept.counted.get(BOB), len(kept.counted)) == (How.FINAL, BARE, 2)
    assert saved.history == [point]
    assert saved.names == {DINO.place: PlaceName("Germany", "Hesse", "Frankfurt")}


def test_a_cell_that_emptied_is_gone_and_a_closed_month_keeps_counts_alone(path: Path) -> None:
    month, change = an_open_month()
    with SqliteState(path) as state:
        state.save(update(month, change))
        del month.cells[BARE]
        month.close()
        state.save(update(month, MonthChange({BARE}, closed=True)))
        kept = state.load().hosts["example.com"].months["2026-11"]
    assert (kept.cells, kept.closed, kept.key, len(kept.counted)) == ({DINO: 2}, True, None, 0)


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


def test_what_is_loaded_is_of_one_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteState(path) as state, SqliteState(path, read_only=True) as reader:
        state.save(Update(live={"head": "old"}))

        def meanwhile(connection: sqlite3.Connection, saved: Saved) -> None:
            load_months(connection, saved)
            month, change = an_open_month()
            state.save(replace(update(month, change), live={"head": "new"}))

        monkeypatch.setattr("headcount.state.sqlite.load_months", meanwhile)
        first = reader.load(counted=False)
        assert (first.live, list(first.hosts)) == ({"head": "old"}, [])
        monkeypatch.undo()
        then = reader.load(counted=False)
        assert (then.live, list(then.hosts["example.com"].months)) == ({"head": "new"}, ["2026-11"])


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
        history=[HistoryPoint(1, {"example.com": {HistoryKey("DE", "Dino"): Past(object(), 0, 0)}})],  # type: ignore[arg-type]
    )
    with SqliteState(path) as state:
        with pytest.raises(StateError):
            state.save(broken)
        assert state.load().hosts == {}


def test_what_never_was_a_state_is_told_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="no state of Headcount's"):
        SqliteState(path)
    with pytest.raises(StateError):
        SqliteState(path, read_only=True)
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [
        (path.name, b"no database at all" * 100)
    ]


def test_a_database_of_somebody_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "prosody" ("host" TEXT)')
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="no state of Headcount's"):
        SqliteState(path)
    assert path.read_bytes() == before


def damage(path: Path, at: int, length: int = 4096) -> bytes:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(os.urandom(length))
    return path.read_bytes()


@pytest.mark.parametrize("at", [0, 4096, 16 * 4096])
def test_a_corrupt_state_is_set_aside_and_a_new_one_begun_with_what_is_whole(path: Path, at: int) -> None:
    month = Month(Quality.EXACT, {Cell(Place("DE", "HE", number), "Dino"): 1 for number in range(1, 3001)}, closed=True)
    with SqliteState(path) as state:
        state.save(update(month, MonthChange(set(month.cells))))
    damaged = damage(path, at)
    with SqliteState(path) as state:
        assert "was corrupt" in state.notices[0]
        kept = state.load().hosts["example.com"].months["2026-11"]
        assert kept.counts().users == 3000
        assert (kept.quality is Quality.EXACT) == (kept.cells == month.cells) == (at != 16 * 4096)
        state.save(update(*an_open_month(), name="2026-12"))
    assert path.with_name("state.db.corrupt-1").read_bytes() == damaged
    with SqliteState(path) as state:
        assert state.notices == ()
        assert "example.com" in state.load().hosts
    damage(path, 0)
    SqliteState(path).close()
    assert path.with_name("state.db.corrupt-2").exists()


@pytest.mark.parametrize("version", range(1, VERSION))
def test_an_older_state_is_upgraded_and_one_that_may_not_be_written_is_read_all_the_same(
    path: Path, version: int
) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript("".join(STEPS[:version]) + f"PRAGMA user_version = {version};")
    months = "INSERT INTO months (host, month, quality, closed, key) VALUES ('example.com', '2026-11', 'exact', 0, ?)"
    connection.execute(months, (b"k" * 32,))
    connection.execute("INSERT INTO counts VALUES ('example.com', '2026-11', 'DE', 'HE', 2925533, 'Dino', 2)")
    if version < 6:
        connection.executemany("INSERT INTO counted VALUES ('example.com', '2026-11', ?, ?)", HOW_IT_WAS_KEPT)
    else:
        hows = f"final\n{json.dumps(BARE.place)}\nmarked"
        part = "INSERT INTO counted (host, month, hashes, hows) VALUES ('example.com', '2026-11', ?, ?)"
        connection.execute(part, (ALICE + BOB + CAROL, hows))
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with SqliteState(path, read_only=True) as state:
        assert state.load().hosts["example.com"].months["2026-11"].cells == {DINO: 2}
    assert path.read_bytes() == before
    with SqliteState(path) as state:
        state.save(update(*an_open_month(), name="2026-12"))
        loaded = state.load().hosts["example.com"].months
    november = loaded["2026-11"]
    assert (november.cells, len(november.counted)) == ({DINO: 2}, 3)
    assert [november.counted.get(user) for user in (ALICE, BOB, CAROL)] == [How.FINAL, BARE, How.MARKED]
    assert set(loaded) == {"2026-11", "2026-12"}


def files_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_closed_months_key_and_hashes_are_in_no_byte_of_the_files(path: Path) -> None:
    key, hashes = os.urandom(32), [os.urandom(16) for _ in range(2000)]
    month, change = counted(hashes, key)
    other_key, others = os.urandom(32), [os.urandom(16) for _ in range(50)]
    with SqliteState(path) as state:
        state.save(update(month, change))
        state.save(update(*counted(others, other_key), name="2026-12"))
        assert key in files_of(path)
        assert sum(digest in files_of(path) for digest in hashes) > 1900  # a few lie in two pages
        month.close()
        state.save(update(month, MonthChange(closed=True)))
        left = files_of(path)
        assert key not in left
        assert not any(digest in left for digest in hashes)
        assert other_key in left
        assert all(digest in left for digest in others)


def test_a_reader_only_puts_off_that_a_closed_months_hashes_go(path: Path) -> None:
    key, digest = os.urandom(32), os.urandom(16)
    month, change = counted([digest], key)
    with SqliteState(path) as state:
        state.save(update(month, change))
        state._connection.execute("PRAGMA busy_timeout = 50")
        reader = sqlite3.connect(path)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM counted").fetchall()
        month.close()
        state.save(update(month, MonthChange(closed=True)))
        reader.rollback()
        reader.close()
        state.save(Update())
        left = files_of(path)
    assert key not in left
    assert digest not in left


def test_pruned_months_are_gone_and_remembered(path: Path) -> None:
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        state.save(update(*an_open_month(), name="2026-12"))
        state.save(Update(pruned_before="2026-12"))
    with SqliteState(path) as state:
        saved = state.load()
    assert set(saved.hosts["example.com"].months) == {"2026-12"}
    assert saved.pruned_before == "2026-12"


def test_a_full_disk_loses_nothing_of_what_was_kept(path: Path) -> None:
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        assert state._connection is not None
        pages = state._connection.execute("PRAGMA page_count").fetchone()[0]
        state._connection.execute(f"PRAGMA max_page_count = {pages}")
        month, change = counted([os.urandom(16) for _ in range(5000)], b"k" * 32)
        with pytest.raises(StateError, match="full"):
            state.save(update(month, change))
        assert state.load().hosts["example.com"].months["2026-11"].cells[DINO] == 2
        state._connection.execute("PRAGMA max_page_count = 1000000")
        state.save(update(month, change))
        assert len(state.load().hosts["example.com"].months["2026-11"].counted) == 5002


def test_a_state_in_a_directory_that_lets_the_group_in_is_for_the_group_to_read(path: Path) -> None:
    path.parent.mkdir(mode=0o750)
    path.parent.chmod(0o750)
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o640}


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o755, 0o770, 0o751, 0o700])
def test_only_in_a_directory_for_a_group_and_nobody_else_may_the_group_read_it(path: Path, mode: int) -> None:
    path.parent.mkdir()
    path.parent.chmod(mode)
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o640 if mode == 0o770 else 0o600}


def test_a_state_that_was_for_others_to_read_is_for_its_owner_alone_again(path: Path) -> None:
    path.parent.mkdir()
    SqliteState(path).close()
    for file in path.parent.iterdir():
        file.chmod(0o644)
    path.parent.chmod(0o1777)
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_whether_an_engine_keeps_a_state_can_be_asked(path: Path) -> None:
    assert not is_locked(path)
    with SqliteState(path):
        assert is_locked(path)
    assert not is_locked(path)


def test_a_newer_state_is_refused(path: Path) -> None:
    """It says its version twice: that of the file alone may be damage (`test_state_damage`)."""
    SqliteState(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("UPDATE kept SET value = '99' WHERE name = 'version'")
    connection.close()
    with pytest.raises(StateError, match="newer Headcount"):
        SqliteState(path)
    with pytest.raises(StateError, match="newer Headcount"):
        SqliteState(path, read_only=True)


def test_no_permission_is_told(open_tmp: Path) -> None:
    open_tmp.chmod(0o555)
    with unprivileged(), pytest.raises(NoPermissionError, match="--state"):
        SqliteState(open_tmp / "state" / "state.db")


def test_a_state_that_may_only_be_read_is_told_and_read(open_tmp: Path) -> None:
    path = open_tmp / "state.db"
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
    for file in open_tmp.iterdir():
        file.chmod(0o444)
    before = path.read_bytes()
    with unprivileged():
        with pytest.raises(NoPermissionError, match="No permission to write"):
            SqliteState(path)
        with SqliteState(path, read_only=True) as state:
            assert "example.com" in state.load().hosts
    assert path.read_bytes() == before


def test_a_state_that_another_program_has_locked_is_told_and_kept_later(path: Path) -> None:
    with SqliteState(path) as state:
        assert state._connection is not None
        state._connection.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(path)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="locked"):
            state.save(update(*an_open_month()))
        other.rollback()
        other.close()
        assert state.load().hosts == {}
        state.save(update(*an_open_month()))
        assert state.load().hosts["example.com"].months["2026-11"].cells == {DINO: 2, BARE: 1}


def test_a_directory_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="can't be used"):
        SqliteState(tmp_path)


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("name", ["state.db", "state.db.lock"])
def test_what_is_no_file_is_refused_and_keeps_its_rights(tmp_path: Path, name: str, read_only: bool) -> None:
    """As a device would, which root would take from everybody else: a socket, since only root makes devices."""
    place, path = tmp_path / name, tmp_path / "state.db"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(place))
        place.chmod(0o666)
        if name == "state.db.lock" and read_only:
            SqliteState(path, read_only=True).close()
        else:
            with pytest.raises(StateError, match=f"{name} can't be used: it is no file"):
                SqliteState(path, read_only=read_only)
        assert stat.S_IMODE(place.stat().st_mode) == 0o666
        assert {file.name for file in tmp_path.iterdir()} == {name} | ({"state.db"} if path.exists() else set())


def test_a_pipe_in_its_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state.db", 0o666)
    for read_only in (False, True):
        with pytest.raises(StateError, match="it is no file"):
            SqliteState(tmp_path / "state.db", read_only=read_only)


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


@pytest.mark.parametrize("how", ["deleted", "moved away", "replaced"])
def test_a_state_that_is_lost_is_told_and_goes_on_where_it_is_put_back(path: Path, how: str) -> None:
    away = path.with_name("away")
    with SqliteState(path) as state:
        state.save(update(*an_open_month()))
        path.rename(away)
        if how == "deleted":
            away.unlink()
        if how == "replaced":
            path.write_bytes(b"")
        with pytest.raises(StateError, match="not where it was") as refused:
            state.save(update(*an_open_month(), name="2026-12"))
        assert "Put it back" in refused.value.hint
        if how == "moved away":
            away.rename(path)
            state.save(update(*an_open_month(), name="2026-12"))
            assert set(state.load().hosts["example.com"].months) == {"2026-11", "2026-12"}


def test_a_full_disk_and_another_writer_are_told_with_what_repairs_them(path: Path) -> None:
    with SqliteState(path) as state:
        state.save(Update(zone="UTC"))
        assert state._connection is not None
        state._connection.execute("PRAGMA max_page_count = 1")
        state._connection.execute("PRAGMA busy_timeout = 0")
        many = counted([os.urandom(16) for _ in range(9000)], b"k" * 32)
        with pytest.raises(StateError, match="full") as refused:
            state.save(update(*many))
        assert refused.value.hint == "Free some space where it lies."
        other = sqlite3.connect(path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match="locked") as refused:
            state.save(Update(zone="UTC"))
        assert refused.value.hint == "End the other program that writes it."
        other.close()


def test_a_month_of_an_older_state_tells_of_no_arrivals_and_one_of_this_keeps_them(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript("".join(STEPS[:4]) + "PRAGMA user_version = 4;")
    connection.execute("INSERT INTO months VALUES ('example.com', '2026-11', 'exact', 0, ?)", (b"k" * 32,))
    connection.execute("INSERT INTO history VALUES (3600, 'example.com', '[[\"DE\", \"Dino\", 1, 2, 3]]')")
    connection.commit()
    connection.close()
    with SqliteState(path) as state:
        saved = state.load()
        assert saved.hosts["example.com"].months["2026-11"].arrivals is None
        assert saved.history[0].hosts == {"example.com": {HistoryKey("DE", "Dino"): Past(1, 2, 3, None)}}
        month, change = an_open_month()
        month.arrivals = Arrivals(2, 1)
        state.save(update(month, change, name="2026-12"))
        state.save(update(saved.hosts["example.com"].months["2026-11"], MonthChange()))
    with SqliteState(path) as state:
        months = state.load().hosts["example.com"].months
    assert (months["2026-11"].arrivals, months["2026-12"].arrivals) == (None, Arrivals(2, 1))
