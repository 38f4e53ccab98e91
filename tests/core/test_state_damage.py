"""A damaged state: what is whole of it stays, what is not never passes for exact, and no start fails."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_up import CELLS, FLAT, FRANKFURT, MUNICH, PARIS

from headcount.counted import How
from headcount.monthly_visitors import Month, MonthChange
from headcount.snapshot import (
    Arrivals,
    Cell,
    HistoryKey,
    HistoryPoint,
    Mark,
    MonthCounts,
    Past,
    Place,
    PlaceName,
    Quality,
)
from headcount.state import HostUpdate, Saved, Update
from headcount.state.sqlite import SqliteState

HOSTS = ("a.example", "chat.example.org", "zz.example")
NOW = 1_795_323_600.0  # 2026-11-22T05:00:00Z
CLIENTS = ("Conversations", "Dino", "Gajim", "?")
MOVABLE = Cell(MUNICH, "?")


def hashes(host: str, name: str, count: int) -> list[bytes]:
    dice = random.Random(f"{host} {name}")
    return [dice.randbytes(16) for _ in range(count)]


def closed_month(users: int, quality: Quality = Quality.EXACT) -> Month:
    dice = random.Random(users)
    cells = {
        Cell(Place(country, None, city), client): dice.randrange(1, users)
        for country in ("DE", "FR", "JP", "US")
        for city in range(1, 9)
        for client in CLIENTS
    }
    return Month(quality, cells, closed=True, arrivals=Arrivals(users, 3))


def open_month(host: str, name: str, users: int) -> Month:
    month = Month(Quality.EXACT, {}, random.Random(f"key of {host} {name}").randbytes(32))
    for number, digest in enumerate(hashes(host, name, users)):
        how: Cell | How = MOVABLE if number % 5 == 0 else How.FINAL
        month.counted.put(digest, how)
        month.add(MOVABLE if how is MOVABLE else Cell((FRANKFURT, PARIS)[number % 2], CLIENTS[number % 3]), 1)
    return month


def months_of(host: str) -> dict[str, Month]:
    months = {f"2026-{number:02}": closed_month(20 + number) for number in range(3, 10)}
    months["2026-10"] = closed_month(40, Quality.LOWER_BOUND)
    taken = Month(Quality.IMPORTED, {}, closed=True)
    taken.take_over(FLAT)
    months["2026-02"] = taken
    months["2026-11"] = open_month(host, "2026-11", 300)
    if host == HOSTS[1]:
        months["2026-11"].take_over(MonthCounts.of(Quality.IMPORTED, CELLS), hashes(host, "marked", 12))
    return months


def change_of(host: str, name: str, month: Month) -> MonthChange:
    marked = hashes(host, "marked", 12) if host == HOSTS[1] and name == "2026-11" else []
    of_open = [] if month.key is None else [*hashes(host, name, 300), *marked]
    return MonthChange(set(month.cells), bytearray().join(of_open), month.closed, anew=month.imported is not None)


def points() -> list[HistoryPoint]:
    counts = {HistoryKey("DE", "Dino"): Past(1, 2, 3, 4), HistoryKey(None, "?"): Past(5, 6, 7, 8)}
    return [HistoryPoint(int(NOW) - hour * 3600, dict.fromkeys(HOSTS, counts)) for hour in range(200)]


def write_state(path: Path) -> None:
    names = {place: PlaceName("Country", "Region", "City") for place in (FRANKFURT, MUNICH, PARIS)}
    with SqliteState(path) as state:
        for host in HOSTS:
            for name, month in months_of(host).items():
                state.save(Update([HostUpdate(host, NOW - 9e6, NOW, {name: (month, change_of(host, name, month))})]))
        late = open_month(HOSTS[0], "2026-11", 310)  # a second part of those who were counted
        digests = bytearray().join(hashes(HOSTS[0], "2026-11", 310)[300:])
        state.save(
            Update([HostUpdate(HOSTS[0], NOW - 9e6, NOW, {"2026-11": (late, MonthChange(set(late.cells), digests))})])
        )
        state.save(Update(history=points(), marks=[Mark(NOW - 50.0, "GeoLite2")], names=names, geo="GeoLite2"))
        state.save(Update(zone="UTC", index="token", pruned_before="2026-02", live={"head": '{"now": 1}'}))


@dataclass
class Truth:
    """What was kept, and who was counted in it."""

    saved: Saved

    def months(self) -> dict[tuple[str, str], Month]:
        return {(host, name): month for host, kept in self.saved.hosts.items() for name, month in kept.months.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "state.db"
    write_state(path)
    return path


@pytest.fixture(scope="module")
def truth(whole: Path) -> Truth:
    with SqliteState(whole, read_only=True) as state:
        return Truth(state.load())


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    for file in whole.parent.iterdir():
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / "state.db"


def users_known(month: Month) -> dict[int, object]:
    return {key: month.counted._hows[number] for key, number in month.counted._users.items()}


def described(month: Month) -> tuple[object, ...]:
    return month.quality, month.cells, month.key, month.closed, month.imported, month.arrivals, users_known(month)


def require_true(saved: Saved, truth: Truth, told: str) -> None:
    """Each month is as it was, or told and a lower bound; nothing else tells what is not so."""
    found = Truth(saved).months()
    for key, month in truth.months().items():
        here = found.pop(key, None)
        if here is not None and described(here) == described(month):
            continue
        assert told, f"{key} is another one, and nothing says so"
        if here is not None and here.quality is not Quality.LOWER_BOUND:
            assert (here.quality, here.cells) == (Quality.IMPORTED, month.cells)
        if here is not None:
            assert here.counts().users <= month.counts().users, key
            assert here.key is None or not here.cells or users_known(here) == users_known(month)
    for key, month in found.items():
        assert told, f"{key} was never there"
        assert month.quality is Quality.LOWER_BOUND, key
    points_of = {
        point.when: {host: dict(counts) for host, counts in point.hosts.items()} for point in truth.saved.history
    }
    for point in saved.history:
        assert {host: dict(counts) for host, counts in point.hosts.items()} == points_of[point.when]
    assert saved.names.items() <= truth.saved.names.items()
    assert set(saved.marks) <= set(truth.saved.marks)
    for host, kept in saved.hosts.items():
        since = truth.saved.hosts[host].followed_since if host in truth.saved.hosts else None
        assert kept.followed_since is None or since is not None
        assert kept.followed_since is None or since is None or kept.followed_since >= since
    if not told:  # a name that is missing, which is learned again, or a mark, is no number
        assert len(saved.history) == 200
        assert (saved.zone, saved.geo, saved.pruned_before) == ("UTC", "GeoLite2", "2026-02")
    for secret in (*HOSTS, "exampl", "GeoLite", "Conversations", "2026"):
        assert secret not in told


def require_survived(path: Path, truth: Truth) -> str:
    """A reader and then an engine begin with a damaged state; what they say of it."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with SqliteState(path, read_only=True) as reader:
        saved = reader.load()
        require_true(saved, truth, saved.damage.replace(str(path), ""))
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    with SqliteState(path) as state:
        told = " ".join(state.notices).replace(str(path), "")
        kept = state.load()
    require_true(kept, truth, told)
    assert bool(saved.damage) == bool(told)
    if told:
        aside = path.with_name("state.db.corrupt-1")
        assert aside.name in told
        assert kept.index is None
    with SqliteState(path) as state:
        assert state.notices == ()
        again = Truth(state.load())
    assert {key: described(month) for key, month in again.months().items()} == {
        key: described(month) for key, month in Truth(kept).months().items()
    }
    return told


