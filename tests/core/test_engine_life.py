"""What becomes of months: clocks that are wrong, zones that change, months that are pruned, and who looks on."""

import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from test_engine import HOST, NOW, ScriptedSource, Step, World, active, month, path, user, world

from headcount.counting.counted import How
from headcount.counting.month_users import SETTLING, Month, MonthChange
from headcount.engine.broadcast import Packer, unpacked
from headcount.engine.viewer import Viewer
from headcount.errors import NoPermissionError, StateError
from headcount.months import end_of, start_of
from headcount.records import HostRead, HostVisitors, Problem, Record, SourceProblems, VisitedMonth
from headcount.snapshot import Cell, Phase, Place, Quality, Snapshot
from headcount.state import HostUpdate, Update
from headcount.state.sqlite import SqliteState
from support import NOBODY, unprivileged
from telling import Login

__all__ = ["path", "world"]  # fixtures
UTC = ZoneInfo("UTC")
READ: list[list[Record]] = [[user("alice", NOW)], [HostRead(HOST)]]


def jump(world: World, seconds: float) -> Callable[[], None]:
    """A clock that is set while no time passes."""
    return lambda: setattr(world, "now", world.now + seconds)


def steadily(world: World, seconds: float) -> list[Step]:
    """Time that passes in small steps."""
    return [world.pass_time(60)] * int(seconds // 60)


@pytest.mark.parametrize("back", [3600, 31 * 86_400, 365 * 86_400])
def test_a_clock_that_steps_back_moves_no_count_and_closes_nothing_twice(world: World, back: float) -> None:
    shown = world.run(
        READ,
        [
            jump(world, -back),
            [user("bob", NOW + 10)],
            *steadily(world, 7200),
            jump(world, back),
            [user("bob", NOW + 20)],
        ],
    )
    assert {name: counts.users for name, counts in shown.hosts[HOST].months.items()} == {"2026-11": 2}
    assert active(shown).day == 2


def test_a_clock_that_was_ahead_for_a_while_closes_and_prunes_nothing(world: World, path: Path) -> None:
    year = 365 * 86_400
    with SqliteState(path) as state:
        shown = world.run(
            READ,
            [jump(world, year), *steadily(world, 1800), jump(world, -year), [user("bob", NOW + 10)]],
            state,
            keep_months=2,
        )
        kept = state.load().hosts[HOST].months["2026-11"]
    assert month(shown).users == 2
    assert (kept.closed, len(kept.counted)) == (False, 2)


def test_a_month_whose_end_was_slept_over_is_a_lower_bound_and_closes_once_the_clock_has_proved_itself(
    world: World,
) -> None:
    shown = world.run(
        READ,
        [
            jump(world, end_of("2026-11", UTC) + SETTLING + 60 - NOW),
            [user("alice", end_of("2026-11", UTC) - 60), user("late", end_of("2026-11", UTC) - 90)],
            *steadily(world, 7200),
            [user("later", end_of("2026-11", UTC) - 80)],
        ],
        is_synchronised=lambda: True,
    )
    assert (month(shown).users, month(shown).quality) == (2, Quality.LOWER_BOUND)


def test_the_hour_that_the_clocks_skip_or_repeat_moves_no_count(world: World) -> None:
    """Cairo's clocks leave summer time at the midnight that October 31, 2025 begins with: it begins twice."""
    cairo = ZoneInfo("Africa/Cairo")
    first = start_of("2025-11", cairo)
    source = ScriptedSource([[user("a", first - 1), user("b", first), user("c", first + 1)], [HostRead(HOST)]])
    engine = World(first + 86_400).engine(source)
    shown = engine.read_once()
    assert sum(counts.users for counts in shown.hosts[HOST].months.values()) == 3


@pytest.mark.parametrize(("zone", "quality"), [("UTC", Quality.EXACT), ("Asia/Tokyo", Quality.LOWER_BOUND)])
def test_another_time_zone_than_before_makes_the_open_months_lower_bounds(
    world: World, path: Path, zone: str, quality: Quality
) -> None:
    followed = Month(Quality.EXACT, {Cell(Place(), "?"): 1}, b"k" * 32)
    followed.counted.put(b"a" * 16, How.FINAL)
    change = MonthChange(set(followed.cells), bytearray(b"a" * 16))
    since = start_of("2026-11", UTC) - 86_400
    with SqliteState(path) as state:
        state.save(Update([HostUpdate(HOST, since, NOW - 60, {"2026-11": (followed, change)})], zone="UTC"))
        shown = world.run(READ, state=state, zone=ZoneInfo(zone), zone_name=zone)
        assert state.load().zone == zone
    assert (month(shown).users, month(shown).quality) == (2, quality)


def test_pruned_months_stay_pruned(world: World, path: Path) -> None:
    old = (Login(NOW, None, "Dino.1"), Login(NOW - 40 * 86_400), Login(NOW - 400 * 86_400))
    read: list[list[Record]] = [
        [user("alice", NOW, *old), HostVisitors(HOST, (VisitedMonth("2018-05", {("FR", None, None): 4}, {"?": 4}),))],
        [HostRead(HOST)],
    ]
    with SqliteState(path) as state:
        shown = world.run(read, state=state)
    assert set(shown.hosts[HOST].months) == {"2018-05", "2025-10", "2026-10", "2026-11"}
    with SqliteState(path) as state:
        shown = world.run(read, state=state, keep_months=2)
    assert set(shown.hosts[HOST].months) == {"2026-10", "2026-11"}
    for _ in range(2):
        with SqliteState(path) as state:
            shown = world.run(read, state=state)
        assert {name: counts.users for name, counts in shown.hosts[HOST].months.items()} == {"2026-10": 1, "2026-11": 1}


def test_months_are_pruned_as_time_goes_on(world: World, path: Path) -> None:
    december = end_of("2026-11", UTC)
    with SqliteState(path) as state:
        shown = world.run(
            READ,
            [world.pass_time(december - NOW - 60), *steadily(world, 7200), [user("alice", december + 60)]],
            state,
            keep_months=1,
        )
        saved = state.load()
    assert set(shown.hosts[HOST].months) == {"2026-12"}
    assert set(saved.hosts[HOST].months) == {"2026-12"}
    assert all(point.when >= december for point in saved.history)


def test_a_corrupt_state_is_told_and_its_counts_are_rebuilt_as_lower_bounds(world: World, path: Path) -> None:
    with SqliteState(path) as state:
        world.run(READ, state=state)
    with path.open("r+b") as file:
        file.write(os.urandom(4096))
    with SqliteState(path) as state:
        shown = world.run(READ, state=state)
    assert [problem.what for problem in shown.problems] == ["state set aside"]
    assert "state.db.corrupt-1" in shown.problems[0].why
    assert (month(shown).users, month(shown).quality) == (1, Quality.LOWER_BOUND)


def test_what_is_packed_is_unpacked_as_it_was(world: World) -> None:
    visitors = HostVisitors(HOST, (VisitedMonth("2018-05", {("FR", "IDF", None): 4}, {"?": 4}),))
    shown = world.run([[user("alice", NOW, address="8.8.8.8"), visitors], [HostRead(HOST)]])
    own = {HOST: {"2026-11": month(shown)}}
    assert unpacked(Packer().news(shown), own, {}, shown.history, shown.marks) == replace(shown, names={})
    assert unpacked({}, own, {}, shown.history, shown.marks) is None


def test_what_did_not_change_is_not_packed_again(world: World) -> None:
    world.run(
        [[user("alice", NOW), user("zoe", NOW, host="other.example")], [HostRead(HOST)]], [[user("bob", NOW - 60)]]
    )
    packer = Packer()
    told = [set(packer.news(snapshot)) for snapshot in world.shown]
    assert told[-1] == {"host:example.com"}
    assert "host:other.example" in told[0]


class Look:
    """A viewer on a state, in a thread of its own."""

    def __init__(self, path: Path, take_over: Callable[..., None] | None = None) -> None:
        self.shown: list[Snapshot] = []
        self.stop = threading.Event()
        self._viewer = Viewer(path, take_over or self._may_not)
        self._thread = threading.Thread(target=self._viewer.run, args=(self.shown.append, self.stop))

    def _may_not(self, *_: object) -> None:
        raise NoPermissionError("No permission to write the state.")

    def __enter__(self) -> "Look":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(120)

    def wait_for(self, is_so: Callable[[Snapshot], bool]) -> Snapshot:
        deadline = time.monotonic() + 120
        while not (self.shown and is_so(self.shown[-1])):
            assert time.monotonic() < deadline, "it was not seen in time"
            time.sleep(0.02)
        return self.shown[-1]


def test_a_viewer_shows_what_the_engine_shows_and_says_when_it_ends(world: World, path: Path) -> None:
    with SqliteState(path) as state, Look(path) as look:
        looked = [
            lambda: look.wait_for(lambda seen: seen.phase is Phase.LIVE and HOST in seen.hosts) and None,
            [user("bob", NOW - 60, address="8.8.8.8")],
            world.pass_time(2),
            lambda: look.wait_for(lambda seen: seen.hosts[HOST].months["2026-11"].users == 2) and None,
        ]
        world.run(READ, looked, state)
        seen = look.wait_for(lambda seen: active(seen).day == 2)
        assert seen.hosts == world.shown[-1].hosts
        assert seen.names[next(place for place in seen.names if place.country == "US")].country == "United States"
        state.close()
        last = look.wait_for(lambda seen: seen.phase is Phase.STOPPED)
        assert (last.problems[0].what, last.problems[0].is_urgent) == ("engine ended", True)
        assert active(last).day == 2
        with SqliteState(path) as again:
            world.run(
                [[user("carol", NOW)], *READ], [lambda: look.wait_for(lambda s: s.phase is Phase.LIVE) and None], again
            )


def test_a_viewer_takes_over_where_it_may(world: World, path: Path) -> None:
    taken = threading.Event()

    def take_over(publish: Callable[[Snapshot], None], stop: threading.Event) -> None:
        taken.set()
        stop.wait()

    with SqliteState(path) as state, Look(path, take_over):
        world.run(READ, state=state)
        assert not taken.is_set()
        state.close()
        assert taken.wait(120)


def test_another_user_of_the_group_may_look_on(world: World, open_tmp: Path) -> None:
    directory = open_tmp / "state"
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, -1, NOBODY)
    directory.chmod(0o2750)  # what is made in it belongs to its group
    path = directory / "state.db"
    with SqliteState(path) as state:
        world.run(READ, state=state)
        assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o640}
        with unprivileged(), Look(path) as look:
            assert active(look.wait_for(lambda seen: HOST in seen.hosts)).day == 1


