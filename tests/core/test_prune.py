"""`headcount prune`: old months go from the state by hand, and stay gone."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.cli import main
from headcount.counting.month_users import Month, MonthChange
from headcount.engine.assemble import open_run
from headcount.errors import StateError, UsageError
from headcount.months import month_of, shift
from headcount.prosody.lua_table import as_lua
from headcount.prosody.lua_write import serialise
from headcount.settings import Settings
from headcount.snapshot import Cell, Place, Quality
from headcount.state import HostUpdate, Update
from headcount.state.sqlite import SqliteState
from headcount.tasks.pruning import first_kept, prune
from support import prosody_writes

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONTHS = {"2024-03": datetime(2024, 3, 5, tzinfo=UTC), "2026-09": datetime(2026, 9, 5, tzinfo=UTC)}


@pytest.fixture
def headcount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command on a source with old login records, whose engine has run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HEADCOUNT_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("HEADCOUNT_TIMEZONE", "UTC")
    records = {name: {"timestamp": int(when.timestamp())} for name, when in MONTHS.items()}
    prosody_writes(tmp_path / "prosody", "example.com", "login_records", "alice", serialise(as_lua(records)).decode())

    def run(*arguments: str) -> int:
        return main([*arguments])

    return run


def engine_ran(tmp_path: Path) -> None:
    """What an engine that reads everything and is stopped at once leaves."""
    stop = threading.Event()
    settings = Settings(source=str(tmp_path / "prosody"), state=str(tmp_path / "state.db"), timezone="UTC")
    with open_run(settings, {}, keep="always") as run:
        run.engine.run(lambda snapshot: stop.set() if snapshot.phase.value == "live" else None, stop)


def months(headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    assert headcount("report", str(tmp_path / "prosody"), "--format", "json", "--at", NOW.isoformat()) == 0
    return set(json.loads(capsys.readouterr().out)["hosts"]["example.com"]["months"])


def test_months_that_were_pruned_are_told_and_stay_gone(
    headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine_ran(tmp_path)
    assert months(headcount, tmp_path, capsys) == {"2024-03", "2026-09"}
    assert headcount("prune", "--before", "2026-01") == 0
    said = capsys.readouterr().out
    assert said == ("example.com  2024-03  1 user\nDeleted 1 month from before 2026-01; not counted again.\n")
    assert months(headcount, tmp_path, capsys) == {"2026-09"}
    engine_ran(tmp_path)
    assert months(headcount, tmp_path, capsys) == {"2026-09"}
    assert headcount("prune", "--before", "2020-01") == 0
    assert capsys.readouterr().out.startswith("Deleted 0 months")
    assert months(headcount, tmp_path, capsys) == {"2026-09"}


def test_an_engine_that_runs_has_to_be_stopped_first(
    headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SqliteState(tmp_path / "state.db"):
        assert headcount("prune", "--keep", "3") == 1
    assert "Stop it first" in capsys.readouterr().err


def test_without_a_state_there_is_nothing_to_delete(
    headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert headcount("prune", "--keep", "3") == 3
    assert not (tmp_path / "state.db").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["--before", "2026"], ["--keep", "0"], ["--keep", "x"], ["--keep", "1", "--before", "2026-01"]]
)
def test_what_makes_no_sense_is_refused(
    headcount: Callable[..., int], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert headcount("prune", *arguments) == 2
    assert capsys.readouterr().err.startswith("headcount: ")


def test_the_current_month_is_one_of_those_kept() -> None:
    assert first_kept(None, 1, NOW.timestamp(), ZoneInfo("UTC")) == "2026-11"
    assert first_kept(None, 12, NOW.timestamp(), ZoneInfo("UTC")) == "2025-12"
    assert first_kept("2025-01", None, NOW.timestamp(), ZoneInfo("UTC")) == "2025-01"


def test_a_month_that_is_to_come_is_refused_and_nothing_is_deleted(
    headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine_ran(tmp_path)
    current = month_of(time.time(), ZoneInfo("UTC"))
    assert current is not None
    for later in (shift(current, 1), shift(current, 7), shift(current, 120)):
        for arguments in (["--before", later], ["--before", later, "--dry-run"]):
            assert headcount("prune", *arguments) == 2
            said = capsys.readouterr().err
            assert f"{later} is still to come" in said
            assert f"--before {current}" in said
    assert kept(tmp_path) == {"2024-03", "2026-09"}
    assert headcount("prune", "--before", current) == 0


def test_a_dry_run_says_what_would_go_also_beside_an_engine_and_deletes_nothing(
    headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine_ran(tmp_path)
    before = (tmp_path / "state.db").read_bytes()
    with SqliteState(tmp_path / "state.db"):
        assert headcount("prune", "--before", "2026-01", "--dry-run") == 0
    assert capsys.readouterr().out == (
        "example.com  2024-03  1 user\nWould delete 1 month from before 2026-01; nothing was deleted.\n"
    )
    assert (tmp_path / "state.db").read_bytes() == before
    assert kept(tmp_path) == {"2024-03", "2026-09"}


def test_months_are_told_as_so_many_however_many_hosts_have_them(
    headcount: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = serialise(as_lua({"2024-03": {"timestamp": int(MONTHS["2024-03"].timestamp())}})).decode()
    for number in range(3):
        prosody_writes(tmp_path / "prosody", f"{number}.example", "login_records", "bob", records)
    engine_ran(tmp_path)
    assert headcount("prune", "--before", "2026-01") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[-1] == "Deleted 1 month from before 2026-01; not counted again."


def month_at(when: datetime, host: str = "example.com") -> HostUpdate:
    """A host that an engine looked at last at that moment, with a month of each of the last three."""
    months = {}
    current = month_of(when.timestamp(), ZoneInfo("UTC")) or ""
    for back in range(3):
        month = Month(Quality.EXACT, {Cell(Place(), "?"): 5}, closed=True)
        months[shift(current, -back)] = (month, MonthChange(set(month.cells)))
    return HostUpdate(host, 0.0, when.timestamp(), months)


def pruned(tmp_path: Path, now: datetime, before: str | None = None, keep: int | None = None) -> set[str]:
    settings = Settings(source=str(tmp_path / "prosody"), state=str(tmp_path / "state.db"), timezone="UTC")
    prune(settings, {}, before, keep, now=now.timestamp())
    return kept(tmp_path)


def kept(tmp_path: Path) -> set[str]:
    with SqliteState(tmp_path / "state.db", read_only=True) as state:
        return {name for host in state.load().hosts.values() for name in host.months}


@pytest.mark.parametrize("days", [0, 6, 45, 1_100])
def test_a_clock_that_is_ahead_keeps_as_many_months_as_are_asked_for(tmp_path: Path, days: int) -> None:
    with SqliteState(tmp_path / "state.db") as state:
        state.save(Update([month_at(NOW)], zone="UTC"))
    assert pruned(tmp_path, NOW + timedelta(days), keep=2) == {"2026-10", "2026-11"}


@pytest.mark.parametrize("days", [8, 45, 1_100])
def test_a_clock_that_is_ahead_takes_no_month_that_has_not_passed_with_it(tmp_path: Path, days: int) -> None:
    with SqliteState(tmp_path / "state.db") as state:
        state.save(Update([month_at(NOW)], zone="UTC"))
    wrong = NOW + timedelta(days + 8)  # so that all of them are in a later month
    later = month_of(wrong.timestamp(), ZoneInfo("UTC")) or ""
    with pytest.raises(UsageError, match=rf"{later} is later than 2026-11, .* the clock may be ahead"):
        pruned(tmp_path, wrong, before=later)
    assert kept(tmp_path) == {"2026-09", "2026-10", "2026-11"}
    assert pruned(tmp_path, wrong, before="2026-11") == {"2026-11"}


def test_months_pruned_up_to_one_to_come_take_none_with_them_that_stays(tmp_path: Path) -> None:
    with SqliteState(tmp_path / "state.db") as state:
        state.save(Update(zone="UTC", pruned_before="2029-12"))
        state.save(Update([month_at(NOW)]))
    assert pruned(tmp_path, NOW, before="2026-10") == {"2026-10", "2026-11"}
    with SqliteState(tmp_path / "state.db") as state:
        assert state.load().pruned_before == "2026-10"
    assert pruned(tmp_path, NOW, before="2026-01") == {"2026-10", "2026-11"}
    with SqliteState(tmp_path / "state.db") as state:
        assert state.load().pruned_before == "2026-10"


@pytest.mark.parametrize(("zone", "stay"), [("<+14>-14", {"2026-11"}), ("UTC", {"2026-10", "2026-11"})])
def test_the_current_month_is_that_of_the_states_zone(tmp_path: Path, zone: str, stay: set[str]) -> None:
    """Half an hour before midnight on 31 October in UTC, where the settings are, it is November far in the east."""
    eve = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    with SqliteState(tmp_path / "state.db") as state:
        state.save(Update([month_at(NOW)], zone=zone))
    assert pruned(tmp_path, eve, keep=1) == stay
    if zone == "UTC":
        with pytest.raises(UsageError, match="2026-11 is still to come; this month is 2026-10"):
            pruned(tmp_path, eve, before="2026-11")
    else:
        assert pruned(tmp_path, eve, before="2026-11") == stay


def test_a_state_whose_zone_is_not_known_here_is_left_as_it_is(tmp_path: Path) -> None:
    with SqliteState(tmp_path / "state.db") as state:
        state.save(Update([month_at(NOW)], zone="Of/Another"))
    with pytest.raises(StateError, match="Of/Another, a time zone that is not known here"):
        pruned(tmp_path, NOW, keep=1)
    assert kept(tmp_path) == {"2026-09", "2026-10", "2026-11"}