def some_bytes(path: Path, dice: random.Random) -> None:
    """From one byte to a sector and a page, as others, zeros, or flipped."""
    length = dice.choice((1, 1, 2, 8, 100, 512, 4096))
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        at = dice.choice((dice.randrange(size), dice.randrange(4200), dice.randrange(0, size, 4096)))
        file.seek(at)
        old = file.read(length)
        new = dice.choice(
            (dice.randbytes(len(old)), bytes(len(old)), bytes(byte ^ 1 << dice.randrange(8) for byte in old))
        )
        file.seek(at)
        file.write(new)


def an_end(path: Path, dice: random.Random) -> None:
    """Cut, or longer."""
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.truncate(dice.choice((size + 4096, *(dice.randrange(size) for _ in range(6)))))


def some_rows(path: Path, dice: random.Random) -> None:
    """A row is gone, is there as another one, or says something else."""
    connection = sqlite3.connect(path)
    table = dice.choice(
        (
            "hosts",
            "months",
            "months",
            "counts",
            "counts",
            "counted",
            "counted",
            "imported",
            "history",
            "kept",
            "marks",
            "place_names",
        )
    )
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    row = dice.choice(rows)
    where = " AND ".join(f"{name} IS ?" for name in columns)
    if dice.random() < 0.3:
        connection.execute(f"DELETE FROM {table} WHERE {where}", row)
    else:
        at = dice.randrange(len(columns))
        new = dice.choice(
            (other(row[at], dice), other(row[at], dice), dice.choice(rows)[at], None, "x", b"\xff", -1, 7)
        )
        with suppress(sqlite3.IntegrityError):  # it is no number, say, where SQLite itself wants one
            connection.execute(f"UPDATE OR IGNORE {table} SET {columns[at]} = ? WHERE {where}", (new, *row))
    connection.commit()
    connection.close()


def other(value: object, dice: random.Random) -> object:
    """A value that differs a little."""
    match value:
        case str() if value:
            at = dice.randrange(len(value))
            return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case bytes() if value:
            at = dice.randrange(len(value))
            return value[:at] + bytes([value[at] ^ 4]) + value[at + 1 :]
        case int() | float():
            return value + dice.choice((-1, 1))
        case _:
            return 1


@pytest.mark.parametrize("damage", [some_bytes, an_end, some_rows])
@pytest.mark.parametrize("seed", range(8))
def test_no_damage_makes_an_exact_number_another_one_or_a_start_fail(
    path: Path, whole: Path, truth: Truth, damage: Callable[[Path, random.Random], None], seed: int
) -> None:
    dice = random.Random(f"{damage.__name__} {seed}")
    noticed = 0
    for _ in range(25):
        for file in list(path.parent.iterdir()):
            file.unlink()
        for file in whole.parent.iterdir():
            shutil.copy(file, path.parent / file.name)
        damage(path, dice)
        if path.read_bytes() != whole.read_bytes():
            noticed += bool(require_survived(path, truth))
    assert noticed
