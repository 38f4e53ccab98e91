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
from test_engine import HOST, ScriptedSource, Step, World, user, world
from test_engine import NOW as WORLD_NOW
from test_engine import month as month_of

from headcount.counting.counted import How
from headcount.counting.month_users import Month, MonthChange
from headcount.records import HostRead, Record
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
from headcount.state.schema import SEALED_SINCE, STEPS
from headcount.state.sqlite import SqliteState

__all__ = ["world"]  # a fixture

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
        for country in ("DE", "FR", "JP")
        for city in range(1, 5)
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
    months = {f"2026-{number:02}": closed_month(20 + number) for number in range(4, 8)}
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
    return MonthChange(
        set(month.cells), bytearray().join(of_open), month.closed, replaces_all=month.imported is not None
    )


def points() -> list[HistoryPoint]:
    counts = {HistoryKey("DE", "Dino"): Past(1, 2, 3, 4), HistoryKey(None, "?"): Past(5, 6, 7, 8)}
    return [HistoryPoint(int(NOW) - hour * 3600, dict.fromkeys(HOSTS, counts)) for hour in range(60)]


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
        assert len(saved.history) == 60
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
@pytest.mark.parametrize("seed", range(6))
def test_no_damage_makes_an_exact_number_another_one_or_a_start_fail(
    path: Path, whole: Path, truth: Truth, damage: Callable[[Path, random.Random], None], seed: int
) -> None:
    dice = random.Random(f"{damage.__name__} {seed}")
    noticed = 0
    for _ in range(20):
        for file in list(path.parent.iterdir()):
            file.unlink()
        for file in whole.parent.iterdir():
            shutil.copy(file, path.parent / file.name)
        damage(path, dice)
        if path.read_bytes() != whole.read_bytes():
            noticed += bool(require_survived(path, truth))
    assert noticed


def test_an_empty_state_is_told_and_begun_again(path: Path) -> None:
    path.write_bytes(b"")
    with SqliteState(path, read_only=True) as reader:
        assert f"{path} is empty" in reader.load().damage
    with SqliteState(path) as state:
        assert "was empty" in state.notices[0]
        assert f"{path}" in state.notices[0]
        assert state.load().hosts == {}
    with SqliteState(path) as state:
        assert state.notices == ()


def test_a_state_that_is_new_is_nothing_to_tell_of(tmp_path: Path) -> None:
    with SqliteState(tmp_path / "new.db", read_only=True) as reader:
        assert reader.load().damage == ""
    with SqliteState(tmp_path / "new.db") as state:
        assert state.notices == ()
        with SqliteState(tmp_path / "new.db", read_only=True) as reader:
            assert reader.load().damage == ""


@pytest.mark.parametrize("first", range(0, 100, 4))
def test_no_damage_of_what_a_file_begins_with_costs_anything(path: Path, truth: Truth, first: int) -> None:
    data = bytearray(path.read_bytes())
    data[first : first + 4] = bytes(byte ^ 0x55 for byte in data[first : first + 4])
    path.write_bytes(data)
    require_survived(path, truth)
    with SqliteState(path) as state:
        months = Truth(state.load()).months()
    assert {key: described(month) for key, month in months.items()} == {
        key: described(month) for key, month in truth.months().items()
    }


def by_sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    connection.commit()
    connection.close()


OF_ONE_OPEN_MONTH = [
    "UPDATE counts SET users = users + 1 WHERE host = 'a.example' AND month = '2026-11' AND client = 'Dino'",
    "DELETE FROM counts WHERE host = 'a.example' AND month = '2026-11' AND client = 'Dino'",
    "DELETE FROM counted WHERE part = (SELECT max(part) FROM counted WHERE host = 'a.example')",
    "UPDATE counted SET hashes = zeroblob(length(hashes)) WHERE host = 'a.example'",
    "UPDATE counted SET month = '2026-10' WHERE host = 'a.example'",
    "UPDATE months SET key = zeroblob(32) WHERE host = 'a.example' AND month = '2026-11'",
    "UPDATE months SET host = 'a.exampfe' WHERE host = 'a.example' AND month = '2026-11'",
    "DELETE FROM months WHERE host = 'a.example' AND month = '2026-11'",
]


