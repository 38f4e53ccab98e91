"""A clock that is wrong costs nothing that was counted, and what it wrote is not believed once it is right."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from test_engine import HOST, NOW, ScriptedSource, Step, World, active, month, path, user, world
from test_engine_life import jump
from test_index import Server, in_whole, server, told

from headcount.counting.counted import How
from headcount.counting.month_users import SETTLING, Month, MonthChange
from headcount.engine.assemble import open_look
from headcount.engine.broadcast import Packer, unpacked
from headcount.engine.trusted_clock import AHEAD
from headcount.errors import UsageError
from headcount.months import end_of, month_of, start_of
from headcount.records import HostGone, HostRead, Record
from headcount.settings import Settings
from headcount.snapshot import Cell, HistoryKey, HistoryPoint, Mark, MonthCounts, Past, Phase, Place, Quality, Snapshot
from headcount.state import HostUpdate, Saved, Update
from headcount.state.sqlite import SqliteState
from support import prosody_writes

__all__ = ["path", "server", "world"]  # fixtures
UTC = ZoneInfo("UTC")
DAY = 86_400.0
HOURS = 720
OFFSETS = [8, 12, 45, 100, 400, 1100, 2000]
TWENTY_EIGHTH = start_of("2026-11", UTC) + 27.5 * DAY


def point(when: float) -> HistoryPoint:
    return HistoryPoint(int(when), {HOST: {HistoryKey(None, "?"): Past(1, 1, 1, 1)}})


def run(
    world: World,
    path: Path,
    read: list[Record],
    then: list[Step] | None = None,
    **options: object,
) -> tuple[Snapshot, Saved]:
    """What is shown at the end of a run on the state, and what is kept after it."""
    with SqliteState(path) as state:
        shown = world.run([read, [HostRead(HOST)]], then, state, **options)
    with SqliteState(path, read_only=True) as state:
        return shown, state.load()


def doubts(shown: Snapshot) -> list[str]:
    return [problem.why for problem in shown.problems if problem.what == "clock in doubt" and problem.is_urgent]


def days(saved: Saved) -> list[int]:
    return [past.when for past in saved.history]


def begin(world: World, path: Path, now: float = NOW) -> Saved:
    """A state that was kept rightly until now: alice in this month and in the one before, 720 points an hour apart."""
    world.now = now
    with SqliteState(path) as state:
        state.save(Update(history=[point(now - 1800 - 3600 * hour) for hour in range(HOURS)]))
    return run(world, path, [user("alice", now - 60), user("old", now - 31 * DAY)], [world.pass_time(120)])[1]


@pytest.mark.parametrize("wrote", ["the right clock", "the wrong clock"])
@pytest.mark.parametrize("now", [NOW, TWENTY_EIGHTH])
@pytest.mark.parametrize("off", OFFSETS)
def test_a_start_with_the_clock_ahead_costs_nothing(world: World, path: Path, off: int, now: float, wrote: str) -> None:
    """The server's last files are of the right clock, or it has the same wrong one."""
    before = begin(world, path, now)
    alice, old = user("alice", now - 60), user("old", now - 31 * DAY)
    world.now = now + off * DAY
    there: list[Record] = [alice, old]
    came: list[Step] = [world.pass_time(60)] * 3
    if wrote == "the wrong clock":
        there.append(user("bob", world.now - 600))
        came = [*came, [user("carol", world.now + 170)], world.pass_time(60)]
    during, kept = run(world, path, there, came, keep_months=12)
    assert len(doubts(during)) == 1
    assert "--trust-clock" in doubts(during)[0]
    assert {"2026-10", "2026-11"} <= kept.hosts[HOST].months.keys()
    assert (kept.pruned_before, days(kept)) == (None, days(before))
    assert kept.hosts[HOST].alive_at == before.hosts[HOST].alive_at

    world.now = now + 1200
    shown, kept = run(world, path, [alice, old, user("dave", now + 600)], [world.pass_time(60)] * 3, keep_months=12)
    assert shown.problems == ()
    of_november = 2 if wrote == "the right clock" or month_of(now + off * DAY, UTC) != "2026-11" else 4
    assert (month(shown).users, active(shown)[:3]) == (of_november, (2, 2, 2))
    assert len(kept.hosts[HOST].months["2026-11"].counted) == of_november
    assert kept.hosts[HOST].months.keys() == {"2026-10", "2026-11"}
    assert kept.pruned_before == "2025-12"
    assert set(days(before)) <= set(days(kept))
    assert max(days(kept)) <= world.now
    since = kept.hosts[HOST].followed_since
    assert since is not None
    assert since <= world.now


