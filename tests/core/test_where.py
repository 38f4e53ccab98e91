"""Where what is kept lies: nothing of ours is ever written in the server's own directory."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from test_cli import described

from headcount.atomic_files import lies_in
from headcount.cli import main
from headcount.errors import UsageError
from headcount.settings import Settings
from headcount.state.sqlite import SqliteState
from headcount.where import memory_file, state_file
from support import prosody_writes

NOW = 1_795_323_600


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that is also its user's home, as on Debian."""
    data = tmp_path / "prosody"
    prosody_writes(data, "example.com", "lastlog2", "alice", f"return {{ login = {{ timestamp = {NOW} }} }};")
    return data


@pytest.fixture
def usual(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's usual place for states, not made yet; the user is that of the server, and not root."""
    usual = tmp_path / "usual"
    for module in ("settings", "where"):
        monkeypatch.setattr(f"headcount.{module}.USUAL_STATE", usual)
    for name in [name for name in os.environ if name.startswith(("HEADCOUNT_", "XDG_", "STATE_DIRECTORY"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(data))
    monkeypatch.setattr("os.geteuid", lambda: 101)
    return usual


def settings(data: Path, **others: object) -> Settings:
    return Settings(source=str(data), timezone="UTC", **others)  # type: ignore[arg-type]


def home(data: Path) -> dict[str, str]:
    return {"HOME": str(data)}


def test_a_home_in_the_data_directory_keeps_nothing_and_the_line_that_makes_a_place_is_told(
    data: Path, usual: Path
) -> None:
    with pytest.raises(UsageError, match="never writes") as refused:
        state_file(settings(data), home(data))
    assert refused.value.hint == (f"Make a place for it: sudo install -d -o 101 -g {os.getegid()} -m 700 {usual}")
    usual.mkdir()
    assert state_file(settings(data), home(data)).parent == usual


def test_a_place_of_somebody_else_stays_theirs(data: Path, usual: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual.mkdir()
    mine = usual.with_name("usual-101")
    monkeypatch.setattr("os.access", lambda place, _: place == mine and mine.exists())
    with pytest.raises(UsageError) as refused:
        state_file(settings(data), home(data))
    assert refused.value.hint.endswith(f"-m 700 {mine}")
    mine.mkdir()
    assert state_file(settings(data), home(data)).parent == mine


def test_a_report_needs_no_such_place(data: Path, usual: Path) -> None:
    assert state_file(settings(data), home(data), writes=False).parent == usual
    assert not usual.exists()


def test_what_was_kept_there_before_is_read_and_is_to_be_moved_before_anything_is_kept(data: Path, usual: Path) -> None:
    old = Path(settings(data).state_path(home(data)))
    SqliteState(old).close()
    usual.mkdir()
    assert state_file(settings(data), home(data), writes=False) == old
    old.with_name(old.name + "-wal").touch()
    with pytest.raises(UsageError, match="never writes"):  # reading it would make a file beside it
        state_file(settings(data), home(data), writes=False)
    with pytest.raises(UsageError) as refused:
        state_file(settings(data), home(data))
    assert refused.value.hint == f"Move what was kept there: mv {old}* {usual}/"
    for file in list(old.parent.iterdir()):
        file.rename(usual / file.name)
    assert state_file(settings(data), home(data)) == usual / old.name


def by_name(data: Path) -> str:
    return str(data / "state.db")


def deep_and_not_there_yet(data: Path) -> str:
    return f"sqlite:///{data}/not/yet/state.db"


def through_a_link(data: Path) -> str:
    (data.parent / "link").symlink_to(data)
    return str(data.parent / "link" / "state.db")


def by_a_link_of_its_own(data: Path) -> str:
    (data.parent / "state.db").symlink_to(data / "state.db")
    return str(data.parent / "state.db")


def from_within(data: Path) -> str:
    os.chdir(data)
    return "state.db"


def back_and_forth(data: Path) -> str:
    os.chdir(data.parent)
    return "sqlite:///x/../prosody/example%2ecom/state.db"


WAYS = [by_name, deep_and_not_there_yet, through_a_link, by_a_link_of_its_own, from_within, back_and_forth]


@pytest.mark.parametrize("way", WAYS)
def test_a_state_that_is_named_in_it_is_refused(
    data: Path, usual: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[[Path], str]
) -> None:
    monkeypatch.chdir(data.parent)
    named = settings(data, state=way(data))
    with pytest.raises(UsageError, match="never writes") as refused:
        state_file(named, {})
    assert refused.value.hint == f"Name another file: --state {usual}/state.db"
    state_file(named, {}, writes=False)


def test_the_source_may_be_named_by_a_link_too(data: Path, usual: Path) -> None:
    link = data.parent / "link"
    link.symlink_to(data)
    with pytest.raises(UsageError, match="never writes"):
        state_file(settings(link, state=str(data / "state.db")), {})


def test_a_directory_is_known_by_whatever_name_it_is_mounted(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "mounted"
    other.mkdir()
    stat = os.stat
    real = os.fsencode(other)
    monkeypatch.setattr("os.stat", lambda path, **how: stat(data if path == real else path, **how))
    assert lies_in(other / "state.db", str(data))
    assert not lies_in(tmp_path / "else" / "state.db", str(data))
    assert not lies_in(data.parent / "prosody2" / "state.db", str(data))


COMMANDS = [
    ["engine", "SOURCE"],
    ["engine", "SOURCE", "--state", "SOURCE/state.db"],
    ["prune", "SOURCE", "--keep", "1"],
    ["import", "SOURCE"],
    ["import", "SOURCE", "--state", "SOURCE/x/state.db"],
    ["export", "--format", "json", "SOURCE/out", "--state", "STATE"],
    ["export", "--format", "prosody-flat", "--exact", "SOURCE", "--state", "STATE"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_writes_there(
    data: Path, usual: Path, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "example%2ecom" / "monthly%2dvisitors.dat").write_text('return { ["2026-10"] = { ["client-IOS"] = 4; }; };')
    monkeypatch.setenv("HEADCOUNT_SOURCE", str(data))
    log = logging.getLogger("headcount")
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", True)
    before = described(data)
    state = str(data.parent / "state.db")
    assert main([part.replace("SOURCE", str(data)).replace("STATE", state) for part in command]) == 2
    assert "never writes" in capsys.readouterr().err
    assert described(data) == before


def test_a_report_on_a_state_that_is_named_in_it_writes_nothing(data: Path, usual: Path) -> None:
    state = data / "state.db"
    SqliteState(state).close()
    before = described(data)
    assert main(["report", str(data), "--state", str(state)]) == 0
    assert described(data) == before
    state.with_name("state.db-wal").touch()
    assert main(["report", str(data), "--state", str(state)]) == 2


def test_an_import_writes_no_state_in_the_directory_that_it_takes_from(
    data: Path, usual: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "example%2ecom" / "monthly%2dvisitors.dat").write_text('return { ["2026-10"] = { ["client-IOS"] = 4; }; };')
    (tmp_path / "other").mkdir()
    before = described(data)
    monkeypatch.setenv("HEADCOUNT_SOURCE", str(tmp_path / "other"))
    assert main(["import", str(data), "--state", str(data / "state.db")]) == 2
    assert "never writes" in capsys.readouterr().err
    assert described(data) == before


def test_the_screen_remembers_nothing_there(data: Path, usual: Path, tmp_path: Path) -> None:
    assert memory_file(settings(data), home(data)) is None
    assert memory_file(settings(data), {"XDG_STATE_HOME": str(data / "x")}) is None
    assert memory_file(settings(data), home(tmp_path)) == tmp_path / ".local/state/headcount/screen.json"
