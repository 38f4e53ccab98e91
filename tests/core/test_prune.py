"""`headcount prune`: old months go from the state by hand, and stay gone."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.cli import main
from headcount.prosody.lua_table import as_lua
from headcount.prosody.lua_write import serialise
from headcount.prune import first_kept
from headcount.run import open_run
from headcount.settings import Settings
from headcount.state.sqlite import SqliteState
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
    assert said == (
        "example.com  2024-03  1 users\nDeleted 1 months from before 2026-01; they are not counted again.\n"
    )
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