@pytest.mark.parametrize("off", [12, 45, 1100])
def test_the_next_month_that_is_followed_in_whole_is_exact_after_a_start_with_the_clock_ahead(
    world: World, path: Path, off: int
) -> None:
    begin(world, path)
    world.now = NOW + off * DAY
    run(world, path, [user("alice", NOW - 60)], [world.pass_time(60)] * 3)
    world.now = NOW + 1200
    december = end_of("2026-11", UTC)
    came: list[Step] = [*followed(world, 11 * DAY), [user("alice", december + 3600)], *followed(world, 300)]
    shown, _ = run(world, path, [user("alice", NOW - 60)], came)
    assert (month(shown, "2026-12").users, month(shown, "2026-12").quality) == (1, Quality.EXACT)


def test_a_leap_ahead_while_it_runs_costs_nothing_and_the_next_month_is_exact(world: World, path: Path) -> None:
    before = begin(world, path)
    december, january = end_of("2026-11", UTC), end_of("2026-12", UTC)
    year = NOW + 100 * DAY
    steps: list[Step] = [
        jump(world, 100 * DAY),
        *[world.pass_time(1)] * 3,
        [user("bob", year + 400)],
        *[world.pass_time(1)] * 3,
        lambda: nothing_moved(path, before),
        jump(world, -100 * DAY),
        [user("bob", NOW + 420)],
        *[world.pass_time(1)] * 3,
        lambda: nothing_moved(path, before),
        *followed(world, 11 * DAY),
        [user("carol", december + 3600)],
        *followed(world, 300),
    ]
    shown, kept = run(world, path, [user("alice", NOW - 60), user("old", NOW - 31 * DAY)], steps)
    assert shown.problems == ()
    assert max(days(kept)) < january
    assert {name: of.users for name, of in shown.hosts[HOST].months.items()} == {
        "2026-10": 1,
        "2026-11": 2,
        "2026-12": 1,
    }
    assert month(shown, "2026-12").quality is Quality.EXACT


