"""What an engine makes of the past that it finds in its state: it goes on, and what was kept stays."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from made_up import point
from test_engine import HOST, NOW, World, path, user, world

from headcount.records import HostRead, Record
from headcount.state import Update
from headcount.state.sqlite import SqliteState

__all__ = ["path", "world"]  # fixtures
DAY, HOUR = 86_400, 3_600
MIDNIGHT = int(NOW) // DAY * DAY
READ: list[list[Record]] = [[user("alice", NOW)], [HostRead(HOST)]]
DAILY = {MIDNIGHT - days * DAY for days in range(1, 400)}
HOURLY = {MIDNIGHT - hours * HOUR for hours in range(1, 30 * 24 + 1)}


def kept(path: Path) -> set[int]:
    with SqliteState(path) as state:
        return {at.when for at in state.load().history}


def keep(path: Path, whens: set[int]) -> None:
    with SqliteState(path) as state:
        state.save(Update(history=[point(when, {HOST: {("DE", "?"): 1}}) for when in whens], zone="UTC"))


@pytest.mark.parametrize("whens", [DAILY, DAILY | HOURLY], ids=["by the day", "by the hour of late"])
def test_engines_in_other_zones_forget_nothing_of_a_year(world: World, path: Path, whens: set[int]) -> None:
    keep(path, whens)
    for name in ("Europe/London", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"):
        world.pass_time(HOUR)()
        with SqliteState(path) as state:
            world.run(READ, state=state, zone=ZoneInfo(name), zone_name=name)
        assert whens <= kept(path), name


def leap(world: World, days: int) -> Callable[[], None]:
    """A clock that is set while no time passes."""
    return lambda: setattr(world, "now", world.now + days * DAY)


@pytest.mark.parametrize("days", [8, 45, 100, 2_000])
def test_a_clock_that_is_ahead_for_a_while_costs_no_point_of_the_past(world: World, path: Path, days: int) -> None:
    keep(path, DAILY | HOURLY)
    with SqliteState(path) as state:
        world.run(
            READ, [world.pass_time(60), leap(world, days), *[world.pass_time(HOUR)] * 3, leap(world, -days)], state
        )
    assert kept(path) >= DAILY | HOURLY
    with SqliteState(path) as state:
        world.run(READ, [world.pass_time(HOUR)], state)
    assert kept(path) >= DAILY | HOURLY
