"""`headcount import` and `headcount export --format prosody-…` as they are typed."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headcount.cli import main
from headcount.counting.month_users import Month, MonthChange
from headcount.snapshot import Cell, Place, Quality
from headcount.state import HostUpdate, Update
from headcount.state.sqlite import SqliteState
from support import unprivileged

COUNTS = 'return {\n\t["2019-03"] = {\n\t\t["geo-FR-?-?"] = 7;\n\t\t["client-IOS"] = 7;\n\t};\n};\n'
NESTED = 'return { ["2019-03"] = { ["FR-?-?"] = { users_seen = 7; clients_seen = { IOS = 7 } } } }'


class Said:
    """What a command said: its exit code, its output, its errors."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> None:
        self.code = main([str(argument) for argument in arguments])
        self.out, self.err = capsys.readouterr()
        assert bool(self.code) == bool(self.err)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("HEADCOUNT_", "XDG_", "STATE_DIRECTORY"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    monkeypatch.setenv("HEADCOUNT_TIMEZONE", "UTC")
    monkeypatch.setattr("headcount.settings.USUAL_CONFIG", tmp_path / "no.toml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What a module counted, and a user who was there just now."""
    host = tmp_path / "prosody" / "example%2ecom"
    (host / "lastlog2").mkdir(parents=True)
    (host / "monthly%2dvisitors.dat").write_text(NESTED)
    now = int(datetime.now(UTC).timestamp())
    (host / "lastlog2" / "alice.dat").write_text(f'return {{ ["login"] = {{ ["timestamp"] = {now} }} }};')
    return tmp_path / "prosody"


def test_import_says_what_it_did(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "import", data, "--dry-run")
    assert (said.code, said.out.split()[:2]) == (0, ["Would", "take"])
    said = Said(capsys, "import", data)
    head, _, columns, row = said.out.splitlines()
    assert head == f"Took from {data} into {next((data.parent / 'states').rglob('*.db'))}:"
    assert columns.split() == ["host", "month", "what", "became", "of", "it", "users", "marked", "before", "now"]
    assert row.split() == ["example.com", "2019-03", "taken", "over", "7", "7", "imported"]
    assert "already there" in Said(capsys, "import", data).out
    report = Said(capsys, "report", data).out
    assert [line.split() for line in report.splitlines() if "2019-03" in line] == [["2019-03", "imported", "7"]]


def test_import_goes_into_the_state_of_the_source_that_is_set(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = data.parent / "another"
    shutil.copytree(data / "example%2ecom" / "lastlog2", source / "example%2ecom" / "lastlog2")
    assert Said(capsys, "import", data, source).code == 0
    assert "2019-03" in Said(capsys, "report", source).out


def test_a_conflict_is_told_on_standard_error_and_by_the_exit_code(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = data.parent / "state.db"
    month, cell = Month(Quality.LOWER_BOUND, closed=True), Cell(Place(), "?")
    month.add(cell, 3)
    with SqliteState(state) as opened:
        opened.save(Update([HostUpdate("example.com", 1.0, 1.0, {"2019-03": (month, MonthChange({cell}))})]))
    said = Said(capsys, "import", data, "--state", state)
    assert said.code == 1
    assert "conflict" in said.out
    assert "--replace" in said.err
    assert Said(capsys, "import", data, "--state", state, "--replace").code == 0


def test_import_exits_as_every_command_does(open_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Said(capsys, "import", open_tmp / "nowhere").code == 3
    assert Said(capsys, "import", open_tmp).code == 3
    assert Said(capsys, "import").code == 2
    host = open_tmp / "example%2ecom"
    host.mkdir()
    (host / "monthly%2dvisitors.dat").write_text(COUNTS)
    (host / "monthly%2dvisitors.dat").chmod(0)
    with unprivileged():
        assert Said(capsys, "import", open_tmp, "--state", open_tmp / "state.db").code == 4


def test_export_says_what_it_wrote(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data.parent / "out"
    said = Said(capsys, "export", "--format", "prosody-nested", "--exact", out, data)
    assert (said.code, said.out) == (0, f"Wrote in {out}: counts (hosts: 1), markers (users: 1).\n")
    assert (out / "example%2ecom" / "monthly%2dvisitors" / "alice.dat").exists()
    again = Said(capsys, "export", "--format", "prosody-flat", out, data)
    assert (again.code, again.out) == (2, "")
    assert "already" in again.err
    assert Said(capsys, "export", "--format", "prosody-flat", data / "x", data).code == 2
    assert Said(capsys, "export", data.parent / "y", data).code == 2


def test_an_export_without_names_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "export", "--format", "prosody-flat", data.parent / "out", data)
    assert "--exact" in said.out
    assert [path.name for path in (data.parent / "out").rglob("*") if path.is_file()] == ["monthly%2dvisitors.dat"]


def test_what_the_nested_shape_can_not_say_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "example%2ecom" / "monthly%2dvisitors.dat").write_text(COUNTS)
    said = Said(capsys, "export", "--format", "prosody-nested", "--exact", data.parent / "out", data)
    assert (said.code, "example.com 2019-03" in said.err, "prosody-flat" in said.err) == (1, True, True)


def test_where_nothing_may_be_written_it_is_told(open_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = open_tmp / "prosody" / "example%2ecom"
    host.mkdir(parents=True)
    (host / "monthly%2dvisitors.dat").write_text(COUNTS)
    closed = open_tmp / "closed"
    closed.mkdir(mode=0o500)
    with unprivileged():
        arguments = ("export", "--format", "prosody-flat", "--exact", closed / "out", open_tmp / "prosody")
        assert Said(capsys, *arguments).code == 4