def followed(world: World, seconds: float) -> list[Step]:
    """Time that passes with never a gap."""
    return [world.pass_time(240)] * int(seconds // 240)


def nothing_moved(path: Path, before: Saved) -> None:
    """Nothing was deleted or added in the past while the clock is in doubt."""
    with SqliteState(path, read_only=True) as state:
        kept = state.load()
    assert set(days(before)) <= set(days(kept))
    assert max(days(kept)) < NOW + DAY
    assert not kept.hosts[HOST].months["2026-11"].closed


def test_a_leap_between_two_looks_closes_nothing_either(world: World, path: Path) -> None:
    """The host is read in whole a moment after the leap."""
    begin(world, path)
    source = ScriptedSource([])
    leap = jump(world, 45 * DAY)

    def read() -> object:
        yield [user("alice", NOW - 60)]
        leap()
        yield [HostRead(HOST)]

    source.read = read  # type: ignore[assignment, method-assign]
    with SqliteState(path) as state:
        world.engine(source, state).run(world.shown.append, source.stop)
        kept = state.load().hosts[HOST].months["2026-11"]
    assert (kept.closed, len(kept.counted)) == (False, 1)


def test_a_month_that_begins_in_doubt_is_open_and_counts_on_when_the_clock_is_right(world: World, path: Path) -> None:
    """The state ends in October, the machine starts in November with the clock at December 20."""
    first = start_of("2026-11", UTC)
    begin(world, path, first - 3600)
    alice = user("alice", first + 600)
    world.now = first + 49 * DAY
    run(world, path, [alice], [world.pass_time(60)] * 3)
    world.now = first + 1200
    shown, _ = run(world, path, [alice], [[user("bob", first + 1300)], *[world.pass_time(60)] * 3])
    assert (shown.problems, month(shown, "2026-11").users) == ((), 2)


def each_day(until: float, number: int) -> list[Record]:
    return [user(f"user{day}", until - day * DAY - 60) for day in range(number)]


def test_a_start_long_after_is_believed_where_users_were_there_on_most_of_the_days(world: World, path: Path) -> None:
    begin(world, path)
    world.now = NOW + 30 * DAY
    shown, kept = run(world, path, each_day(world.now, 20), [world.pass_time(60)])
    assert shown.problems == ()
    assert all(not doubts(snapshot) for snapshot in world.shown)
    assert (kept.hosts[HOST].months["2026-11"].closed, kept.hosts[HOST].months["2026-11"].key) == (True, None)
    assert month(shown, "2026-12").quality is Quality.LOWER_BOUND
    assert max(days(kept)) > NOW + 29 * DAY


@pytest.mark.parametrize("is_synchronised", [True, False])
def test_a_machine_that_was_off_for_a_year_comes_right_by_itself(
    world: World, path: Path, *, is_synchronised: bool
) -> None:
    begin(world, path)
    world.now = NOW + 365 * DAY
    needed = 3600.0 if is_synchronised else 7 * DAY
    alice = user("alice", world.now + 120)
    early: list[Step] = [world.pass_time(120), [alice], *followed(world, needed * 0.8)]
    asked = {"is_synchronised": lambda: is_synchronised}
    with SqliteState(path) as state:
        seen: list[Saved] = []
        shown = world.run(
            [[user("alice", NOW - 60)], [HostRead(HOST)]],
            [*early, lambda: seen.append(state.load()), *followed(world, needed * 0.3)],
            state,
            **asked,
        )
        kept = state.load()
    assert not seen[0].hosts[HOST].months["2026-11"].closed
    assert max(days(seen[0])) < NOW + DAY
    assert shown.problems == ()
    assert kept.hosts[HOST].months["2026-11"].closed
    assert (month(shown).quality, month(shown, "2027-11").quality) == (Quality.LOWER_BOUND, Quality.LOWER_BOUND)
    assert month(shown, "2027-11").users == 1
    assert max(days(kept)) > NOW + 365 * DAY


def test_a_month_that_begins_in_doubt_is_exact_where_it_was_followed_from_its_start(world: World, path: Path) -> None:
    begin(world, path)
    december = start_of("2027-12", UTC)
    world.now = december - 2 * DAY
    came: list[Step] = [*followed(world, 2 * DAY + 300), [user("alice", december + 60)], *followed(world, 6 * DAY)]
    shown, _ = run(world, path, [user("alice", NOW - 60)], came)
    assert shown.problems == ()
    assert (month(shown, "2027-12").users, month(shown, "2027-12").quality) == (1, Quality.EXACT)


@pytest.mark.parametrize("is_synchronised", [True, False])
@pytest.mark.parametrize("is_spread", [True, False])
def test_a_screen_that_is_opened_ten_minutes_a_week_closes_its_months(
    world: World, path: Path, *, is_synchronised: bool, is_spread: bool
) -> None:
    begin(world, path)
    closed = None
    for week in range(1, 12):
        world.now = NOW + week * (7 * DAY + 1800)
        users = each_day(world.now, 60) if is_spread else [user("alice", world.now - 60)]
        _, kept = run(world, path, users, [world.pass_time(60)] * 10, is_synchronised=lambda: is_synchronised)
        months = kept.hosts[HOST].months
        if months["2026-11"].closed:
            closed = closed or world.now
            assert months["2026-11"].key is None
    due = end_of("2026-11", UTC) + SETTLING
    assert closed is not None
    assert closed < due + (8 if is_spread else 15) * DAY


def test_the_operators_word_ends_the_doubt_at_once(world: World, path: Path) -> None:
    begin(world, path)
    world.now = NOW + 365 * DAY
    shown, kept = run(world, path, [user("alice", NOW - 60)], [world.pass_time(60)] * 3, trust_clock=True)
    assert shown.problems == ()
    assert kept.hosts[HOST].months["2026-11"].closed


def believed_a_wrong_clock(path: Path, ahead: float) -> None:
    """A state as an older Headcount left it, which had believed a clock that was ahead: everything of then is in it."""
    wrong = NOW + ahead
    this = month_of(wrong, UTC) or ""
    begun = Month(Quality.EXACT, {Cell(Place(), "?"): 1}, b"k" * 32)
    begun.counted.put(b"a" * 16, How.FINAL)
    change = MonthChange(set(begun.cells), bytearray(b"a" * 16))
    with SqliteState(path) as state:
        state.save(
            Update(
                [HostUpdate(HOST, wrong - 60, wrong, {this: (begun, change)})],
                history=[*[point(NOW - 1800 - 3600 * hour) for hour in range(HOURS)], point(wrong)],
                marks=[Mark(NOW - DAY, "one"), Mark(wrong, "other")],
                geo="other",
                zone="UTC",
                pruned_before=this,
            )
        )


@pytest.mark.parametrize("off", OFFSETS[1:])
def test_what_an_older_state_has_of_the_future_is_not_believed_and_goes_once_the_clock_has_proved_itself(
    world: World, path: Path, off: int
) -> None:
    believed_a_wrong_clock(path, off * DAY)
    alice, before = user("alice", NOW - 60), user("old", NOW - 31 * DAY)
    shown, kept = run(world, path, [alice, before], [world.pass_time(60)] * 3)
    assert (month(shown).users, month(shown, "2026-10").users, active(shown)[:3]) == (1, 1, (1, 1, 1))
    assert max(past.when for past in shown.history.points) <= world.now + AHEAD
    assert len(days(kept)) == HOURS + 1  # nothing is deleted by a clock in doubt
    looked = unpacked(kept.live, {}, {}, shown.history, ())
    assert looked is not None
    assert doubts(looked) == doubts(shown)
    assert doubts(shown)

    shown, kept = run(world, path, [alice, before], [world.pass_time(600)] * 7, is_synchronised=lambda: True)
    assert shown.problems == ()
    assert max(days(kept)) <= world.now
    assert set(days(kept)) >= {int(NOW - 1800 - 3600 * hour) for hour in range(HOURS)}
    assert [mark.when for mark in kept.marks] == [NOW - DAY, *(mark.when for mark in kept.marks[1:])]
    assert all(mark.when <= world.now for mark in kept.marks)
    assert kept.pruned_before is None
    assert kept.hosts[HOST].months.keys() == {"2026-10", "2026-11"}
    since = kept.hosts[HOST].followed_since
    assert since is not None
    assert since <= world.now


def test_a_clock_that_is_behind_for_long_deletes_nothing_of_what_is_later(world: World, path: Path) -> None:
    """A machine without a clock of its own, and without a network, begins in 1970. A week on, it is believed."""
    before = begin(world, path)
    begun = NOW
    world.now = 5.0
    shown, kept = run(world, path, [user("alice", begun - 60)], [world.pass_time(1800)] * 48 * 8)
    assert not doubts(shown)
    assert kept.hosts[HOST].months.keys() >= {"2026-10", "2026-11"}
    assert set(days(before)) <= set(days(kept))
    assert all(past.when < begun / 2 for past in shown.history.points)
    world.now = begun + 8 * DAY
    shown, kept = run(
        world,
        path,
        [user("alice", begun - 60), user("bob", world.now - 60)],
        [world.pass_time(600)] * 8,
        is_synchronised=lambda: True,
    )
    assert not doubts(shown)
    assert month(shown).users == 2
    assert set(days(before)) <= set(days(kept))


def test_a_report_in_doubt_says_so_and_tells_the_months_as_they_are(world: World, path: Path) -> None:
    begin(world, path)
    kept = path.read_bytes()
    world.now = NOW + 45 * DAY
    with SqliteState(path, read_only=True) as state:
        source = ScriptedSource([[user("alice", NOW - 60), user("bob", NOW - 50)], [HostRead(HOST)]])
        engine = world.engine(source, state)
        shown = engine.read_once()
        months = engine._counting.hosts[HOST].months.months
    assert doubts(shown)
    assert (month(shown).users, months["2026-11"].closed) == (2, False)
    assert path.read_bytes() == kept


def test_a_moment_that_was_asked_for_is_no_clock_to_doubt(world: World, path: Path) -> None:
    begin(world, path)
    for moment in (NOW - 20 * DAY, NOW + 400 * DAY):
        world.now = moment
        with SqliteState(path, read_only=True) as state:
            source = ScriptedSource([[user("alice", NOW - 60)], [HostRead(HOST)]])
            assert not doubts(world.engine(source, state, at=moment).read_once())


def test_pruned_months_stay_pruned_whatever_the_clock_said_meanwhile(world: World, path: Path) -> None:
    begin(world, path)
    users: list[Record] = [user("alice", NOW - 60), user("old", NOW - 31 * DAY)]
    _, kept = run(world, path, users, [world.pass_time(60)] * 3, keep_months=1)
    assert (kept.pruned_before, kept.hosts[HOST].months.keys()) == ("2026-11", {"2026-11"})
    right, world.now = world.now, NOW - 300 * DAY
    run(world, path, users, [world.pass_time(60)] * 3)
    world.now = right + 60
    shown, kept = run(world, path, users, [world.pass_time(60)] * 3)
    assert shown.hosts[HOST].months.keys() == {"2026-11"}
    assert (kept.pruned_before, kept.hosts[HOST].months.keys()) == ("2026-11", {"2026-11"})


def test_a_change_of_the_places_is_noted_once_the_clock_is_believed(world: World, path: Path) -> None:
    begin(world, path)
    with SqliteState(path) as state:
        state.save(Update(geo="another database"))
    world.now = NOW + 45 * DAY
    _, kept = run(world, path, [user("alice", NOW - 60)], [world.pass_time(60)] * 3)
    assert kept.marks == []
    world.now = NOW + 600
    _, kept = run(world, path, [user("alice", NOW - 60)], [world.pass_time(60)] * 3)
    assert [NOW <= mark.when <= world.now for mark in kept.marks] == [True]


def test_a_host_that_went_and_one_that_came_in_doubt_are_as_if_nothing_had_been(world: World, path: Path) -> None:
    begin(world, path)
    other = "other.example"
    world.now = NOW + 45 * DAY
    came: list[Step] = [[HostGone(HOST)], [user("zoe", NOW - 60, host=other), HostRead(other)]]
    run(world, path, [user("alice", NOW - 60)], [*came, *[world.pass_time(60)] * 3])
    world.now = NOW + 600
    shown, kept = run(
        world,
        path,
        [user("alice", NOW - 60), user("zoe", NOW - 60, host=other)],
        [[HostRead(other)], world.pass_time(60)],
    )
    assert shown.problems == ()
    assert (month(shown).users, shown.hosts[other].months["2026-11"].users) == (1, 1)
    since = kept.hosts[other].followed_since
    assert since is not None
    assert since <= world.now


@pytest.mark.parametrize("first", [True, False], ids=["the first start of all", "a later start"])
@pytest.mark.parametrize("off", [40, 400])
def test_an_index_of_a_clock_that_was_ahead_is_not_believed(server: Server, off: int, *, first: bool) -> None:
    """Of those who were not there in the thirty days before it was written, it tells nothing."""
    now = server.now
    for number in range(60):
        server.log_in(f"user{number}", number * DAY)
    if not first:
        server.run()
    server.now = now + off * DAY
    ahead = server.run()
    assert active(ahead).month == 0
    server.now = now + 600
    server.log_in("fresh")
    expected = in_whole(server)
    shown = server.run()
    assert told(shown) == told(expected)
    assert active(shown)[:3] == (2, 8, 31)
    assert all(past.when <= server.now + AHEAD for past in shown.history.points)
    assert (doubts(shown) == []) is not first
    server.now += 60
    again = server.run()
    assert active(again)[:3] == (2, 8, 31)


def test_those_who_look_on_see_no_point_of_the_future(world: World) -> None:
    world.run([[user("alice", NOW)], [HostRead(HOST)]])
    shown = world.shown[-1]
    history = type(shown.history)((point(NOW - 60), point(NOW + 100 * DAY)))
    seen = unpacked(Packer().news(shown), {}, {}, history, ())
    assert seen is not None
    assert [past.when for past in seen.history.points] == [NOW - 60]


def test_the_doubt_is_told_once_all_is_read(world: World, path: Path) -> None:
    """Before that nobody knows yet whether the users' days speak for it."""
    begin(world, path)
    world.now, world.shown = NOW + 45 * DAY, []
    run(world, path, [user("alice", NOW - 60)], [world.pass_time(60)] * 3)
    assert [(shown.phase, bool(doubts(shown))) for shown in world.shown[:2]] == [
        (Phase.SCANNING, False),
        (Phase.LIVE, True),
    ]


WITH_THE_CLOCK_AHEAD = """
import sys, time
now, ahead = time.time, float(sys.argv.pop(1))
time.time = lambda: now() + ahead
from headcount.cli import main
sys.exit(main())
"""


class Commands:
    """The command as processes of its own, with a clock that is `ahead` by so many seconds."""

    def __init__(self, directory: Path) -> None:
        self.source, self.state = directory / "prosody", directory / "state" / "state.db"
        self.source.mkdir()
        self.now = int(time.time())

    def log_in(self, name: str, when: int) -> None:
        prosody_writes(self.source, HOST, "lastlog2", name, f'return {{ ["login"] = {{ ["timestamp"] = {when} }} }};')

    def start(self, ahead: float, *arguments: str) -> subprocess.Popen[str]:
        said = [str(ahead), *arguments, str(self.source), "--state", str(self.state), "--timezone", "UTC"]
        command = [sys.executable, "-c", WITH_THE_CLOCK_AHEAD, *said]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def engine(self, ahead: float, until: Callable[[Saved], bool], *arguments: str) -> tuple[Saved, str]:
        """What is kept, and what was logged, once it was so."""
        engine = self.start(ahead, "engine", *arguments)
        try:
            deadline = time.monotonic() + 60
            while not (self.state.exists() and until(self.kept())):
                assert engine.poll() is None, engine.communicate()[1]
                assert time.monotonic() < deadline, "it did not come true in time"
                time.sleep(0.05)
        finally:
            engine.terminate()
            log = engine.communicate()[1]
        return self.kept(), log

    def kept(self) -> Saved:
        with SqliteState(self.state, read_only=True) as state:
            return state.load()


def is_live(saved: Saved) -> bool:
    return HOST in saved.hosts and '"live"' in saved.live.get("head", "")


@pytest.mark.parametrize("off", [45, 1100])
def test_an_engine_that_is_started_for_a_moment_with_the_clock_ahead_and_then_with_the_right_one(
    tmp_path: Path, off: int
) -> None:
    commands = Commands(tmp_path)
    commands.log_in("alice", commands.now - 60)
    this = month_of(commands.now - 60, UTC) or ""
    before, _ = commands.engine(0, is_live)
    kept, log = commands.engine(off * DAY, lambda saved: "in doubt" in saved.live.get("head", ""))
    assert "clock in doubt" in log
    assert (kept.hosts[HOST].months[this].closed, kept.pruned_before) == (False, None)
    assert days(kept) == days(before)
    report = commands.start(off * DAY, "report")
    assert "clock in doubt" in report.communicate()[0]
    commands.log_in("bob", commands.now - 30)
    kept, log = commands.engine(0, lambda saved: sum(saved.hosts[HOST].months[this].cells.values()) == 2)
    assert "clock in doubt" not in log
    _, log = commands.engine(off * DAY, lambda saved: saved.hosts[HOST].months[this].closed, "--trust-clock")
    assert "clock in doubt" not in log


def test_the_word_for_a_clock_that_another_engine_looks_at_is_for_that_engine(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = Settings(source=str(tmp_path / "data"), state=str(tmp_path / "state.db"))
    with SqliteState(tmp_path / "state.db"):
        with (
            pytest.raises(UsageError, match="headcount engine --trust-clock"),
            open_look(settings, {}, trust_clock=True),
        ):
            pass
        with open_look(settings, {}):
            pass


def closed_too_early(path: Path, imported: bool = False) -> None:
    """A state whose month that goes on was closed by a clock that was ahead, and believed."""
    closed = Month(Quality.EXACT, {Cell(Place(), "?"): 1}, closed=True)
    before = Month(Quality.EXACT, {Cell(Place(), "?"): 7}, closed=True)
    if imported:
        closed.take_over(MonthCounts.of(Quality.IMPORTED, {Cell(Place(), "?"): 3}))
    months = {
        name: (of, MonthChange(set(of.cells), replaces_all=True))
        for name, of in (("2026-11", closed), ("2026-10", before))
    }
    with SqliteState(path) as state:
        state.save(Update([HostUpdate(HOST, NOW - 90 * DAY, NOW - 60, months)], zone="UTC"))


def test_a_month_that_goes_on_but_was_closed_is_counted_again_as_a_lower_bound(world: World, path: Path) -> None:
    closed_too_early(path)
    there: list[Record] = [user("alice", NOW - 60), user("bob", NOW - 10 * DAY), user("old", NOW - 31 * DAY)]
    shown, kept = run(world, path, there, [[user("carol", NOW + 1)], world.pass_time(60), world.pass_time(60)])
    assert (month(shown).users, month(shown).quality) == (3, Quality.LOWER_BOUND)
    assert (month(shown, "2026-10").users, month(shown, "2026-10").quality) == (7, Quality.EXACT)
    assert (kept.hosts[HOST].months["2026-11"].closed, len(kept.hosts[HOST].months["2026-11"].counted)) == (False, 3)
    shown, _ = run(world, path, [*there, user("carol", NOW + 1)])
    assert (month(shown).users, shown.problems) == (3, ())


def test_a_month_that_goes_on_stays_closed_while_the_clock_is_in_doubt(world: World, path: Path) -> None:
    closed_too_early(path)
    world.now = NOW - 2 * DAY
    shown, kept = run(world, path, [user("alice", world.now - 60)], [world.pass_time(60)])
    assert doubts(shown)
    assert (month(shown).users, kept.hosts[HOST].months["2026-11"].closed) == (1, True)
    shown, _ = run(
        world, path, [user("alice", world.now - 60)], [world.pass_time(600)] * 7, is_synchronised=lambda: True
    )
    assert (month(shown).users, month(shown).quality) == (1, Quality.LOWER_BOUND)  # it was read already, in doubt


def test_a_month_that_goes_on_of_which_more_was_taken_over_stays_as_it_is(world: World, path: Path) -> None:
    """Nobody knows any more whom the module counted in it, so they would be counted once more."""
    closed_too_early(path, imported=True)
    shown, kept = run(world, path, [user("alice", NOW - 60)], [world.pass_time(60)])
    assert (month(shown).users, month(shown).quality) == (4, Quality.IMPORTED)
    assert kept.hosts[HOST].months["2026-11"].closed


def test_a_month_that_was_closed_too_early_is_counted_again_past_a_restart_index(server: Server) -> None:
    now = server.now
    for number in range(40):
        server.log_in(f"user{number}", number * DAY)
    server.now = now + 45 * DAY
    server.run()  # the first start of all: nothing speaks against the clock
    server.now = now
    expected = {name: counts.users for name, counts in in_whole(server).hosts[HOST].months.items()}
    server.run(trust_clock=True)
    server.log_in("fresh")
    shown = server.run()
    assert month(shown).users == expected["2026-11"] + 1
    assert month(shown).quality is Quality.LOWER_BOUND
