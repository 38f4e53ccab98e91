"""A report beside a running engine takes that engine's figures, and reads the files wherever those may not be right."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headcount.cli import main
from headcount.engine.kept_snapshot import snapshot_of_running
from headcount.errors import UsageError
from support import prosody_writes

LOGIN = 'return {\n\t["login"] = {\n\t\t["timestamp"] = %d;\n\t\t["ip"] = "8.8.8.8";\n\t};\n};\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "prosody"
    for user in ("alice", "bob"):
        prosody_writes(root, "example.com", "lastlog2", user, LOGIN % (time.time() - 60))
    (root / "example%2ecom" / "lastlog2" / "broken.dat").write_text("return {")
    return root


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def engine(root: Path, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An engine that has read everything and shows it."""
    line = [sys.executable, "-m", "headcount", "engine", str(root), "--state", str(state), "--timezone", "UTC"]
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    try:
        until(lambda: state.exists() and report(root, state)["figures_from"] == "engine")
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def until(is_so: Callable[[], bool], within: float = 120.0) -> None:
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def said(root: Path, state: Path, *more: str) -> str:
    line = [sys.executable, "-m", "headcount", "report", str(root), "--state", str(state), "--timezone", "UTC", *more]
    return subprocess.run(line, capture_output=True, check=True, text=True).stdout


def report(root: Path, state: Path, *more: str) -> dict[str, object]:
    found = json.loads(said(root, state, "--format", "json", *more))
    assert isinstance(found, dict)
    return found


def by_engine(root: Path, state: Path, *more: str) -> dict[str, object]:
    """The report of the engine's figures, as soon as they are young enough: on a busy machine they may be older."""
    found = report(root, state, *more)
    until(lambda: found["figures_from"] == "engine" or bool(found.update(report(root, state, *more))))
    return found


def test_it_says_what_the_files_say_and_reads_none(
    engine: subprocess.Popen[bytes], root: Path, state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown, by_files = by_engine(root, state), report(root, state, "--read")
    assert (shown.pop("figures_from"), by_files.pop("figures_from")) == ("engine", "files")
    (problem,), (read,) = shown.pop("problems"), by_files.pop("problems")  # type: ignore[misc]
    assert (problem["example"], read["example"]) == (None, "example.com/lastlog2/broken.dat")
    assert (problem["what"], problem["count"]) == (read["what"], read["count"])
    del shown["generated_at"], by_files["generated_at"]
    assert shown == by_files

    def nothing_is_read(*_: object, **__: object) -> None:
        raise UsageError("the engine's figures are too old by now")

    monkeypatch.setattr("headcount.tasks.reporting.open_run", nothing_is_read)
    common = ["--state", str(state), "--timezone", "UTC"]
    until(lambda: main(["report", str(root), *common]) == 0)
    for form in ("json", "csv", "html"):
        line = ["export", str(tmp_path / "out"), str(root), "--format", form, *common]
        until(lambda line=line: main(line) == 0)  # type: ignore[misc]


def test_people_read_where_the_figures_are_from(engine: subprocess.Popen[bytes], root: Path, state: Path) -> None:
    until(lambda: "figures of the running engine" in said(root, state))
    assert "running engine" not in said(root, state, "--read")
    assert re.search(r"DAU +2", said(root, state))


@pytest.mark.parametrize(
    "other",
    [
        ("--timezone", "Asia/Tokyo"),
        ("--at", "2026-11-22T00:00:00Z"),
        ("--read",),
        ("--trust-files",),
        ("--mmdb", str(Path(__file__).parents[2] / "core" / "headcount" / "data" / "demo.mmdb")),
    ],
)
def test_by_other_settings_the_files_are_read(
    engine: subprocess.Popen[bytes], root: Path, state: Path, other: tuple[str, ...]
) -> None:
    assert report(root, state, *other)["figures_from"] == "files"


def test_so_they_are_by_another_rule_of_who_is_active(
    engine: subprocess.Popen[bytes], root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADCOUNT_COUNT_OPEN_SESSIONS", "true")
    assert report(root, state)["figures_from"] == "files"


def test_an_engine_of_another_directory_does_not_answer(
    engine: subprocess.Popen[bytes], root: Path, state: Path, tmp_path: Path
) -> None:
    prosody_writes(tmp_path / "other", "other.example", "lastlog2", "eve", LOGIN % (time.time() - 60))
    assert list(report(tmp_path / "other", state)["hosts"]) == ["example.com", "other.example"]  # type: ignore[call-overload]
    assert report(tmp_path / "other", state)["figures_from"] == "files"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_was_killed_or_stopped_does_not_answer(
    engine: subprocess.Popen[bytes], root: Path, state: Path, number: signal.Signals
) -> None:
    engine.send_signal(number)
    until(lambda: report(root, state)["figures_from"] == "files")
    prosody_writes(root, "example.com", "lastlog2", "carol", LOGIN % (time.time() - 60))
    host = report(root, state)["hosts"]["example.com"]  # type: ignore[index]
    assert host["users_known"] == 4


def test_a_login_is_in_it_as_soon_as_the_engine_has_seen_it(
    engine: subprocess.Popen[bytes], root: Path, state: Path
) -> None:
    prosody_writes(root, "example.com", "lastlog2", "carol", LOGIN % (time.time() - 1))
    until(lambda: by_engine(root, state)["hosts"]["example.com"]["users_known"] == 4)  # type: ignore[index]


def test_what_is_no_state_is_no_answer(tmp_path: Path) -> None:
    assert snapshot_of_running(tmp_path / "missing" / "state.db", "", time.time()) is None
    (tmp_path / "no state").write_text("x" * 9000)
    assert snapshot_of_running(tmp_path / "no state", "", time.time()) is None
