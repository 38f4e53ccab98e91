"""`report --at`: activity after that moment is no activity then, and no month after it is shown."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from test_engine import HOST, NOW, ScriptedSource, Step, World, active, path, user, world

from headcount.cli import main
from headcount.engine.as_of import record_as_of, saved_as_of
from headcount.figures.totals import AT_LEAST
from headcount.months import end_of, start_of
from headcount.records import HostRead, HostVisitors, Record, VisitedMonth
from headcount.snapshot import HistoryPoint, Mark, Quality, Snapshot
from headcount.state import Saved
from headcount.state.sqlite import SqliteState
from headcount.tasks.reporting import render
from headcount.user_keys import Keys
from support import prosody_writes
from telling import Activity, Login, tells
from telling import record as record_of

__all__ = ["path", "world"]  # fixtures
DAY = 86_400
ZONE = ZoneInfo("UTC")
KEYS = Keys(b"k" * 32)


def as_of(world: World, at: float, records: list[Record], path: Path | None = None) -> Snapshot:
    """What a report as of that moment reads; the state is at `path`."""
    world.now = at
    source = ScriptedSource([records, [HostRead(HOST)]])
    if path is None:
        return world.engine(source, at=at, keys=KEYS).read_once()
    with SqliteState(path, read_only=True) as state:
        return world.engine(source, state, at=at, keys=KEYS).read_once()


def users(snapshot: Snapshot) -> dict[str, tuple[int, Quality]]:
    return {name: (counts.users, counts.quality) for name, counts in snapshot.hosts[HOST].months.items()}


def test_who_was_active_only_later_was_not_active_then(world: World) -> None:
    records: list[Record] = [user(f"user{n}", NOW + n * 60) for n in range(1, 11)]
    shown = as_of(world, NOW, [*records, user("early", NOW - 60)])
    assert active(shown)[:3] == (1, 1, 1)
    assert shown.active_at_least
    assert shown.problems == ()
    assert users(shown) == {"2026-11": (1, Quality.LOWER_BOUND)}


def test_where_nobody_came_later_the_figures_are_exact(world: World) -> None:
    shown = as_of(world, NOW, [user("now", NOW), user("early", NOW - 60)])
    assert active(shown).day == 2
    assert not shown.active_at_least


def on_to(world: World, *moments: float) -> list[Step]:
    """Time that passes to each of those moments, watched while it is near them."""
    steps: list[Step] = []
    now = world.now
    for moment in moments:
        steps += [world.pass_time(moment - 100 - now), world.pass_time(100)]
        now = moment
    return steps


TOLD: list[tuple[str, float, float, tuple[int, int, int, int]]] = [
    ("came before, left after: a session was open then", NOW - 60, NOW + 60, (1, 1, 1, 1)),
    ("left before, came again after", NOW + 60, NOW - 2 * DAY, (0, 1, 1, 0)),
    ("both before", NOW - 60, NOW - 30, (1, 1, 1, 0)),
    ("both after", NOW + 60, NOW + 90, (0, 0, 0, 0)),
    ("at the very moment", NOW, 0, (1, 1, 1, 1)),
    ("a second later", NOW + 1, 0, (0, 0, 0, 0)),
]


@pytest.mark.parametrize(("login", "logout", "expected"), [told[1:] for told in TOLD], ids=[told[0] for told in TOLD])
def test_what_is_known_by_then_is_used(world: World, login: float, logout: float, expected: tuple[int, ...]) -> None:
    activities = [Activity(login, "login")] + ([Activity(logout, "logout")] if logout else [])
    shown = as_of(world, NOW, [tells(HOST, "alice", True, activities)])
    assert active(shown) == expected


def test_the_login_record_of_the_month_tells_of_who_came_again_later(world: World) -> None:
    login = Login(NOW - DAY, "8.8.8.8", "Dino.1")
    shown = as_of(world, NOW, [user("alice", NOW + DAY, login)])
    assert active(shown)[:3] == (0, 1, 1)
    assert shown.hosts[HOST].months["2026-11"].clients == {"App": 1}


def test_no_month_after_it_is_shown_whoever_tells_of_it(world: World, path: Path) -> None:
    world.now = NOW + 40 * DAY
    with SqliteState(path) as state:
        world.run([[user("alice", NOW - 60), user("bob", NOW + 39 * DAY)], [HostRead(HOST)]], state=state)
        assert set(state.load().hosts[HOST].months) == {"2026-11", "2026-12"}
    counted = HostVisitors(HOST, (VisitedMonth("2027-01", {(None, None, None): 3}, {"?": 3}),))
    shown = as_of(world, NOW, [user("alice", NOW - 60), user("bob", NOW + 39 * DAY), counted], path)
    assert set(users(shown)) == {"2026-11"}
    assert set(shown.hosts[HOST].arrivals) <= {"2026-11"}
    assert all(point.when <= NOW for point in shown.history.points)


def test_its_month_holds_nobody_who_came_later_though_the_state_has_counted_them(world: World, path: Path) -> None:
    world.now = start = start_of("2026-11", ZONE) - DAY
    october, early, late = user("october", start), user("early", NOW - 60), user("late", NOW + DAY)
    then = [*on_to(world, start + DAY, NOW), [early], world.pass_time(2 * DAY), [late]]
    with SqliteState(path) as state:
        world.run([[october], [HostRead(HOST)]], then, state)
    told: list[Record] = [october, early, late]
    assert users(as_of(world, NOW, told, path)) == {
        "2026-10": (1, Quality.LOWER_BOUND),
        "2026-11": (1, Quality.LOWER_BOUND),
    }
    assert users(as_of(world, NOW + 3 * DAY, told, path))["2026-11"] == (2, Quality.EXACT)


def test_as_of_the_last_second_of_a_month_all_of_it_is_told(world: World, path: Path) -> None:
    bound = end_of("2026-11", ZONE)
    world.now = start = start_of("2026-11", ZONE) - DAY
    then = [
        *on_to(world, start + DAY, NOW),
        [user("alice", NOW - 60), user("bob", NOW - 60)],
        world.pass_time(bound - NOW - 100),
        world.pass_time(200),
        [user("alice", bound + 50)],
    ]
    with SqliteState(path) as state:
        world.run([[user("october", start)], [HostRead(HOST)]], then, state)
    told: list[Record] = [user("alice", bound + 50), user("bob", NOW - 60)]
    assert users(as_of(world, bound - 1, told, path))["2026-11"] == (2, Quality.EXACT)
    assert users(as_of(world, bound - 2, told, path))["2026-11"] == (1, Quality.LOWER_BOUND)


def test_a_month_that_goes_on_is_no_longer_exact_where_later_activity_hides_an_earlier_one(
    world: World, path: Path
) -> None:
    """The engine ended before the moment; who came after that, and again after the moment, is told by nothing."""
    world.now = start = start_of("2026-11", ZONE) - DAY
    then = [*on_to(world, start + DAY, NOW), [user("alice", NOW - 60)], world.pass_time(10)]
    with SqliteState(path) as state:
        world.run([[user("october", start)], [HostRead(HOST)]], then, state)
    at = NOW + 3 * DAY
    assert users(as_of(world, at, [user("alice", NOW - 60)], path))["2026-11"] == (1, Quality.EXACT)
    shown = as_of(world, at, [user("alice", NOW - 60), user("bob", at + DAY)], path)
    assert users(shown)["2026-11"] == (1, Quality.LOWER_BOUND)


def test_what_the_module_counted_in_the_month_is_not_of_then_where_somebody_came_later(world: World) -> None:
    counted = HostVisitors(
        HOST, tuple(VisitedMonth(name, {(None, None, None): 9}, {"?": 9}) for name in ("2026-10", "2026-11"))
    )
    assert users(as_of(world, NOW, [counted, user("alice", NOW - 60)])) == {
        "2026-10": (9, Quality.IMPORTED),
        "2026-11": (9, Quality.IMPORTED),
    }
    late = as_of(world, NOW, [counted, user("alice", NOW - 60), user("bob", NOW + 60)])
    assert users(late) == {"2026-10": (9, Quality.IMPORTED), "2026-11": (1, Quality.LOWER_BOUND)}
    over = as_of(world, end_of("2026-11", ZONE) - 1, [counted, user("bob", end_of("2026-11", ZONE) + 60)])
    assert users(over)["2026-11"] == (9, Quality.IMPORTED)


def test_a_host_that_nobody_came_to_later_stays_exact(world: World) -> None:
    shown = as_of(world, NOW, [user("alice", NOW - 60), user("bob", NOW + 60, host="other.example")])
    assert {name: counts.at_least for name, counts in shown.hosts.items()} == {HOST: False, "other.example": True}


def test_a_record_is_cut_and_one_that_needs_no_cut_is_the_same() -> None:
    record = record_of(1, "a", [Activity(5, "login"), Activity(9, "logout")], [Login(3), Login(8)])
    assert record_as_of(record, 9) is record
    assert record_as_of(record, 7) == record_of(1, "a", [Activity(5, "login")], [Login(3)])
    assert record_as_of(record, 1) == record_of(1, "a")


def test_of_what_was_kept_nothing_later_is_left() -> None:
    saved = Saved(history=[HistoryPoint(5, {}), HistoryPoint(9, {})], marks=[Mark(5, "a"), Mark(9, "b")])
    cut = saved_as_of(saved, 7, ZONE)
    assert (cut.history, cut.marks) == ([HistoryPoint(5, {})], [Mark(5, "a")])

    assert len(saved.history) == len(saved.marks) == 2


@pytest.fixture
def report(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., tuple[str, str]]:
    """The command as of a moment, on a server whose ten users came a day later and whose first came before."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HEADCOUNT_STATE", str(tmp_path / "state.db"))
    for host, name, when in [
        *((HOST, f"user{n}", NOW + DAY) for n in range(10)),
        (HOST, "first", NOW - 60),
        ("other.example", "only", NOW - 60),
    ]:
        text = f'return {{\n\t["login"] = {{\n\t\t["timestamp"] = {int(when)};\n\t}};\n}};\n'
        prosody_writes(tmp_path / "prosody", host, "lastlog2", name, text)

    def run(*arguments: str, at: float = NOW) -> tuple[str, str]:
        moment = datetime.fromtimestamp(at, UTC).isoformat()
        assert main(["report", str(tmp_path / "prosody"), "--timezone", "UTC", "--at", moment, *arguments]) == 0
        logged = caplog.text
        caplog.clear()
        return capsys.readouterr().out, logged

    return run


