"""A run in another time zone than the state's: it is said, since a login near a month's bound may count twice then."""

import json
from pathlib import Path

import pytest
from test_engine import HOST, NOW, World, path, user, world

from headcount.cli import main
from headcount.records import HostRead, Record
from headcount.snapshot import ProblemGroup, Quality, Snapshot
from headcount.state import Update
from headcount.state.sqlite import SqliteState
from headcount.zones import zone_of

__all__ = ["path", "world"]  # fixtures
READ: list[list[Record]] = [[user("alice", NOW)], [HostRead(HOST)]]
SAMPLE = Path(__file__).parents[1] / "data" / "prosody-samples" / "internal-13"


def ran(world: World, path: Path, name: str) -> Snapshot:
    with SqliteState(path) as state:
        return world.run(READ, state=state, zone=zone_of(name), zone_name=name)


def told(shown: Snapshot) -> list[ProblemGroup]:
    return [problem for problem in shown.problems if problem.what == "another time zone"]


def test_another_zone_than_the_states_is_said(world: World, path: Path) -> None:
    assert told(ran(world, path, "UTC")) == []
    (problem,) = told(ran(world, path, "<+03>-3"))
    assert "in UTC and are now reckoned in <+03>-3" in problem.why
    assert "may count in two months" in problem.why
    assert "--timezone UTC" in problem.why
    assert not problem.is_urgent
    assert told(ran(world, path, "<+03>-3")) == []


def test_what_goes_on_as_before_is_said_in_whole_however_long_the_zones_names_are(world: World, path: Path) -> None:
    long = "America/Argentina/ComodRivadavia"
    ran(world, path, long)
    (problem,) = told(ran(world, path, "CET-1CEST,M3.5.0,M10.5.0/3"))
    assert problem.why.endswith(f"start with --timezone {long}")


def test_a_zone_of_another_name_whose_months_are_the_same_is_no_other(world: World, path: Path) -> None:
    ran(world, path, "Europe/Berlin")
    shown = ran(world, path, "CET-1CEST,M3.5.0,M10.5.0/3")
    assert told(shown) == []
    assert shown.timezone == "CET-1CEST,M3.5.0,M10.5.0/3"


def test_a_state_whose_zone_is_not_known_here_goes_on_in_another(world: World, path: Path) -> None:
    ran(world, path, "UTC")
    with SqliteState(path) as state:
        state.save(Update(zone="Of/Another"))
    shown = ran(world, path, "UTC")
    assert len(told(shown)) == 1
    assert shown.hosts[HOST].months["2026-11"].quality is Quality.LOWER_BOUND


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_report_is_made_in_a_zone_of_rules(form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = str(tmp_path / "state.db")
    asked = ["report", str(SAMPLE), "--state", state, "--timezone", "<+03>-3", "--at", "2026-11-22T08:00:00"]
    assert main([*asked, "--format", form]) == 0
    said = capsys.readouterr().out
    if form == "json":
        assert (json.loads(said)["generated_at"], json.loads(said)["timezone"]) == ("2026-11-22T05:00:00Z", "<+03>-3")
    if form == "table":
        assert "<+03>-3" in said


def test_a_zone_in_tz_that_is_not_understood_ends_the_command_in_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Middle/Earth")
    assert main(["report", str(SAMPLE), "--state", str(tmp_path / "state.db")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("headcount: TZ = 'Middle/Earth' is not valid: no time zone has that name; it is one such as")
    assert "--timezone" in said