@pytest.mark.parametrize("statement", OF_ONE_OPEN_MONTH)
def test_damage_in_one_month_costs_that_alone(path: Path, truth: Truth, statement: str) -> None:
    by_sql(path, statement)
    require_survived(path, truth)
    with SqliteState(path) as state:
        months = Truth(state.load()).months()
    begun = months.pop(("a.example", "2026-11"))
    assert (begun.quality, begun.cells, len(begun.counted), begun.closed) == (Quality.LOWER_BOUND, {}, 0, False)
    assert begun.key is not None
    whole = truth.months()
    del whole["a.example", "2026-11"]
    assert {key: described(month) for key, month in months.items()} == {
        key: described(month) for key, month in whole.items()
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE counts SET users = users + 1 WHERE host = 'a.example' AND month = '2026-05' AND country = 'FR'",
        "DELETE FROM counts WHERE host = 'a.example' AND month = '2026-05' AND country = 'FR'",
    ],
)
def test_a_closed_month_that_lost_counts_keeps_its_users_at_an_unknown_place(
    path: Path, truth: Truth, statement: str
) -> None:
    by_sql(path, statement)
    require_survived(path, truth)
    with SqliteState(path) as state:
        month = state.load().hosts["a.example"].months["2026-05"]
    was = truth.months()["a.example", "2026-05"]
    lost = sum(users for cell, users in was.cells.items() if cell.place.country == "FR")
    assert (month.quality, month.counts().users) == (Quality.LOWER_BOUND, was.counts().users)
    assert month.cells[Cell(Place(), "?")] == lost


def test_what_was_taken_over_stays_beside_a_month_that_is_counted_again_and_nobody_is_counted_twice(
    path: Path, truth: Truth
) -> None:
    host = HOSTS[1]
    by_sql(path, f"UPDATE counts SET users = 99 WHERE host = '{host}' AND month = '2026-11' AND client = 'Dino'")
    require_survived(path, truth)
    with SqliteState(path) as state:
        month = state.load().hosts[host].months["2026-11"]
    assert (month.imported, month.cells) == (MonthCounts.of(Quality.IMPORTED, CELLS), {})
    assert [month.counted.get(digest) for digest in hashes(host, "marked", 12)] == [How.MARKED] * 12
    assert len(month.counted) == 12


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM hosts WHERE host = 'a.example'",
        "UPDATE hosts SET alive_at = 5",
        "DELETE FROM kept WHERE name = 'zone'",
    ],
)
def test_without_its_last_sign_of_life_or_its_zone_no_open_month_passes_for_exact(path: Path, statement: str) -> None:
    by_sql(path, statement)
    with SqliteState(path) as state:
        host = state.load().hosts["a.example"]
    assert host.months["2026-11"].quality is Quality.LOWER_BOUND
    assert host.months["2026-05"].quality is Quality.EXACT
    assert host.followed_since in (None, NOW)


def test_a_point_of_the_past_that_lost_a_host_is_no_point(path: Path) -> None:
    at = int(NOW) - 7200
    by_sql(path, f"DELETE FROM history WHERE at = {at} AND host = 'zz.example'")
    with SqliteState(path) as state:
        history = state.load().history
    assert len(history) == 59
    assert at not in {point.when for point in history}


