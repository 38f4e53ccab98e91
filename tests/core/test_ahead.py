"""A timestamp later than now: active, and a problem, but nobody's month before that month begins."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from test_engine import HOST, World, active, gone, path, user, world
from test_index import Server, told

from headcount.counting.ahead import Ahead
from headcount.counting.meaning import Visit
from headcount.engine.kept_snapshot import snapshot_of
from headcount.figures.tables import month_rows
from headcount.months import end_of, start_of
from headcount.places.names import PlaceNames
from headcount.records import HostGone, HostRead, HostVisitors, Record, VisitedMonth
from headcount.snapshot import Cell, Place, Quality, Snapshot
from headcount.state.sqlite import SqliteState
from headcount.user_keys import Keys
from telling import Activity, Login, tells

__all__ = ["path", "world"]  # fixtures
UTC = ZoneInfo("UTC")
DAY = 86_400
DECEMBER = start_of("2026-12", UTC)
KEYS = Keys(b"k" * 32)


def users(snapshot: Snapshot, host: str = HOST) -> dict[str, int]:
    return {name: counts.users for name, counts in snapshot.hosts[host].months.items()}


def test_days_ahead_make_no_month_and_are_a_problem(world: World) -> None:
    """Whatever says it: an activity, a login record, what mod_monthly_visitors counted."""
    far = start_of("2099-01", UTC)
    told: list[Record] = [
        user("here", world.now - 60),
        user("ahead", world.now + 12 * DAY),
        user("bob", world.now + 15 * DAY),
        user("recorded", world.now - 60, Login(far + 5)),
        tells(HOST, "often", True, (Activity(far, "login"), Activity(far + 40 * DAY, "logout"))),
        HostVisitors(HOST, (VisitedMonth("2028-01", {(None, None, None): 3}, {"?": 3}),)),
    ]
    shown = world.run([told, [HostRead(HOST)]], keys=KEYS)
    assert users(shown) == {"2026-11": 2}
    assert active(shown)[:3] == (5, 5, 5)
    assert [(row.month, row.change) for row in month_rows(shown)] == [("2026-11", None)]
    assert [(p.what, p.count) for p in shown.problems] == [("timestamp in the future", 4)]


@pytest.mark.parametrize("ahead", [0.5, 3, 40])
def test_a_server_whose_clock_is_ahead_at_the_turn_of_the_month_loses_nobody(world: World, *, ahead: float) -> None:
    world.now = DECEMBER - ahead + 0.25
    came = user("alice", DECEMBER)
    seen: list[dict[str, int]] = []

    def look() -> None:
        seen.append(users(world.shown[-1]))

    shown = world.run(
        [[user("bob", world.now - 60)], [HostRead(HOST)]],
        [[came], look, world.pass_time(ahead), world.pass_time(6), look],
        keys=KEYS,
    )
    assert seen == [{"2026-11": 1}, {"2026-11": 1, "2026-12": 1}]
    assert shown.hosts[HOST].months["2026-12"].quality is Quality.EXACT


def test_the_login_record_that_comes_meanwhile_decides_the_client(world: World) -> None:
    world.now = DECEMBER - 3
    shown = world.run(
        [[HostRead(HOST)]],
        [
            [user("alice", DECEMBER)],
            [user("alice", DECEMBER, Login(DECEMBER, None, "Dino.1"))],
            world.pass_time(4),
            world.pass_time(6),
        ],
    )
    assert shown.hosts[HOST].months["2026-12"].clients == {"App": 1}


def test_a_later_activity_of_this_month_counts_at_once_and_leaves_nothing_ahead(world: World) -> None:
    shown = world.run(
        [[user("alice", world.now + 12 * DAY)], [HostRead(HOST)]],
        [[user("alice", world.now - 60)], world.pass_time(12 * DAY), world.pass_time(6)],
    )
    assert users(shown) == {"2026-11": 1}


@pytest.mark.parametrize("left", [gone("alice"), HostGone(HOST)])
def test_who_is_gone_before_the_month_begins_is_not_counted_in_it(world: World, left: Record) -> None:
    shown = world.run([[user("alice", DECEMBER)], [HostRead(HOST)]], [[left], world.pass_time(12 * DAY)])
    assert "2026-12" not in users(shown)


@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize("ahead", [1, 3, 12 * DAY])
def test_a_restart_between_loses_nobody_either(tmp_path: Path, *, is_plain: bool, ahead: float) -> None:
    server = Server(tmp_path)
    server.now = DECEMBER - 7200
    for number in range(20):
        server.log_in(f"user{number}", number * DAY, out=True)
    server.run()
    server.now = DECEMBER - ahead + 0.5
    server.log_in("ahead", server.now - DECEMBER)
    if not is_plain:
        server.log_in("ahead", server.now - DECEMBER, store="account_activity")
    before = users(server.run())
    with SqliteState(server.state) as state:
        assert set(state.load().hosts[HOST].months) == {"2026-11"}  # nor is anything kept of it
    server.now = DECEMBER + 0.5
    after = server.run()
    assert "2026-12" not in before
    assert users(after) == {**before, "2026-12": 1}
    assert told(after) == told(server.run(index=False))


def test_a_state_that_holds_months_to_come_does_not_show_them_before_they_begin(world: World, path: Path) -> None:
    """As one that an engine with another clock left, whatever was counted in it."""
    with SqliteState(path) as state:
        world.now = DECEMBER + DAY
        world.run([[user("alice", world.now - 60)], [HostRead(HOST)]], state=state)
    world.now = DECEMBER - DAY
    for _ in range(2):
        with SqliteState(path) as state:
            shown = world.run([[user("alice", world.now - 60)], [HostRead(HOST)]], state=state)
        assert users(shown) == {"2026-11": 1}
        assert set(shown.hosts[HOST].arrivals) <= {"2026-11"}
    world.now = DECEMBER + 2 * DAY
    with SqliteState(path) as state:
        shown = world.run([[user("bob", world.now - 60)], [HostRead(HOST)]], state=state)
    assert users(shown) == {"2026-11": 1, "2026-12": 2}


def test_a_first_start_with_a_clock_that_is_years_behind_loses_no_month(world: World, path: Path) -> None:
    """As on a machine whose clock begins in 1970 until it hears of the time."""
    right, world.now = world.now, 5.0
    october = right - 40 * DAY
    both = tells(HOST, "alice", True, (Activity(right - 60, "login"), Activity(october, "logout")))
    came: list[Record] = [both, user("bob", october)]
    begun: dict[str, int] = {"2026-10": 2, "2026-11": 1}
    with SqliteState(path) as state:
        shown = world.run(
            [came, [HostRead(HOST)]],
            [world.pass_time(60), world.pass_time(right - world.now - 60), *[world.pass_time(60)] * 70, came],
            state,
            keys=KEYS,
        )
        kept = state.load().hosts[HOST].months
    assert world.shown[0].hosts[HOST].months == {}
    assert users(shown) == begun
    assert {name: sum(month.cells.values()) for name, month in kept.items()} == begun
    assert all(month.quality is Quality.LOWER_BOUND for month in kept.values())


def test_who_looks_on_does_not_see_them_either(world: World, path: Path) -> None:
    with SqliteState(path) as state:
        world.now = DECEMBER + DAY
        world.run([[user("alice", world.now - 60)], [HostRead(HOST)]], state=state)
        world.now = DECEMBER - DAY
        world.run([[user("alice", world.now - 60)], [HostRead(HOST)]], state=state)
        saved = state.load(counted=False)
    looked = snapshot_of(saved, PlaceNames())
    assert looked is not None
    assert users(looked) == {"2026-11": 1}


def test_what_was_before_is_told_by_the_first_telling() -> None:
    ahead, cell = Ahead(UTC), Cell(Place(), "?")
    first = Visit("2026-12", DECEMBER + 5, cell, False, 17.0)
    assert ahead.put_off(1, "alice", [first], DECEMBER - 5) == []
    assert ahead.put_off(1, "alice", [first._replace(before=DECEMBER + 5)], DECEMBER - 4) == []
    assert ahead.begun(DECEMBER - 1) == []
    assert ahead.begun(DECEMBER) == [(1, "alice", [first])]
    assert not ahead.keys


def test_each_month_is_told_when_it_begins() -> None:
    ahead, cell = Ahead(UTC), Cell(Place(), "?")
    visits: list[Any] = [Visit(name, start_of(name, UTC), cell, False) for name in ("2026-11", "2026-12", "2027-01")]
    assert ahead.put_off(1, "alice", visits, DECEMBER - 5) == visits[:1]
    assert ahead.begun(DECEMBER) == [(1, "alice", visits[1:2])]
    assert ahead.begun(end_of("2026-12", UTC) - 1) == []
    assert ahead.begun(end_of("2026-12", UTC)) == [(1, "alice", visits[2:])]
