"""Whoever loads the state has all of it as of one moment, whatever an engine keeps meanwhile."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from test_engine import HOST, NOW, UTC, ScriptedSource, World, active, month, path, user, world

from headcount.counting.month_users import SETTLING
from headcount.engine.engine import Engine
from headcount.months import end_of
from headcount.records import HostRead, Record
from headcount.snapshot import Snapshot
from headcount.state import Saved
from headcount.state.months import load_months
from headcount.state.sqlite import SqliteState

__all__ = ["path", "world"]  # fixtures
FIRST = [f"user{number}" for number in range(10)]
ALL = [f"user{number}" for number in range(30)]


def said_of(names: list[str]) -> list[list[Record]]:
    return [[user(name, NOW - 60) for name in names], [HostRead(HOST)]]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Has something happen between the reading of the counts and that of who was counted."""
    waiting = [happens]

    def load(connection: sqlite3.Connection, saved: Saved) -> None:
        load_months(connection, saved)
        if waiting:
            waiting.pop()()

    monkeypatch.setattr("headcount.state.sqlite.load_months", load)


def report(world: World, path: Path) -> Snapshot:
    """What a report says, which reads the same users as an engine does."""
    with SqliteState(path, read_only=True) as state:
        engine: Engine = world.engine(ScriptedSource(said_of(ALL)), state)
        return engine.read_once()


@pytest.mark.parametrize("is_live", [True, False])
def test_a_report_beside_a_busy_engine_tells_as_many_month_users_as_there_are(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch, is_live: bool
) -> None:
    """Be it that the engine was there already, or that it begins, writes and ends meanwhile, unnoticed by SQLite."""
    with SqliteState(path) as state:
        world.run(said_of(FIRST), state=state)
        if is_live:
            meanwhile(monkeypatch, lambda: World().run(said_of(ALL), state=state))
            shown = report(world, path)
    if not is_live:

        def an_engine_runs() -> None:
            with SqliteState(path) as other:
                World().run(said_of(ALL), state=other)

        meanwhile(monkeypatch, an_engine_runs)
        shown = report(world, path)
    assert (active(shown).day, month(shown).users) == (30, 30)


def test_a_month_that_closes_meanwhile_doubles_nobody(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteState(path) as state:
        world.run(said_of(ALL), state=state)
        assert state._connection is not None
        state._connection.execute("PRAGMA busy_timeout = 10")  # the report waits for the engine here, too
        later = World(end_of("2026-11", UTC) + SETTLING + 60)
        meanwhile(monkeypatch, lambda: later.run(said_of(ALL), state=state, trust_clock=True))
        shown = report(world, path)
        assert state.load().hosts[HOST].months["2026-11"].closed
    assert month(shown).users == 30


def test_what_is_added_later_is_of_its_own_moment_in_whole(world: World, path: Path) -> None:
    with SqliteState(path) as state, SqliteState(path, read_only=True) as reader:
        world.run(said_of(FIRST), state=state)
        saved = reader.load(counted=False)
        World().run(said_of(ALL), state=state)
        reader.load_counted(saved)
    kept = saved.hosts[HOST].months["2026-11"]
    assert (sum(kept.cells.values()), len(kept.counted)) == (30, 30)