class InterruptedState(SqliteState):
    """A state whose writing is broken off after so many steps of SQLite's machine, again and again."""

    def __init__(self, path: Path, steps: int) -> None:
        super().__init__(path)
        self.steps = steps
        self.problems = 0

    def save(self, update: Update) -> None:
        assert self._connection is not None
        if self.problems < 3:
            self._connection.set_progress_handler(lambda: 1, self.steps)
        try:
            super().save(update)
        except StateError:
            self.problems += 1
            raise
        finally:
            self._connection.set_progress_handler(None, 0)


@pytest.mark.parametrize("steps", [1, 7, 20, 45, 80, 150, 300, 600, 1200, 2400])
def test_a_write_that_breaks_off_anywhere_loses_and_doubles_nothing(world: World, path: Path, steps: int) -> None:
    """Each transaction is broken off some steps further on, is rolled back, and is written by a later one."""
    clients = ["Dino.1", "Gajim.1", "Conversations.1", "x"]
    crowd: list[list[Record]] = [
        [user(f"user{n}", NOW - n, Login(NOW - n, f"{n + 20}.8.8.8", clients[n % 4])) for n in range(180)]
    ]
    with InterruptedState(path, steps) as state:
        shown = world.run([*crowd, [HostRead(HOST)]], [[user("alice", NOW - 60)], *steadily(world, 600)], state)
        assert state.problems == (3 if steps < 2000 else state.problems)
    assert (month(shown).users, shown.problems) == (181, ())
    with SqliteState(path) as state:
        again = world.run([*crowd, [user("alice", NOW - 60)], [HostRead(HOST)]], state=state)
        kept = state.load().hosts[HOST].months["2026-11"]
    assert month(again).users == 181
    assert (sum(kept.cells.values()), len(kept.counted)) == (181, 181)


