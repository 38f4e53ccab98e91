"""The engine: what happens is counted once, kept, shown, and told without naming anybody."""

import functools
import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from no_state import NoState

from headcount.clients.patterns import ClientPatterns
from headcount.counting.month_users import SETTLING
from headcount.engine.engine import Engine
from headcount.engine.options import Options
from headcount.errors import StateError
from headcount.figures.totals import sum_active
from headcount.months import end_of, start_of
from headcount.places.lookup import Places
from headcount.records import HostGone, HostRead, HostVisitors, Problem, Record, SourceProblems, Users, VisitedMonth
from headcount.snapshot import Active, HostCounts, MonthCounts, Past, Phase, Place, Progress, Quality, Snapshot
from headcount.state import Saved, State, Update
from headcount.state.sqlite import SqliteState
from telling import Activity, Login, tells

UTC = ZoneInfo("UTC")
NOW = start_of("2026-11", UTC) + 20 * 86_400
HOST = "example.com"
Step = list[Record] | Callable[[], None]


@functools.cache
def places() -> Places:
    return Places()


class ScriptedSource:
    """A source that says what a test wrote down, and then has the engine stopped. A step may be a call instead."""

    label = "/script"

    def __init__(self, read: list[list[Record]], then: list[Step] | None = None) -> None:
        self._read = read
        self._then = list(then or [])
        self.stop = threading.Event()
        self.is_there = True
        self.progress: Progress | None = None

    def expect(self, hosts: Collection[str]) -> None:
        pass

    def lost(self) -> Problem | None:
        return None

    def missing(self) -> str | None:
        return None if self.is_there else "There is nothing yet."

    def read(self) -> Iterator[list[Record]]:
        self.progress = Progress(0, len(self._read))
        yield from self._read
        self.progress = None

    def follow(self, timeout: float) -> Iterator[list[Record]]:
        step = self._then.pop(0) if self._then else self.stop.set
        if callable(step):
            step()
        else:
            yield step

    def stores(self) -> Collection[str]:
        return {"lastlog2", "login_records"}

    def close(self) -> None:
        pass


