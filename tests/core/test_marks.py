"""Marks: from when on the places came from another GeoIP database, for as long as the history is kept."""

import json
from pathlib import Path

from test_engine import HOST, NOW, ScriptedSource, Step, World, path, world
from test_engine_life import READ, Look, steadily

from headcount.clients.patterns import ClientPatterns
from headcount.engine.engine import Engine
from headcount.engine.marks import MarkKeeper
from headcount.engine.options import Options
from headcount.months import end_of
from headcount.places.lookup import Places
from headcount.settings import Settings
from headcount.snapshot import Mark, Snapshot
from headcount.state import State, Update
from headcount.state.sqlite import SqliteState
from headcount.tasks.pruning import prune

__all__ = ["path", "world"]  # fixtures
OCTOBER, NOVEMBER = "GeoLite2-City 2026-10", "GeoLite2-City 2026-11"


class LabelledPlaces(Places):
    """Places whose database is the one that a test says it is."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.said = label

    @property
    def label(self) -> str:
        return self.said


def run(world: World, state: State, places: Places, then: list[Step] | None = None, **options: object) -> Snapshot:
    source = ScriptedSource(READ, then)
    usual = {"zone": world.zone, "zone_name": "UTC", "clock": world.clock, "ticks": world.tick}
    described = Options(**{**usual, **options})  # type: ignore[arg-type]  # mixed by name
    Engine(source, places, ClientPatterns.configured(), state, described).run(world.shown.append, source.stop)
    return world.shown[-1]


def swap(places: LabelledPlaces, label: str) -> Step:
    return lambda: setattr(places, "said", label)


def test_another_database_is_marked_with_the_moment_and_the_first_one_is_not(world: World, path: Path) -> None:
    places = LabelledPlaces(OCTOBER)
    with SqliteState(path) as state:
        shown = run(world, state, places, [*steadily(world, 120), swap(places, NOVEMBER), *steadily(world, 120)])
        assert state.load().marks == list(shown.marks) == [Mark(NOW + 120, NOVEMBER)]
    assert world.shown[0].marks == ()


def test_one_that_was_replaced_while_no_engine_ran_is_marked_when_one_does(world: World, path: Path) -> None:
    with SqliteState(path) as state:
        assert run(world, state, LabelledPlaces(OCTOBER)).marks == ()
    world.now += 3600
    with SqliteState(path) as state:
        assert run(world, state, LabelledPlaces(OCTOBER)).marks == ()
    with SqliteState(path) as state:
        assert run(world, state, LabelledPlaces(NOVEMBER)).marks == (Mark(NOW + 3600, NOVEMBER),)
    with SqliteState(path) as state:
        assert run(world, state, LabelledPlaces(NOVEMBER)).marks == (Mark(NOW + 3600, NOVEMBER),)


def test_a_mark_is_kept_once_the_state_can_be_written_again() -> None:
    keeper = MarkKeeper([], None)
    keeper.note(OCTOBER, 1.0)
    assert (keeper.added, keeper.geo, keeper.is_kept) == ([], OCTOBER, False)
    keeper.note_kept()
    keeper.note(NOVEMBER, 2.0)
    keeper.note(NOVEMBER, 3.0)
    keeper.note(OCTOBER, 4.0)
    assert keeper.added == [Mark(2.0, NOVEMBER), Mark(4.0, OCTOBER)]
    keeper.note_kept()
    assert (keeper.added, keeper.is_kept, len(keeper.marks)) == ([], True, 2)


def test_marks_are_forgotten_as_the_history_is(world: World, path: Path) -> None:
    places, december = LabelledPlaces(OCTOBER), end_of("2026-11", world.zone)
    with SqliteState(path) as state:
        run(world, state, places, [swap(places, NOVEMBER), *steadily(world, 60)])
        assert len(state.load().marks) == 1
        world.now = december + 60
        after = [swap(places, OCTOBER), *steadily(world, 60)]
        shown = run(world, state, places, after, keep_months=1, trust_clock=True)
        assert state.load().marks == list(shown.marks) == [Mark(december + 60, OCTOBER)]
        assert state.load().geo == OCTOBER


def test_marks_are_pruned_by_hand_too(path: Path) -> None:
    with SqliteState(path) as state:
        state.save(Update(marks=[Mark(NOW - 40 * 86_400, OCTOBER), Mark(NOW, NOVEMBER)], geo=NOVEMBER, zone="UTC"))
    prune(Settings(source="/nowhere", state=str(path)), {}, "2026-11", None, now=NOW)
    with SqliteState(path, read_only=True) as state:
        assert state.load().marks == [Mark(NOW, NOVEMBER)]


def test_who_looks_on_sees_the_marks(world: World, path: Path) -> None:
    places = LabelledPlaces(OCTOBER)
    with SqliteState(path) as state, Look(path) as look:
        run(
            world,
            state,
            places,
            [
                lambda: look.wait_for(lambda seen: HOST in seen.hosts) and None,
                swap(places, NOVEMBER),
                *steadily(world, 60),
                lambda: look.wait_for(lambda seen: len(seen.marks) == 1) and None,
            ],
        )
        assert look.shown[-1].marks == world.shown[-1].marks
        assert NOVEMBER in json.dumps(state.load().live)