GONE = SourceProblems((Problem("no data directory", "/script", "", "it is gone", is_urgent=True),))


@pytest.mark.parametrize("restart", [False, True])
def test_a_source_that_was_gone_over_a_months_end_makes_it_a_lower_bound(
    world: World, path: Path, restart: bool
) -> None:
    """The figures stay meanwhile, and go on when it is back; also where another engine began while it was gone."""
    begin, end = start_of("2026-11", UTC), end_of("2026-11", UTC)
    world.now = begin - 120
    read: list[list[Record]] = [[user("alice", world.now)], [HostRead(HOST)]]
    with SqliteState(path) as state:
        follow: list[Step] = [
            *steadily(world, 600),
            world.pass_time(20 * 86_400),
            [user("bob", begin + 20 * 86_400)],
            lambda: world.pass_time(end - 200 - world.now)(),
            [GONE],
            *steadily(world, 600),
        ]
        back: list[list[Record]] = [[user("alice", end + 300)], [SourceProblems()]]
        first = world.run(read, [*follow, *([] if restart else back)], state)
        assert first.phase is Phase.LIVE
        during = next(seen for seen in world.shown if seen.problems)
        assert (during.problems[0].is_urgent, month(during).users, month(during).quality) == (True, 1, Quality.EXACT)
        if restart:
            first = world.run([*back, [HostRead(HOST)]], state=state)
    assert first.problems == ()
    assert month(first).quality is Quality.LOWER_BOUND
    assert (month(first, "2026-12").users, month(first, "2026-12").quality) == (1, Quality.LOWER_BOUND)


def test_what_is_urgent_is_told_to_those_who_look_on(world: World) -> None:
    world.run(READ, [[GONE], *steadily(world, 60)])
    shown = unpacked(Packer().news(world.shown[-1]), {}, {}, world.shown[-1].history, ())
    assert shown is not None
    assert [(problem.what, problem.is_urgent) for problem in shown.problems] == [("no data directory", True)]