def an_older_state(path: Path, *damage: str) -> None:
    """A state from before there were seals: two users in an open month, and a closed one."""
    connection = sqlite3.connect(path)
    connection.executescript("".join(STEPS[: SEALED_SINCE - 1]) + f"PRAGMA user_version = {SEALED_SINCE - 1};")
    month = "INSERT INTO months (host, month, quality, closed, key) VALUES ('a.example', ?, 'exact', ?, ?)"
    connection.execute(month, ("2026-11", 0, b"k" * 32))
    connection.execute(month, ("2026-10", 1, None))
    for name in ("2026-10", "2026-11"):
        connection.execute("INSERT INTO counts VALUES ('a.example', ?, 'DE', '', 0, 'Dino', 2)", (name,))
    part = "INSERT INTO counted (host, month, hashes, hows) VALUES ('a.example', '2026-11', ?, ?)"
    connection.execute(part, (b"a" * 16 + b"b" * 16 + b"m" * 16, "final\nfinal\nmarked"))
    connection.execute(part, (b"a" * 16, "final"))
    connection.execute("INSERT INTO history VALUES (3600, 'a.example', '[[\"DE\", \"Dino\", 1, 2, 3]]')")
    for statement in damage:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_older_state_that_is_whole_is_nothing_to_tell_of(tmp_path: Path) -> None:
    an_older_state(tmp_path / "old.db")
    with SqliteState(tmp_path / "old.db") as state:
        assert state.notices == ()
        assert state.load().hosts["a.example"].months["2026-11"].quality is Quality.EXACT


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE counts SET users = 3 WHERE month = '2026-11'",
        "DELETE FROM counted WHERE part = 1",
        "UPDATE counted SET hows = 'final' || char(10) || 'finer' || char(10) || 'marked' WHERE part = 1",
        "UPDATE months SET quality = 'exbct' WHERE month = '2026-11'",
        "UPDATE counts SET month = '2026-1q' WHERE month = '2026-11'",
        "UPDATE counts SET country = CAST(x'ff' AS TEXT) WHERE month = '2026-11'",
        "PRAGMA user_version = 3",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = 77",
        "UPDATE history SET counts = '[[\"DE\", 5' WHERE at = 3600",
    ],
)
def test_an_older_state_that_is_damaged_is_told(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "old.db"
    an_older_state(path, damage)
    with SqliteState(path, read_only=True) as reader:
        saved = reader.load()
    with SqliteState(path) as state:
        kept = state.load()
        assert "set aside as old.db.corrupt-1" in state.notices[0]
    assert saved.damage
    for found in (saved, kept):
        months = found.hosts["a.example"].months
        assert (months["2026-10"].quality, months["2026-10"].counts().users) == (Quality.EXACT, 2)
        november = months["2026-11"]
        assert november.quality is Quality.LOWER_BOUND or november.cells == {Cell(Place("DE"), "Dino"): 2}


@pytest.mark.parametrize("read", [False, True])
def test_what_could_not_be_counted_again_is_not_told_as_exact(world: World, path: Path, read: bool) -> None:
    """An engine counts a damaged month again from what is there; a report does so without an engine."""
    path.unlink()
    crowd: list[list[Record]] = [[user(f"user{n}", WORLD_NOW - n) for n in range(40)], [HostRead(HOST)]]
    world.now = WORLD_NOW - 25 * 86_400
    with SqliteState(path) as state:
        world.run([[HostRead(HOST)]], [world.pass_time(60)], state=state)
        world.now = WORLD_NOW
        shown = world.run(crowd, state=state, trust_clock=True)
    assert month_of(shown).users == 40
    by_sql(path, "DELETE FROM counted WHERE part = (SELECT max(part) FROM counted)")
    crowd[0].pop()  # a user whose account is gone, and who was counted
    with SqliteState(path, read_only=read) as state:
        engine = world.engine(ScriptedSource(crowd), state)
        shown = engine.read_once() if read else world.run(crowd, state=state)
    assert (month_of(shown).users, month_of(shown).quality) == (39, Quality.LOWER_BOUND)
    assert [problem.what for problem in shown.problems] == ["state damaged" if read else "state set aside"]
    assert str(path) in shown.problems[0].why


def test_a_state_that_can_not_be_kept_is_named_in_the_log_and_to_those_who_look_on(
    world: World, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SqliteState(path) as state:
        follow: list[Step] = [lambda: path.unlink() and None, world.pass_time(60), [user("bob", WORLD_NOW)]]
        world.run([[user("alice", WORLD_NOW)], [HostRead(HOST)]], [*follow, world.pass_time(60)], state=state)
    problem = next(p for shown in world.shown for p in shown.problems if p.what == "state not kept")
    assert str(path) in problem.why
    assert any("state not kept" in line and str(path) in line for line in caplog.messages)


def test_a_viewer_of_a_damaged_state_says_so(path: Path) -> None:
    by_sql(path, "UPDATE months SET users = 1 WHERE host = 'a.example' AND month = '2026-05'")
    with SqliteState(path, read_only=True) as state:
        saved = state.load(counted=False)
    assert saved.live == {"head": '{"now": 1}'}
    assert saved.damage


def test_the_old_file_is_there_whenever_the_process_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be it in the midst of setting it aside: the next start finds a state, and all that is whole of it."""
    by_sql(path, "UPDATE counts SET users = 99 WHERE host = 'a.example' AND month = '2026-05' AND country = 'FR'")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        SqliteState(path)
    monkeypatch.undo()
    with SqliteState(path) as state:
        assert "corrupt-2" in state.notices[0]
        assert len(state.load().hosts) == len(HOSTS)