class World:
    """An engine's surroundings: a clock that goes when told, places and clients that are easily read."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now
        self.zone = UTC
        self.ticks = 0.0
        self.shown: list[Snapshot] = []

    def clock(self) -> float:
        return self.now

    def tick(self) -> float:
        self.ticks += 1.0
        return self.ticks

    def pass_time(self, seconds: float) -> Callable[[], None]:
        def step() -> None:
            self.now += seconds
            self.ticks += seconds

        return step

    def engine(self, source: ScriptedSource, state: State | None = None, **options: object) -> Engine:
        patterns = ClientPatterns([("^(%a+)", "App")])
        usual = {"zone": UTC, "zone_name": "UTC", "clock": self.clock, "ticks": self.tick}
        usual["is_synchronised"] = lambda: False
        described = Options(**{**usual, **options})  # type: ignore[arg-type]
        return Engine(source, places(), patterns, state or NoState(), described)

    def run(
        self, read: list[list[Record]], then: list[Step] | None = None, state: State | None = None, **options: object
    ) -> Snapshot:
        source = ScriptedSource(read, then)
        self.engine(source, state, **options).run(self.shown.append, source.stop)
        return self.shown[-1]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def user(name: str, when: float, *logins: Login, host: str = HOST, address: str | None = None) -> Users:
    return tells(host, name, True, (Activity(when, "login", address),), logins)


def gone(name: str) -> Users:
    return tells(HOST, name)


def active(snapshot: Snapshot, host: str = HOST) -> Active:
    return sum_active(snapshot.hosts[host].active.values())


def month(snapshot: Snapshot, name: str = "2026-11") -> MonthCounts:
    return snapshot.hosts[HOST].months[name]


def test_what_is_read_is_counted_and_shown(world: World) -> None:
    logins = (Login(NOW - 60, "203.0.113.7", "Dino.1"), Login(NOW - 40 * 86_400, None, "Dino.1"))
    shown = world.run([[user("alice", NOW - 60, *logins), user("bob", NOW - 90_000)], [HostRead(HOST)]])
    assert active(shown)[:3] == (1, 2, 2)
    assert {name: counts.users for name, counts in shown.hosts[HOST].months.items()} == {"2026-10": 1, "2026-11": 2}
    assert month(shown).clients == {"App": 1, "?": 1}
    assert shown.hosts[HOST].users_known == 2


def test_the_unknown_place_has_a_name_though_nobody_has_an_address(world: World) -> None:
    shown = world.run([[user("alice", NOW - 60), user("bob", NOW - 90_000)], [HostRead(HOST)]])
    assert Place() in shown.names


def test_phases_are_shown_as_they_pass(world: World) -> None:
    source = ScriptedSource([[user("alice", NOW)], [HostRead(HOST)]])
    source.is_there = False
    engine = world.engine(source)

    def publish(snapshot: Snapshot) -> None:
        world.shown.append(snapshot)
        source.is_there = True

    engine.run(publish, source.stop)
    assert [snapshot.phase for snapshot in world.shown] == [Phase.WAITING, Phase.SCANNING, Phase.LIVE]
    assert world.shown[0].problems[0].why.startswith("There is nothing yet. ")
    assert world.shown[1].progress == Progress(0, 2)
    assert world.shown[-1].problems == ()


def test_counts_fall_with_no_new_event(world: World) -> None:
    shown = world.run([[user("alice", NOW)], [HostRead(HOST)]], [world.pass_time(86_399), world.pass_time(1)])
    days = [active(snapshot).day for snapshot in world.shown if snapshot.phase is Phase.LIVE]
    assert days[-1] == 0
    assert 1 in days
    assert active(shown).week == 1


def test_a_deleted_user_is_not_active_and_stays_a_month_user(world: World) -> None:
    shown = world.run([[user("alice", NOW), user("bob", NOW)], [HostRead(HOST)]], [[gone("alice")]])
    assert (active(shown).day, shown.hosts[HOST].users_known, month(shown).users) == (1, 1, 2)


def test_a_host_that_goes_keeps_its_months(world: World) -> None:
    shown = world.run([[user("alice", NOW)], [HostRead(HOST)]], [[HostGone(HOST)]])
    assert (active(shown).day, shown.hosts[HOST].users_known, month(shown).users) == (0, 0, 1)


def test_the_two_steps_of_one_login_are_put_together(world: World) -> None:
    bare, whole = user("alice", NOW), user("alice", NOW, Login(NOW, None, "Dino.1"))
    shown = world.run([[user("bob", NOW - 60)], [HostRead(HOST)]], [[bare], [whole]])
    assert month(shown).clients == {"?": 1, "App": 1}
    assert all(snapshot.hosts[HOST].months["2026-11"].users == 1 for snapshot in world.shown[:-1])
    assert active(world.shown[-2]).day == 2


def test_a_login_without_a_record_is_counted_once_it_has_settled(world: World) -> None:
    users = []
    world.run(
        [[user("bob", NOW - 60)], [HostRead(HOST)]],
        [
            [user("alice", NOW)],
            lambda: users.append(month(world.shown[-1]).users),
            world.pass_time(5),
            lambda: users.append(month(world.shown[-1]).users),
        ],
    )
    assert users == [1, 2]


def test_a_login_that_has_not_settled_is_counted_when_the_engine_stops(world: World, path: Path) -> None:
    with SqliteState(path) as state:
        world.run([[HostRead(HOST)]], [[user("alice", NOW)]], state)
        assert sum(state.load().hosts[HOST].months["2026-11"].cells.values()) == 1


def test_a_restart_counts_nobody_twice(world: World, path: Path) -> None:
    everybody: list[list[Record]] = [
        [user("alice", NOW - 60, Login(NOW - 60, None, "Dino.1"), Login(NOW - 40 * 86_400)), user("bob", NOW - 50)],
        [HostRead(HOST)],
    ]
    for _ in range(3):
        with SqliteState(path) as state:
            shown = world.run(everybody, state=state)
        assert {name: counts.users for name, counts in shown.hosts[HOST].months.items()} == {"2026-10": 1, "2026-11": 2}


def test_a_restart_in_the_middle_of_reading_counts_everybody_once(world: World, path: Path) -> None:
    """A month that was over before is kept when all of it is read, and not a user earlier."""
    old = Login(NOW - 300 * 86_400, None, "Dino.1")
    halves: list[list[Record]] = [[user("alice", NOW - 60, old)], [user("bob", NOW - 50, old)], [HostRead(HOST)]]

    class Killed(BaseException):
        """Stands for a process that ends at once: nothing is kept on the way out."""

    class KilledState(SqliteState):
        saves = 0

        def save(self, update: Update) -> None:
            if self.saves == 1:
                raise Killed
            self.saves += 1
            super().save(update)

    with KilledState(path) as state, pytest.raises(Killed):
        world.run(halves, state=state)
    with SqliteState(path) as state:
        assert "2026-01" not in state.load().hosts.get(HOST, Saved()).months if HOST in state.load().hosts else True
        shown = world.run(halves, state=state)
    assert {name: counts.users for name, counts in shown.hosts[HOST].months.items()} == {"2026-01": 2, "2026-11": 2}


def test_a_report_on_a_state_adds_what_the_source_has_since(world: World, path: Path) -> None:
    with SqliteState(path) as state:
        world.run([[user("alice", NOW - 60)], [HostRead(HOST)]], state=state)
    with SqliteState(path, read_only=True) as state:
        source = ScriptedSource([[user("alice", NOW - 5), user("bob", NOW - 5)], [HostRead(HOST)]])
        assert month(world.engine(source, state).read_once()).users == 2


def test_a_month_closes_a_week_after_its_end_and_nothing_tells_any_more_who_was_there(
    world: World, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    closing = end_of("2026-11", UTC) + SETTLING
    with SqliteState(path) as state:
        world.run(
            [[user("alice", NOW)], [HostRead(HOST)]], [world.pass_time(closing - NOW - 5), world.pass_time(10)], state
        )
        kept = state.load().hosts[HOST].months["2026-11"]
    assert (kept.closed, kept.key, len(kept.counted), sum(kept.cells.values())) == (True, None, 0, 1)
    assert caplog.text.count("closed 2026-11 of example.com") == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM counted").fetchone() == (0,)
    connection.close()


def test_a_month_followed_from_start_to_end_is_exact_and_one_with_a_gap_over_its_end_is_not(world: World) -> None:
    december, january = start_of("2026-12", UTC), start_of("2027-01", UTC)

    def until(moment: float) -> list[Step]:
        """Time that goes in steps which leave no gap."""
        steps = int((moment - world.now) // 299)
        start = world.now

        def at(moment: float) -> Callable[[], None]:
            def step() -> None:
                world.ticks += moment - world.now
                world.now = moment

            return step

        return [at(start + number * 299) for number in range(1, steps + 1)] + [at(moment)]

    world.now = december - 1000
    to_december = until(december + 10)
    world.now = december + 10
    to_january = until(january + 10)
    world.now = december - 1000
    shown = world.run(
        [[HostRead(HOST), user("alice", december - 2000)]],
        [
            [user("alice", december - 1000)],
            [HostRead(HOST)],
            *to_december,
            [user("alice", december + 5)],
            *to_january,
            [user("alice", january + 5)],
            world.pass_time(40 * 86_400),
        ],
    )
    qualities = {name: counts.quality for name, counts in shown.hosts[HOST].months.items()}
    assert qualities == {
        "2026-11": Quality.LOWER_BOUND,
        "2026-12": Quality.EXACT,
        "2027-01": Quality.LOWER_BOUND,
    }


def test_the_active_users_of_the_past_are_kept_by_the_hour(world: World, path: Path) -> None:
    with SqliteState(path) as state:
        shown = world.run(
            [[user("alice", NOW, Login(NOW, None, "Dino.1"))], [HostRead(HOST)]],
            [world.pass_time(1800), world.pass_time(1800), world.pass_time(3600)],
            state,
        )
        kept = state.load().history
    assert [point.when - NOW for point in kept] == [0, 3600, 7200]
    assert shown.history.at(NOW + 3600) == Past(1, 1, 1, 1)


def test_users_elsewhere_are_not_recorded_where_countries_are_named(world: World) -> None:
    read: list[list[Record]] = [[user("alice", NOW, address="8.8.8.8"), user("bob", NOW, address="141.84.149.208")]]
    shown = world.run([*read, [HostRead(HOST)]], countries=frozenset({"DE"}), settle=0.0)
    assert (active(shown).day, month(shown).users) == (1, 1)
    assert set(month(shown).places or {}) == {Place("DE")}


def test_what_the_module_counted_stands_where_it_counted_more(world: World) -> None:
    visitors = HostVisitors(
        HOST,
        (
            VisitedMonth("2026-11", {("DE", None, None): 9}, {"IOS": 9}),
            VisitedMonth("2018-05", {("FR", None, None): 4}, {"?": 4}),
        ),
    )
    shown = world.run([[user("alice", NOW), user("bob", NOW)], [visitors], [HostRead(HOST)]], settle=0.0)
    assert (month(shown).quality, month(shown).users) == (Quality.IMPORTED, 9)
    assert (month(shown, "2018-05").quality, month(shown, "2018-05").cells) == (Quality.IMPORTED, None)
    assert shown.names[Place("FR")].country == "France"
    fewer = HostVisitors(HOST, (VisitedMonth("2026-11", {("DE", None, None): 1}, {"IOS": 1}),))
    shown = world.run([[user("alice", NOW), user("bob", NOW)], [fewer], [HostRead(HOST)]], settle=0.0)
    assert (month(shown).quality, month(shown).users) == (Quality.LOWER_BOUND, 2)


def test_the_future_is_active_and_a_problem_until_it_comes(world: World) -> None:
    counted = []
    shown = world.run(
        [[user("alice", NOW + 600)], [HostRead(HOST)]],
        [lambda: counted.append(world.shown[-1].problems[0]), world.pass_time(601)],
    )
    assert [(problem.what, problem.count, problem.example) for problem in counted] == [
        ("timestamp in the future", 1, "example.com: user alice")
    ]
    assert active(shown).day == 1
    assert shown.problems == ()


def test_a_problem_is_logged_once_with_its_host_and_store_and_no_user(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(name: str) -> Users:
        problem = Problem("unreadable record", f"{HOST}/lastlog2/{name}.dat", f"{HOST}/lastlog2", "it ends too early")
        return tells(HOST, name, True, problems=(problem,))

    caplog.set_level(logging.DEBUG)
    closed = Problem("unreadable directory", "closed.example", "closed.example", "permission denied")
    shown = world.run(
        [[unreadable("alice"), unreadable("bob")], [HostRead(HOST), SourceProblems((closed,))]], [[unreadable("carol")]]
    )
    assert [(problem.what, problem.count) for problem in shown.problems] == [
        ("unreadable record", 3),
        ("unreadable directory", 1),
    ]
    assert caplog.text.count("unreadable record in example.com/lastlog2: it ends too early") == 1
    assert caplog.text.count("unreadable directory in closed.example") == 1
    assert not any(name in caplog.text for name in ("alice", "bob", "carol"))


def test_a_fixed_record_is_no_problem_any_more(world: World) -> None:
    problem = Problem("unreadable record", "x", "x", "x")
    shown = world.run(
        [[tells(HOST, "alice", True, problems=(problem,))], [HostRead(HOST)]], [[user("alice", NOW)]], settle=0.0
    )
    assert (shown.problems, month(shown).users) == ((), 1)


class FullState(NoState):
    """A state on a disk that is full until told otherwise."""

    def __init__(self) -> None:
        self.is_full = True
        self.saved: list[Update] = []

    def save(self, update: Update) -> None:
        if self.is_full:
            raise StateError("The state can't be used: database or disk is full.")
        self.saved.append(update)


class LostState(NoState):
    """A state in a place of a long name that is not where it was."""

    def save(self, update: Update) -> None:
        raise StateError(f"The state /srv/{'long/' * 40}state.db is not where it was.", "Put it back.")


def test_what_becomes_of_the_counts_is_said_however_long_the_states_name_is(world: World) -> None:
    shown = world.run([[user("alice", NOW - 60)], [HostRead(HOST)]], [world.pass_time(2)], LostState())
    (problem,) = [problem for problem in shown.problems if problem.what == "state not kept"]
    assert problem.why.endswith(
        "Put it back. What is counted is kept as soon as that is fixed, and lost if the engine ends before."
    )


def test_what_can_not_be_kept_is_told_and_kept_later(world: World) -> None:
    state = FullState()
    told = []
    shown = world.run(
        [[user("alice", NOW - 60)], [HostRead(HOST)]],
        [lambda: told.append(world.shown[-1].problems[0].what), lambda: setattr(state, "is_full", False)],
        state,
    )
    assert told == ["state not kept"]
    urgent = next(p for seen in world.shown for p in seen.problems)
    assert urgent.is_urgent
    assert urgent.example == "The state can't be used: database or disk is full."
    assert "kept as soon as that is fixed" in urgent.why
    assert shown.problems == ()
    month_kept, change = state.saved[0].hosts[0].months["2026-11"]
    assert (sum(month_kept.cells.values()), len(change.hashes())) == (1, 1)


def test_counts_that_did_not_change_are_not_made_or_shown_again(world: World) -> None:
    world.run([[user("alice", NOW - 60)], [HostRead(HOST)]], [lambda: None] * 5)
    live = [snapshot for snapshot in world.shown if snapshot.phase is Phase.LIVE]
    assert len(live) == 1
    world.shown.clear()
    world.run(
        [[user("alice", NOW - 60), user("zoe", NOW, host="other.example")], [HostRead(HOST)]],
        [[user("bob", NOW - 60)], [user("carol", NOW - 50)]],
    )
    others: list[HostCounts] = [s.hosts["other.example"] for s in world.shown if s.phase is Phase.LIVE]
    assert len({id(counts) for counts in others}) == 1