def test_json_says_what_they_are(report: Callable[..., tuple[str, str]]) -> None:
    out, logged = report("--format", "json")
    said = json.loads(out)
    assert said["active_users_are"] == "at least"
    assert said["hosts"][HOST]["active_users"] == {"1d": 1, "7d": 1, "30d": 1}
    assert said["problems"] == []
    assert AT_LEAST in logged
    assert json.loads(report("--format", "json", at=NOW + 2 * DAY)[0])["active_users_are"] == "exact"
    assert json.loads(report("--format", "json", "--host", "other.example")[0])["active_users_are"] == "exact"


def test_the_table_and_the_page_say_why(report: Callable[..., tuple[str, str]]) -> None:
    table, logged = report()
    assert AT_LEAST in table
    assert "timestamp in the future" not in table
    assert AT_LEAST not in logged
    assert AT_LEAST not in report(at=NOW + 2 * DAY)[0]


def test_the_page_says_why(world: World) -> None:
    shown = as_of(world, NOW, [user("alice", NOW - 60), user("bob", NOW + 60)])
    assert escape(AT_LEAST) in render(shown, "html")
    assert escape(AT_LEAST) not in render(as_of(world, NOW, [user("alice", NOW - 60)]), "html")


def test_csv_has_lower_bounds_and_says_why_beside_it(report: Callable[..., tuple[str, str]]) -> None:
    out, logged = report("--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(out)) if row["figure"] == "active users"]
    assert {(row["host"], row["quality"]) for row in rows} == {(HOST, "lower bound"), ("other.example", "exact")}
    assert AT_LEAST in logged


def test_a_k_anonymous_report_says_so_too(report: Callable[..., tuple[str, str]]) -> None:
    assert json.loads(report("--format", "json", "--k-anonymous")[0])["active_users_are"] == "at least"
